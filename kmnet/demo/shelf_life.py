"""What the people of the demo made themselves, what others made from it, and what became of it."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from kmnet.core.vocabulary import find_term
from members.models import Member
from resources import services
from resources.models import Derivative, Resource, SavedResource, UsageDay, UsedMark
from resources.services import Details, Making, Telling
from resources.services.reviewing import release_resource
from resources.services.usage import rank, recount

from .clock import at
from .data import read
from .paper import pdf, poster

READ_DAYS = 30  # over which reads and downloads lie


class Shelf:
    """The records by the keys of shelf.yaml, and by how their titles begin."""

    def __init__(self, people: dict[str, Member], now: datetime):
        self.people, self.now, self.by_key = people, now, {}

    def find(self, name: str) -> Resource:
        return self.by_key.get(name) or Resource.objects.get(title__startswith=name)

    def when(self, entry: dict) -> datetime:
        return self.now - timedelta(days=entry["ago"])


def load_shelf_life(*, people: dict[str, Member], now: datetime) -> None:
    """Records, their versions, derivatives, stories, links and collections; each at its own time."""
    data, shelf = read("shelf.yaml"), Shelf(people, now)
    for entry in data["resources"]:
        shelf.by_key[entry["key"]] = _make(shelf, entry)
        for version in entry.get("versions", ()):
            _renew(shelf, shelf.by_key[entry["key"]], version)
        for derived in entry.get("derivatives", ()):
            shelf.by_key[derived["key"]] = _derive(shelf, shelf.by_key[entry["key"]], derived)
    for entry in data["resources"]:
        _live(shelf, shelf.by_key[entry["key"]], entry)
    for entry in data["about"]:
        resource = shelf.find(entry["title"])
        Resource.objects.filter(pk=resource.pk).update(minutes=entry.get("minutes"))
        _live(shelf, resource, entry)
    for one, kind, other in data["links"]:
        resource = shelf.find(one)
        services.relate(actor=resource.keeper, resource=resource, kind=kind, other=shelf.find(other))
    for entry in data["collections"]:
        _gather(shelf, entry)
    recount()
    rank()


def _details(entry: dict, creators: list[str]) -> Details:
    kind = find_term(entry["kind"], facet="type") if entry.get("kind") else None
    terms = [kind, *(find_term(word) for word in entry.get("terms", ()))]
    return Details(
        csl={
            "type": "document",
            "title": entry["title"],
            "author": [_name(name) for name in creators],
            **({"URL": entry["url"]} if entry.get("url") else {}),
        },
        description=entry.get("description") or entry.get("text", ""),
        language=entry.get("language", "en"),
        licence=entry["licence"],
        visibility=entry.get("visibility", "public"),
        files_for=entry.get("files_for", ""),
        minutes=entry.get("minutes"),
        terms=list({term.pk: term for term in terms if term}.values()),
        tags=entry.get("tags", ()),
    )


def _name(name: str) -> dict:
    given, _space, family = name.partition(" ")
    return {"given": given, "family": family}


def _make(shelf: Shelf, entry: dict) -> Resource:
    actor = shelf.people[entry["by"]]
    with at(shelf.when(entry)):
        details = _details(entry, [entry["by"], *entry.get("with", ())])
        details.csl["issued"] = {"date-parts": [[shelf.when(entry).year]]}
        files = [_file(actor, file) for file in entry.get("files", ())]
        resource = services.add_resource(actor=actor, details=details, files=files)
        _label(files, entry.get("files", ()))
    if not entry.get("stays_held"):
        _release(shelf, resource, entry)
    return Resource.objects.get(pk=resource.pk)


def _release(shelf: Shelf, resource: Resource, entry: dict) -> None:
    with at(shelf.when(entry) + timedelta(hours=2)):
        release_resource(target=resource, actor=shelf.people["Maren de Wit"])


def _file(actor: Member, file: dict):
    if "pages" in file:
        content = pdf(file["label"], file["pages"])
    elif "steps" in file:
        content = poster(file["label"], file["steps"])
    else:
        content = file["text"].encode()
    return services.keep_upload(actor=actor, upload=ContentFile(content, name=file["name"]))


def _label(kept: list, files: list[dict]) -> None:
    for row, file in zip(kept, files, strict=True):
        row.label, row.language = file["label"], file["language"]
        row.save(update_fields=["label", "language"])


def _renew(shelf: Shelf, resource: Resource, entry: dict) -> None:
    resource.refresh_from_db()
    moment = shelf.when(entry)
    with at(moment):
        files = [_file(resource.keeper, file) for file in entry["files"]]
        _label(files, entry["files"])
        staying = resource.files.filter(version=resource.version).exclude(name__startswith="ledger-blank")
        services.make_version(
            actor=resource.keeper,
            resource=resource,
            begun_from=resource.version,
            changes=entry["changes"],
            issued=[moment.year, moment.month, moment.day],
            files=files,
            staying=list(staying),
        )


def _derive(shelf: Shelf, parent: Resource, entry: dict) -> Resource:
    actor, files = shelf.people[entry["by"]], list(entry.get("files", ()))
    if entry.get("picture"):
        files.append(
            {"name": "one-page.png", "label": "One page", "language": "en", "steps": entry["picture"]}
        )
    with at(shelf.when(entry)):
        details = _details(entry, [entry["by"]])
        details.terms = [*details.terms, *parent.terms.exclude(facet__key="type")]
        kind = find_term(_TERMS.get(entry["kind"], ""), facet="type")
        details.terms = [*details.terms, *([kind] if kind else [])]
        details.tags = [tag.name for tag in parent.tags.all()]
        details.csl["issued"] = {"date-parts": [[shelf.when(entry).year]]}
        kept = [_file(actor, file) for file in files]
        tie = services.make_derivative(
            actor=actor,
            parent=parent,
            making=Making(entry["kind"], entry["checked"], entry.get("checked_note", "")),
            details=details,
            files=kept,
        )
        _label(kept, files)
    _release(shelf, tie.child, entry)
    return Resource.objects.get(pk=tie.child_id)


_TERMS = {
    Derivative.Kind.PLAIN: "plain-language version",
    Derivative.Kind.EASY: "easy read",
    Derivative.Kind.INFOGRAPHIC: "infographic",
    Derivative.Kind.SLIDES: "slides",
}


def _live(shelf: Shelf, resource: Resource, entry: dict) -> None:
    """Stories, taps, saves and numbers of one record."""
    for story in entry.get("stories", ()):
        said = {key: value for key, value in story.items() if key not in ("by", "ago")}
        with at(shelf.when(story)):
            services.tell_story(actor=shelf.people[story["by"]], resource=resource, telling=Telling(**said))
    for name in entry.get("used", ()):
        UsedMark.objects.create(member=shelf.people[name], resource=resource)
    for name in entry.get("saved", ()):
        SavedResource.objects.create(member=shelf.people[name], resource=resource)
    for kind, number in (("read", entry.get("reads", 0)), ("download", entry.get("downloads", 0))):
        _spread(resource, kind, number, shelf.now)


def _spread(resource: Resource, kind: str, number: int, now: datetime) -> None:
    """So many people over the last days, more of them lately."""
    weights = range(1, READ_DAYS + 1)
    left, days = number, []
    for weight in weights:
        people = min(left, -(-number * weight // sum(weights)))
        days.append(people)
        left -= people
    UsageDay.objects.bulk_create(
        UsageDay(
            resource=resource,
            kind=kind,
            day=(now - timedelta(days=READ_DAYS - number)).date(),
            people=people,
            times=people,
        )
        for number, people in enumerate(days)
        if people
    )


def _gather(shelf: Shelf, entry: dict) -> None:
    actor = shelf.people[entry["by"]]
    with at(shelf.when(entry)):
        collection = services.make_collection(
            actor=actor,
            title=entry["title"],
            description=entry.get("description", ""),
            visibility=entry["visibility"],
            is_curated=entry.get("curated", False),
        )
        for name, note in entry["items"]:
            services.collect(actor=actor, collection=collection, resource=shelf.find(name), note=note)
