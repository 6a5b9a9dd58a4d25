import pytest
from django.urls import reverse

from members import services
from members.models import Member, OldHandle, SeenBy
from members.visibility import PARTS
from tests.factories import make_member

pytestmark = pytest.mark.django_db

ACCOUNT = {"name": "Ana Silva", "handle": "ana-silva", "time_zone": "America/Recife", "language": "en"}


@pytest.fixture
def visitor(member, signed_in, vocabulary):
    return signed_in(member)


def profile_answers(**changed):
    return {
        **{f"{part}_seen_by": "20" for part in PARTS},
        "clock_seen_by": "40",
        "email_seen_by": "40",
        "is_listed": "on",
        **changed,
    }


def test_account_is_changed(visitor, member):
    response = visitor.post(
        reverse("members:settings"), {**ACCOUNT, "name": "Ana de Recife", "handle": "Ana-R"}
    )
    assert response["Location"] == reverse("members:settings")
    member.refresh_from_db()
    assert (member.name, member.handle, member.time_zone, member.name_key) == (
        "Ana de Recife", "ana-r", "America/Recife", "ana de recife",
    )  # fmt: skip
    assert OldHandle.objects.get().handle == "ana-silva"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "A\x07na"), ("name", "A\u202ena"), ("handle", "settings"), ("handle", "taken"),
        ("handle", "once-theirs"), ("handle", "é"), ("time_zone", "Mars/Base"), ("language", "tlh"),
    ],
)  # fmt: skip
def test_refused_account_changes_nothing(field, value, visitor, member):
    other = make_member(handle="once-theirs")
    services.change_account(member=other, **{**ACCOUNT, "name": other.name, "handle": "taken"})
    response = visitor.post(reverse("members:settings"), {**ACCOUNT, field: value})
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert response.context["user"].name == "Ana Silva"
    member.refresh_from_db()
    assert (member.name, member.handle) == ("Ana Silva", "ana-silva")


def test_extra_fields_change_nothing(visitor, member):
    extra = {"is_staff": "on", "is_superuser": "on", "is_moderator": "on", "status": "active", "id": "999"}
    visitor.post(reverse("members:settings"), {**ACCOUNT, **extra, "email": "evil@example.org"})
    visitor.post(reverse("members:settings_profile"), profile_answers(**extra, state="hidden", member="1"))
    member.refresh_from_db()
    assert (member.is_staff, member.is_superuser, member.is_moderator) == (False, False, False)
    assert (member.email, member.profile.state) == ("ana@example.org", "visible")
    assert Member.objects.count() == 1


def test_profile_is_changed_with_its_audiences(visitor, member):
    answers = profile_answers(
        headline="Between two worlds",
        headline_seen_by="10",
        organisation="A hospital",
        organisation_seen_by="40",
        links="https://example.org/a\n\nhttp://example.com",
        about="Hello\r\n\r\nworld",
        languages_work=["en", "fr"],
        languages_follow="Dutch",
    )
    response = visitor.post(reverse("members:settings_profile"), answers)
    assert response.status_code == 302
    profile = Member.objects.get(pk=member.pk).profile
    assert (profile.headline, profile.headline_seen_by) == ("Between two worlds", SeenBy.PUBLIC)
    assert (profile.organisation, profile.organisation_seen_by) == ("A hospital", SeenBy.ME)
    assert profile.links == ["https://example.org/a", "http://example.com"]
    assert (profile.about, profile.languages_follow) == ("Hello\n\nworld", ["nl"])
    page = visitor.get(reverse("members:settings_profile")).content.decode()
    assert "on the open web" in page
    assert "Between two worlds" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("links", "javascript:alert(1)"), ("links", "ftp://a.example"), ("links", "\n".join(["https://a.example"] * 6)),
        ("headline_seen_by", "15"), ("headline_seen_by", ""), ("about", "x" * 4001), ("years", "99"),
    ],
)  # fmt: skip
def test_refused_profile_is_kept_as_typed(field, value, visitor, member):
    answers = profile_answers(job_title="Kept as typed", **{field: value})
    response = visitor.post(reverse("members:settings_profile"), answers)
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert "Kept as typed" in response.content.decode()
    assert Member.objects.get(pk=member.pk).profile.job_title == ""


def test_what_was_typed_outlives_an_expired_login(client, member):
    address = reverse("members:settings")
    client.post(address, {**ACCOUNT, "name": "Typed before the login ran out"})
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    assert "Typed before the login ran out" in client.get(address).content.decode()
