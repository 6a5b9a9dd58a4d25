"""Invented records of the library, with terms, tags, texts of files and stories, in any number."""

import random
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django.utils.text import slugify
from taggit.models import Tag

from kmnet.core.models import Term
from kmnet.core.search import CONFIG
from kmnet.core.text import RENDER_VERSION
from resources.identifiers import title_key
from resources.models import (
    HarvestRecord,
    Resource,
    ResourceFile,
    ResourceTag,
    ResourceTerm,
    ResourceText,
    SavedResource,
    Story,
)
from resources.services.words import gather_words

from . import words
from .copying import Table, take_ids, without_indexes
from .people import FIRST, LAST

LANGUAGES = ["en"] * 30 + ["fr"] * 5 + ["pt", "es", "nl", "de", "sw", "ar"]
MINUTES = [None, None, 5, 10, 15, 20, 45, 60, 90, 240]
LICENCES = ["unknown", "cc-by-4.0", "cc-by-nc-4.0", "other"]
WITH_FILE = 5  # every fifth has one, of which the words are known
LONGEST = 12_000  # characters of a file
PER_FACET = 2


def load_shelf(*, number: int, people: range, readers: list[int], chance: random.Random) -> range:
    """So many records; `readers` have saved some. Returns their ids. The words of the library are gathered at the end."""
    models = (Resource, ResourceTerm, ResourceTag, ResourceFile, ResourceText, Story, SavedResource)
    ids = take_ids(Resource, number)
    without_indexes([model._meta.db_table for model in models], lambda: _write(ids, people, readers, chance))
    gather_words()
    return ids


def _write(ids: range, people: range, readers: list[int], chance: random.Random) -> None:
    terms, tags = _terms(ids, chance), _tags(ids, chance)
    _records(ids, people, terms, tags, chance)
    _tell_harvesters(ids)
    _texts(ids, chance)
    _stories(ids, people, chance)
    Table(SavedResource, "member_id", "resource_id").copy(
        (reader, pk) for reader in readers for pk in ids if chance.random() < 0.001
    )


def _terms(ids: range, chance: random.Random) -> dict[int, list[int]]:
    """One kind each, and up to PER_FACET of two other facets; a few terms are everywhere, most are rare."""
    facets: dict[str, list[int]] = {}
    for pk, key in Term.objects.filter(facet__applies_to__contains=["resource"]).values_list(
        "pk", "facet__key"
    ):
        facets.setdefault(key, []).append(pk)
    kinds = facets.pop("type", [])
    others = list(facets.values())
    made = {}
    for pk in ids:
        chosen = _some(kinds, 1, chance)
        for listed in chance.sample(others, min(2, len(others))):
            chosen |= _some(listed, chance.randrange(1, PER_FACET + 1), chance)
        made[pk] = sorted(chosen)
    Table(ResourceTerm, "resource_id", "term_id").copy(
        (pk, term) for pk, some in made.items() for term in some
    )
    return made


def _some(listed: list[int], number: int, chance: random.Random) -> set[int]:
    likely = [1 / (place + 2) for place in range(len(listed))]
    return set(chance.choices(listed, likely, k=number)) if listed else set()


def _tags(ids: range, chance: random.Random) -> dict[int, list[int]]:
    names = [words.strange_word(chance) for _ in range(400)]
    slugs = {name: f"load-{name}" for name in names}
    known = [Tag.objects.get_or_create(name=name, defaults={"slug": slugs[name]})[0].pk for name in names]
    made = {pk: sorted(_some(known, chance.randrange(0, 4), chance)) for pk in ids}
    Table(ResourceTag, "content_object_id", "tag_id").copy(
        (pk, tag) for pk, some in made.items() for tag in some
    )
    return made


def _records(ids: range, people: range, terms: dict, tags: dict, chance: random.Random) -> None:
    some_titles = words.titles(chance, min(len(ids), 60_000))
    said = words.posts(chance)
    now = timezone.now()
    table = Table(
        Resource, "id", "title", "slug", "csl", "creators", "year", "language", "description", "description_html",
        "summary", "url", "title_key", "fuzzy", "licence", "visibility", "minutes", "popularity", "published_at",
        "created_at", "updated_at", "added_by_id", "keeper_id", "render_version", "term_ids", "tag_ids",
    )  # fmt: skip

    def rows():
        for place, pk in enumerate(ids):
            title = some_titles[place % len(some_titles)]
            if place >= len(some_titles):
                title = f"{title} ({words.strange_word(chance)})"
            names = [(chance.choice(FIRST), chance.choice(LAST)) for _ in range(chance.randrange(1, 4))]
            creators = ", ".join(f"{given} {family}" for given, family in names)
            year = chance.randrange(1995, 2027)
            csl = {
                "type": "article-journal",
                "title": title,
                "author": [{"given": given, "family": family} for given, family in names],
                "issued": {"date-parts": [[year]]},
                "container-title": "Evidence and Practice",
            }
            source, html, line = chance.choice(said)
            at, by = (
                now - timedelta(minutes=5 * (len(ids) - place) + chance.randrange(5)),
                chance.choice(people),
            )
            key = title_key(title)
            yield (
                pk, title, slugify(title)[:80].strip("-") or "resource", csl, creators, year, chance.choice(LANGUAGES),
                source, html, line[:300], f"https://example.org/{pk}" if pk % 3 else "", key[:500],
                f"{key} {title_key(creators)}", chance.choice(LICENCES),
                "members" if pk % 7 == 3 else "public", chance.choice(MINUTES),
                int(chance.paretovariate(1.2)) if pk % 3 == 0 else 0, at, at, at, by, by, RENDER_VERSION,
                terms[pk], tags[pk],
            )  # fmt: skip

    table.copy(rows())
    with connection.cursor() as cursor:  # as services.reindex does, for all of them at once
        cursor.execute(
            f"""
            UPDATE resources_resource r SET search =
                setweight(to_tsvector('{CONFIG}', r.title), 'A')
                || setweight(to_tsvector('{CONFIG}', r.creators || ' . ' || coalesce(
                    (SELECT string_agg(t.name, ' . ') FROM core_term t WHERE t.id = ANY(r.term_ids)), '')
                    || ' . ' || coalesce((SELECT string_agg(t.name, ' . ') FROM taggit_tag t
                    WHERE t.id = ANY(r.tag_ids)), '')), 'B')
                || setweight(to_tsvector('{CONFIG}', left(r.description, 20000)), 'C')
                || setweight(to_tsvector('{CONFIG}', coalesce(r.csl ->> 'container-title', '')), 'D')
            WHERE r.id >= %s AND r.id < %s
            """,
            [ids.start, ids.stop],
        )


def _tell_harvesters(ids: range) -> None:
    """What a trigger does, where triggers do not run."""
    public = Resource.objects.published().filter(id__gte=ids.start, id__lt=ids.stop, visibility="public")
    told = public.values_list("pk", "published_at", "updated_at").iterator(chunk_size=5000)
    rows = (HarvestRecord(number=pk, changed_at=max(moments)) for pk, *moments in told)
    HarvestRecord.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)


def _texts(ids: range, chance: random.Random) -> None:
    """Files without bytes, and what is written in them."""
    lines = words.sentences()
    texts = [" ".join(chance.choices(lines, k=80))[:LONGEST] for _ in range(300)]
    with_file = [pk for pk in ids if pk % WITH_FILE == 0]
    files = take_ids(ResourceFile, len(with_file))
    Table(ResourceFile, "id", "resource_id", "file", "name", "content_type", "size", "sha256").copy(
        (file, pk, f"library/none/{file}", f"text-{pk}.pdf", "application/pdf", 100_000, f"{file:064x}")
        for file, pk in zip(files, with_file, strict=True)
    )
    Table(ResourceText, "file_id", "state", "text").copy(
        (file, ResourceText.State.DONE, f"{chance.choice(texts)} {words.strange_word(chance)}")
        for file in files
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE resources_resourcetext SET search = setweight(to_tsvector('{CONFIG}', text), 'D') "
            "WHERE file_id >= %s AND file_id < %s",
            [files.start, files.stop],
        )


def _stories(ids: range, people: range, chance: random.Random) -> None:
    lines = words.sentences()
    Table(Story, "resource_id", "author_id", "place", "changed", "happened", "again", "did_not_work").copy(
        (
            pk,
            chance.choice(people),
            chance.choice(lines)[:300],
            chance.choice(lines)[:300],
            chance.choice(lines)[:300],
            chance.choice(Story.Again.values),
            chance.random() < 0.15,
        )
        for pk in ids
        if chance.random() < 0.03
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE resources_story SET search = to_tsvector('{CONFIG}', concat_ws(' . ', place, people, changed, "
            "happened)) WHERE resource_id >= %s AND resource_id < %s",
            [ids.start, ids.stop],
        )
