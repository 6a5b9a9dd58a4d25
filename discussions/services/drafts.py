"""Text that is not sent yet, kept for its writer on every device. Each write locks the draft's row.

A draft is saved over only by who has seen it: by the window that wrote it last, or by one that names its revision. What
another window brings is kept beside it, so that nothing that anybody typed is lost without a word.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core.text import clean_text
from members.models import Member

from ..models import Draft, Post, Thread
from .limits import by

FIELDS = {
    "ask": {
        *("title", "body", "tried", "hope", "tags", "kind", "space", "masked"),
        *("poll_options", "poll_way", "poll_closes", "poll_results", "poll_names"),
    },
    "reply": {"body", "to"},
    "message": {"body"},
    "edit": {"body", "title", "tags", "begun_from"},
}
TEXTS = ("title", "body", "tried", "hope", "poll_options")  # where all of these are empty, nothing is kept
MOST_CHARACTERS = 200_000
MOST_BESIDE = 5
MOST_DRAFTS = 100


class DraftRefused(Exception):
    """Too long, or one too many; `sentence` says so."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Sent:
    """Which draft a form came from: its key, the window's own sign, the revision that the window began from."""

    key: str
    tab: str = ""
    revision: int = 0


def cleaned(key: str, fields: dict) -> dict[str, str]:
    names = FIELDS.get(key.partition(":")[0], {"body", "title"})
    return {name: clean_text(str(value)) for name, value in fields.items() if name in names and value}


@transaction.atomic
def save_draft(
    *, member: Member, sent: Sent, fields: dict, thread: Thread | None = None, submit_key=None
) -> tuple[Draft | None, bool]:
    """Keep what was typed. Returns the draft (None: nothing is kept), and whether it stands beside a newer one.

    Text that was sent already (`submit_key`) is not kept again. Raises DraftRefused.
    """
    fields = cleaned(sent.key, fields)
    if sum(len(value) for value in fields.values()) > MOST_CHARACTERS:
        raise DraftRefused(_("This is too long to be kept as a draft. Copy it to a safe place."))
    if submit_key and by(member, Post.objects.filter(submit_key=submit_key)).exists():
        return None, False
    mine = Draft.objects.select_for_update().filter(member=member)
    draft = mine.filter(key=sent.key).first()
    empty = not any(fields.get(name, "").strip() for name in TEXTS)
    if draft is None:
        if empty:
            return None, False
        if Draft.objects.filter(member=member).count() >= MOST_DRAFTS:
            raise DraftRefused(_("You have a hundred drafts. Throw some away to keep new ones."))
        draft, new = Draft.objects.get_or_create(
            member=member,
            key=sent.key,
            defaults={"thread": thread, "data": {"fields": fields, "tab": sent.tab, "beside": []}},
        )
        if new:
            return draft, False
        draft = mine.get(pk=draft.pk)  # another window was first by a blink
    if sent.revision == draft.revision or (sent.tab and sent.tab == draft.data.get("tab")):
        if empty:
            return _without_head(draft), False
        draft.data = {**draft.data, "fields": fields, "tab": sent.tab}
    else:
        others = [one for one in draft.data.get("beside", []) if not sent.tab or one["tab"] != sent.tab]
        if not empty and fields != draft.data["fields"]:
            others.append({"fields": fields, "tab": sent.tab, "at": timezone.now().isoformat()})
        draft.data = {**draft.data, "beside": others[-MOST_BESIDE:]}
        draft.save(update_fields=["data"])
        return draft, True
    draft.revision += 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["data", "revision", "updated_at"])
    return draft, False


@transaction.atomic(savepoint=False)
def forget_sent(*, member: Member, sent: Sent | None) -> None:
    """This text has become a post: part of that transaction, and fails with it. What another window wrote stays, and is
    offered."""
    if sent is None:
        return
    draft = Draft.objects.select_for_update().filter(member=member, key=sent.key).first()
    if draft is None:
        return
    if sent.revision == draft.revision or sent.tab == draft.data.get("tab"):
        _without_head(draft)
        return
    others = draft.data.get("beside", [])
    left = [one for one in others if one["tab"] != sent.tab]
    if len(left) < len(others):
        draft.data = {**draft.data, "beside": left}
        draft.save(update_fields=["data"])


def _without_head(draft: Draft) -> Draft | None:
    """Its text goes; the next one that was kept beside it takes the place, or the draft goes."""
    others = draft.data.get("beside", [])
    if not others:
        draft.delete()
        return None
    draft.data = {"fields": others[-1]["fields"], "tab": others[-1]["tab"], "beside": others[:-1]}
    draft.revision += 1
    draft.updated_at = timezone.now()
    draft.save(update_fields=["data", "revision", "updated_at"])
    return draft


@transaction.atomic
def drop_draft(*, member: Member, draft: Draft, text: int = 0) -> None:
    """Throw away one of its texts: 0 the draft itself, 1 and more what is kept beside it."""
    draft = Draft.objects.select_for_update().filter(pk=draft.pk, member=member).first()
    if draft is None:
        return
    if text == 0:
        _without_head(draft)
        return
    others = list(draft.data.get("beside", []))
    if text <= len(others):
        del others[text - 1]
        draft.data = {**draft.data, "beside": others}
        draft.save(update_fields=["data"])


@transaction.atomic
def follow_reply(*, draft: Draft, thread: Thread, to: int) -> None:
    """What this reply answers stands in another thread now, under that number: the draft goes there. Where its writer
    has begun one there, too, all its texts are kept beside that. Locks the rows of both."""
    key = f"reply:{thread.pk}"
    pair = Draft.objects.select_for_update().filter(member=draft.member_id, key__in=(draft.key, key))
    found = {one.key: one for one in pair.order_by("pk")}
    if draft.key not in found:
        return  # sent or thrown away meanwhile
    draft, there = found[draft.key], found.get(key)
    fields = {**draft.data["fields"], "to": str(to)}
    if there is None:
        draft.key, draft.thread, draft.data = key, thread, {**draft.data, "fields": fields}
        draft.revision += 1
        draft.save(update_fields=["key", "thread", "data", "revision"])
        return
    came = {"fields": fields, "tab": draft.data.get("tab", ""), "at": draft.updated_at.isoformat()}
    beside = [*there.data.get("beside", []), *draft.data.get("beside", []), came]
    there.data = {**there.data, "beside": beside}
    there.save(update_fields=["data"])
    draft.delete()


def texts_of(draft: Draft) -> list[dict[str, str]]:
    """All that it keeps, the newest first: the fields of its form by name."""
    return [draft.data["fields"], *(one["fields"] for one in draft.data.get("beside", []))]
