"""What members keep for later, and being reminded of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.forms_keeping import days_ahead
from discussions.models import Bookmark, Post
from discussions.services.bookmarks import at_nine
from kmnet.core import mail
from kmnet.core.models import Notification, OutgoingMail
from kmnet.demo.clock import at
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread
from tests.mailbox import html_of, links_in, text_of

pytestmark = pytest.mark.django_db
WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


def keep(post=None, member=None, remind_at=None, **fields):
    return services.keep_post(
        member=member or make_member(), post=post or make_post(), remind_at=remind_at, **fields
    )


def reminders():
    told = Notification.objects.filter(activity__verb="discussions.kept").order_by("pk")
    return [(row.recipient_id, row.activity.target_id) for row in told]


# --- nine o'clock --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("day", "zone", "instant"),
    [
        ("2026-10-24", "Europe/London", "2026-10-24T08:00"),
        ("2026-10-25", "Europe/London", "2026-10-25T09:00"),  # the clocks went back that night
        ("2027-03-27", "Europe/London", "2027-03-27T09:00"),
        ("2027-03-28", "Europe/London", "2027-03-28T08:00"),  # and forward
        ("2026-11-27", "Australia/Lord_Howe", "2026-11-26T22:00"),
        ("2026-11-27", "Asia/Kathmandu", "2026-11-27T03:15"),
    ],
)
def test_nine_in_the_morning_is_on_the_clocks_of_the_member(day, zone, instant):
    assert at_nine(date.fromisoformat(day), zone) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-25T12:00", "UTC", ("2026-11-26", "2026-11-27", "2026-11-30")),  # a Wednesday
        ("2026-11-27T12:00", "UTC", ("2026-11-28", "2026-12-04", "2026-11-30")),  # a Friday
        ("2026-11-30T12:00", "UTC", ("2026-12-01", "2026-12-04", "2026-12-07")),  # a Monday
        ("2026-11-26T12:00", "Pacific/Auckland", ("2026-11-28", "2026-12-04", "2026-11-30")),  # Friday there
    ],
)
def test_days_ahead_are_those_of_the_members_calendar(now, zone, expected):
    with at(datetime.fromisoformat(now).replace(tzinfo=UTC)):
        assert tuple(day.isoformat() for day in days_ahead(zone).values()) == expected


# --- keeping -------------------------------------------------------------------------------------------------------------
def test_keeping_again_changes_the_one_there_is():
    post, member = make_post(), make_member()
    first = keep(post, member, note="For the board")
    again = keep(post, member, note="For the manager", remind_at=WEDNESDAY)
    assert first.pk == again.pk
    assert list(Bookmark.objects.values_list("member", "note", "remind_at")) == [
        (member.pk, "For the manager", WEDNESDAY)
    ]


def test_kept_is_what_one_may_read():
    inside = make_post(thread=make_thread(space=make_space(readable_by="members")))
    with pytest.raises(PermissionDenied):
        keep(inside, make_member(status="pending"))
    keep(inside, make_member(status="silenced"))
    Post.objects.filter(pk=inside.pk).update(state="hidden")
    inside.refresh_from_db()
    with pytest.raises(PermissionDenied):
        keep(inside)
    assert Bookmark.objects.count() == 1


# --- being reminded ------------------------------------------------------------------------------------------------------
def test_reminder_comes_once_by_mail_and_on_the_site(mailbox):
    kept = keep(remind_at=WEDNESDAY, note="Ask <Maren>")
    keep(remind_at=WEDNESDAY + timedelta(minutes=1))
    keep()
    assert services.remind_of_kept(now=WEDNESDAY - timedelta(seconds=1)) == 0
    assert [services.remind_of_kept(now=WEDNESDAY) for _beat in range(2)] == [1, 0]
    assert reminders() == [(kept.member_id, kept.post_id)]
    [letter] = mailbox(to=kept.member.email)
    assert letter["Subject"] == f"You wanted to come back to: {kept.post.thread.title}"
    assert "Your note: Ask <Maren>" in text_of(letter)
    assert "Ask &lt;Maren&gt;" in html_of(letter)
    assert f"http://testserver{kept.post.get_absolute_url()}" in links_in(letter)
    assert f"http://testserver/discussions/posts/{kept.post_id}/keep/" in links_in(letter)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda kept: hide(kept.post), "the post is not there to be read any more"),
        (lambda kept: take_back(kept.post), "the post is not there to be read any more"),
        (lambda kept: close_space(kept.post), "the post is not there to be read any more"),
        (lambda kept: suspend(kept.member), "no longer a member"),
    ],
)
def test_no_reminder_of_what_is_not_there_any_more(spoil, reason):
    """Before its time the reason stands on the bookmark, between queueing and sending on the mail."""
    early, late = keep(remind_at=WEDNESDAY), keep(remind_at=WEDNESDAY)
    spoil(early)
    assert services.remind_of_kept(now=WEDNESDAY) == 2
    early.refresh_from_db()
    assert (early.reminded_at, early.not_reminded) == (WEDNESDAY, reason)
    assert reminders() == [(late.member_id, late.post_id)]
    spoil(late)
    mail.send_due_mail()
    row = OutgoingMail.objects.get(kind="discussions.kept")
    assert row.state == "withheld"
    assert row.reason == ("the member is suspended" if reason == "no longer a member" else reason)


def hide(post):
    Post.objects.filter(pk=post.pk).update(state="hidden")


def take_back(post):
    Post.objects.filter(pk=post.pk).update(deleted_at=timezone.now())


def close_space(post):
    space = post.thread.space
    space.group = services.spaces.Group.objects.create(slug=f"closed-{post.pk}", name="Closed")
    space.readable_by = "group"
    space.save()


def suspend(member):
    type(member).objects.filter(pk=member.pk).update(status="suspended", is_active=False)


def test_reminder_again_on_another_day_and_none_once_dropped():
    kept = keep(remind_at=WEDNESDAY)
    services.remind_of_kept(now=WEDNESDAY)
    keep(kept.post, kept.member, remind_at=WEDNESDAY + timedelta(days=1))
    assert OutgoingMail.objects.get().reason == "another day was chosen"
    assert services.remind_of_kept(now=WEDNESDAY + timedelta(days=1)) == 1
    assert reminders() == [(kept.member_id, kept.post_id)] * 2
    services.drop_bookmark(member=kept.member, bookmark=kept)
    assert OutgoingMail.objects.order_by("pk").last().reason == "kept no longer"
    assert not Bookmark.objects.exists()


def test_reminder_line_leads_to_the_post_and_is_read_by_arriving(client):
    kept = keep(remind_at=WEDNESDAY)
    services.remind_of_kept(now=WEDNESDAY)
    client.force_login(kept.member)
    assert "You wanted to come back to" in client.get("/notifications/").content.decode()
    client.get(kept.post.get_absolute_url().partition("#")[0])
    assert not Notification.objects.unread().filter(recipient=kept.member).exists()


# --- the pages -----------------------------------------------------------------------------------------------------------
def send(client, post, **data):
    return client.post(reverse("discussions:keep", args=[post.pk]), data)


def test_form_keeps_with_a_day(client):
    post, member = make_post(), make_member(time_zone="America/Toronto")
    client.force_login(member)
    with at(WEDNESDAY):
        assert (
            "On Friday, Friday 27 November"
            in client.get(reverse("discussions:keep", args=[post.pk])).content.decode()
        )
        response = send(client, post, note=" For the  board ", when="friday")
    assert (response.status_code, response["Location"]) == (302, post.get_absolute_url())
    [kept] = Bookmark.objects.all()
    assert (kept.note, kept.remind_at) == ("For the board", datetime(2026, 11, 27, 14, tzinfo=UTC))
    with at(WEDNESDAY):
        page = client.get(reverse("discussions:keep", args=[post.pk])).content.decode()
        assert "Friday 27 November, as now" in page
        send(client, post, note="Only this", when="as_now")
    kept.refresh_from_db()
    assert (kept.note, kept.remind_at) == ("Only this", datetime(2026, 11, 27, 14, tzinfo=UTC))
    assert "Kept for later" in client.get(post.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("", "Say which day."),
        ("2026-11-25", "Choose a day from tomorrow on."),
        ("9999-01-01", "Choose a day from tomorrow on."),
        ("yesterday", "Enter a valid date."),
    ],
)
def test_form_says_what_is_wrong_with_the_day_and_keeps_the_note(client, day, said):
    post = make_post()
    client.force_login(make_member())
    with at(WEDNESDAY):
        response = send(client, post, note="Keep my words", when="date", day=day)
    assert response.status_code == 422
    assert response.content.decode().count(said) == 2  # in the summary and at the field
    assert "Keep my words" in response.content.decode()
    assert not Bookmark.objects.exists()
    with at(WEDNESDAY):
        assert send(client, post, when="date", day="2026-11-26").status_code == 302
    assert Bookmark.objects.get().remind_at == datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_for_one_and_for_fifty(client, django_assert_num_queries, count):
    member, thread = make_member(), make_thread()
    author = make_member()
    kept = [keep(make_post(thread=thread, author=author), member) for _post in range(count)]
    keep()
    client.force_login(member)
    address = reverse("discussions:bookmarks")
    client.get(address)
    with django_assert_num_queries(3):
        response = client.get(address)
    assert list(response.context["page"]) == kept[::-1][:20]
    assert bool(response.context["page"].next_query) == (count > 20)


def test_list_shows_no_words_of_what_is_hidden_and_lets_it_go(client):
    kept = keep(make_thread(title="A title nobody may read").posts.get())
    hide(kept.post)
    client.force_login(kept.member)
    page = client.get(reverse("discussions:bookmarks")).content.decode()
    assert "Something that is not there to be read any more" in page
    assert kept.post.author.name not in page
    assert client.get(reverse("discussions:keep", args=[kept.post_id])).status_code == 404
    drop = reverse("discussions:drop", args=[kept.pk])
    client.force_login(make_member())
    assert client.post(drop).status_code == 404
    client.force_login(kept.member)
    assert client.post(drop).status_code == 302
    assert not Bookmark.objects.exists()
