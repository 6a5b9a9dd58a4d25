"""A copy of all one's data: complete, one's own only, behind a proof, gone after a week."""

import io
import json
import zipfile
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from discussions.models import Post
from kmnet.core import mail, personal_data
from kmnet.core.models import OutgoingMail
from kmnet.core.personal_data import concrete_fields, leads_to_member
from kmnet.demo.load.copying import Table
from members import services
from members.models import DataExport, Group
from members.services import exporting, groups
from tests.canaries import OTHERS, plant
from tests.factories import make_member
from tests.factories.discussions import make_thread
from tests.factories.groups import make_group
from tests.factories.members import PASSWORD

pytestmark = pytest.mark.django_db

# What a member's own row need not be told of, and why.
NOT_TOLD = {"core.CommunitySettings": "who signs the welcome mail is a setting of the community"}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def copy_of(member) -> zipfile.ZipFile:
    out = io.BytesIO()
    exporting.write_copy(member, out)
    return zipfile.ZipFile(out)


def text_of(package: zipfile.ZipFile) -> str:
    return "".join(
        package.read(name).decode() for name in package.namelist() if not name.startswith("files/")
    ) + "\n".join(package.namelist())


def ready(member) -> DataExport:
    services.ask_for_copy(member=member)
    services.build_waiting_copies()
    return DataExport.objects.get(member=member, state=DataExport.State.READY)


# --- what is in it ---------------------------------------------------------------------------------------------------
def test_what_became_of_a_private_group_that_i_left_is_not_mine():
    me, heir = make_member(), make_member()
    group = make_group(heir, convenor=me, name="Kestrels", is_listed=False)
    assert "Kestrels" in text_of(copy_of(me))
    groups.make_convenor(actor=me, group=group, member=heir)
    groups.leave_group(member=me, group=group)
    Group.objects.filter(pk=group.pk).update(name="Ospreys", purpose="a matter of theirs")
    told = text_of(copy_of(me))
    assert "Ospreys" not in told
    assert "a matter of theirs" not in told


def test_every_canary_of_mine_is_in_it_and_none_of_anybody_elses():
    moderator = make_member(is_moderator=True, is_organiser=True)
    member, mine = plant(moderator=moderator)
    _other, theirs = plant(moderator=moderator)
    package = copy_of(member)
    text = text_of(package)
    assert [canary for canary in mine.told if canary not in text] == []
    assert [canary for canary in theirs.all if canary in text] == []
    assert f"{OTHERS}question" not in text
    assert "secret" not in text.replace("secrets", "")  # of the second step, of the outbox
    assert member.password not in text


def test_it_holds_json_with_labels_and_moments_with_their_zone_and_the_files():
    member, _canaries = plant(moderator=make_member(is_moderator=True, is_organiser=True))
    package = copy_of(member)
    assert package.testzip() is None
    for name in package.namelist():
        if name.endswith(".json") and not name.startswith("files/"):
            assert isinstance(json.loads(package.read(name)), list), name
    (account,) = json.loads(package.read("account.json"))
    assert account["e-mail address"] == member.email
    assert datetime.fromisoformat(account["joined"]).tzinfo is not None
    (profile,) = json.loads(package.read("profile.json"))
    assert profile["who sees what"]
    assert len([name for name in package.namelist() if name.startswith("files/uploads/")]) == 2
    assert len([name for name in package.namelist() if name.startswith("files/profile/")]) == 1
    assert "account.json" in package.read("README.txt").decode()


def test_every_model_that_leads_to_a_member_is_in_some_part():
    """A model that fails here: name it in `covers` of the part that tells it (personal.py of its app)."""
    covered = {name.lower() for part in personal_data.parts() for name in part.covers}
    models = {field.model for field in concrete_fields() if leads_to_member(field)}
    silent = {
        model._meta.label
        for model in models
        if model._meta.label_lower not in covered
        and not model._meta.auto_created
        and model._meta.label not in NOT_TOLD
    }
    assert silent == set()


@pytest.mark.parametrize("posts", [1, 50])
def test_it_costs_the_same_number_of_queries_at_any_length(posts, django_assert_max_num_queries):
    member = make_member()
    thread = make_thread(author=member)
    first = thread.posts.get()
    Post.objects.bulk_create(
        Post(
            thread=thread,
            number=n,
            path=[n],
            author=member,
            source="x",
            html="x",
            published_at=timezone.now(),
        )
        for n in range(2, posts + 1)
    )
    assert first.number == 1
    with django_assert_max_num_queries(100):
        assert len(json.loads(copy_of(member).read("posts.json"))) == posts


def test_ten_thousand_rows_take_seconds():
    member = make_member()
    thread = make_thread(author=member)
    Table(Post, "thread_id", "number", "path", "author_id", "source", "published_at").copy(
        (thread.pk, n, [n], member.pk, "words", timezone.now()) for n in range(2, 10_001)
    )
    started = datetime.now()
    assert len(json.loads(copy_of(member).read("posts.json"))) == 10_000
    assert datetime.now() - started < timedelta(seconds=60)


# --- asking and building ---------------------------------------------------------------------------------------------
def test_a_copy_is_built_stored_under_a_random_name_and_told_of(media):
    member = make_member(name="Ana Silva")
    export = ready(member)
    assert default_storage.size(export.stored_name) == export.size
    assert "ana" not in export.stored_name
    assert export.expires_at - export.ready_at == timedelta(days=7)
    mail.send_due_mail()
    sent = OutgoingMail.objects.get(kind="members.copy_ready")
    assert (sent.state, sent.member_id) == ("sent", member.pk)


def test_the_mail_leads_to_the_page_and_never_to_the_file(mailbox):
    export = ready(make_member())
    mail.send_due_mail()
    from django.core.mail import outbox

    assert reverse("members:your_data") in outbox[-1].body
    assert reverse("members:copy", args=[export.pk]) not in outbox[-1].body


def test_one_is_made_at_a_time_and_three_a_day():
    member = make_member()
    first = services.ask_for_copy(member=member)
    assert services.ask_for_copy(member=member).pk == first.pk
    for _number in range(2):
        services.build_waiting_copies()
        services.ask_for_copy(member=member)
    services.build_waiting_copies()
    with pytest.raises(services.TooManyCopies):
        services.ask_for_copy(member=member)
    assert DataExport.objects.filter(state=DataExport.State.READY).count() == 1  # a new one replaces the old


def test_a_try_that_was_killed_is_taken_up_again_under_the_same_name(media):
    member = make_member()
    export = services.ask_for_copy(member=member)
    path = media / export.stored_name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a copy")
    services.build_waiting_copies()
    assert zipfile.ZipFile(path).testzip() is None
    assert len(list(media.rglob("*.zip"))) == 1


def test_one_that_always_fails_is_given_up_and_stops_nobody(monkeypatch):
    bad, good = make_member(), make_member()
    services.ask_for_copy(member=bad)
    services.ask_for_copy(member=good)
    write = exporting.write_copy

    def fail(member, out):
        if member.pk == bad.pk:
            raise RuntimeError("no")
        write(member, out)

    monkeypatch.setattr(exporting, "write_copy", fail)
    for _try in range(5):
        services.build_waiting_copies()
    states = dict(DataExport.objects.values_list("member_id", "state"))
    assert states == {bad.pk: "failed", good.pk: "ready"}


def test_a_suspended_member_gets_none_and_one_that_waits_is_not_made():
    member, admin = make_member(), make_member(is_staff=True, is_superuser=True)
    services.ask_for_copy(member=member)
    services.suspend_member(member=member, actor=admin, reason="spam")
    services.build_waiting_copies()
    assert DataExport.objects.get().state == DataExport.State.FAILED
    with pytest.raises(PermissionDenied):
        services.ask_for_copy(member=member)


def test_the_operator_makes_one_for_somebody_who_cannot_sign_in(tmp_path):
    member = make_member(handle="ana-silva")
    call_command("export_member", "ana-silva", str(tmp_path / "copy.zip"))
    assert member.email in zipfile.ZipFile(tmp_path / "copy.zip").read("account.json").decode()


# --- taking it -------------------------------------------------------------------------------------------------------
def signed_in(client, member):
    client.force_login(member)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def test_it_is_asked_for_and_taken_after_the_password(client):
    member = make_member()
    client.force_login(member)
    asked = client.post(reverse("members:copy_ask"))
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not DataExport.objects.exists()
    client.post(asked.headers["Location"], {"password": PASSWORD, "next": reverse("members:copy_ask")})
    assert DataExport.objects.get().member_id == member.pk  # what was pressed goes on by itself
    services.build_waiting_copies()
    page = client.get(reverse("members:your_data"))
    address = reverse("members:copy", args=[DataExport.objects.get().pk])
    assert address in page.content.decode()
    taken = client.get(address)
    assert taken.status_code == 200
    assert "no-store" in taken.headers["Cache-Control"]
    assert "private" in taken.headers["Cache-Control"]
    assert taken.headers["Content-Disposition"].startswith("attachment")
    package = zipfile.ZipFile(io.BytesIO(b"".join(taken.streaming_content)))
    assert member.email in package.read("account.json").decode()


def test_nobody_else_takes_it(client):
    address = reverse("members:copy", args=[ready(make_member()).pk])
    assert client.get(address).status_code == 302
    for role in ({}, {"is_moderator": True}, {"is_staff": True, "is_superuser": True}):
        somebody = signed_in(client, make_member(**role))
        assert somebody.get(address).status_code == 404, role


def test_it_needs_a_fresh_proof(client):
    member = make_member()
    client.force_login(member)
    answer = client.get(reverse("members:copy", args=[ready(member).pk]))
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))


def test_after_a_week_it_is_gone(client, django_capture_on_commit_callbacks):
    member = make_member()
    export = ready(member)
    DataExport.objects.update(
        expires_at=timezone.now() - timedelta(seconds=1), asked_at=timezone.now() - timedelta(days=8)
    )
    assert signed_in(client, member).get(reverse("members:copy", args=[export.pk])).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert services.sweep_copies() == 1
    assert not default_storage.exists(export.stored_name)
    assert not DataExport.objects.exists()


def test_suspension_ends_the_download_at_once(client):
    member = make_member()
    export = ready(member)
    signed_in(client, member)
    services.suspend_member(member=member, actor=make_member(is_staff=True, is_superuser=True), reason="spam")
    assert client.get(reverse("members:copy", args=[export.pk])).status_code == 302
