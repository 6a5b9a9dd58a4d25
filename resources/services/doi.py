"""What is known about a DOI: asked in a task, kept as it came, never a reason to wait."""

import json
from datetime import timedelta
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from kmnet.core.tasks import enqueue

from .. import fetching, tasks
from ..csl import clean_item
from ..identifiers import normalise_doi
from ..models import DoiRecord
from ..permissions import can_add_resource

CSL_JSON = "application/vnd.citationstyles.csl+json"
# doi.org, and where it sends those who ask for CSL-JSON.
HOSTS = frozenset(
    {
        "doi.org",
        "www.doi.org",
        "dx.doi.org",
        "api.crossref.org",
        "data.crossref.org",
        "data.crosscite.org",
        "data.datacite.org",
        "api.datacite.org",
        "data.medra.org",
    }
)
ASK_AGAIN_AFTER = timedelta(seconds=20)
KEPT_FOR = timedelta(days=30)


@transaction.atomic
def ask_doi(*, actor, doi: str) -> DoiRecord | None:
    """Have a DOI looked up, unless that was done lately; returns at once. None where it is no DOI."""
    if not can_add_resource(actor):
        raise PermissionDenied
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
    """Ask doi.org and keep the answer. The network is spoken to outside any transaction."""
    record = DoiRecord.objects.filter(pk=record_id).first()
    if record is None:
        return
    state, raw, reason = _look_up(record.doi)
    with transaction.atomic():
        record = DoiRecord.objects.select_for_update().get(pk=record_id)
        record.answered_at, record.reason = timezone.now(), reason[:200]
        if state == DoiRecord.State.FOUND or record.raw is None:
            record.state, record.raw = state, raw
        record.save(update_fields=["answered_at", "reason", "state", "raw"])


def _look_up(doi: str) -> tuple[str, dict | None, str]:
    url = f"https://doi.org/{quote(doi, safe='/')}"
    try:
        answer = fetching.get(url, accept=CSL_JSON, hosts=HOSTS)
    except (fetching.Refused, fetching.NoAnswer) as error:
        return DoiRecord.State.FAILED, None, str(error)
    if answer.status == 404:
        return DoiRecord.State.UNKNOWN, None, "404"
    if answer.status != 200:
        return DoiRecord.State.FAILED, None, f"status {answer.status}"
    if answer.content_type not in (
        CSL_JSON,
        "application/json",
    ):  # a registered DOI may answer with a web page
        return DoiRecord.State.FAILED, None, f"sent {answer.content_type}"
    try:
        # Postgres holds no NUL; metadata with one in it is cleaned by leaving it out.
        raw = json.loads(answer.body.decode("utf-8").replace("\\u0000", ""))
    except (ValueError, RecursionError):
        return DoiRecord.State.FAILED, None, "sent something else than JSON"
    if not isinstance(raw, dict) or not clean_item(raw, foreign=True).get("title"):
        return DoiRecord.State.FAILED, None, "sent a record without a title"
    return DoiRecord.State.FOUND, raw, ""


def known_item(doi: str) -> dict | None:
    """The bibliographic item known for a DOI, in our form; None where there is none (yet)."""
    record = DoiRecord.objects.filter(doi=normalise_doi(doi).lower(), state=DoiRecord.State.FOUND).first()
    if record is None:
        return None
    item = clean_item(record.raw, foreign=True)
    item["DOI"] = normalise_doi(item.get("DOI", "")) or record.doi
    item.pop("URL", None)  # it says doi.org again, or something that nobody here has looked at
    return item
