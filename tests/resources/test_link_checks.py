"""Links are looked at politely; a server that misbehaves costs its own link only."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from django.utils.http import http_date

from kmnet.core import activity, jobs
from kmnet.core.models import Activity, JobState, OutgoingMail
from resources.models import LibrarySettings, LinkCheck, Resource, ResourceEdit
from resources.services import linkchecks
from tests.factories.members import make_member
from tests.factories.resources import make_resource
from tests.resources.network import (
    by_path,
    drips,
    hangs,
    raw,
    resets,
    sends,
)
from tests.together import at_once

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def make_link(path="a", host="example.org", **fields):
    """A record whose link is due."""
    resource = make_resource(url=f"http://{host}/{path}", **fields)
    linkchecks.list_links()
    LinkCheck.objects.filter(url_key=resource.url_key).update(due_at=timezone.now())
    return resource


def check_of(resource):
    return LinkCheck.objects.get(url_key=resource.url_key)


def visit_all(times=1):
    """As often as said, each time as if all were due again and no host had been asked."""
    for _time in range(times):
        LinkCheck.objects.update(due_at=timezone.now() - DAY, checked_at=None)
        linkchecks.check_links()


def test_each_address_has_one_row_as_long_as_a_record_needs_it():
    one, same = make_resource(url="http://example.org/a"), make_resource(url="https://www.example.org/a/")
    make_resource(url="http://example.org/gone", state="hidden")
    make_resource(url="")
    assert (linkchecks.list_links(), linkchecks.list_links()) == (1, 0)
    assert (check_of(one), check_of(one).host) == (check_of(same), "example.org")
    Resource.objects.update(state="hidden")
    assert (linkchecks.list_links(), LinkCheck.objects.count()) == (1, 0)


def test_a_link_that_answers_is_asked_by_head_and_left_for_a_month(network):
    resource = make_link()
    with network.answering(sends(200, "Here it is.")):
        assert linkchecks.check_links() == 1
    assert [method for method, _host, _path in network.asked] == ["HEAD"]
    check = check_of(resource)
    assert (check.state, check.status, check.failures) == ("ok", 200, 0)
    assert 24 * DAY < check.due_at - timezone.now() < 36 * DAY


def test_where_head_is_not_understood_the_first_bytes_are_asked_for_later(network):
    resource = make_link()

    def no_head(handler):
        sends(*((405, "") if handler.command == "HEAD" else (206, "Here")))(handler)

    with network.answering(no_head):
        linkchecks.check_links()
        assert timedelta(seconds=9) < check_of(resource).due_at - timezone.now() < timedelta(seconds=11)
        assert (check_of(resource).state, len(network.asked)) == ("new", 1)
        visit_all(2)
    assert [method for method, _host, _path in network.asked] == ["HEAD", "GET", "GET"]
    assert network.headers[-1]["range"] == "bytes=0-1023"
    assert check_of(resource).state == "ok"


def test_one_host_is_asked_once_in_ten_seconds(network):
    for number in range(4):
        make_link(path=str(number), host="one.example.org" if number < 3 else "other.example.org")
    with network.answering(sends(200)):
        assert linkchecks.check_links() == 2
        assert linkchecks.check_links() == 0
        LinkCheck.objects.filter(checked_at__isnull=False).update(
            checked_at=timezone.now() - timedelta(seconds=11)
        )
        assert linkchecks.check_links() == 1
    assert sorted(network.hosts) == ["one.example.org", "one.example.org", "other.example.org"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_ask_one_host_at_once(network):
    for number in range(3):
        make_link(path=str(number))
    with network.answering(sends(200)):
        assert sorted(at_once(linkchecks.check_links, linkchecks.check_links)) == [0, 1]
    assert len(network.asked) == 1


def test_broken_only_after_three_failures_over_seven_days(network, monkeypatch):
    keeper = make_member()
    resource, now = make_link(added_by=keeper), timezone.now()
    make_resource(url="http://example.org/a", state="hidden", added_by=keeper)
    make_resource(url="http://example.org/a")  # nobody looks after this one
    LinkCheck.objects.update(by_get=True)
    states, waits = [], []
    monkeypatch.setattr(linkchecks.timezone, "now", lambda: now)
    with network.answering(sends(404)):
        for _visit in range(4):
            assert linkchecks.check_links() == 1
            check = check_of(resource)
            states.append((check.state, check.failures))
            waits.append(round((check.due_at - now) / DAY))
            now = check.due_at
        linkchecks.check_links()  # broken still: told once
    assert states == [("failing", 1), ("failing", 2), ("failing", 3), ("broken", 4)]
    assert waits[:3] == [1, 2, 4]
    deed = Activity.objects.get(verb="resources.link_broken")
    activity.fan_out(activity_id=deed.pk)
    mail = OutgoingMail.objects.get(kind="resources.link_broken")
    assert (deed.target, mail.member) == (resource, keeper)
    with network.answering(sends(200)):
        visit_all()
    check = check_of(resource)
    assert (check.state, check.failures, check.failing_since, check.told_at) == ("ok", 0, None, None)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_who_does_not_let_us_look_is_not_broken(network, status):
    resource = make_link()
    with network.answering(sends(status)):
        visit_all(6)
    assert (check_of(resource).state, check_of(resource).failures) == ("unsure", 0)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [("3600", timedelta(hours=24)), ("259200", 3 * DAY), ("99999999999", 7 * DAY), ("soon", DAY)],
)
def test_a_site_that_asks_for_quiet_gets_it_for_all_its_links(network, asked, waits):
    resource, other = make_link(), make_link("b")
    Resource.objects.filter(pk=other.pk).update(url="http://example.org/b")
    LinkCheck.objects.filter(url_key=other.url_key).update(checked_at=timezone.now() - DAY)
    with network.answering(sends(429, Retry_After=asked)):
        linkchecks.check_links()
    asked_first, left = sorted([check_of(resource), check_of(other)], key=lambda check: check.status is None)
    assert abs(asked_first.due_at - timezone.now() - waits) < timedelta(minutes=1)
    if asked != "soon":
        stated = linkchecks.retry_after(asked)
        assert abs(left.due_at - timezone.now() - stated) < timedelta(minutes=1)


def test_a_date_to_wait_for_is_read():
    later = timezone.now() + timedelta(hours=5)
    assert abs(linkchecks.retry_after(http_date(later.timestamp())) - timedelta(hours=5)) < timedelta(
        minutes=1
    )
    assert linkchecks.retry_after(http_date(0)) == timedelta(0)


def moved(to, status=301):
    return sends(status, Location=to)


def loops(handler):
    sends(302, Location="/loops")(handler)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hangs, "time"),
        (partial(drips, head=b"HTTP/1.0 200 OK\r\nX-Slow: ", what=b"x"), "time"),
        (resets, "connection"),
        (raw(b"\x00\x01 nothing of the kind\r\n\r\n"), "protocol"),
        (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000), "protocol"),
        (loops, "redirects"),
        (sends(500), "status"),
        (moved("http://10.0.0.1/inside"), "private"),
        (moved("http://[::1]/inside"), "private"),
        (moved("http://localhost./"), "private"),
        (moved("ftp://example.org/"), "private"),
    ],
    ids=[
        "hangs",
        "drips",
        "resets",
        "noise",
        "huge head",
        "loops",
        "500",
        "private",
        "ipv6",
        "localhost",
        "ftp",
    ],
)
def test_a_server_that_misbehaves_fails_its_own_link_alone(network, monkeypatch, answer, reason):
    monkeypatch.setattr(linkchecks, "SECONDS", 0.4)
    network.names["localhost."] = ["127.0.0.1"]
    bad, good = make_link("bad", "a-bad.example.org"), make_link("good", "good.example.org")
    with network.answering(by_path(bad=answer, good=sends(200), loops=loops)):
        visit_all(2)
    check = check_of(bad)
    assert (check.state, check.failures, check_of(good).state) == ("failing", 1 if check.by_get else 2, "ok")
    assert check.reason in (reason, "connection" if reason == "protocol" else reason)
    assert linkchecks.in_words(check)


def test_what_never_ends_is_left_after_the_first_bytes(network):
    resource = make_link()
    LinkCheck.objects.update(by_get=True)
    with network.answering(partial(drips, what=b"x" * 2048, every=0)):
        visit_all()
    assert check_of(resource).state == "ok"


def test_a_certificate_that_is_not_in_order_fails(network, monkeypatch):
    import ssl

    def refuse(sock, host):
        raise ssl.SSLCertVerificationError("self-signed certificate")

    from resources import fetching

    monkeypatch.setattr(fetching, "secure", refuse)
    resource = make_resource(url="https://example.org/a")
    linkchecks.list_links()
    with network.answering(sends(200)):
        visit_all()
    assert (check_of(resource).state, check_of(resource).reason) == ("failing", "tls")


def test_a_fault_of_ours_in_one_link_keeps_no_other(network, monkeypatch):
    make_link("a", "a.example.org")
    good = make_link("b", "b.example.org")
    visit = linkchecks.visit

    def fail_once(check):
        if check.host == "a.example.org":
            raise RuntimeError("our own mistake")
        return visit(check)

    monkeypatch.setattr(linkchecks, "visit", fail_once)
    with network.answering(sends(200)):
        jobs.run("resources.links")
    assert check_of(good).state == "ok"
    assert JobState.objects.get(name="resources.links").failures == 1


def test_nothing_is_asked_where_the_settings_say_so(network):
    make_link()
    LibrarySettings(checks_links=False).save()
    assert linkchecks.check_links() == 0
    LibrarySettings(checks_links=True).save()


# --- what its keeper does ------------------------------------------------------------------------------------------------
def make_broken(keeper, **fields):
    resource = make_link(added_by=keeper)
    LinkCheck.objects.update(
        state="broken",
        failures=4,
        failing_since="2026-10-02T00:00Z",
        told_at=timezone.now(),
        reason="name",
        **fields,
    )
    return resource


@pytest.mark.parametrize("act", ["works", "moved", "archived"])
def test_the_keeper_sees_to_it_by_a_button(client, act):
    keeper = make_member()
    resource = make_broken(keeper, moved_to="https://new.example.org/a")
    client.force_login(keeper)
    address = f"/library/{resource.pk}/link/"
    page = client.get(address)
    assert b"There is no such site any more." in page.content
    assert ResourceEdit.objects.count() == 0
    assert client.post(address, {"act": act}).status_code == 302
    resource.refresh_from_db()
    if act == "works":
        check = check_of(resource)
        assert (check.state, check.failures, ResourceEdit.objects.count()) == ("ok", 0, 0)
        return
    wanted = {
        "moved": "https://new.example.org/a",
        "archived": "https://web.archive.org/web/20261002/http://example.org/a",
    }
    assert (resource.url, resource.csl["URL"]) == (wanted[act], wanted[act])
    assert ResourceEdit.objects.get().before == {"url": "http://example.org/a"}
    assert client.post(address, {"act": act}).status_code == 404  # another link, which nobody has looked at


def test_others_are_told_on_the_page_and_have_no_button(client):
    resource = make_broken(make_member())
    page = client.get(resource.get_absolute_url())
    assert b"The link does not answer" in page.content
    assert b"web.archive.org" in page.content
    client.force_login(make_member())
    assert client.get(f"/library/{resource.pk}/link/").status_code == 404
    assert client.post(f"/library/{resource.pk}/link/", {"act": "works"}).status_code == 404
    assert check_of(resource).state == "broken"


def test_a_decision_while_the_site_was_asked_stands(network):
    resource = make_broken(make_member())
    LinkCheck.objects.update(due_at=timezone.now())
    [claimed] = linkchecks._claim()
    linkchecks.say_it_works(actor=resource.keeper, resource=resource)
    linkchecks.note(claimed, linkchecks.Outcome("failing", 404, "status"))
    assert check_of(resource).state == "ok"
