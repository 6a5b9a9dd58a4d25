"""Pictures of members: drawn anew, given out by right only, gone without a trace."""

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from kmnet.core.uploads import UploadRefused
from members import services
from members.models import Boundary, Member, SeenBy
from members.services.pictures import stored_name
from tests.factories import make_member
from tests.factories.discussions import make_thread

pytestmark = pytest.mark.django_db
SECRET = b"taken at 52.37 N"


def photo(how="JPEG", size=(400, 300), name="me.jpg") -> SimpleUploadedFile:
    """With something in it that must not stay."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    Image.new("RGB", size, "teal").save(out, format=how, exif=exif)
    return SimpleUploadedFile(name, out.getvalue() + SECRET)


def address(member, size=96):
    return reverse("members:picture", args=[member.pk, member.picture, size])


@pytest.fixture
def pictured(member):
    services.set_avatar(member=member, upload=photo())
    return Member.objects.get(pk=member.pk)


def test_picture_is_drawn_anew_in_the_shape_of_an_arch(pictured):
    assert len(pictured.picture) == 32
    for size, shape in ((96, (96, 108)), (320, (320, 358))):
        with default_storage.open(stored_name(pictured.picture, size)) as file:
            data = file.read()
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size) == ("WEBP", shape)
            assert not picture.getexif()
        assert SECRET not in data
        assert b"me.jpg" not in data


@pytest.mark.parametrize(
    "upload",
    [
        SimpleUploadedFile("me.svg", b"<svg onload=alert(1)>"),
        SimpleUploadedFile("me.png", b"<html>"),
        SimpleUploadedFile("me.jpg", b""),
        SimpleUploadedFile("me.jpg", photo().read()[:300]),
    ],
    ids=["kind", "disagrees", "empty", "damaged"],
)
def test_what_is_no_picture_is_refused_in_words(upload, signed_in, member):
    response = signed_in(member).post(
        reverse("members:settings_picture"), {"picture": upload, "avatar_seen_by": "20"}
    )
    assert (response.status_code, list(response.context["picture_form"].errors)) == (422, ["picture"])
    member.refresh_from_db()
    assert member.picture == ""
    upload.seek(0)
    with pytest.raises(UploadRefused):
        services.set_avatar(member=member, upload=upload)


def test_new_picture_takes_the_place_of_the_old_one(pictured, django_capture_on_commit_callbacks):
    old = pictured.picture
    with django_capture_on_commit_callbacks(execute=True):
        services.set_avatar(member=pictured, upload=photo("PNG", name="new.png"))
    pictured.refresh_from_db()
    assert pictured.picture != old
    assert [default_storage.exists(stored_name(old, size)) for size in (96, 320)] == [False, False]
    assert default_storage.exists(stored_name(pictured.picture, 96))


def test_picture_is_set_shown_and_removed_by_hand(signed_in, member, django_capture_on_commit_callbacks):
    browser = signed_in(member)
    answers = {"picture": photo(), "avatar_seen_by": "20"}
    assert browser.post(reverse("members:settings_picture"), answers).status_code == 302
    member.refresh_from_db()
    assert address(member) in browser.get("/").content.decode()  # in the head of every page
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(reverse("members:settings_picture"), {"remove": "1", "avatar_seen_by": "20"})
    name = stored_name(member.picture, 96)
    member.refresh_from_db()
    assert (member.picture, member.profile.avatar.name, default_storage.exists(name)) == ("", "", False)
    assert "<img" not in browser.get(member.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("level", "expected"),
    [(SeenBy.PUBLIC, (200, 200, 200)), (SeenBy.MEMBERS, (302, 200, 404)), (SeenBy.ME, (302, 404, 404))],
)
def test_picture_is_given_only_to_those_who_may_see_it(level, expected, signed_in, client, pictured):
    services.update_profile(member=pictured, avatar_seen_by=level)
    reader, blocked = make_member(), make_member()
    Boundary.objects.create(owner=pictured, other=blocked, distance="block")
    answers = [browser.get(address(pictured)) for browser in (client, signed_in(reader), signed_in(blocked))]
    assert tuple(answer.status_code for answer in answers) == expected
    own = signed_in(pictured).get(address(pictured, 320))
    assert (own.status_code, own["Content-Type"], own["Cache-Control"]) == (
        200, "image/webp", "private, max-age=3600",
    )  # fmt: skip
    assert own["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in own["Content-Security-Policy"]
    assert own.content[8:12] == b"WEBP"


def test_no_other_address_gives_a_picture(signed_in, client, pictured):
    browser = signed_in(make_member())
    other = make_member()
    for pk, key, size in (
        (pictured.pk, pictured.picture, 97),
        (pictured.pk, "0" * 32, 96),
        (other.pk, pictured.picture, 96),
        (10**25, pictured.picture, 96),
    ):
        wrong = reverse("members:picture", args=[pk, key, size])
        assert browser.get(wrong).status_code == 404
        assert client.get(wrong).status_code == 302
    Member.objects.filter(pk=pictured.pk).update(status="suspended", is_active=False)
    assert browser.get(address(pictured)).status_code == 404


def test_hidden_profile_hides_its_picture(signed_in, pictured):
    moderator = make_member(is_moderator=True)
    services.hide_profile(target=pictured.profile, actor=moderator, reason="not a picture of a person")
    old = address(pictured)
    pictured.refresh_from_db()
    assert pictured.picture == ""
    assert signed_in(make_member()).get(old).status_code == 404
    services.restore_profile(target=pictured.profile, actor=moderator, reason="it is")
    assert signed_in(make_member()).get(old).status_code == 200


@pytest.mark.parametrize("count", [1, 12])
def test_pictures_in_a_list_cost_one_query_however_many(
    count, signed_in, django_assert_max_num_queries, django_assert_num_queries
):
    reader = make_member()
    for number in range(count):
        author = make_member()
        level = (SeenBy.MEMBERS, SeenBy.PUBLIC)[number % 2]
        Member.objects.filter(pk=author.pk).update(picture=f"{number:032}", picture_seen_by=level)
        make_thread(author=author)
    browser = signed_in(reader)
    browser.get("/discussions/")
    with django_assert_max_num_queries(12):
        page = browser.get("/discussions/").content.decode()
    assert page.count("<img") == count
