"""The frame around every page, as it is sent."""

import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kmnet.core.frame import MenuItem, current_way, menu_for, menu_lines, register_menu_item
from kmnet.core.models import Activity, CommunitySettings, Notification
from members.models import Member
from tests.factories import make_member

pytestmark = pytest.mark.django_db
ABOUT = ("how-we-treat-each-other", "privacy", "accessibility", "contact", "index")


def texts(pattern: str, html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", found).strip() for found in re.findall(pattern, html, flags=re.S)]


@pytest.fixture
def member(client):
    member = make_member(name="Rosalind Achebe")
    client.force_login(member, "django.contrib.auth.backends.ModelBackend")
    return member


def notify(member, count):
    """So many things, each of which has happened to somebody."""
    for _number in range(count):
        actor = make_member()
        activity = Activity.objects.create(
            verb="tests.happened",
            actor=actor,
            target_type=ContentType.objects.get_for_model(actor),
            target_id=actor.pk,
        )
        Notification.objects.create(activity=activity, recipient=member)


@pytest.mark.parametrize("page", ABOUT)
def test_the_footers_pages_are_open_to_guests(client, page):
    response = client.get(reverse(f"about:{page}"))
    html = response.content.decode()
    assert response.status_code == 200
    assert html.count("<h1") == 1
    assert "csrf" not in client.cookies  # a guest who reads gets no cookie
    assert "sessionid" not in client.cookies


def test_guests_are_offered_to_join_and_not_shown_people(client):
    html = client.get(reverse("about:contact")).content.decode()
    assert texts(r'<nav class="nav".*?</nav>', html) == ["Discussions\n      Events\n      Library"]
    assert 'href="/join/"' in html
    assert "hx-headers" not in html  # no token, so that guests' pages can be cached
    assert "/notifications/" not in html


def test_members_have_their_ways_search_bell_and_menu(client, member):
    html = client.get(reverse("about:contact")).content.decode()
    assert re.findall(r'<a href="([^"]+)"', re.search(r'<nav class="nav".*?</nav>', html, re.S)[0]) == [
        "/",
        "/discussions/",
        "/events/",
        "/library/",
        "/members/",
    ]
    assert 'action="/search/"' in html
    assert 'aria-label="Notifications"' in html
    assert "Your account, Rosalind Achebe" in html
    assert re.search(r"hx-headers='\{\"X-CSRFToken\": \"\w+\"\}'", html)


@pytest.mark.parametrize(("unread", "label", "shown"), [(1, "1 new", "1"), (3, "3 new", "3")])
def test_the_bell_counts_what_is_unread(client, member, unread, label, shown):
    notify(member, unread)
    html = client.get(reverse("about:contact")).content.decode()
    assert f'aria-label="Notifications, {label}"' in html
    assert f'<span class="count" aria-hidden="true">{shown}</span>' in html


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"is_moderator": True}, "", 'href="/moderation/"'),
        ({"is_staff": True}, "", 'href="/admin/"'),
        ({"name": "Ada Newname"}, "Your account, Rosalind Achebe", "Your account, Ada Newname"),
        ({"handle": "ada-new"}, "/members/rosalind-achebe/", "/members/ada-new/"),
        ({"language": "ar"}, '<html lang="en" dir="ltr"', '<html lang="ar" dir="rtl"'),
    ],
)
def test_what_changes_about_a_member_is_seen_on_the_next_page(
    client, member, settings, change, before, after
):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    Member.objects.filter(pk=member.pk).update(handle="rosalind-achebe")
    first = client.get(reverse("about:contact")).content.decode()
    Member.objects.filter(pk=member.pk).update(**change)
    second = client.get(reverse("about:contact")).content.decode()
    assert (before in first, after in first) == (True, False)
    assert (after in second, bool(before) and before in second) == (True, False)


@pytest.mark.parametrize(
    "change", [{"status": "suspended", "is_active": False}, {"is_active": False}, {"password": "another"}]
)
def test_who_is_shut_out_is_out_on_the_next_page(client, member, change):
    assert client.get("/settings/").status_code == 200
    assert client.get("/settings/").status_code == 200  # by now with the session's owner
    Member.objects.filter(pk=member.pk).update(**change)
    assert client.get("/settings/").status_code == 302
    assert "Your account" not in client.get(reverse("about:contact")).content.decode()


def test_the_bell_is_silent_when_all_is_read(client, member):
    notify(member, 2)
    assert "2 new" in client.get(reverse("about:contact")).content.decode()
    Notification.objects.filter(recipient=member).update(read_at=timezone.now())
    assert "2 new" not in client.get(reverse("about:contact")).content.decode()


def test_each_page_has_its_own_token_and_members_see_their_own_frame(client, member):
    other = Client()
    other.force_login(make_member(name="Ben Other"), "django.contrib.auth.backends.ModelBackend")
    pages = [one.get(reverse("about:contact")).content.decode() for one in (client, other, client)]
    tokens = {re.search(r'"X-CSRFToken": "(\w+)"', page)[1] for page in pages}
    assert len(tokens) == 3
    assert ["Rosalind Achebe" in page for page in pages] == [True, False, True]
    assert ["Ben Other" in page for page in pages] == [False, True, False]


def test_the_frame_itself_asks_the_database_once(client, member, django_assert_num_queries):
    client.get(reverse("about:contact"))
    with django_assert_num_queries(2):  # the member, the bell
        client.get(reverse("about:contact"))


def test_the_present_way_is_marked(client):
    html = client.get("/events/").content.decode()
    assert '<a href="/events/" aria-current="page">' in html


def test_settings_are_no_part_of_people(rf, client, member):
    html = client.get("/settings/").content.decode()
    assert re.search(r'<nav class="nav".*?</nav>', html, re.S)[0].count("aria-current") == 0


def test_the_account_menu_takes_lines_from_apps(monkeypatch):
    monkeypatch.setattr("kmnet.core.frame._items", {})
    register_menu_item(MenuItem("Second", "/b/", lambda member: True, order=2))
    register_menu_item(MenuItem("First", "/a/", lambda member: True, order=1))
    register_menu_item(MenuItem("Never", "/c/", lambda member: False))
    assert [item.label for item in menu_lines(menu_for(object()))] == ["First", "Second"]


def test_a_page_without_an_address_is_on_no_way(rf):
    assert current_way(rf.get("/")) == ""


def test_the_communitys_own_words_and_addresses_are_used(client):
    CommunitySettings(
        agreement="Be **kind**.", contact_email="ask@community.example", postal_address="1 Bridge Street"
    ).save()
    agreement = client.get(reverse("about:how-we-treat-each-other")).content.decode()
    contact = client.get(reverse("about:contact")).content.decode()
    assert "<p>Be <strong>kind</strong>.</p>" in agreement
    assert "Six things we ask" not in agreement
    assert "mailto:ask@community.example" in contact
    assert "1 Bridge Street" in contact


def test_a_form_with_errors_says_so_first(client):
    html = client.post("/accounts/login/", {"login": "nobody@example.org", "password": ""}).content.decode()
    assert "<title>Error: Sign in · kmnet</title>" in html
    assert texts(r'<h2 id="error-summary-title">(.*?)</h2>', html) == ["One thing to fix"]
    assert '<a href="#id_password">Password: this is needed</a>' in html
    field = re.search(r'<input type="password"[^>]*>', html)[0]
    assert 'aria-invalid="true"' in field
    assert "id_password_error" in re.search(r'aria-describedby="([^"]*)"', field)[1].split()
    assert 'value="nobody@example.org"' in html  # nothing typed is lost


def test_htmx_is_kept_strict(client):
    html = client.get(reverse("about:contact")).content.decode()
    config = re.search(r"name=\"htmx-config\" content='([^']+)'", html)[1]
    for setting in (
        '"historyCacheSize":0',
        '"allowEval":false',
        '"selfRequestsOnly":true',
        '"includeIndicatorStyles":false',
    ):
        assert setting in config
    assert '{"code":"422","swap":true}' in config
