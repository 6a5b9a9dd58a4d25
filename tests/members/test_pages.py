"""Every page of this app opens, for those for whom it is."""

import pytest
from django.urls import reverse

from tests.factories import make_member

pytestmark = pytest.mark.django_db

OWN_PAGES = ["settings", "settings_profile", "settings_mail", "directory"]


@pytest.mark.parametrize("name", OWN_PAGES)
def test_page_opens_for_a_member(name, member, signed_in, vocabulary):
    response = signed_in(member).get(reverse(f"members:{name}"))
    assert response.status_code == 200


@pytest.mark.parametrize("name", [*OWN_PAGES, "welcome", "waiting"])
def test_guest_is_sent_to_sign_in(name, client):
    address = reverse(f"members:{name}")
    response = client.get(address)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_first_step_opens(number, signed_in, vocabulary):
    newcomer = make_member(onboarded_at=None)
    response = signed_in(newcomer).get(reverse("members:welcome_step", args=[number]))
    assert response.status_code == 200


def test_there_is_no_fourth_step(member, signed_in):
    assert signed_in(member).get(reverse("members:welcome_step", args=[4])).status_code == 404


@pytest.mark.parametrize("address", ["/join/", "/accounts/signup/", "/join/proven/"])
def test_joining_is_open_to_guests(address, client):
    assert client.get(address).status_code == 200


def test_profile_opens_for_members_and_owner(member, signed_in):
    other = make_member()
    assert signed_in(other).get(member.get_absolute_url()).status_code == 200
    assert signed_in(member).get(member.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("address", ["/welcome/", "/welcome/done/", "/welcome/waiting/", "/join/proven/"])
def test_head_is_answered_as_get(client, address):
    client.force_login(make_member())
    assert client.head(address).status_code == client.get(address).status_code


@pytest.mark.parametrize("address", ["/accounts/login/", "/join/", "/accounts/login/code/"])
def test_next_that_is_no_address_is_ignored(client, address):
    assert client.get(address, {"next": "https://[::1"}).status_code == 200


def test_expired_login_with_an_odd_current_address(client):
    response = client.get("/members/", headers={"HX-Request": "true", "HX-Current-URL": "http://[::1"})
    assert response["HX-Redirect"] == "/accounts/login/?next=/"


@pytest.mark.parametrize("country", ["²", "٣", "12", "\x00", "'"])
def test_directory_of_a_country_that_is_none(client, country):
    client.force_login(make_member())
    assert client.get("/members/", {"country": country}).status_code == 200
