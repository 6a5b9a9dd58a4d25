"""What the agencies that register DOIs send, read into our form. Pure: they are asked in services.doi."""

from .csl import clean_item
from .formats.rows import licence_in

CSL_JSON = "application/vnd.citationstyles.csl+json"
ACCEPTS = {CSL_JSON, "application/json", "application/vnd.api+json"}
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
# Where DataCite says in general what a thing is.
GENERAL = {
    "journalarticle": "article-journal",
    "conferencepaper": "paper-conference",
    "report": "report",
    "book": "book",
    "bookchapter": "chapter",
    "dataset": "dataset",
    "dissertation": "thesis",
    "software": "software",
    "audiovisual": "motion_picture",
    "preprint": "article",
}


def item_of(raw: dict) -> dict:
    """Our CSL-JSON from what came: CSL-JSON, Crossref's envelope around nearly that, or DataCite's own form."""
    if isinstance(raw.get("message"), dict):
        return clean_item(raw["message"], foreign=True)
    attributes = _attributes(raw)
    return clean_item(_from_datacite(attributes) if attributes else raw, foreign=True)


def licence_of(raw: dict) -> str:
    """The key of the licence that they state, where it is one of ours; else ""."""
    inner = raw.get("message") if isinstance(raw.get("message"), dict) else _attributes(raw) or raw
    stated = [*_dicts(inner.get("license")), *_dicts(inner.get("rightsList"))]
    found = (licence_in(one.get("URL") or one.get("rightsUri") or one.get("rights")) for one in stated)
    return next((key for key in found if key), "")


def _attributes(raw: dict) -> dict | None:
    data = raw.get("data")
    found = data.get("attributes") if isinstance(data, dict) else None
    return found if isinstance(found, dict) else None


def _dicts(value) -> list[dict]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}


def _from_datacite(said: dict) -> dict:
    types, container = _dict(said.get("types")), _dict(said.get("container"))
    general = str(types.get("resourceTypeGeneral", "")).lower()
    publisher = said.get("publisher")
    pages = [str(container[end]) for end in ("firstPage", "lastPage") if container.get(end)]
    dates = {one.get("dateType"): one.get("date") for one in _dicts(said.get("dates"))}
    item = {
        "type": types.get("citeproc")
        if types.get("citeproc") not in (None, "article")
        else GENERAL.get(general),
        "title": next((one.get("title") for one in _dicts(said.get("titles")) if one.get("title")), ""),
        "author": [_creator(one) for one in _dicts(said.get("creators"))],
        "publisher": publisher.get("name") if isinstance(publisher, dict) else publisher,
        "issued": dates.get("Issued") or said.get("publicationYear"),
        "container-title": container.get("title"),
        "volume": container.get("volume"),
        "issue": container.get("issue"),
        "page": "-".join(pages),
        "DOI": said.get("doi"),
        "language": said.get("language"),
        "version": said.get("version"),
    }
    return {name: value for name, value in item.items() if value}


def _creator(said: dict) -> dict:
    if said.get("familyName") and said.get("nameType") != "Organizational":
        return {"family": said["familyName"], "given": said.get("givenName")}
    name = str(said.get("name") or "")
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma and said.get("nameType") == "Personal":
        return {"family": family, "given": given}
    return {"literal": name}
