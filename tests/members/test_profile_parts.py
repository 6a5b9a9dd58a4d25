"""What a profile holds beside text: hours, availability, wishes that end, contributions, the ORCID iD."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from django.core import mail as sent
from django.urls import reverse
from django.utils import timezone
from taggit.models import Tag

from discussions.services import hide_post
from kmnet.core.mail import send_due_mail
from kmnet.core.models import OutgoingMail, Term
from members import completeness, hours, services
from members.models import Group, MeetingWindow, Member, Profile, SeenBy
from members.services import profiles
from members.tasks import tell_of_ending_wishes
from members.visibility import Shown
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.factories.groups import make_group
from tests.factories.resources import make_resource
from tests.members.test_settings import profile_answers
from tests.together import at_once, meet_after

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


# --- usual hours -----------------------------------------------------------------------------------------------------
def window(days, starts, ends):
    return MeetingWindow(weekdays=days, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([0, 1, 2, 3, 4], "Monday to Friday"),
        ([3, 1], "Tuesday, Thursday"),
        ([0, 1, 2, 5], "Monday to Wednesday, Saturday"),
        ([5, 6], "Saturday, Sunday"),
        (range(7), "Every day"),
    ],
)
def test_days_are_said_in_words(days, words):
    assert hours.days_in_words(days) == words


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ("America/Recife", "Europe/London", "08:00–16:00, 11:00–19:00 for you"),
        ("Asia/Tokyo", "America/Los_Angeles", "08:00–16:00, 15:00–23:00 for you, from the day before"),
        ("America/Los_Angeles", "Asia/Tokyo", "08:00–16:00, 01:00–09:00 for you, on the day after"),
        ("Europe/London", "Africa/Accra", "08:00–16:00, "),
        ("Europe/London", "", "08:00–16:00, "),
    ],
)
def test_hours_are_told_on_the_clock_of_the_reader(there, here, words):
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):
        [usual] = hours.in_words([window([0], "08:00", "16:00")], there, here)
    assert f"{usual.there}, {usual.for_reader}" == words


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        ("America/Recife", "Europe/London", "3 hours behind you"),
        ("Asia/Kolkata", "UTC", "5½ hours ahead of you"),
        ("Europe/Paris", "Europe/London", "1 hour ahead of you"),
        ("UTC", "UTC", "the same time as yours"),
    ],
)
def test_difference_is_said_in_words(there, here, words):
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):
        assert hours.difference_in_words(there, here) == words


def test_hours_tell_the_zone_only_where_the_clock_is_shown(signed_in):
    owner = make_member(time_zone="Asia/Tokyo")
    nine = [{"weekdays": [0], "starts": time(9), "ends": time(11)}]
    services.update_profile(member=owner, hours=nine, hours_seen_by=SeenBy.MEMBERS)
    browser = signed_in(make_member(time_zone="Europe/London"))
    page = browser.get(owner.get_absolute_url()).content.decode()
    assert ("Monday, 09:00–11:00" in page, "for you" in page) == (True, False)
    services.update_profile(member=owner, clock_seen_by=SeenBy.MEMBERS)
    page = browser.get(owner.get_absolute_url()).content.decode()
    assert "02:00 for you" in page or "01:00–03:00 for you" in page or "00:00–02:00 for you" in page


# --- the settings page ------------------------------------------------------------------------------------------------
@pytest.fixture
def visitor(member, signed_in, vocabulary):
    return signed_in(member)


def test_new_parts_are_changed_with_their_audiences(visitor, member):
    until = timezone.now().date() + 9 * DAY
    answers = profile_answers(
        availability=["coffee", "mentor"],
        paused_until=until.isoformat(),
        availability_seen_by="30",
        time_zone="America/Recife",
        hours_0_days=["4", "0"],
        hours_0_from="09:00",
        hours_0_until="12:30",
        hours_2_days=["6"],
        hours_2_from="20:00",
        hours_2_until="21:00",
        hours_seen_by="20",
    )
    assert visitor.post(reverse("members:settings_profile"), answers).status_code == 302
    member = Member.objects.select_related("profile").get(pk=member.pk)
    profile = member.profile
    assert (profile.availability, profile.paused_until) == (["coffee", "mentor"], until)
    assert (profile.availability_seen_by, member.time_zone) == (SeenBy.GROUPS, "America/Recife")
    assert [(w.weekdays, w.starts, w.ends) for w in profile.hours.all()] == [
        ([0, 4], time(9), time(12, 30)),
        ([6], time(20), time(21)),
    ]
    form = visitor.get(reverse("members:settings_profile")).context["form"]
    assert [window["in_use"] for window in form.windows()] == [True, True, False]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"hours_0_days": ["0"], "hours_0_from": "09:00"}, "hours_0_until"),
        ({"hours_0_from": "09:00", "hours_0_until": "10:00"}, "hours_0_days"),
        ({"hours_1_days": ["0"], "hours_1_from": "10:00", "hours_1_until": "10:00"}, "hours_1_until"),
        ({"hours_1_days": ["7"], "hours_1_from": "09:00", "hours_1_until": "10:00"}, "hours_1_days"),
        ({"hours_0_days": ["0"], "hours_0_from": "25:00", "hours_0_until": "10:00"}, "hours_0_from"),
        ({"paused_until": "2020-01-01"}, "paused_until"),
        ({"paused_until": "2999-01-01"}, "paused_until"),
        ({"availability": ["lunch"]}, "availability"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"clock_seen_by": "35"}, "clock_seen_by"),
    ],
)
def test_senseless_answers_are_refused_at_their_field(changed, field, visitor, member):
    response = visitor.post(reverse("members:settings_profile"), profile_answers(**changed))
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert not MeetingWindow.objects.exists()


def test_form_offers_the_four_audiences(visitor):
    form = visitor.get(reverse("members:settings_profile")).context["form"]
    assert [value for value, _label in form.fields["headline_seen_by"].choices] == SeenBy.values


# --- the wish for help ------------------------------------------------------------------------------------------------
@pytest.fixture
def wisher(db):
    member = make_member(email="wisher@example.org")
    services.update_profile(member=member, looking_for=["boards"], looking_for_text="Who reports to one?")
    return member


def end_wish_in(member, days):
    until = timezone.now().date() + days * DAY
    Profile.objects.filter(member=member).update(looking_until=until)
    return until


def renew_address() -> str:
    [letter] = sent.outbox
    return next(word for word in letter.body.split() if "/mail/wish/" in word).removeprefix(
        "http://testserver"
    )


def test_wish_that_ends_is_told_once_and_renewed_by_a_button(wisher, client):
    end_wish_in(wisher, 8)
    tell_of_ending_wishes()
    assert not OutgoingMail.objects.exists()
    until = end_wish_in(wisher, 7)
    tell_of_ending_wishes()
    tell_of_ending_wishes()
    sent.outbox.clear()
    send_due_mail()
    address = renew_address()
    assert "boards" in sent.outbox[0].body

    assert client.get(address).status_code == 200
    wisher.profile.refresh_from_db()
    assert wisher.profile.looking_until == until  # opening the link changes nothing
    assert client.post(address).status_code == 200
    wisher.profile.refresh_from_db()
    assert wisher.profile.looking_until == timezone.now().date() + 90 * DAY
    tell_of_ending_wishes()
    assert OutgoingMail.objects.count() == 1
    with time_machine.travel(timezone.now() + 85 * DAY):
        tell_of_ending_wishes()  # the next end is told again
    assert OutgoingMail.objects.count() == 2


def test_mail_about_a_wish_that_is_gone_is_withheld(wisher):
    end_wish_in(wisher, 3)
    tell_of_ending_wishes()
    services.update_profile(member=wisher, looking_for=[], looking_for_text="")
    sent.outbox.clear()
    send_due_mail()
    assert (sent.outbox, OutgoingMail.objects.get().state) == ([], "withheld")


def test_wish_may_be_renewed_after_its_end_but_not_by_a_made_up_link(wisher, client):
    end_wish_in(wisher, 1)
    tell_of_ending_wishes()
    sent.outbox.clear()
    send_due_mail()
    address = renew_address()
    with time_machine.travel(timezone.now() + 5 * DAY):
        assert client.post(address).status_code == 200
        wisher.profile.refresh_from_db()
        assert wisher.profile.is_looking()
    assert client.post("/mail/wish/made-up/").status_code == 404
    Member.objects.filter(pk=wisher.pk).update(status="suspended", is_active=False)
    assert client.post(address).status_code == 404


def test_nobody_is_asked_about_no_wish_or_without_being_a_member(wisher):
    end_wish_in(wisher, 3)
    Member.objects.filter(pk=wisher.pk).update(status="suspended", is_active=False)
    make_member()
    assert services.tell_of_ending_wishes() == 0


# --- the ORCID iD ------------------------------------------------------------------------------------------------------
def test_orcid_is_shown_only_when_its_owner_says_so_and_belongs_to_one(signed_in, member):
    services.set_orcid(member=member, orcid="0000-0002-1825-0097")
    browser = signed_in(make_member())
    assert "0000-0002-1825-0097" not in browser.get(member.get_absolute_url()).content.decode()
    services.update_profile(member=member, orcid_seen_by=SeenBy.MEMBERS)
    page = browser.get(member.get_absolute_url()).content.decode()
    assert 'href="https://orcid.org/0000-0002-1825-0097"' in page
    with pytest.raises(services.OrcidTaken):
        services.set_orcid(member=make_member(), orcid="0000-0002-1825-0097")
    services.unlink_orcid(member=member)
    member.profile.refresh_from_db()
    assert (member.profile.orcid, member.profile.orcid_seen_by) == ("", SeenBy.ME)


# --- what they have given ----------------------------------------------------------------------------------------------
def test_contributions_are_those_that_the_reader_may_see(signed_in, client):
    owner, moderator = make_member(name="Zuzanna Q"), make_member(is_moderator=True)
    services.update_profile(member=owner, headline="Here", headline_seen_by=SeenBy.PUBLIC)
    public, inner = make_space(), make_space(readable_by="members")
    make_thread(author=owner, space=public, title="Open thread")
    make_thread(author=owner, space=inner, title="Inner thread")
    gone = make_thread(author=owner, space=public, title="Hidden thread")
    make_post(thread=make_thread(space=public, title="Answered thread"), author=owner)
    make_resource(added_by=owner, title="Shared paper")

    hide_post(post=gone.posts.get(), actor=moderator, reason="names a patient")
    address = reverse("members:contributions", args=[owner.handle])
    titles = ("Open thread", "Inner thread", "Hidden thread", "Answered thread", "Shared paper")

    def seen(browser):
        page = browser.get(address).content.decode()
        return [title in page for title in titles]

    assert seen(signed_in(make_member())) == [True, True, False, True, True]
    assert seen(signed_in(owner)) == [True, True, False, True, True]
    assert seen(client) == [True, False, False, True, True]
    services.update_profile(member=owner, headline_seen_by=SeenBy.MEMBERS)
    assert client.get(address)["Location"].startswith("/accounts/login/")
    assert signed_in(make_member()).get(reverse("members:contributions", args=["nobody"])).status_code == 404


def test_all_of_one_kind_page_by_page(signed_in):
    owner = make_member()
    for number in range(23):
        make_thread(author=owner, title=f"Thread {number:02}")
    browser, address = signed_in(make_member()), reverse("members:contributions", args=[owner.handle])
    assert "?kind=threads" in browser.get(address).content.decode()
    first = browser.get(address, {"kind": "threads"}).context["page"]
    second = browser.get(address + first.next_query).context["page"]
    titles = [item.title for item in (*first, *second)]
    assert titles == [f"Thread {number:02}" for number in reversed(range(23))]
    assert browser.get(address, {"kind": "nonsense"}).status_code == 200


@pytest.mark.parametrize("count", [1, 8])
def test_profile_costs_the_same_however_much_it_holds(
    count, signed_in, vocabulary, django_assert_max_num_queries
):
    owner = make_member(time_zone="Asia/Tokyo")
    words = [f"topic {number}" for number in range(count)]
    nine = [{"weekdays": [day], "starts": time(9), "ends": time(11)} for day in range(min(count, 3))]
    services.update_profile(
        member=owner, can_help=words, looking_for=words, hours=nine, hours_seen_by=20, clock_seen_by=20
    )
    Member.objects.filter(pk=owner.pk).update(picture="0" * 32, picture_seen_by=SeenBy.MEMBERS)
    for _number in range(count):
        make_post(thread=make_thread(author=owner), author=owner)
        make_resource(added_by=owner)
    browser = signed_in(make_member())
    browser.get(owner.get_absolute_url())
    with django_assert_max_num_queries(12):
        assert browser.get(owner.get_absolute_url()).status_code == 200


def test_what_both_have_is_said_as_far_as_it_is_shown(signed_in, vocabulary):
    terms = list(Term.objects.filter(facet__key="method")[:3])
    owner, reader = make_member(), make_member()
    services.update_profile(
        member=owner, interests=terms[:2], work_settings=[terms[2]], work_settings_seen_by=40
    )
    services.update_profile(member=reader, interests=terms[1:], work_settings=[terms[2]])
    group, closed = make_group(owner, reader), make_group(owner, reader)
    Group.objects.filter(pk=closed.pk).update(closed_at=timezone.now())
    make_group(owner)
    shown = signed_in(reader).get(owner.get_absolute_url()).context["shown"]
    assert (shown.in_common, shown.groups_in_common) == ([terms[1].name], [group])
    assert closed not in shown.groups_in_common
    shown = signed_in(make_member()).get(owner.get_absolute_url()).context["shown"]
    assert (shown.in_common, shown.groups_in_common) == ([], [])


# --- what to add next --------------------------------------------------------------------------------------------------
def test_one_next_thing_is_said_to_the_owner_and_never_a_score(signed_in, member):
    address = member.get_absolute_url()
    page = signed_in(member).get(address).content.decode()
    assert "Add what you can help with, so that people find you." in page
    assert "%" not in page[page.index("<main") : page.index("</main")]
    assert "Add what you can help with" not in signed_in(make_member()).get(address).content.decode()
    services.update_profile(
        member=member, can_help=["a"], headline="b", looking_for=["c"], team_size="solo", country="BR",
        languages_work=["pt"], about="d",
    )  # fmt: skip
    assert completeness.next_thing(Shown.to(member, member.profile)).part == "interests"


# --- tags ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_members_who_save_the_same_new_tags_at_once_do_not_deadlock(monkeypatch):
    """Each has made the first of its new tags before either makes the second."""
    one, other = make_member(), make_member()
    meet_after(monkeypatch, profiles, "_make_tag")
    at_once(
        partial(services.update_profile, member=one, can_help=["zebra", "apple", "mango"]),
        partial(services.update_profile, member=other, can_help=["mango", "apple", "zebra"]),
    )
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["apple", "mango", "zebra"]


def test_tags_of_other_scripts_and_signs_get_an_address():
    member = make_member()
    services.update_profile(member=member, can_help=["知識移転", "C++", "C", "c"])
    tags = Tag.objects.order_by("pk")
    assert len({tag.slug for tag in tags}) == len(tags) == member.profile.can_help.count()
    assert all(tag.slug for tag in tags)
