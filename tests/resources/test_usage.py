"""Who read what becomes numbers, and nobody can be told back from them."""

from datetime import timedelta

import pytest
import redis
from django.core.management import call_command
from django.utils import timezone

from kmnet.core import guest_pages
from resources import using
from resources.models import ResourceUse, SavedResource, Story, StoryMask, UsageDay, UsageEvent, UsedMark
from resources.robots import is_robot
from resources.services import usage
from tests.factories.members import make_member
from tests.factories.resources import make_file, make_resource

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"


@pytest.fixture(autouse=True)
def emptied():
    server = using.client()
    for key in server.scan_iter(using.key("*")):
        server.delete(key)
    using._Counter.away_until, using._Counter.salt = 0.0, ("", "")


@pytest.fixture
def resource():
    return make_resource(added_by=make_member())


def events():
    usage.take_events()
    return list(UsageEvent.objects.order_by("pk").values_list("resource", "kind"))


def read(client, resource, **headers):
    headers = {"HTTP_USER_AGENT": FIREFOX} | headers
    response = client.get(resource.get_absolute_url(), **headers)
    assert using.MARK not in response.headers  # it is no business of the browser
    return response


def test_a_visit_is_counted_once_in_thirty_seconds(client, resource):
    for _time in range(3):
        read(client, resource)
    assert events() == [(resource.pk, "read")]
    visitor = UsageEvent.objects.get().visitor
    assert "127" not in visitor
    for key in using.client().scan_iter(using.key("seen:*")):
        using.client().delete(key)  # the seconds are over
    read(client, resource)
    read(client, resource, REMOTE_ADDR="203.0.113.9")
    client.force_login(make_member())
    read(client, resource)
    assert events() == [(resource.pk, "read")] * 4
    assert UsageEvent.objects.values("visitor").distinct().count() == 3


def test_no_person_no_count(client, resource):
    mine = make_resource(added_by=make_member())
    read(client, resource, HTTP_USER_AGENT="Mozilla/5.0 (compatible; Googlebot/2.1)")
    read(client, resource, HTTP_USER_AGENT="")
    read(client, resource, HTTP_SEC_PURPOSE="prefetch")
    client.head(resource.get_absolute_url(), HTTP_USER_AGENT=FIREFOX)
    client.get(f"/library/{resource.pk}-old-slug/", HTTP_USER_AGENT=FIREFOX)  # a redirect
    client.get(f"/library/{2**40}-x/", HTTP_USER_AGENT=FIREFOX)
    client.force_login(mine.added_by)
    read(client, mine)
    assert events() == []
    read(client, resource)
    assert events() == [(resource.pk, "read")]


def test_of_a_download_the_first_range_counts(client, resource):
    url = make_file(resource=resource).get_absolute_url()

    def download(part):
        response = client.get(url, HTTP_RANGE=part, HTTP_USER_AGENT=FIREFOX)
        assert (response.status_code, len(b"".join(response.streaming_content)) > 0) == (206, True)

    download("bytes=10-")
    download("bytes=5-9")
    assert events() == []
    download("bytes=0-4")
    assert events() == [(resource.pk, "download")]


def test_pages_kept_for_guests_are_counted_as_well(client, resource, settings):
    settings.KEEP_GUEST_PAGES = True
    made = []
    for number in range(3):
        read(client, resource, REMOTE_ADDR=f"203.0.113.{number}")
        made.append(guest_pages.public_changes.version())
    assert events() == [(resource.pk, "read")] * 3


def test_redis_away_is_no_reason_to_fail_and_is_asked_again_later(client, resource, monkeypatch):
    asked = []

    class Away:
        def __getattr__(self, name):
            asked.append(name)
            raise redis.ConnectionError

    monkeypatch.setattr(using, "client", Away)
    assert [read(client, resource).status_code for _time in range(3)] == [200] * 3
    assert len(asked) == 1
    assert usage.take_events() == 0


def test_days_are_summed_never_fall_and_outlast_what_came(resource):
    now, day = timezone.now(), timedelta(days=1)
    for visitor, at in (("a", now), ("a", now), ("b", now), ("a", now - day), ("c", now - 8 * day)):
        UsageEvent.objects.create(resource=resource, kind="read", visitor=visitor, at=at)
    UsageEvent.objects.create(resource=resource, kind="download", visitor="a", at=now)
    UsageEvent.objects.create(resource_id=2**40, kind="read", visitor="a", at=now)  # deleted since
    usage.sum_days()
    usage.sum_days()
    found = list(UsageDay.objects.order_by("kind", "-day").values_list("kind", "people", "times"))
    assert found == [("download", 1, 1), ("read", 2, 3), ("read", 1, 1)]
    call_command("retention")
    assert not UsageEvent.objects.filter(visitor="c").exists()
    UsageEvent.objects.all().delete()
    usage.sum_days()
    use = ResourceUse.objects.get()
    assert (use.read, use.downloaded) == (3, 1)


def test_used_counts_members_once_whether_they_told_a_story_or_not(
    client, resource, django_assert_num_queries
):
    one, other, masked = make_member(), make_member(), make_member()
    for member in (one, other):
        UsedMark.objects.create(member=member, resource=resource)
    told = {"place": "Here", "changed": "Much"}
    Story.objects.create(resource=resource, author=one, **told)
    StoryMask.objects.create(story=Story.objects.create(resource=resource, **told), author=masked)
    Story.objects.create(resource=resource, author=make_member(), state="hidden", **told)
    SavedResource.objects.create(member=one, resource=resource)
    assert (usage.recount(), usage.recount([resource.pk])) == (1, 0)
    use = ResourceUse.objects.get()
    assert (use.used, use.saved) == (3, 1)
    assert (usage.rank(), usage.rank()) == (1, 0)
    resource.refresh_from_db()
    assert resource.popularity == 35
    assert b"3 used it" in client.get(resource.get_absolute_url()).content
    UsedMark.objects.all().delete()
    with django_assert_num_queries(4):  # what changed, in a transaction of its own, and what is written
        assert usage.recount([resource.pk]) == 1


@pytest.mark.parametrize(
    ("agent", "robot"),
    [
        (FIREFOX, False),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1",
            False,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36 Edg/131.0",
            False,
        ),
        ("curl/8.5.0", True),
        ("Mozilla/5.0 AppleWebKit/537.36; compatible; GPTBot/1.2; +https://openai.com/gptbot", True),
        ("", True),
    ],
)
def test_robots_are_known_by_their_name(agent, robot):
    assert is_robot(agent) == robot
