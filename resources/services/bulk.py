"""Many records at once: what services.records does for one, in statements over all of them."""

from collections.abc import Callable

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from taggit.models import Tag

from kmnet.core.vocabulary import in_order

from ..models import Resource, ResourceTag, ResourceTerm, Visibility
from . import records, reviewing
from .indexing import write_vectors

LOCK = 7_306_001  # one import at a time: two at once could each wait for what the other has just written
AT_ONCE = 500
CLAIMED = "one_live_resource_per_doi"


@transaction.atomic
def add_many(
    *,
    actor,
    details: list["records.Details"],
    import_keys: list[str],
    progress: Callable[[int], object] = lambda done: None,
) -> list[Resource]:
    """Put many records into the library, all or none; none of them is announced. `import_keys`: one for each, never used
    before. A newcomer's are held, as one of them would be. The caller has asked whether the actor may.

    Takes the lock of imports; another record that takes a DOI meanwhile keeps it (cited, not held)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    now = timezone.now()
    states: dict[str, str] = {}
    made: list[Resource] = []
    for one, key in zip(details, import_keys, strict=True):
        if one.visibility not in states:
            states[one.visibility] = reviewing.first_state(actor=actor, visibility=one.visibility)
        resource = Resource(
            added_by=actor,
            keeper=actor,
            import_key=key,
            published_at=now,
            created_at=now,
            updated_at=now,
            state=states[one.visibility],
        )
        records.apply_details(resource, one)
        made.append(resource)
        if len(made) % AT_ONCE == 0:
            progress(len(made) // 3)
    _insert(made)
    progress(len(made) // 2)
    tags = [records.tags_of(one) for one in details]
    by_name = _tags({name for names in tags for name in names})
    ResourceTag.objects.bulk_create(
        (
            ResourceTag(content_object=resource, tag=tag)
            for resource, names in zip(made, tags, strict=True)
            for tag in {by_name[name.casefold()].pk: by_name[name.casefold()] for name in names}.values()
        ),
        batch_size=1000,
    )
    ResourceTerm.objects.bulk_create(
        (
            ResourceTerm(resource=resource, term_id=pk)
            for resource, one in zip(made, details, strict=True)
            for pk in dict.fromkeys(term.pk for term in one.terms)
        ),
        batch_size=1000,
    )
    for start in range(0, len(made), AT_ONCE):
        write_vectors(
            (resource, [*(by_name[name.casefold()].name for name in names), *(term.name for term in one.terms)])
            for resource, names, one in zip(
                made[start : start + AT_ONCE], tags[start : start + AT_ONCE], details[start : start + AT_ONCE],
                strict=True,
            )
        )  # fmt: skip
        progress(len(made) // 2 + (start + AT_ONCE) // 2)
    return made


def _insert(made: list[Resource]) -> None:
    """All rows; a DOI is held by the first record that has it, and by a live one of the library rather than by any."""
    stated = [resource.doi for resource in made]
    for last_try in (False, False, True):
        _claim(made, stated)
        try:
            with transaction.atomic():
                Resource.objects.bulk_create(made, batch_size=AT_ONCE)
        except IntegrityError as error:  # somebody has taken one of the DOIs in this moment
            if last_try or CLAIMED not in str(error):
                raise
            for resource in made:
                resource.pk, resource._state.adding = None, True
        else:
            return


def _claim(made: list[Resource], stated: list[str]) -> None:
    held: set[str] = set()
    wanted = sorted({doi.lower() for doi in stated if doi})
    live = Resource.objects.exclude(doi="").exclude(state=Resource.State.HIDDEN).annotate(low=Lower("doi"))
    for start in range(0, len(wanted), AT_ONCE):
        held |= set(live.filter(low__in=wanted[start : start + AT_ONCE]).values_list("low", flat=True))
    for resource, doi in zip(made, stated, strict=True):
        is_free = doi and doi.lower() not in held and resource.visibility != Visibility.GROUP
        resource.doi = doi if is_free else ""
        if is_free:
            held.add(doi.lower())


def _tags(names: set[str]) -> dict[str, Tag]:
    """The site's tags of these names, whatever their case; those that nobody used before are made. By casefolded name."""
    found: dict[str, Tag] = {}
    wanted = {name.casefold(): name for name in in_order(names)}

    def look() -> None:
        missing = [key for key in wanted if key not in found]
        for start in range(0, len(missing), AT_ONCE):
            low = [wanted[key].lower() for key in missing[start : start + AT_ONCE]]
            for tag in Tag.objects.annotate(low=Lower("name")).filter(low__in=low).order_by("-pk"):
                found[tag.name.casefold()] = tag

    look()
    fresh = [Tag(name=name) for key, name in wanted.items() if key not in found]
    if fresh:
        _give_slugs(fresh)
        Tag.objects.bulk_create(fresh, batch_size=AT_ONCE, ignore_conflicts=True)
        look()
    for key, name in wanted.items():
        if key not in found:  # somebody took its slug in this moment, or the database folds it otherwise
            found[key] = Tag.objects.filter(name__iexact=name).first() or Tag.objects.create(name=name)
    return found


def _give_slugs(tags: list[Tag]) -> None:
    """As taggit does for one: a slug that is taken gets a number."""
    taken: set[str] = set()
    bases = {tag.slugify(tag.name) for tag in tags}
    for start in range(0, len(bases), AT_ONCE):
        part = sorted(bases)[start : start + AT_ONCE]
        taken |= set(Tag.objects.filter(slug__in=part).values_list("slug", flat=True))
    numbers: dict[str, int] = {}
    for tag in tags:
        base = slug = tag.slugify(tag.name)[:90]
        while slug in taken:
            numbers[base] = numbers.get(base, 0) + 1
            slug = tag.slugify(f"{base}", numbers[base])
        taken.add(slug)
        tag.slug = slug
