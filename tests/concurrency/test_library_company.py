"""Versions, derivatives, links and stories made in the same moment, with real commits: the locks of the records decide."""

import uuid
from functools import partial

import pytest

from resources import services
from resources.models import Derivative, Relation, Resource, ResourceVersion, Story, UsedMark
from resources.services import Details, Making, Telling
from tests.factories.members import make_member
from tests.factories.resources import make_resource
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)


def made(result):
    return type(result).__name__


def test_no_chain_comes_of_two_who_tie_at_once(monkeypatch):
    keeper = make_member()
    first, middle = make_resource(added_by=keeper), make_resource(added_by=keeper)
    meet_before(monkeypatch, Derivative, "save")
    details = Details(csl={"type": "document", "title": "Last"})
    deeds = [
        partial(
            services.make_derivative, actor=keeper, parent=middle, making=Making("audio"), details=details
        ),
        partial(
            services.tie_derivative, actor=keeper, parent=first, child=middle, making=Making("plain-language")
        ),
    ]
    assert sorted(map(made, at_once(*deeds, errors=lambda error: error))) == ["Derivative", "NoChains"]
    assert services.derivatives.chains() == 0


@pytest.mark.parametrize(
    ("said", "ended"),
    [(("A", "A"), ["ResourceVersion"] * 2), (("A", "B"), ["NewerMeanwhile", "ResourceVersion"])],
)
def test_two_presses_make_one_version(monkeypatch, said, ended):
    keeper = make_member()
    resource = make_resource(added_by=keeper)
    meet_before(monkeypatch, Resource, "save")
    press = partial(services.make_version, actor=keeper, resource=resource, begun_from=1, issued=[])
    deeds = [partial(press, changes=words) for words in said]
    assert sorted(map(made, at_once(*deeds, errors=lambda error: error))) == ended
    assert list(ResourceVersion.objects.values_list("number", flat=True)) == [2, 1]
    assert Resource.objects.get().version == 2


def test_nothing_becomes_newer_than_itself_by_two_at_once(monkeypatch):
    keeper = make_member()
    one, other = make_resource(added_by=keeper), make_resource(added_by=keeper)
    meet_before(monkeypatch, Relation, "save")
    deeds = [
        partial(services.relate, actor=keeper, resource=new, kind="newer", other=old)
        for new, old in ((one, other), (other, one))
    ]
    assert sorted(map(made, at_once(*deeds, errors=lambda error: error))) == ["InCircles", "Relation"]


def test_a_story_pressed_twice_at_once_is_one_and_the_most_is_the_most(monkeypatch):
    resource, author, key = make_resource(), make_member(), uuid.uuid4()
    telling = Telling(place="Here", happened="Much")
    tell = partial(services.tell_story, actor=author, resource=resource, telling=telling)
    for _number in range(services.stories.MOST_OF_ONE - 2):
        tell()
    meet_before(monkeypatch, Story, "save")
    one, other = at_once(*[partial(tell, submit_key=key)] * 2)
    assert one == other
    ended = at_once(
        *[partial(tell, submit_key=uuid.uuid4()) for _press in range(2)], errors=lambda error: error
    )
    assert sorted(map(made, ended)) == ["Story", "TooManyStories"]


def test_used_is_used_once(monkeypatch):
    resource, member = make_resource(), make_member()
    meet_before(monkeypatch, UsedMark.objects.__class__, "bulk_create")
    at_once(*[partial(services.mark_used, actor=member, resource=resource, on=True)] * 3)
    assert UsedMark.objects.count() == 1
