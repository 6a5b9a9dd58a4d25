"""“This helped me”: seen by its giver alone, told to the author once a month in numbers."""

from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from discussions import services
from discussions.models import Post, QuietThanks, ThanksMonth
from discussions.services.thanks import is_time_to_tell
from kmnet.core import activity, mail
from kmnet.core.models import Activity, Notification, OutgoingMail
from members.models import SeenBy
from members.services import set_boundary
from tests.factories import make_member
from tests.factories.discussions import make_post
from tests.mailbox import html_of, text_of

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 2, 10, tzinfo=UTC)


def thank(post, member=None, at=OCTOBER, **profile):
    member = member or make_member(profile=profile or None)
    services.set_quiet_thanks(member=member, post=post, on=True)
    QuietThanks.objects.filter(post=post, member=member).update(at=at)
    return member


def tell(now=NOVEMBER):
    told = services.tell_of_thanks(now=now)
    for deed in Activity.objects.waiting().order_by("pk"):
        activity.fan_out(activity_id=deed.pk)
    return told


def rows():
    return list(ThanksMonth.objects.order_by("pk").values_list("author", "month", "people", "countries"))


# --- giving --------------------------------------------------------------------------------------------------------------
def test_given_twice_is_once_and_taken_back_is_gone():
    post, member = make_post(), make_member()
    for _twice in range(2):
        services.set_quiet_thanks(member=member, post=post, on=True)
    assert list(QuietThanks.objects.values_list("post", "member")) == [(post.pk, member.pk)]
    for _twice in range(2):
        services.set_quiet_thanks(member=member, post=post, on=False)
    assert not QuietThanks.objects.exists()


def test_nobody_thanks_themselves_nor_for_what_is_hidden():
    post = make_post()
    with pytest.raises(PermissionDenied):
        services.set_quiet_thanks(member=post.author, post=post, on=True)
    Post.objects.filter(pk=post.pk).update(state="hidden")
    with pytest.raises(PermissionDenied):
        services.set_quiet_thanks(member=make_member(), post=post, on=True)
    assert not QuietThanks.objects.exists()


def test_its_giver_alone_sees_it(client):
    post, giver = make_post(), make_member()
    client.force_login(giver)
    address = reverse("discussions:helped", args=[post.pk])
    response = client.post(address, {"set": "on"})
    assert (response.status_code, response["Location"]) == (302, post.get_absolute_url())
    mine = f'action="{address}"'
    assert (
        'name="set" value="off" aria-pressed="true"' in client.get(post.get_absolute_url()).content.decode()
    )
    others = (make_member(), make_member(is_moderator=True), make_member(is_staff=True, is_superuser=True))
    for other in others:
        client.force_login(other)
        page = client.get(post.get_absolute_url()).content.decode()
        assert mine in page
        assert 'aria-pressed="true"' not in page
    client.force_login(post.author)
    assert mine not in client.get(post.get_absolute_url()).content.decode()
    client.force_login(giver)
    client.post(address, {"set": "off"})
    assert 'aria-pressed="true"' not in client.get(post.get_absolute_url()).content.decode()
    assert client.post(address, {}).status_code == 404


# --- telling -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("givers", "words"),
    [
        ([], None),
        (["BR"], "In October you helped somebody."),
        (["BR", "GB"], "In October you helped a few people."),
        (["BR", "GB", "GB"], "In October you helped 3 people in 2 countries."),
        (["BR", "GB", ""], "In October you helped 3 people."),  # of fewer than three no country is told
        (["BR", "GB", "KE", "", "GB", "KE", "GB"], "In October you helped 7 people in 3 countries."),
    ],
)
def test_author_is_told_of_people_and_countries(mailbox, givers, words):
    post = make_post()
    author = post.author
    for country in givers:
        thank(post, country=country)
    assert tell() == bool(words)
    letters = [letter for letter in mailbox(to=author.email) if "helped" in letter["Subject"]]
    assert [letter["Subject"] for letter in letters] == ([words] if words else [])
    for letter in letters:
        assert "http://testserver/discussions/helped/" in text_of(letter)
        assert words in html_of(letter)
    told = Notification.objects.filter(recipient=author, activity__verb="discussions.helped")
    assert told.count() == bool(words)


def test_one_who_helped_several_times_is_one_person():
    post, author = make_post(), None
    author = post.author
    other = make_post(thread=post.thread, author=author)
    giver = thank(post)
    thank(other, giver)
    tell()
    assert rows() == [(author.pk, date(2026, 10, 1), 1, 0)]


def test_country_counts_only_where_its_owner_shows_it_to_members():
    post = make_post()
    for country, seen in (("BR", SeenBy.ME), ("GB", SeenBy.GROUPS), ("KE", SeenBy.MEMBERS)):
        thank(post, country=country, place_seen_by=seen)
    blocker = thank(post, country="NL")
    set_boundary(owner=blocker, other=post.author, distance="block")
    thank(post, country="KE")
    thank(post, country="FR", place_seen_by=SeenBy.PUBLIC)
    tell()
    assert rows() == [(post.author_id, date(2026, 10, 1), 6, 2)]


def test_whom_the_author_keeps_away_and_who_is_suspended_count_for_nothing():
    post = make_post()
    for distance in ("block", "ignore"):
        set_boundary(owner=post.author, other=thank(post), distance=distance)
    gone = thank(post)
    type(gone).objects.filter(pk=gone.pk).update(status="suspended", is_active=False)
    assert tell() == 0
    assert not Notification.objects.filter(activity__verb="discussions.helped").exists()
    thank(post, at=datetime(2026, 11, 20, tzinfo=UTC))
    assert tell(datetime(2026, 12, 1, 9, tzinfo=UTC)) == 1


def test_each_author_hears_once_a_month_and_each_thanks_is_told_once():
    post = make_post()
    thank(post)
    thank(post, at=NOVEMBER)
    assert [tell(), tell(), tell(NOVEMBER.replace(day=5))] == [1, 0, 0]
    december = datetime(2026, 12, 3, 9, 30, tzinfo=UTC)
    assert [tell(december), tell(december)] == [1, 0]
    assert rows() == [
        (post.author_id, date(2026, 10, 1), 1, 0),
        (post.author_id, date(2026, 11, 1), 1, 0),
    ]
    assert tell(datetime(2027, 1, 2, 9, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-11-01T08:59", "UTC", False),
        ("2026-11-01T09:00", "UTC", True),
        ("2026-11-07T17:59", "UTC", True),
        ("2026-11-07T18:00", "UTC", False),
        ("2026-11-08T09:00", "UTC", False),
        ("2026-10-31T19:00", "Pacific/Kiritimati", True),  # the first of November, nine o'clock
        (
            "2026-11-01T09:00",
            "America/Toronto",
            False,
        ),  # four in the morning: the clocks went back that night
        ("2026-11-01T14:00", "America/Toronto", True),
    ],
)
def test_it_is_told_in_the_daytime_of_the_first_days(now, zone, due):
    assert is_time_to_tell(datetime.fromisoformat(now).replace(tzinfo=UTC), zone) == due


def test_month_ends_on_the_clock_of_the_author():
    """Given at 23:30 UTC on the 31st: in Nairobi that is November already."""
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    posts = [make_post(author=make_member(time_zone=zone)) for zone in ("UTC", "Africa/Nairobi")]
    for post in posts:
        thank(post, at=late)
    tell(datetime(2026, 11, 2, 12, tzinfo=UTC))
    assert rows() == [(posts[0].author_id, date(2026, 10, 1), 1, 0)]


def test_what_is_taken_back_or_hidden_before_sending_is_not_told(mailbox):
    post = make_post()
    giver = thank(post)
    tell()
    services.set_quiet_thanks(member=giver, post=post, on=False)
    mail.send_due_mail()
    row = OutgoingMail.objects.get(kind="discussions.helped")
    assert (row.state, row.reason) == ("withheld", "nobody to tell of any more")


def test_who_switched_it_off_gets_no_mail(mailbox):
    post = make_post()
    mail.choices.choose("thanks", "never", member_id=post.author_id)
    thank(post)
    tell()
    mail.send_due_mail()
    row = OutgoingMail.objects.get(kind="discussions.helped")
    assert (row.state, row.reason) == ("withheld", "switched off by the receiver: thanks")


def test_author_reads_month_by_month(client):
    post = make_post()
    giver = thank(post)
    tell()
    client.force_login(post.author)
    bell = client.get("/notifications/").content.decode()
    assert "In October you helped somebody." in bell
    page = client.get(reverse("discussions:helped_months")).content.decode()
    assert "In October you helped somebody." in page
    assert "October 2026" in page
    assert giver.name not in page
    assert not Notification.objects.unread().filter(activity__verb="discussions.helped").exists()
    client.force_login(giver)
    assert "Nothing to tell yet" in client.get(reverse("discussions:helped_months")).content.decode()
