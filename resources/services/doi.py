"""What is known about a DOI: asked in a task, kept as it came, never a reason to wait."""

import json
import time
from datetime import timedelta
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core.tasks import enqueue
from kmnet.core.text import clean_line

from .. import fetching, tasks
from ..agencies import ACCEPTS, CSL_JSON, HOSTS, item_of, licence_of
from ..identifiers import normalise_doi
from ..known import Known, language_in
from ..models import DoiRecord
from ..permissions import can_add_resource
from ..storable import storable

ASK_AGAIN_AFTER = timedelta(seconds=20)
KEPT_FOR = timedelta(days=30)
EACH = 3.0  # seconds of the five for whoever is asked first: the others want some, too


def ask_doi(*, actor, doi: str) -> DoiRecord | None:
    """Have a DOI looked up, unless that was done lately; returns at once. None where it is no DOI."""
    if not can_add_resource(actor):
        raise PermissionDenied
    return ask_about(doi=doi)


@transaction.atomic
def ask_about(*, doi: str) -> DoiRecord | None:
    """As `ask_doi`, for a DOI that was found in a page or a file which a member brought. Locks the record of the DOI."""
    doi = normalise_doi(doi).lower()
    if not doi:
        return None
    now = timezone.now()
    record, new = DoiRecord.objects.get_or_create(doi=doi, defaults={"asked_at": now})
    record = DoiRecord.objects.select_for_update().get(pk=record.pk)
    wait = KEPT_FOR if record.state in (DoiRecord.State.FOUND, DoiRecord.State.UNKNOWN) else ASK_AGAIN_AFTER
    if not new:
        if record.asked_at > now - wait:
            return record
        record.asked_at = now
        if record.state != DoiRecord.State.FOUND:  # what is known stays in use until there is better
            record.state = DoiRecord.State.ASKED
        record.save(update_fields=["state", "asked_at"])
    enqueue(tasks.look_up_doi, record_id=record.pk)
    return record


def answer_doi(*, record_id: int) -> None:
    """Ask doi.org, then the agencies, and keep the answer. The network is spoken to outside any transaction."""
    record = DoiRecord.objects.filter(pk=record_id).first()
    if record is None:
        return
    state, raw, reason = _look_up(record.doi)
    with transaction.atomic():
        record = DoiRecord.objects.select_for_update().get(pk=record_id)
        record.answered_at, record.reason = timezone.now(), clean_line(reason)[:200]
        if state == DoiRecord.State.FOUND or record.raw is None:
            record.state, record.raw = state, raw
        record.save(update_fields=["answered_at", "reason", "state", "raw"])


def _look_up(doi: str) -> tuple[str, dict | None, str]:
    """(state, the answer as it came, why not). By content negotiation, which is not always honoured (a registered DOI may
    answer with a web page); then by what the two large agencies offer themselves. All within fetching.SECONDS."""
    ends_at = time.monotonic() + fetching.SECONDS
    name = quote(doi, safe="/")
    ways = (
        f"https://doi.org/{name}",
        f"https://api.crossref.org/works/{quote(doi, safe='')}",
        f"https://api.datacite.org/dois/{name}",
    )
    failures = []
    for url in ways:
        left = ends_at - time.monotonic()
        if left < 0.1:
            break
        accept = CSL_JSON if url is ways[0] else "application/json"
        try:
            answer = fetching.get(url, accept=accept, hosts=HOSTS, seconds=min(left, EACH))
        except (fetching.Refused, fetching.NoAnswer) as error:
            failures.append(str(error))
            continue
        if answer.status == 404 and url is ways[0] and not answer.hops:
            return DoiRecord.State.UNKNOWN, None, "404"  # doi.org itself knows all that are registered
        raw, why = _read(answer)
        if raw is not None:
            return DoiRecord.State.FOUND, raw, ""
        failures.append(why)
    return DoiRecord.State.FAILED, None, failures[0] if failures else "too slow"


def _read(answer: fetching.Answer) -> tuple[dict | None, str]:
    if answer.status != 200:
        return None, f"status {answer.status}"
    if answer.content_type not in ACCEPTS:
        return None, f"sent {answer.content_type}"
    try:
        raw = storable(json.loads(answer.body.decode("utf-8")))
    except (ValueError, RecursionError):
        return None, "sent something else than JSON"
    if not isinstance(raw, dict) or not item_of(raw).get("title"):
        return None, "sent a record without a title"
    return raw, ""


def known_item(doi: str) -> dict | None:
    """The bibliographic item known for a DOI, in our form; None where there is none (yet)."""
    known = known_doi(doi)
    return known.item if known else None


def known_doi(doi: str) -> Known | None:
    """What the agencies say about a DOI, as far as it was asked; their abstract is never a part of it."""
    doi = normalise_doi(doi).lower()
    record = DoiRecord.objects.filter(doi=doi, state=DoiRecord.State.FOUND).first() if doi else None
    if record is None:
        return None
    item = item_of(record.raw)
    item["DOI"] = normalise_doi(item.get("DOI", "")) or record.doi
    item.pop("URL", None)  # it says doi.org again, or something that nobody here has looked at
    language = language_in(item.pop("language", ""))
    return Known(item, licence=licence_of(record.raw), language=language)
