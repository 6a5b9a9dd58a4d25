"""Saved searches: what is new is told once, to whom may see it, and never what they added themselves."""

from datetime import timedelta

import pytest
from django.core import mail as sent
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from kmnet.core import jobs
from kmnet.core.mail import send_due_mail
from kmnet.core.models import OutgoingMail
from members.models import Group, GroupMember, Standing
from resources import services
from resources.models import SavedSearch
from resources.services.searches import TooManySearches
from tests.factories.members import make_member
from tests.factories.resources import make_resource, make_term

pytestmark = pytest.mark.django_db


@pytest.fixture
def member():
    return make_member(name="Rosalind Achebe")


def saved(member, query="q=carers", **fields):
    search = services.save_search(member=member, query=query, name=fields.pop("name", "Carers"), **fields)
    week = timedelta(days=7)
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=timezone.now() - week, due_at=timezone.now())
    return search


def told(after=timedelta(minutes=6)):
    """What the mails say that a run at this time brings about."""
    sent.outbox.clear()
    services.tell_what_is_new(now=timezone.now() + after)
    OutgoingMail.objects.update(due_at=timezone.now())
    send_due_mail()
    return "".join(message.body for message in sent.outbox)


def test_what_is_new_is_told_once_and_not_what_was_there(member):
    make_resource(title="Old news for carers", published_at=timezone.now() - timedelta(days=8))
    search = saved(member)
    make_resource(title="New for carers")
    make_resource(title="About something else")
    body = told()
    assert "New for carers" in body
    assert "Old news" not in body
    assert "something else" not in body
    assert told() == ""
    assert told(timedelta(days=1, minutes=10)) == ""  # a day later there is nothing new
    search.refresh_from_db()
    assert OutgoingMail.objects.filter(kind="resources.new_found").count() == 1
    make_resource(title="One more for carers", published_at=timezone.now() + timedelta(days=1, hours=1))
    assert "One more for carers" in told(timedelta(days=2, minutes=10))


def test_nobody_hears_of_their_own_or_of_what_they_may_not_see(member):
    group = Group.objects.create(slug="g", name="G")
    saved(member)
    make_resource(title="My own for carers", added_by=member)
    make_resource(title="Hidden carers", state="hidden")
    other = make_member()
    GroupMember.objects.create(group=group, member=other, standing=Standing.MEMBER)
    inside = make_resource(title="The group's carers")
    inside.visibility, inside.group = "group", group
    inside.save(update_fields=["visibility", "group"])
    assert told() == ""
    saved(other)
    assert "The group's carers" in told()


def test_what_was_hidden_before_sending_is_not_told(member):
    saved(member)
    resource = make_resource(title="Carers, for now")
    services.tell_what_is_new(now=timezone.now() + timedelta(minutes=6))
    resource.state = "hidden"
    resource.save(update_fields=["state"])
    send_due_mail()
    [row] = OutgoingMail.objects.all()
    assert (row.state, row.reason) == ("withheld", "nothing of what it found is there to be seen any more")


def test_what_only_comes_close_is_not_told(member):
    saved(member, "q=braekrs")
    make_resource(title="Breakers and brokers")
    assert told() == ""


@pytest.mark.parametrize(
    ("status", "says"), [("active", True), ("silenced", True), ("suspended", False), ("leaving", False)]
)
def test_only_members_hear(member, status, says):
    saved(member)
    member.status, member.is_active = status, status != "suspended"
    member.save(update_fields=["status", "is_active"])
    make_resource(title="For carers")
    assert bool(told()) == says


def test_silent_searches_tell_nothing_and_nothing_later_of_that_time(member):
    search = saved(member, tells=False)
    make_resource(title="Carers while it was silent")
    assert told() == ""
    services.change_search(member=member, search=search, name="Carers", tells=True)
    SavedSearch.objects.update(due_at=timezone.now())
    assert told(timedelta(minutes=10)) == ""


def test_the_job_is_there_and_knows_what_is_due(member):
    search = saved(member)
    job = next(job for job in jobs.all_jobs() if job.key == "resources.searches")
    assert list(job.due(timezone.now())) == [search]


def test_it_is_saved_from_the_list_changed_and_deleted(client, member):
    make_term("type", "guide")
    make_resource(title="A guide for carers")
    client.force_login(member)
    look = "/library/?type=guide&q=carers&type=nonsense&sort=title&after=x"
    new = reverse("resources:search_new") + "?q=carers&amp;type=guide"
    assert new in client.get(look).content.decode()
    page = client.get(new.replace("&amp;", "&"))
    assert page.context["form"].initial["name"] == "carers, Guide"
    assert client.post(new.replace("&amp;", "&"), {"name": ""}).status_code == 422
    for _press in range(2):
        client.post(new.replace("&amp;", "&"), {"name": "Guides", "tells": "on"})
    [search] = SavedSearch.objects.all()
    assert (search.name, search.query, search.tells) == ("Guides", "q=carers&type=guide", True)
    client.post(reverse("resources:search_edit", args=[search.pk]), {"name": "Fewer words"})
    search.refresh_from_db()
    assert (search.name, search.tells) == ("Fewer words", False)
    assert b"Fewer words" in client.get(reverse("resources:searches")).content
    client.force_login(make_member())
    assert client.get(reverse("resources:search_edit", args=[search.pk])).status_code == 404
    assert client.post(reverse("resources:search_delete", args=[search.pk])).status_code == 404
    client.force_login(member)
    client.post(reverse("resources:search_delete", args=[search.pk]))
    assert not SavedSearch.objects.exists()


def test_there_are_only_so_many_and_only_of_members(member, monkeypatch):
    monkeypatch.setattr("resources.services.searches.MOST", 1)
    saved(member)
    with pytest.raises(TooManySearches):
        saved(member, "q=other")
    with pytest.raises(PermissionDenied):
        saved(make_member(status="pending"))
