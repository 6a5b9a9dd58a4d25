"""Books are compared by their ISBN, however it is written: told before saving, never a reason to refuse."""

import importlib

import pytest
from django.apps import apps

from resources.duplicates import find_duplicates
from resources.identifiers import isbn_of
from resources.matching import find_many
from resources.models import Resource
from resources.services import taking_down
from tests.factories.members import make_member
from tests.factories.resources import make_resource

BOOK = "9780131103627"


@pytest.mark.parametrize(
    ("stated", "isbn"),
    [
        ("9780131103627", BOOK),
        ("978-0-13-110362-7", BOOK),
        ("978 0 13 110362 7 (pbk.)", BOOK),
        ("0-13-110362-8", BOOK),
        ("978\u20110\u201113\u2011110362\u20117", BOOK),
        ("0-8044-2957-x", "9780804429573"),
        ("not-one 0131103628 9780804429573", BOOK),  # the first that is one
        ("1234567890 0-8044-2957-X", "9780804429573"),
        ("0131103629", ""),  # its check digit is another
        ("9780131103628", ""),
        ("1532-0480", ""),  # an ISSN
        ("٠١٣١١٠٣٦٢٨", ""),
        ("", ""),
    ],
)
def test_an_isbn_is_the_same_in_ten_or_thirteen_digits(stated, isbn):
    assert isbn_of({"type": "book", "ISBN": stated}) == isbn


@pytest.mark.parametrize("part", [{"type": "chapter"}, {"type": "book", "container-title": "All of it"}])
def test_a_part_of_a_book_has_none(part):
    assert isbn_of({"ISBN": BOOK, **part}) == ""


@pytest.mark.django_db
def test_a_book_of_another_name_is_like_it_by_its_isbn(django_assert_num_queries):
    member = make_member()
    ours = make_resource(title="The C Programming Language", csl={"type": "book", "ISBN": "0-13-110362-8"})
    make_resource(title="Of a chapter", csl={"type": "chapter", "ISBN": BOOK})
    hidden = make_resource(title="Hidden", csl={"type": "book", "ISBN": BOOK})
    Resource.objects.filter(pk=hidden.pk).update(state="hidden")
    again = {"type": "book", "title": "K&R", "ISBN": "978-0-13-110362-7"}
    assert [(one.resource, one.reason) for one in find_duplicates(viewer=member, item=again)] == [
        (ours, "has the same ISBN")
    ]
    twice = {"type": "book", "title": "Another name", "ISBN": "9780804429573"}
    chapter = {**again, "type": "chapter", "title": "Pointers"}
    found = find_many(viewer=member, items=[again, twice, {**twice, "title": "Yet another"}, chapter])
    assert found == [
        [{"id": ours.pk, "because": "isbn"}],
        [],
        [{"row": 1, "because": "isbn"}],
        [],
    ]


@pytest.mark.django_db
def test_old_records_get_theirs_and_it_goes_with_the_words():
    ours = make_resource(csl={"type": "book", "ISBN": "0-13-110362-8"})
    make_resource(csl={"type": "chapter", "ISBN": BOOK})
    Resource.objects.update(isbn="")
    importlib.import_module("resources.migrations.0013_isbns_of_old_records").fill(apps, None)
    assert list(Resource.objects.exclude(isbn="").values_list("pk", "isbn")) == [(ours.pk, BOOK)]
    taking_down.take_down(
        resource=ours, actor=make_member(is_moderator=True), reason="personal-data", why="x", words_go=True
    )
    assert not Resource.objects.exclude(isbn="").exists()
