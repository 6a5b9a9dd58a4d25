"""Search text: synonyms, phrases, odd input."""

import pytest
from django.contrib.postgres.search import SearchVector
from django.db.models import Value
from django.utils import timezone

from kmnet.core.models import Facet, Term
from kmnet.core.search import CONFIG, SearchText
from kmnet.core.vocabulary import expand, find_term, load_vocabulary

pytestmark = pytest.mark.django_db


@pytest.fixture
def vocabulary(db):
    return load_vocabulary()


def matches(query: str, text: str) -> bool:
    term = Facet.objects.order_by("pk").annotate(vector=SearchVector(Value(text), config=CONFIG))[:1]
    return (
        Facet.objects.filter(pk__in=term.values("pk"))
        .annotate(vector=SearchVector(Value(text), config=CONFIG))
        .filter(vector=SearchText(query).query)
        .exists()
    )


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("KT", "A knowledge mobilisation strategy", True),
        ("knowledge translation strategy", "A knowledge mobilisation strategy", True),
        ("knowledge translation strategy", "A knowledge mobilisation plan", False),
        ("mobilisation des connaissances", "What knowledge translation is", True),
        ("quebec", "Applying it in Québec", True),
        ("Québec", "Applying it in Quebec", True),
        ('"loneliness knowledge"', "the loneliness, knowledge", True),
        ('"evidence brief"', "brief evidence", False),
        ("brokers", "a broker", True),
        ("coproduction", "About co-creation", True),
    ],
)
def test_search_text_matches_synonyms_accents_and_phrases(vocabulary, query, text, found):
    assert matches(query, text) is found


@pytest.mark.parametrize("odd", ["", "   ", "\x00", "'", "&|!():*", '"', "<->", "\\", "%", "()"])
def test_search_text_without_words_finds_nothing(odd):
    assert SearchText(odd).query is None
    assert not SearchText(odd)


@pytest.mark.parametrize(
    "odd", ["a\x00b", "it's", "a & b | !c", "x:*", '"open', "a" * 5000, "é" * 300, "\ud800x"]
)
def test_search_text_with_odd_words_is_a_safe_query(vocabulary, odd):
    assert matches(odd, "something else") is False


def test_synonyms_searched_beside_are_told(vocabulary):
    assert SearchText("public involvement template").also == [
        "PPI",
        "patient and public involvement",
        "patient engagement",
        "lay involvement",
    ]


def test_expand_knows_every_spelling_whatever_the_case(vocabulary):
    assert expand("IKT") == expand("co-production")
    assert expand("teapot") == ("teapot",)


def test_find_term_by_name_synonym_and_facet(vocabulary):
    assert find_term("Co-Production", "method").name == "co-production"
    assert find_term("iKT").name == "co-production"
    assert find_term("evidence synthesis", "type") is None
    assert find_term("teapot") is None
    assert find_term("knowledge broker", "role").name == "knowledge broker"  # itself before its synonym


def test_find_term_leaves_out_retired_terms(vocabulary):
    Term.objects.filter(name="co-production").update(retired_at=timezone.now())
    assert find_term("co-production") is None


def test_load_vocabulary_twice_adds_nothing(vocabulary):
    assert vocabulary["facets"] == 9
    assert vocabulary["synonyms"] == 38
    assert load_vocabulary() == {"facets": 0, "terms": 0, "synonyms": 0}
