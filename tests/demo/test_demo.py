"""The demo data: alive, whole, loaded once, and only where it may be."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from discussions import services as discussions
from discussions.models import Poll, Post, Thread
from events.models import Event
from kmnet.core.models import OutgoingMail
from kmnet.demo.services import NotEmpty, load_demo
from members.models import Group, JoinRequest, Member, Profile
from resources.models import Resource
from tests.factories import make_member

pytestmark = pytest.mark.django_db


def test_demo_is_loaded_once_and_whole(capsys):
    call_command("demo")
    assert Member.objects.count() == 162  # nobody among them
    assert JoinRequest.objects.filter(state="waiting", waits_since__isnull=False).count() == 2
    assert Member.objects.full().filter(greeting__isnull=True, is_host=False).count() > 2
    for name in ("admin", "moderator", "organiser", "member", "newcomer"):
        assert Member.objects.get(email=f"{name}@demo.kmnet.example").check_password("between-worlds")
    for profile in Profile.objects.all():
        profile.clean_fields()  # nothing that a form would refuse
    assert Resource.objects.count() == 74
    launch = Event.objects.get(title__startswith="Launch of")
    occupancy = launch.occupancy()
    assert (occupancy.confirmed, occupancy.waiting, occupancy.offered) == (100, 30, 0)
    past = Event.objects.get(title__startswith="What would help you?")
    assert (past.registrations.count(), past.registrations.filter(attended_at__isnull=False).count()) == (
        100,
        40,
    )
    assert past.recording_url.startswith("http")
    assert Thread.objects.exclude(kind="conversation").count() == 26
    assert Thread.objects.filter(mask__member__name="Anneke Visser").count() == 1
    assert len(discussions.unmaskers()) == 2
    talks = Thread.objects.filter(kind="conversation")
    assert sorted(talk.participants.count() for talk in talks) == [2, 2, 4]
    for name in ("member", "organiser", "newcomer"):
        assert Member.objects.get(email=f"{name}@demo.kmnet.example").conversations.exists()
    ledger = Post.objects.get(thread__title__startswith="How do you report", number=3)
    assert (ledger.reactions.count(), ledger.quiet_thanks.count()) == (12, 4)
    assert set(Poll.objects.values_list("way", "is_anonymous")) == {("multiple", False), ("ranked", True)}
    account = Member.objects.get(email="member@demo.kmnet.example")
    assert account.bookmarks.filter(remind_at__gt=timezone.now()).count() == 1
    assert Thread.objects.unanswered().count() >= 3
    assert Group.objects.count() == 5
    learning_set = Group.objects.get(is_listed=False)
    assert learning_set.standings.in_it().count() == 6
    assert (learning_set.spaces.count(), learning_set.events.count(), learning_set.resources.count()) == (
        1,
        2,
        1,
    )
    counts = Member.objects.values_list("profile__country", flat=True).distinct().count()
    assert counts >= 12
    accounts = {"admin", "moderator", "organiser", "member", "newcomer"}
    digests = OutgoingMail.objects.filter(kind="hub.digest", state="waiting")
    assert {mail.member.email.partition("@")[0] for mail in digests} == accounts
    call_command("demo")
    assert capsys.readouterr().out.splitlines() == ["Demo data loaded.", "Demo data is there already."]
    assert Member.objects.count() == 162  # nobody among them


def test_demo_is_refused_outside_the_demo(settings):
    settings.KMNET_DEMO = False
    with pytest.raises(ImproperlyConfigured):
        load_demo()
    assert Member.objects.count() == 0


def test_demo_does_not_go_into_the_database_of_a_real_community():
    make_member()
    with pytest.raises(NotEmpty):
        load_demo()
    with pytest.raises(CommandError, match="only into an empty one"):
        call_command("demo")
    assert Member.objects.count() == 1
