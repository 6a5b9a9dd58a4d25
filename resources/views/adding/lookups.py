"""What others said so far about a thing that somebody brings."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.utils import timezone

from ...identifiers import normalise_doi, url_key
from ...known import Known, together
from ...models import DoiRecord, LinkRecord, ResourceFile, ResourceText
from ...page_facts import doi_in_address
from ...services.doi import ask_doi, known_doi
from ...services.links import ask_link, known_page

LOOKING_FOR = timedelta(seconds=12)  # for so long the page keeps asking whether there is an answer
READING_FOR = timedelta(seconds=45)  # and for so long whether a file was read


@dataclass
class LookUp:
    """known: what to offer, None where nobody said anything (yet). state: found, asked, unknown (no such DOI), silent (a
    place did not answer), mute (a file was read and says nothing of itself), or "" where nobody was asked. keep_asking:
    the page asks again in a moment. query: of the partial that tells how it stands. whence: "doi", "page" or "file".
    is_used: the form below says all that is known."""

    known: Known | None = None
    state: str = ""
    keep_asking: bool = False
    query: str = ""
    whence: str = ""
    is_used: bool = False


def look(*, doi: str = "", url: str = "", files: list[ResourceFile] = (), kept: str = "") -> LookUp:
    """How it stands. Reads the database only; nobody is asked by it."""
    doi = normalise_doi(doi)
    page = known_page(url)
    texts = list(
        ResourceText.objects.filter(file__in=files)
        .select_related("file")
        .defer("text", "search")
        .order_by("pk")
        if files
        else ()
    )
    told = _from_file(texts)
    of_thing = (
        doi or (page.item.get("DOI") if page else "") or doi_in_address(url) or told.item.get("DOI", "")
    )
    registered = known_doi(of_thing)
    # The page of something with a DOI of its own; what it says of something else is of no use here.
    if page and doi and page.item.get("DOI", doi).lower() != doi.lower():
        page = None
    known = together(registered, page, told)
    records = [
        DoiRecord.objects.filter(doi=of_thing.lower()).first() if of_thing else None,
        LinkRecord.objects.filter(url_key=url_key(url)).first() if url else None,
    ]
    states = [record.state for record in records if record]
    now = timezone.now()
    waiting = [
        now - record.asked_at < LOOKING_FOR for record in records if record and record.state == "asked"
    ]
    waiting += [
        now - text.file.created_at < READING_FOR for text in texts if text.state == ResourceText.State.WAITING
    ]
    if known:
        state = "found"
    elif waiting:
        state = "asked"
    elif DoiRecord.State.UNKNOWN in states:
        state = "unknown"
    else:
        state = "silent" if states else "mute" if texts else ""
    asked_for = {"doi": doi, "url": url, "kept": kept}
    return LookUp(
        known=known,
        state=state,
        keep_asking=any(waiting),
        query=urlencode({name: value for name, value in asked_for.items() if value}),
        whence="doi" if registered else "page" if page else "file",
    )


def _from_file(texts: list[ResourceText]) -> Known:
    """What files say of themselves: the first title and the first DOI that one states."""
    title = next((text.title for text in texts if text.title), "")
    doi = next((text.doi for text in texts if text.doi), "")
    return Known({"title": title, **({"DOI": doi} if doi else {})} if title or doi else {})


def ask(*, actor, doi: str = "", url: str = "", files: list[ResourceFile] = ()) -> None:
    """Have what is not known yet looked up. Returns at once."""
    if doi:
        ask_doi(actor=actor, doi=doi)
    if url:
        ask_link(actor=actor, url=url)
    for text in ResourceText.objects.filter(file__in=files).exclude(doi="").defer("text", "search"):
        ask_doi(actor=actor, doi=text.doi)
