"""OAI-PMH 2.0: the public records for harvesters, as simple Dublin Core.

Kept apart from the views so that the protocol reads like the protocol: arguments in, an XML document out. A record that
was public and is not any more (taken down, hidden, merged, made members', deleted) is told as deleted, by its number and
the time alone, for ever ("persistent"). One that never was public is not told of. In which sets a deleted one was is not
kept: it is told with each.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from lxml import etree

from kmnet.core import tokens
from kmnet.core.models import CommunitySettings, Term
from kmnet.core.vocabulary import terms_for
from kmnet.core.xml import xml_text

from .describing import dublin_core
from .models import HarvestRecord, Resource, ResourceTerm, Visibility
from .vocabulary import TYPE

OAI = "http://www.openarchives.org/OAI/2.0/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
OAI_IDENTIFIER = "http://www.openarchives.org/OAI/2.0/oai-identifier"
DC = "http://purl.org/dc/elements/1.1/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMAS = {
    OAI: "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd",
    OAI_DC: "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
    OAI_IDENTIFIER: "http://www.openarchives.org/OAI/2.0/oai-identifier.xsd",
}
PREFIX = "oai_dc"
AT_ONCE = 100
TOKEN_LIFE = timedelta(days=1)
_WORDS = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECOND = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")

ARGUMENTS = {  # verb: (those it must have, those it may)
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
}


class Refused(Exception):
    """An answer of the protocol: its code, and a sentence for whoever runs the harvester."""

    def __init__(self, code: str, words: str):
        super().__init__(words)
        self.code, self.words = code, words


@dataclass
class Asked:
    """Which records: as the arguments say, or as the token does that goes on with them."""

    since: str = ""
    until: str = ""
    in_set: str = ""
    after: tuple[str, int] | None = None  # (moment, number) of the last one given
    given: int = 0


# --- arguments -------------------------------------------------------------------------------------------------------
def answer(params: QueryDict) -> bytes:
    """The document for these arguments; whatever they are, it is one of the protocol."""
    root = etree.Element(f"{{{OAI}}}OAI-PMH", nsmap={None: OAI, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{OAI} {SCHEMAS[OAI]}")
    _add(root, "responseDate", _moment(timezone.now()))
    request = _add(root, "request", base_url())
    try:
        arguments = _arguments(params)
        _VERBS[arguments.pop("verb")](root, arguments)
        understood = True
    except Refused as refused:
        understood = refused.code not in ("badVerb", "badArgument")
        for child in list(root)[2:]:
            root.remove(child)
        _add(root, "error", refused.words).set("code", refused.code)
    if understood:
        for name, value in params.items():
            request.set(name, xml_text(value))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def base_url() -> str:
    return settings.SITE_URL + reverse("resources:oai")


def _arguments(params: QueryDict) -> dict[str, str]:
    verbs = params.getlist("verb")
    if len(verbs) != 1 or verbs[0] not in ARGUMENTS:
        raise Refused("badVerb", "The verb is missing, given twice, or not one of OAI-PMH 2.0.")
    needed, allowed = ARGUMENTS[verbs[0]]
    told = {name: value for name, value in params.items() if name != "verb"}
    if any(len(values) > 1 for _name, values in params.lists()):
        raise Refused("badArgument", "An argument is given twice.")
    foreign = [name for name in told if name not in (*needed, *allowed)]
    if foreign:
        raise Refused("badArgument", "This verb takes no argument of that name.")
    if "resumptionToken" in told:
        if len(told) > 1:
            raise Refused("badArgument", "A resumptionToken excludes all other arguments.")
    elif any(not told.get(name) for name in needed):
        raise Refused("badArgument", f"This verb needs: {', '.join(needed)}.")
    if not all(_WORDS.fullmatch(told.get(name, "x")) for name in ("metadataPrefix", "set")):
        raise Refused("badArgument", "A metadataPrefix or a set is not called so.")
    if "metadataPrefix" in told and told["metadataPrefix"] != PREFIX:
        raise Refused("cannotDisseminateFormat", f"Records are given as {PREFIX} alone.")
    return {"verb": verbs[0], **told}


def _bounds(told: dict[str, str]) -> tuple[str, str]:
    since, until = told.get("from", ""), told.get("until", "")
    forms = []
    for name in ("from", "until"):
        if name in told:
            form = next((form for form in (_DAY, _SECOND) if form.fullmatch(told[name])), None)
            if form is None or _parsed(told[name], end=True) is None:
                raise Refused(
                    "badArgument", f"“{name}” is no UTC date such as 2026-01-31 or 2026-01-31T12:00:00Z."
                )
            forms.append(form)
    if len(set(forms)) > 1:
        raise Refused("badArgument", "“from” and “until” have not the same granularity.")
    if since and until and since > until:
        raise Refused("badArgument", "“from” is later than “until”.")
    return since, until


def _parsed(text: str, *, end: bool = False) -> datetime | None:
    """The beginning of a day or a second, or (end) that of the next one."""
    is_day = _DAY.fullmatch(text) is not None
    try:
        at = datetime.strptime(text, "%Y-%m-%d" if is_day else "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return at + (timedelta(days=1) if is_day else timedelta(seconds=1)) if end else at
    except (ValueError, OverflowError):
        return None


# --- records ---------------------------------------------------------------------------------------------------------
@dataclass
class Told:
    """A record as it is told of: `resource` is None where it is gone."""

    number: int
    stamp: datetime
    resource: Resource | None


def records() -> QuerySet[HarvestRecord]:
    """What guests meet, and what they met before it went; each with its last change.

    Of a record the latest of what happened to it counts: an edit, its release to the public, its going.
    """
    return HarvestRecord.objects.all()


def _chosen(asked: Asked) -> QuerySet[HarvestRecord]:
    rows = records()
    if asked.since:
        rows = rows.filter(changed_at__gte=_parsed(asked.since))
    if asked.until:
        rows = rows.filter(changed_at__lt=_parsed(asked.until, end=True))
    if asked.in_set:
        kind, _colon, name = asked.in_set.partition(":")
        if kind != "type" or not Term.objects.filter(slug=name, facet__key=TYPE).exists():
            return rows.none()
        having = ResourceTerm.objects.filter(term__slug=name, term__facet__key=TYPE).values("resource")
        rows = rows.filter(Q(is_gone=True) | Q(number__in=having))
    return rows


def _told(rows: list[HarvestRecord]) -> list[Told]:
    """These with what they say, in four queries. What stopped being public in this moment is gone."""
    terms = Prefetch("terms", queryset=Term.objects.select_related("facet").order_by("position", "pk"))
    there = (
        Resource.objects.published()
        .filter(visibility=Visibility.PUBLIC)
        .defer("search", "description", "description_html", "fuzzy")
        .prefetch_related(terms, "tags", "files")
        .in_bulk([row.number for row in rows if not row.is_gone])
    )
    return [Told(row.number, row.changed_at, there.get(row.number)) for row in rows]


def _page(told: dict[str, str]) -> tuple[list[Told], Asked, int]:
    """The records to give now, what was asked, and how many there are in all."""
    if "resumptionToken" in told:
        asked, total = _resumed(told["resumptionToken"])
    else:
        since, until = _bounds(told)
        asked, total = Asked(since, until, told.get("set", "")), None
    rows = _chosen(asked)
    if total is None:
        total = rows.count()
    if asked.after:
        moment, number = asked.after
        at = datetime.fromisoformat(moment)
        rows = rows.filter(changed_at__gte=at).exclude(changed_at=at, number__lte=number)
    found = _told(list(rows.order_by("changed_at", "number")[: AT_ONCE + 1]))
    if not found:
        raise Refused("noRecordsMatch", "There is no such record.")
    return found, asked, total


def _resumed(token: str) -> tuple[Asked, int]:
    try:
        data = tokens.read("oai", token)
        return Asked(data["f"], data["u"], data["s"], tuple(data["a"]), data["g"]), data["n"]
    except (tokens.BadToken, KeyError, TypeError) as error:
        words = "The resumptionToken is not one of ours, or its day is over."
        raise Refused("badResumptionToken", words) from error


def _resumption(parent, shown: list[Told], asked: Asked, total: int, *, more: bool) -> None:
    """Where the list goes on; at the end of one that came in parts, an empty token."""
    if not more and not asked.given:
        return
    last = shown[-1]
    token = ""
    if more:
        token = tokens.make(
            "oai",
            lifetime=TOKEN_LIFE,
            f=asked.since,
            u=asked.until,
            s=asked.in_set,
            a=(last.stamp.isoformat(), last.number),
            g=asked.given + len(shown),
            n=total,
        )
    element = _add(parent, "resumptionToken", token)
    element.set("completeListSize", str(max(total, asked.given + len(shown))))
    element.set("cursor", str(asked.given))
    if more:
        element.set("expirationDate", _moment(timezone.now() + TOKEN_LIFE))


# --- verbs -----------------------------------------------------------------------------------------------------------
def _identify(root, told: dict[str, str]) -> None:
    first = records().order_by("changed_at", "number").values_list("changed_at", flat=True).first()
    part = _add(root, "Identify")
    _add(part, "repositoryName", "kmnet")
    _add(part, "baseURL", base_url())
    _add(part, "protocolVersion", "2.0")
    _add(part, "adminEmail", CommunitySettings.load().contact_email)
    _add(part, "earliestDatestamp", _moment(first or timezone.now()))
    _add(part, "deletedRecord", "persistent")
    _add(part, "granularity", "YYYY-MM-DDThh:mm:ssZ")
    described = etree.SubElement(
        _add(part, "description"), f"{{{OAI_IDENTIFIER}}}oai-identifier", nsmap={None: OAI_IDENTIFIER}
    )
    described.set(f"{{{XSI}}}schemaLocation", f"{OAI_IDENTIFIER} {SCHEMAS[OAI_IDENTIFIER]}")
    for name, value in (
        ("scheme", "oai"),
        ("repositoryIdentifier", _host()),
        ("delimiter", ":"),
        ("sampleIdentifier", f"oai:{_host()}:1"),
    ):
        etree.SubElement(described, f"{{{OAI_IDENTIFIER}}}{name}").text = value


def _formats(root, told: dict[str, str]) -> None:
    if "identifier" in told:
        _record_called(told["identifier"])
    part = _add(_add(root, "ListMetadataFormats"), "metadataFormat")
    _add(part, "metadataPrefix", PREFIX)
    _add(part, "schema", SCHEMAS[OAI_DC])
    _add(part, "metadataNamespace", OAI_DC)


def _sets(root, told: dict[str, str]) -> None:
    if "resumptionToken" in told:
        raise Refused("badResumptionToken", "The list of sets comes in one part.")
    part = _add(root, "ListSets")
    for term in terms_for("resource"):
        if term.facet.key == TYPE:
            one = _add(part, "set")
            _add(one, "setSpec", f"type:{term.slug}")
            _add(one, "setName", term.name)


def _get(root, told: dict[str, str]) -> None:
    one = _record_called(told["identifier"])
    _record(_add(root, "GetRecord"), one)


def _list_identifiers(root, told: dict[str, str]) -> None:
    found, asked, total = _page(told)
    part = _add(root, "ListIdentifiers")
    for one in found[:AT_ONCE]:
        _header(part, one)
    _resumption(part, found[:AT_ONCE], asked, total, more=len(found) > AT_ONCE)


def _list_records(root, told: dict[str, str]) -> None:
    found, asked, total = _page(told)
    part = _add(root, "ListRecords")
    for one in found[:AT_ONCE]:
        _record(part, one)
    _resumption(part, found[:AT_ONCE], asked, total, more=len(found) > AT_ONCE)


_VERBS = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "GetRecord": _get,
    "ListIdentifiers": _list_identifiers,
    "ListRecords": _list_records,
}


# --- pieces ----------------------------------------------------------------------------------------------------------
def identifier_of(number: int) -> str:
    return f"oai:{_host()}:{number}"


def _host() -> str:
    """The host alone: an identifier of this scheme has no port."""
    return settings.SITE_URL.partition("://")[2].partition("/")[0].partition(":")[0]


def _record_called(identifier: str) -> Told:
    found = re.fullmatch(rf"oai:{re.escape(_host())}:([0-9]{{1,18}})", identifier)
    rows = list(records().filter(number=int(found.group(1)))) if found else []
    if not rows:
        raise Refused("idDoesNotExist", "There is no record of this name.")
    return _told(rows)[0]


def _header(parent, one: Told) -> None:
    """Of a record that is gone only number and time are told."""
    header = _add(parent, "header")
    if one.resource is None:
        header.set("status", "deleted")
    _add(header, "identifier", identifier_of(one.number))
    _add(header, "datestamp", _moment(one.stamp))
    for term in one.resource.terms.all() if one.resource else ():
        if term.facet.key == TYPE:
            _add(header, "setSpec", f"type:{term.slug}")


def _record(parent, one: Told) -> None:
    record = _add(parent, "record")
    _header(record, one)
    if one.resource is None:
        return
    metadata = _add(record, "metadata")
    dc = etree.SubElement(metadata, f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": DC})
    dc.set(f"{{{XSI}}}schemaLocation", f"{OAI_DC} {SCHEMAS[OAI_DC]}")
    for name, value in dublin_core(one.resource):
        etree.SubElement(dc, f"{{{DC}}}{name}").text = xml_text(value)


def _add(parent, name: str, text: str | None = None):
    element = etree.SubElement(parent, f"{{{OAI}}}{name}")
    if text is not None:
        element.text = xml_text(text)
    return element


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
