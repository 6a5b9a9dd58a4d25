"""What a web page says of itself: asked in a task, by a guarded way (resources.fetching), never a reason to wait."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core.tasks import enqueue
from kmnet.core.text import clean_line

from .. import fetching, tasks
from ..csl import clean_item
from ..identifiers import url_key
from ..known import Known, language_in
from ..licences import BY_KEY
from ..models import LinkRecord
from ..page_facts import doi_in_address, facts_of, is_page
from ..permissions import can_add_resource
from .doi import ask_about

ASK_AGAIN_AFTER = timedelta(seconds=20)
KEPT_FOR = timedelta(days=7)
FORGOTTEN_AFTER = timedelta(days=90)
ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"


@transaction.atomic
def ask_link(*, actor, url: str) -> LinkRecord | None:
    """Have a page asked for its title, unless that was done lately; returns at once. None where it is no address.

    A DOI within the address is looked up, too: publishers let few but people see their pages. Locks the link's record."""
    if not can_add_resource(actor):
        raise PermissionDenied
    key = url_key(url)
    if not key or len(url) > fetching.MAX_URL:
        return None
    doi = doi_in_address(url)
    if doi:
        ask_about(doi=doi)
    now = timezone.now()
    record, new = LinkRecord.objects.get_or_create(url_key=key, defaults={"url": url, "asked_at": now})
    record = LinkRecord.objects.select_for_update().get(pk=record.pk)
    if not new:
        wait = KEPT_FOR if record.state == LinkRecord.State.FOUND else ASK_AGAIN_AFTER
        if record.asked_at > now - wait:
            return record
        record.asked_at, record.url = now, url
        if record.state != LinkRecord.State.FOUND:  # what is known stays in use until there is better
            record.state = LinkRecord.State.ASKED
        record.save(update_fields=["state", "asked_at", "url"])
    enqueue(tasks.look_up_link, record_id=record.pk)
    return record


def answer_link(*, record_id: int) -> None:
    """Ask the page and keep what it states. The network is spoken to outside any transaction."""
    record = LinkRecord.objects.filter(pk=record_id).first()
    if record is None:
        return
    state, item, reason = _look_up(record.url)
    with transaction.atomic():
        record = LinkRecord.objects.select_for_update().get(pk=record_id)
        record.answered_at, record.reason = timezone.now(), clean_line(reason)[:200]
        if state == LinkRecord.State.FOUND or record.item is None:
            record.state, record.item = state, item
        record.save(update_fields=["answered_at", "reason", "state", "item"])
        if state == LinkRecord.State.FOUND and item.get("DOI"):
            ask_about(doi=item["DOI"])


def _look_up(url: str) -> tuple[str, dict | None, str]:
    try:
        answer = fetching.fetch(
            url, accept=ACCEPT, cut=True
        )  # what a page says of itself stands at its beginning
    except fetching.Refused as error:
        return LinkRecord.State.REFUSED, None, str(error)
    except fetching.NoAnswer as error:
        return LinkRecord.State.FAILED, None, str(error)
    if answer.status != 200:
        return LinkRecord.State.FAILED, None, f"status {answer.status}"
    if not is_page(answer.content_type):
        return LinkRecord.State.FAILED, None, f"sent {answer.content_type}"
    facts = facts_of(answer.body, url=answer.url, charset=answer.charset)
    if not facts.item:
        return LinkRecord.State.FAILED, None, "a page without a title"
    custom = {
        name: value for name, value in (("licence", facts.licence), ("language", facts.language)) if value
    }
    return LinkRecord.State.FOUND, {**facts.item, **({"custom": custom} if custom else {})}, ""


def forget_old_answers() -> int:
    """Addresses that people once pasted are not kept for ever; return how many went."""
    gone, _models = LinkRecord.objects.filter(asked_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
    return gone


def known_page(url: str) -> Known | None:
    """What the page at this address stated, as far as it was asked. Its address stays what the person typed."""
    key = url_key(url)
    record = LinkRecord.objects.filter(url_key=key, state=LinkRecord.State.FOUND).first() if key else None
    if record is None or not record.item:
        return None
    item = clean_item(record.item)
    item.pop("URL", None)
    custom = record.item.get("custom") if isinstance(record.item.get("custom"), dict) else {}
    licence = custom.get("licence", "")
    return Known(item, licence if licence in BY_KEY else "", language_in(custom.get("language", "")))
