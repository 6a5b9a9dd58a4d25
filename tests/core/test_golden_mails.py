"""Every kind of mail as it was looked at: the words and the look of each stand in tests/golden/.

After a change that is meant: KMNET_GOLDEN=write python3 dev.py test tests/core/test_golden_mails.py, then look at what
has changed (git diff tests/golden) and at the HTML in a browser.
"""

import email
import email.policy
import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from kmnet.core import mail
from kmnet.core.mail.message import build_message
from tests.golden_mails import MONDAY, SCENES, play, steady
from tests.mailbox import html_of, text_of

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).resolve().parent.parent / "golden"
KINDS = [kind.key for kind in mail.all_kinds()]
HEADERS = ("From", "To", "Reply-To", "Subject", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
           "Feedback-ID", "Auto-Submitted", "References")  # fmt: skip


def made(kind):
    """The message of this kind, parsed from its bytes, as a mail program would."""
    message = build_message(play(kind))
    return email.message_from_bytes(message.message().as_bytes(linesep="\r\n"), policy=email.policy.SMTP)


def told(message) -> str:
    """The headers that its reader or their mail program goes by, and the text part."""
    lines = [f"{name}: {message[name]}" for name in HEADERS if message[name]]
    parts = [part.get_filename() for part in message.walk() if part.get_filename()]
    lines += [f"Attached: {name}" for name in parts]
    return steady("\n".join(lines) + "\n\n" + text_of(message).replace("\r\n", "\n"))


def test_every_kind_has_a_scene_and_no_other():
    assert set(SCENES) == set(KINDS)
    names = {path.stem for path in GOLDEN.glob("*.*")}
    assert names == set(KINDS)


def links_of(message) -> list[str]:
    """All of the text and of the HTML."""
    found = re.findall(r"https?://[^\s<>\"]+", text_of(message))
    found += [unescape(link) for link in re.findall(r'href="(https?://[^"]+)"', html_of(message))]
    return sorted({link.rstrip(".,)") for link in found})


def everything() -> list[tuple]:
    """Of each table how many rows it has and what they are."""
    tables = sorted(connection.introspection.table_names())
    parts = [
        f"SELECT '{table}', count(*), sum(hashtext(row::text)::bigint) FROM {connection.ops.quote_name(table)} AS row"
        for table in tables
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return cursor.fetchall()


@pytest.mark.parametrize("kind", KINDS)
def test_mail_reads_and_looks_as_it_was_looked_at_and_a_scanner_of_its_links_changes_nothing(
    kind, time_machine
):
    time_machine.move_to(MONDAY, tick=False)
    message = made(kind)
    is_as_looked_at(kind, message)
    is_well_formed(mail.get_kind(kind), message)
    survives_a_scanner(message)


def is_as_looked_at(kind, message) -> None:
    seen = {"txt": told(message), "html": steady(html_of(message).replace("\r\n", "\n"))}
    for ending, words in seen.items():
        path = GOLDEN / f"{kind}.{ending}"
        if os.environ.get("KMNET_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(words)
        assert words == path.read_text(), f"{path.name} differs"


def is_well_formed(kind, message) -> None:
    """Light, in its reader's language, nothing fetched, fit for the dark; why it came, and the switch that it came from."""
    html, text, category = html_of(message), text_of(message), kind.list_category
    assert len(message.as_bytes()) < 100_000
    assert re.search(r'<html lang="en[^"]*" dir="ltr">', html)
    assert not re.search(r"<img|src=|url\(|<script|<link|<form", html)
    assert "prefers-color-scheme: dark" in html
    assert re.search(r"\bYou (get|asked|have)\b|\byour?\b", text.rpartition("\n-- ")[2])
    if category is None:
        assert kind.category is None or message["List-Unsubscribe"] is None  # fixed: it always comes
        return
    assert f"#{category.key}" in html
    assert f"#{category.key}" in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert kind.bundles == (mail.How.BUNDLED in category.hows)


def survives_a_scanner(message) -> None:
    ours = [link for link in links_of(message) if link.startswith(settings.SITE_URL)]
    assert ours
    before = everything()
    for link in ours:
        where = urlsplit(link)
        for method in ("head", "get"):
            response = getattr(Client(), method)(where.path + (f"?{where.query}" if where.query else ""))
            assert response.status_code in (200, 301, 302, 410), link  # 410: it was taken down, and says why
    assert everything() == before
