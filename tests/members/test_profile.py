"""Profile pages: who gets in, and what an old handle does."""

import pytest
from django.core.exceptions import ValidationError

from members import services
from members.models import Member, OldHandle, SeenBy
from tests.factories import make_member

pytestmark = pytest.mark.django_db


def account(member, **changed):
    return {"name": member.name, "handle": member.handle, "time_zone": "UTC", "language": "en", **changed}


@pytest.mark.parametrize(
    "handle", ["ana-silva", "nobody-at-all", "Ana-Silva", "we!rd", "suspended-one", "old-ana"]
)
def test_guest_gets_one_answer_whether_there_is_such_a_person_or_not(handle, client, member):
    make_member(handle="suspended-one", status="suspended", is_active=False)
    OldHandle.objects.create(handle="old-ana", member=member)
    address = f"/members/{handle}/"
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/members/")


def test_guest_sees_what_is_public_and_only_that(client, member):
    services.update_profile(
        member=member, headline="In the open", organisation="Behind the door", headline_seen_by=SeenBy.PUBLIC
    )
    response = client.get("/members/ana-silva/")
    assert response.status_code == 200
    assert "In the open" in response.content.decode()
    assert "Behind the door" not in response.content.decode()


@pytest.mark.parametrize(
    ("status", "expected"),
    [("active", 200), ("silenced", 200), ("pending", 404), ("suspended", 404), ("erased", 404)],
)
def test_member_finds_full_members_and_404_for_the_others(status, expected, signed_in):
    other = make_member(status=status, is_active=status not in ("suspended", "erased"))
    assert signed_in(make_member()).get(other.get_absolute_url()).status_code == expected


def test_unproven_member_has_no_page_for_others(signed_in):
    other = make_member(address_proven=False)
    assert signed_in(make_member()).get(other.get_absolute_url()).status_code == 404


def test_unknown_handle_is_a_404_for_members(signed_in, member):
    assert signed_in(member).get("/members/nobody-at-all/").status_code == 404


def test_old_handle_leads_to_the_new_one(signed_in, client, member):
    services.change_account(member=member, **account(member, handle="ana-of-recife"))
    response = signed_in(make_member()).get("/members/Ana-Silva/")
    assert (response.status_code, response["Location"]) == (301, "/members/ana-of-recife/")
    services.update_profile(member=member, headline_seen_by=SeenBy.PUBLIC)
    assert client.get("/members/ana-silva/")["Location"] == "/members/ana-of-recife/"


def test_old_handle_is_taken_by_nobody_else_but_its_owner_may_return(member):
    services.change_account(member=member, **account(member, handle="ana-of-recife"))
    other = make_member(name="Ana Silva")
    assert other.handle == "ana-silva-2"
    with pytest.raises(services.HandleTaken):
        services.change_account(member=other, **account(other, handle="ANA-silva"))
    with pytest.raises(services.HandleTaken):
        make_member(handle="ana-silva")

    member.refresh_from_db()
    services.change_account(member=member, **account(member, handle="ana-silva"))
    former = OldHandle.objects.exclude(handle="ana-silva")
    assert list(former.values_list("handle", flat=True)) == ["ana-of-recife"]


@pytest.mark.parametrize("handle", ["admin", "a", "Ana Silva", "ana_silva"])
def test_reserved_or_odd_handle_is_refused(handle, member):
    with pytest.raises(ValidationError):
        services.change_account(member=member, **account(member, handle=handle))
    member.refresh_from_db()
    assert member.handle == "ana-silva"


def test_page_is_written_in_the_letters_of_its_owner_and_safe(signed_in):
    owner = make_member(name="هدى المصري")
    services.update_profile(
        member=owner,
        about="<script>alert(1)</script> [x](javascript:alert(1))",
        headline="<img src=x onerror=alert(1)>",
        links=['https://example.org/?a=1&b="><script>'],
        can_help=["<b>bold</b>"],
    )
    content = signed_in(make_member()).get(owner.get_absolute_url()).content.decode()
    assert "<script>alert" not in content
    assert "<img src=x" not in content
    assert "<b>bold" not in content
    assert 'href="javascript' not in content
    assert "<bdi>هدى المصري</bdi>" in content


def test_address_is_shown_only_where_its_owner_shows_it(signed_in, member):
    browser = signed_in(make_member())
    assert "ana@example.org" not in browser.get(member.get_absolute_url()).content.decode()
    services.update_profile(member=member, email_seen_by=SeenBy.MEMBERS)
    assert "mailto:ana@example.org" in browser.get(member.get_absolute_url()).content.decode()


def test_names_sort_without_accents():
    make_member(name="Zoë")
    make_member(name="Émile")
    make_member(name="adam")
    assert [member.name for member in Member.objects.order_by("name_key")] == ["adam", "Émile", "Zoë"]
