"""What is shown of a post: its Markdown with footnotes, people and the pictures that were uploaded here."""

import re

from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.safestring import SafeString

from kmnet.core.text import Extras, render_markdown
from members.models import Member, OldHandle

PICTURE = re.compile(
    r"/discussions/files/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/[^/?#\s]{1,200}\.(?:png|jpe?g|webp)"
)


def render_post(source: str, *, anchor: str) -> SafeString:
    """The HTML of a post; `anchor` keeps its footnotes apart from those of other posts on a page. Two queries at most,
    and none where nobody is named."""
    return render_markdown(source, Extras(anchor=anchor, people=pages_of_people, picture=PICTURE))


def anchor_of(created_at) -> str:
    """The same for all renderings of one post, and another for every other post; nobody can tell from it who wrote it."""
    return salted_hmac("discussions.anchor", created_at.isoformat(), algorithm="sha256").hexdigest()[:8]


def pages_of_people(handles: set[str]) -> dict[str, str]:
    """By handle, in lower case, also a former one: the profiles of those who are members now."""
    full = Member.objects.full()
    found = {
        member.handle.lower(): member for member in full.alias(low=Lower("handle")).filter(low__in=handles)
    }
    missing = handles - found.keys()
    if missing:
        former = OldHandle.objects.alias(low=Lower("handle")).filter(low__in=missing, member__in=full)
        found |= {old.handle.lower(): old.member for old in former.select_related("member")}
    return {handle: member.get_absolute_url() for handle, member in found.items()}
