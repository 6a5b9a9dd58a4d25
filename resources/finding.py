"""Finding things in the library: words with synonyms, typos forgiven, facets with exact counts, pages by keyset.

What is asked stands in the address: ?q=…&type=guide&type=review&audience=carers&language=fr&sort=title&after=…
Within a facet any chosen value will do; between facets all must hold. A count beside a value tells how many there would
be with it, so it leaves out the choices in its own facet and keeps those in the others.
"""

from collections import defaultdict

from django.contrib.postgres.search import SearchRank, TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import Count, Exists, F, FloatField, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from kmnet.core.facets import Choice, FacetList, Option
from kmnet.core.keyset import Page, paginate
from kmnet.core.models import Term
from kmnet.core.search import SearchText
from kmnet.core.text import clean_line
from kmnet.core.vocabulary import terms_for

from .identifiers import normalise_doi, title_key
from .models import LANGUAGE_NAMES, Resource, ResourceTag, ResourceTerm

PAGE_SIZE = 20
LONGEST_QUESTION = 1000  # what a saved search has room for
CLOSE, MOST_CLOSE = 0.45, 200
SHOWN_PER_FACET = 12
FACET_ORDER = ("type", "audience", "stage", "method", "framework", "setting", "function")


class Finder:
    """One look into the library: `params` is request.GET; wrong values in it are as if they were not there."""

    def __init__(self, params: QueryDict, viewer, *, forgiving: bool = True):
        """Not `forgiving`: what only comes close to the words is not taken for a match."""
        self.params, self.viewer, self.forgiving = params, viewer, forgiving
        self.text = SearchText(params.get("q", ""))
        self.doi = normalise_doi(params.get("q", ""))
        self.close_only = False

    # --- what is asked -----------------------------------------------------------------------------------------------
    @cached_property
    def terms(self) -> dict[str, dict[str, Term]]:
        """The terms by facet key and slug, in the order of the page."""
        found: dict[str, dict[str, Term]] = {}
        listed = sorted(terms_for("resource"), key=_facet_place)
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
    def languages(self) -> list[str]:
        return [code for code in dict.fromkeys(self.params.getlist("language")) if code in LANGUAGE_NAMES]

    @cached_property
    def tag(self) -> str:
        return clean_line(self.params.get("tag", ""))[:100]

    @property
    def sort(self) -> str:
        stated = self.params.get("sort", "")
        if stated in ("newest", "title") or (stated == "relevance" and self.text):
            return stated
        return "relevance" if self.text else "newest"

    @property
    def sorts(self) -> list[tuple[str, str]]:
        listed = [("newest", _("Newest")), ("title", _("Title"))]
        return [("relevance", _("Best match")), *listed] if self.text else listed

    # --- what is found -----------------------------------------------------------------------------------------------
    @cached_property
    def base(self) -> QuerySet[Resource]:
        """Everything that matches the words and the tag, before the facets."""
        found = Resource.objects.visible_to(self.viewer)
        if self.tag:
            tagged = ResourceTag.objects.filter(content_object=OuterRef("pk"), tag__name__iexact=self.tag)
            found = found.filter(Exists(tagged))
        if self.doi:
            return found.filter(doi__iexact=self.doi)
        if not self.text:
            return found
        exact = found.filter(search=self.text.query)
        if not self.forgiving or exact.exists():
            return exact
        self.close_only = True  # nothing has these words: what comes close, word by word, in title and names
        return found.filter(pk__in=self._close(found))

    def _close(self, found: QuerySet[Resource]) -> list[int]:
        words = [word for word in title_key(self.text.text).split() if len(word) > 3]
        if not words:
            return []
        for word in words:
            found = found.filter(fuzzy__trigram_word_similar=word)
        with transaction.atomic(), connection.cursor() as cursor:
            # Postgres' own limit, 0.6, lets no typo in a short word through; its index goes by the limit of the moment.
            cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(CLOSE)])
            return list(found.values_list("pk", flat=True).order_by("-pk")[:MOST_CLOSE])

    def _narrowed(self, besides: str = "") -> QuerySet[Resource]:
        found = self.base
        for key, terms in self.chosen.items():
            if key != besides:
                having = ResourceTerm.objects.filter(resource=OuterRef("pk"), term__in=terms)
                found = found.filter(Exists(having))
        if self.languages and besides != "language":
            found = found.filter(language__in=self.languages)
        return found

    @cached_property
    def found(self) -> QuerySet[Resource]:
        return self._narrowed()

    @cached_property
    def total(self) -> int:
        return self.found.count()

    @cached_property
    def page(self) -> Page:
        rows = self.found.with_card()
        if self.sort == "title":
            return paginate(rows, self.params, order=["title_key", "id"], size=PAGE_SIZE)
        if self.sort == "relevance" and not self.doi:
            if self.close_only:
                rank = TrigramWordSimilarity(title_key(self.text.text), "fuzzy")
            else:
                rank = SearchRank(F("search"), self.text.query, normalization=1)
            # Doubles, so that the value in a cursor is the very value that was compared.
            rows = rows.annotate(rank=Cast(rank, FloatField()))
            return paginate(rows, self.params, order=["-rank", "-id"], size=PAGE_SIZE)
        return paginate(rows, self.params, order=["-published_at", "-id"], size=PAGE_SIZE)

    # --- the facets --------------------------------------------------------------------------------------------------
    @cached_property
    def counts(self) -> dict[int, int]:
        """How many records each term would give, in one query."""
        current = Q(term__retired_at__isnull=True, term__facet__applies_to__contains=["resource"])

        def count(rows: QuerySet, resources: QuerySet) -> QuerySet:
            rows = rows.filter(current, resource__in=resources.values("pk").order_by())
            return rows.values("term_id").annotate(n=Count("pk")).order_by()

        open_facets = ResourceTerm.objects.exclude(term__facet__key__in=list(self.chosen))
        queries = [count(open_facets, self.found)]
        for key in self.chosen:
            own = ResourceTerm.objects.filter(term__facet__key=key)
            queries.append(count(own, self._narrowed(besides=key)))
        rows = queries[0].union(*queries[1:], all=True) if len(queries) > 1 else queries[0]
        return {row["term_id"]: row["n"] for row in rows}

    @cached_property
    def facets(self) -> list[FacetList]:
        listed = []
        for key, by_slug in self.terms.items():
            chosen = self.chosen.get(key, [])
            options = [
                Option(slug, _first_upper(term.name), self.counts.get(term.pk, 0), term in chosen)
                for slug, term in by_slug.items()
            ]
            options = [option for option in options if option.count or option.chosen]
            options.sort(key=lambda option: (not option.chosen, -option.count))
            if options:
                label = next(iter(by_slug.values())).facet.label
                listed.append(FacetList(key, label, options[:SHOWN_PER_FACET]))
        rows = self._narrowed(besides="language").values("language").annotate(n=Count("pk")).order_by()
        by_code: dict[str, int] = defaultdict(int, {row["language"]: row["n"] for row in rows})
        options = [
            Option(code, str(name), by_code[code], code in self.languages)
            for code, name in LANGUAGE_NAMES.items()
            if by_code[code] or code in self.languages
        ]
        if len(options) > 1 or self.languages:
            options.sort(key=lambda option: (not option.chosen, -option.count))
            listed.append(FacetList("language", _("Language"), options))
        return listed

    @property
    def choices(self) -> list[Choice]:
        """The filters in use, each with the address that takes it away."""
        listed = [
            Choice(_first_upper(term.name), self._without(key, term.slug))
            for key, terms in self.chosen.items()
            for term in terms
        ]
        listed += [
            Choice(str(LANGUAGE_NAMES[code]), self._without("language", code)) for code in self.languages
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
        if self.languages:
            query.setlist("language", sorted(self.languages))
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
        mine = {*self.terms, "language", "tag", "q", "sort"} - set(names)
        return [
            (key, value) for key, values in self.params.lists() if key in mine for value in values if value
        ]


def _facet_place(term: Term):
    key = term.facet.key
    place = FACET_ORDER.index(key) if key in FACET_ORDER else len(FACET_ORDER)
    return (place, term.facet.position, term.position, term.pk)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def related_to(resource: Resource, viewer, limit: int = 4) -> list[Resource]:
    """What shares most tags with a record, newest first among equals; [] where nothing does."""
    tags = [tag.pk for tag in resource.tags.all()]
    if not tags:
        return []
    return list(
        Resource.objects.visible_to(viewer)
        .exclude(pk=resource.pk)
        .filter(resource_tags__tag__in=tags)
        .annotate(shared=Count("resource_tags"))
        .order_by("-shared", "-published_at", "-pk")
        .only("pk", "title", "slug", "csl", "language", "year", "creators")[:limit]
    )
