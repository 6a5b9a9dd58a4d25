"""One look into the library: words with synonyms, typos forgiven, facets with counts, pages by keyset.

What is asked stands in the address: ?q=…&type=guide&type=review&audience=carers&language=fr&time=15&sort=title&after=…
Within a facet any chosen value will do; between facets all must hold. A count beside a value tells how many there would
be with it, so it leaves out the choices in its own facet and keeps those in the others.

Up to WHOLE records all numbers are exact. Of a larger library those who fit are looked up first, MANY at most, for
Postgres does not know how many fit until it has seen them all: are there fewer, everything else is asked of these alone
and all numbers are exact. Beyond that the list goes along its own index, where enough of what it passes fits; numbers
are those of the MANY, and get a “+”.
"""

from collections import Counter
from datetime import timedelta

from django.contrib.postgres.search import SearchRank, TrigramWordSimilarity
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, FloatField, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from taggit.models import Tag

from kmnet.core.facets import Choice, FacetList, Option
from kmnet.core.fixed import fixed
from kmnet.core.keyset import Page, paginate
from kmnet.core.models import Term
from kmnet.core.search import Lexemes, SearchText
from kmnet.core.text import clean_line, fold
from kmnet.core.vocabulary import find_term, terms_for

from ..identifiers import normalise_doi, title_key
from ..models import NO_TIME, Resource, ResourceFile, ResourceText, ResourceUse, Story
from ..models.resource import audience_rule, files_rule
from .counting import Counted, count_parts
from .own_facets import OWN_FACETS, own_rule
from .spelling import better_spelling

PAGE_SIZE = 20
WHOLE = 3_000  # a library up to so large is looked at whole
MANY = 400  # of a larger one, so many of those who fit
SIZE_KEPT = 300  # seconds
FEW = 5  # fewer than so many: perhaps something else was meant
LONGEST_QUESTION = 1000  # what a saved search has room for
CLOSE, MOST_CLOSE, LATELY = 0.45, 200, timedelta(days=2)
SHOWN_PER_FACET = 12
FACET_ORDER = ("type", "audience", "stage", "method", "framework", "setting", "function")
SHOWN = (  # on a card, and what the lists are sorted by
    *("title", "slug", "csl", "summary", "year", "language", "visibility", "group", "term_ids"),
    *("title_key", "popularity", "minutes", "published_at"),
)


class Finder:
    """`params` is request.GET; wrong values in it are as if they were not there."""

    def __init__(self, params: QueryDict, viewer, *, forgiving: bool = True):
        """Not `forgiving`: what only comes close to the words is not taken for a match."""
        self.params, self.viewer, self.forgiving = params, viewer, forgiving
        self.text = SearchText(params.get("q", ""))
        self.doi = normalise_doi(params.get("q", ""))
        self.close_only, self.instead = False, ""
        self.sought = self.text  # or what was meant instead

    # --- what is asked -----------------------------------------------------------------------------------------------
    @cached_property
    def terms(self) -> dict[str, dict[str, Term]]:
        """The terms by facet key and slug, in the order of the page."""
        found: dict[str, dict[str, Term]] = {}
        listed = sorted(_terms(), key=_facet_place)
        for term in listed:
            found.setdefault(term.facet.key, {})[term.slug] = term
        return found

    @cached_property
    def chosen(self) -> dict[str, list[Term]]:
        found = {}
        for key, by_slug in self.terms.items():
            terms = [by_slug[slug] for slug in dict.fromkeys(self.params.getlist(key)) if slug in by_slug]
            if terms:
                found[key] = terms
        return found

    @cached_property
    def own(self) -> dict[str, list[str]]:
        """What is chosen of the facets that are not of the vocabulary."""
        found = {
            key: [value for value in dict.fromkeys(self.params.getlist(key)) if value in values]
            for key, (_label, values) in OWN_FACETS.items()
        }
        return {key: values for key, values in found.items() if values}

    @cached_property
    def tag(self) -> str:
        return clean_line(self.params.get("tag", ""))[:100]

    @property
    def sort(self) -> str:
        stated = self.params.get("sort", "")
        if stated in ("newest", "used", "shortest", "title") or (stated == "relevance" and self.text):
            return stated
        return "relevance" if self.text else "newest"

    @property
    def sorts(self) -> list[tuple[str, str]]:
        listed = [
            ("newest", _("Newest")),
            ("used", _("Most used")),
            ("shortest", _("Shortest")),
            ("title", _("Title")),
        ]
        return [("relevance", _("Best match")), *listed] if self.text else listed

    # --- what is found -----------------------------------------------------------------------------------------------
    @cached_property
    def _inside(self) -> dict[int, str]:
        """Records by the words in their files or in the stories about them ("file", "story"): only of files that the
        viewer may open. One query."""
        inside = self._most // 2
        sought = Lexemes(self.sought.lexemes)
        seen = Resource.objects.published().filter(audience_rule(self.viewer))
        # A file is long: that its words stand beside one another is not asked, or each one found would be unpacked.
        loose = self.sought.lexemes.replace("<->", "&")
        # The words first, so many of them that what the viewer may not see can fall out: Postgres would rather walk
        # through all records that they may see, and look for the words there.
        texts = ResourceText.objects.filter(search=Lexemes(loose)).order_by().values("file")[: 2 * inside]
        told = Story.objects.shown().filter(search=sought).order_by().values("pk")[: 2 * inside]
        files = ResourceFile.objects.open_to_readers().filter(
            pk__in=texts, resource__in=seen.filter(files_rule(self.viewer))
        )
        stories = Story.objects.filter(pk__in=told, resource__in=seen)
        parts = [
            stories.order_by().values_list("resource", Value("story"))[:inside],
            files.order_by().values_list("resource", Value("file"))[:inside],
        ]
        return dict(parts[0].union(parts[1], all=True))

    def _fits(self, besides: str = "") -> QuerySet[Resource]:
        """All that fits, but for what is chosen in the facet `besides`."""
        rules = [
            Q(term_ids__overlap=[term.pk for term in terms])
            for key, terms in self.chosen.items()
            if key != besides
        ]
        rules += [own_rule(key, values) for key, values in self.own.items() if key != besides]
        return self._fits_words.filter(*rules)

    @cached_property
    def _fits_words(self) -> QuerySet[Resource]:
        """All that fits, but for what is chosen in facets."""
        rules = [self._has_tag] if self.tag else []
        if self.doi:
            rules.append(Q(doi__iexact=self.doi))
        elif self.text and self.close_only and not self.instead:
            rules.append(Q(pk__any_of=self._close))
        elif self.text:
            words = Q(search=Lexemes(self.sought.lexemes))
            rules.append(words | Q(pk__any_of=list(self._inside)) if self._inside else words)
        return Resource.objects.visible_to(self.viewer).filter(*rules)

    @property
    def _has_tag(self) -> Q:
        """Of this name, however it is written. A tag that became a term finds what bears the term, or the tag that is
        called like it: links to it and searches that were saved go on."""
        name, tags, terms = self.tag, _tags(self.tag), []
        if not tags and (term := find_term(name)):
            name, tags, terms = term.name, _tags(term.name), [term.pk]
        like_it = fold(name)
        terms += [
            one.pk for slugs in self.terms.values() for one in slugs.values() if fold(one.name) == like_it
        ]
        rule = Q(tag_ids__overlap=tags)
        return rule | Q(term_ids__overlap=terms) if terms else rule

    @cached_property
    def found(self) -> QuerySet[Resource]:
        """All that is found, in no order: for exports, feeds and saved searches."""
        # asked for even so: it is then known whether something else was meant
        if self.forgiving and not self._counted[""].ids:
            return Resource.objects.none()
        return self._fits()

    @cached_property
    def _most(self) -> int:
        """So many are looked at: all of a library that is not large."""
        return WHOLE if library_size() <= WHOLE else MANY

    @cached_property
    def _counted(self) -> dict[str, Counted]:
        """What is found (""), and what would be without the choice in each facet where something is chosen. One query;
        a second and third where nothing fits, and something else may be meant."""
        counted = self._look()
        if counted[""].ids or not self.forgiving or not self.text or self.doi:
            return counted
        return counted if self._has_words_elsewhere() else self._look_again()

    def _has_words_elsewhere(self) -> bool:
        """Does something have these words that the choices leave out? Then it is not the words that are wrong."""
        if not (self.chosen or self.own or self.tag):
            return False
        words = Resource.objects.visible_to(self.viewer).filter(search=Lexemes(self.sought.lexemes))
        return bool(self._inside) or words.exists()

    def _look(self) -> dict[str, Counted]:
        """Beside choices fewer are looked at, the more facets have one."""
        beside = [*self.chosen, *self.own]
        fewer = self._most if self._most == WHOLE else MANY // 2 // max(len(beside), 1)
        parts = {key: (self._fits(besides=key), fewer) for key in beside}
        return count_parts({"": (self._fits(), self._most), **parts})

    def _look_again(self) -> dict[str, Counted]:
        """Nothing has these words: what they may have meant; else what was added lately and comes close."""
        self.close_only = True
        better = better_spelling(self.text.text)
        if better and better != self.text.text:
            self._seek(SearchText(better), instead=better)
            counted = self._look()
            if counted[""].ids:
                return counted
        self._seek(self.text, instead="")
        return self._look()

    def _seek(self, words: SearchText, *, instead: str) -> None:
        self.instead, self.sought = instead, words
        for known in ("_inside", "_fits_words"):
            self.__dict__.pop(known, None)

    @cached_property
    def _close(self) -> list[int]:
        """What comes close, word by word, in title and names, of what was added since the words were gathered."""
        words = [word for word in title_key(self.text.text).split() if len(word) > 3]
        if not words:
            return []
        found = Resource.objects.visible_to(self.viewer).filter(published_at__gt=timezone.now() - LATELY)
        for word in words:
            found = found.filter(fuzzy__trigram_word_similar=word)
        with transaction.atomic(), connection.cursor() as cursor:
            # Postgres' own limit, 0.6, lets no typo in a short word through; its index goes by the limit of the moment.
            cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(CLOSE)])
            return list(found.values_list("pk", flat=True).order_by("-pk")[:MOST_CLOSE])

    @cached_property
    def meant(self) -> str:
        """A better spelling where little was found by what was typed, and it finds something; else ""."""
        if self.instead or self.close_only or self.doi or not self.text or self.total >= FEW:
            return self.instead
        better = better_spelling(self.text.text)
        if not better or better == self.text.text:
            return ""
        words = Lexemes(SearchText(better).lexemes)
        return better if Resource.objects.visible_to(self.viewer).filter(search=words).exists() else ""

    @property
    def meant_query(self) -> str:
        query = QueryDict(mutable=True)
        query["q"] = self.meant
        return "?" + query.urlencode()

    @property
    def many(self) -> bool:
        """More than were looked at."""
        return self._counted[""].many

    @property
    def total(self) -> int:
        """How many are found; where there are `many`, how many of them were looked at."""
        return len(self._counted[""].ids)

    @cached_property
    def page(self) -> Page:
        ids = self._counted[""].ids
        ranked = self.sort == "relevance" and not self.doi
        looked_at = ranked if self.many else len(ids) <= MANY
        rows = Resource.objects.filter(pk__any_of=ids) if looked_at else self._fits()
        page = self._page(rows.only(*SHOWN), ranked)
        self._give_terms(page.items)
        used = ResourceUse.objects.filter(resource__in=[resource.pk for resource in page], used__gt=0)
        used_by = dict(used.values_list("resource", "used"))
        for resource in page:
            resource.used_by = used_by.get(resource.pk, 0)
        if self.text and not self.doi and not (self.close_only and not self.instead):
            for resource in page:
                resource.found_in = self._inside.get(resource.pk, "")
        return page

    def _give_terms(self, resources: list[Resource]) -> None:
        """The vocabulary is at hand; terms that were retired since are asked for where they are met."""
        known = {term.pk: term for by_slug in self.terms.values() for term in by_slug.values()}
        met = {pk for resource in resources for pk in resource.term_ids}
        if missing := met - known.keys():
            known |= {term.pk: term for term in Term.objects.filter(pk__in=missing).select_related("facet")}
        for resource in resources:
            terms = [known[pk] for pk in resource.term_ids if pk in known]
            resource._prefetched_objects_cache = {"terms": sorted(terms, key=_facet_place)}

    def _page(self, rows: QuerySet[Resource], ranked: bool) -> Page:
        order = {
            "title": ["title_key", "id"],
            "used": ["-popularity", "-id"],
            "shortest": ["length", "id"],
            "newest": ["-published_at", "-id"],
            "relevance": ["-rank", "-id"],
        }[self.sort if ranked or self.sort != "relevance" else "newest"]
        if self.sort == "shortest":
            rows = rows.annotate(length=Coalesce("minutes", NO_TIME))
        if ranked:
            if self.close_only and not self.instead:
                rank = TrigramWordSimilarity(title_key(self.text.text), "fuzzy")
            else:
                rank = SearchRank(F("search"), Lexemes(self.sought.lexemes), normalization=1)
            # Doubles, so that the value in a cursor is the very value that was compared.
            rows = rows.annotate(rank=Cast(rank, FloatField()))
        return paginate(rows, self.params, order=order, size=PAGE_SIZE)

    # --- the facets --------------------------------------------------------------------------------------------------
    def _values(self, key: str) -> tuple[Counter, bool]:
        """How many there would be with each value of a facet; and whether there are more than were looked at."""
        counted = self._counted.get(key, self._counted[""])
        return counted.of(key), counted.many

    @cached_property
    def facets(self) -> list[FacetList]:
        listed = []
        for key, by_slug in self.terms.items():
            counts, many = self._values(key)
            chosen = self.chosen.get(key, [])
            options = [
                Option(slug, _first_upper(term.name), counts[term.pk], term in chosen)
                for slug, term in by_slug.items()
            ]
            listed.append(FacetList(key, next(iter(by_slug.values())).facet.label, options, many))
        for key, (label, values) in OWN_FACETS.items():
            counts, many = self._values(key)
            chosen = self.own.get(key, [])
            options = [
                Option(value, str(name), counts[value], value in chosen) for value, name in values.items()
            ]
            if (
                sum(bool(option.count) for option in options) < 2
                and key in ("language", "format")
                and not chosen
            ):
                continue  # one language, one format: nothing to choose
            listed.append(FacetList(key, str(label), options, many))
        for facet in listed:
            facet.options = [option for option in facet.options if option.count or option.chosen]
            if facet.key not in ("time", "stories"):  # these have an order of their own
                facet.options.sort(key=lambda option: (not option.chosen, -option.count))
            facet.options = facet.options[:SHOWN_PER_FACET]
        return [facet for facet in listed if facet.options]

    @property
    def choices(self) -> list[Choice]:
        """The filters in use, each with the address that takes it away."""
        listed = [
            Choice(_first_upper(term.name), self._without(key, term.slug))
            for key, terms in self.chosen.items()
            for term in terms
        ]
        listed += [
            Choice(str(OWN_FACETS[key][1][value]), self._without(key, value))
            for key, values in self.own.items()
            for value in values
        ]
        if self.tag:
            listed.append(
                Choice(_("tag: %(tag)s") % {"tag": self.tag}, self._without("tag", self.params["tag"]))
            )
        return listed

    def _without(self, key: str, value: str) -> str:
        query = self._kept()
        query.setlist(key, [other for other in query.getlist(key) if other != value])
        return "?" + query.urlencode()

    def _kept(self) -> QueryDict:
        """What was asked, without the place in the list."""
        query = self.params.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        return query

    @cached_property
    def question(self) -> str:
        """What is asked, as in the address, in one order and without what means nothing; "" where nothing is asked."""
        query = QueryDict(mutable=True)
        if self.text.text:
            query["q"] = self.text.text
        for key, terms in self.chosen.items():
            query.setlist(key, sorted(term.slug for term in terms))
        for key, values in self.own.items():
            query.setlist(key, sorted(values))
        if self.tag:
            query["tag"] = self.tag
        asked = query.urlencode()
        return asked if len(asked) <= LONGEST_QUESTION else ""

    @property
    def in_words(self) -> str:
        """What is asked, for people."""
        return ", ".join([*filter(None, [self.text.text]), *(choice.label for choice in self.choices)])

    @property
    def cleared(self) -> str:
        """The address with the words only."""
        query = QueryDict(mutable=True)
        for name in ("q", "sort"):
            if self.params.get(name):
                query[name] = self.params[name]
        return "?" + query.urlencode()

    def hidden(self, *names: str) -> list[tuple[str, str]]:
        """What a form that asks for `names` itself must send along."""
        mine = {*self.terms, *OWN_FACETS, "tag", "q", "sort"} - set(names)
        return [
            (key, value) for key, values in self.params.lists() if key in mine for value in values if value
        ]


@fixed
def _terms() -> QuerySet[Term]:
    return terms_for("resource")


def library_size() -> int:
    """About how many records there are, WHOLE + 1 at most; asked again every few minutes."""
    return cache.get_or_set(
        "library-size", lambda: Resource.objects.published()[: WHOLE + 1].count(), SIZE_KEPT
    )


def _facet_place(term: Term):
    key = term.facet.key
    place = FACET_ORDER.index(key) if key in FACET_ORDER else len(FACET_ORDER)
    return (place, term.facet.position, term.position, term.pk)


def _tags(name: str) -> list[int]:
    return list(Tag.objects.filter(name__iexact=name).values_list("pk", flat=True)[:20])


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
