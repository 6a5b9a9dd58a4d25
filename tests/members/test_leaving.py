"""Leaving: closed at once, undone within two weeks, gone after them."""

import time
from datetime import timedelta

import pytest
from allauth.account.internal.flows import login
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from events.models import Event
from events.models.registration import Status as Place
from kmnet.core import mail
from kmnet.core.models import AuditEntry, DoomedFile, OutgoingMail
from members import services
from members.models import (
    Erasure,
    Group,
    GroupMember,
    Leaving,
    Member,
    Profile,
    SpentHandle,
    Standing,
    Status,
)
from members.services.leaving import remind_leavers
from tests.factories.events import make_event
from tests.factories.members import PASSWORD, make_member

pytestmark = pytest.mark.django_db


def leave(member, **options) -> Leaving:
    return services.start_leaving(member=member, **{"keep_words": True, **options})


def pass_time(leaving, **delta):
    Leaving.objects.filter(pk=leaving.pk).update(due_at=timezone.now() - timedelta(**delta or {"seconds": 1}))


def fresh(member) -> Member:
    return Member.objects.get(pk=member.pk)


# --- starting --------------------------------------------------------------------------------------------------------
def test_leaving_closes_the_account_to_others_at_once(client):
    member, other = make_member(), make_member()
    client.force_login(other)
    assert client.get(member.get_absolute_url()).status_code == 200
    leave(member)
    assert client.get(member.get_absolute_url()).status_code == 404
    assert not Member.objects.listed_for(other).filter(pk=member.pk).exists()
    assert (fresh(member).status, fresh(member).is_active) == (Status.LEAVING, True)


def test_leaving_signs_out_everywhere_and_stops_mails_but_its_own(client, mailbox):
    member = make_member()
    client.force_login(member)
    client.get("/")  # the session stands on the list
    leave(member)
    assert client.get(reverse("members:settings"))["Location"].startswith(reverse("account_login"))
    mail.queue("members.newcomer", member=member, dedupe_key="x", refs={"activity": 0})
    mail.send_due_mail()
    states = dict(OutgoingMail.objects.values_list("kind", "state"))
    assert states == {"members.leaving": "sent", "members.newcomer": "withheld"}
    assert OutgoingMail.objects.get(kind="members.newcomer").reason == "the member is leaving"


def test_leaving_frees_places_at_once():
    event = make_event(capacity=1)
    goes, waits = make_member(), make_member()
    from events import services as events

    events.register_member(event=event, member=goes)
    queued = events.register_member(event=event, member=waits)
    leave(goes)
    queued.refresh_from_db()
    assert queued.status == Place.OFFERED


def test_asked_twice_it_is_the_first(django_assert_max_num_queries):
    member = make_member()
    first = leave(member)
    assert leave(member, keep_words=False).pk == first.pk
    assert Leaving.objects.get().keep_words is True


def test_the_only_organiser_of_a_coming_event_must_hand_over_first(client):
    member, other = make_member(is_organiser=True), make_member(is_organiser=True)
    event = make_event(organisers=[member])
    with pytest.raises(services.MustHandOver) as refused:
        leave(member)
    assert [duty.url for duty in refused.value.duties] == [event.get_absolute_url()]
    assert fresh(member).status == Status.ACTIVE
    event.organisers.add(other)
    leave(member)
    assert fresh(member).status == Status.LEAVING
    with pytest.raises(services.MustHandOver):  # now the other one is alone
        leave(other)


def test_the_only_convenor_of_a_group_with_others_must_hand_over_first():
    convenor, other = make_member(), make_member()
    group = Group.objects.create(slug="bridge", name="Bridge")
    GroupMember.objects.create(group=group, member=convenor, standing=Standing.CONVENOR)
    GroupMember.objects.create(group=group, member=other)
    with pytest.raises(services.MustHandOver):
        leave(convenor)
    GroupMember.objects.filter(member=other).update(standing=Standing.CONVENOR)
    leave(convenor)
    assert fresh(convenor).status == Status.LEAVING


# --- undoing ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [Status.ACTIVE, Status.SILENCED, Status.PENDING])
def test_undoing_gives_back_the_standing(before):
    member = make_member(status=before)
    leave(member)
    services.undo_leaving(member=member)
    services.undo_leaving(member=member)  # twice is once
    assert fresh(member).status == before
    assert not Leaving.objects.exists()
    mail.send_due_mail()
    assert OutgoingMail.objects.get().reason == "it was undone"


def test_suspended_meanwhile_they_come_back_suspended():
    member, admin = make_member(), make_member(is_staff=True, is_superuser=True)
    leave(member)
    services.suspend_member(member=member, actor=admin, reason="spam")
    assert (fresh(member).status, fresh(member).is_active) == (Status.LEAVING, False)
    services.undo_leaving(member=member)
    assert (fresh(member).status, fresh(member).is_active) == (Status.SUSPENDED, False)


def test_signed_in_again_there_is_one_page_and_its_button(client):
    member = make_member()
    leave(member)
    client.force_login(member)
    for address in ("/", "/members/", "/settings/", reverse("members:leave")):
        assert client.get(address).headers["Location"] == reverse("members:leaving")
    assert client.get(reverse("members:leaving")).status_code == 200
    assert client.get(reverse("members:leaving_undo")).status_code == 405
    assert client.post(reverse("members:leaving_undo")).status_code == 302
    assert fresh(member).status == Status.ACTIVE
    assert client.get("/members/").status_code == 200


def test_the_link_in_the_mail_opens_a_page_and_its_button_acts(client, mailbox):
    member = make_member()
    leave(member)
    mail.send_due_mail()
    import re

    from django.core.mail import outbox

    path = re.search(r"/mail/stay/\S+", outbox[-1].body)[0]
    assert client.get(path).status_code == 200
    assert fresh(member).status == Status.LEAVING  # a scanner opens links
    assert client.post(path).status_code == 200
    assert fresh(member).status == Status.ACTIVE
    assert "_auth_user_id" not in client.session
    assert client.post(path).status_code == 200  # twice is once
    assert client.get("/mail/stay/nonsense/").status_code == 404


# --- the page --------------------------------------------------------------------------------------------------------
def test_leaving_asks_for_the_password_again(client):
    member = make_member()
    client.force_login(member)
    address = reverse("members:leave")
    asked = client.get(address)
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    client.post(asked.headers["Location"], {"password": PASSWORD})
    assert client.get(address).status_code == 200
    refused = client.post(address, {"words": "nonsense"})
    assert refused.status_code == 422
    assert fresh(member).status == Status.ACTIVE
    done = client.post(address, {"words": "take"})
    assert done.headers["Location"] == reverse("members:left")
    assert client.get(reverse("members:left")).status_code == 200
    assert Leaving.objects.get().keep_words is False
    assert "_auth_user_id" not in client.session


def test_who_has_no_password_must_have_signed_in_a_moment_ago(client):
    member = make_member(password=None)
    client.force_login(member)
    assert client.get(reverse("members:leave")).status_code == 403
    assert client.post(reverse("members:copy_ask")).status_code == 403
    refused = client.post(reverse("members:leave"), {"words": "keep"})
    assert "Sign out, and in again" in refused.content.decode()
    assert fresh(member).status == Status.ACTIVE
    out = client.post(reverse("account_logout"), {"next": "/accounts/login/?next=/settings/your-data/"})
    assert out.headers["Location"] == "/accounts/login/?next=/settings/your-data/"
    client.force_login(member)
    session = client.session
    session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "code", "at": time.time() - 60}]
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(member.pk)
    session.save()
    assert client.get(reverse("members:leave")).status_code == 200


def test_the_page_names_what_must_be_handed_over(client):
    member = make_member(is_organiser=True)
    event = make_event(organisers=[member])
    client.force_login(member)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("members:leave"))
    assert event.get_absolute_url() in page.content.decode()
    assert client.post(reverse("members:leave"), {"words": "keep"}).status_code == 422
    assert fresh(member).status == Status.ACTIVE


# --- admins ----------------------------------------------------------------------------------------------------------
def test_admins_start_it_for_somebody_with_a_reason_that_is_logged():
    admin, member = make_member(is_staff=True, is_superuser=True), make_member()
    with pytest.raises(ValidationError):
        leave(member, actor=admin, reason=" ")
    leave(member, actor=admin, reason="asked by letter")
    entry = AuditEntry.objects.get(verb="members.leaving_started")
    assert (entry.actor_id, entry.target_id, entry.reason) == (admin.pk, member.pk, "asked by letter")


@pytest.mark.parametrize("role", [{}, {"is_moderator": True}])
def test_nobody_else_starts_it_for_somebody(role):
    with pytest.raises(PermissionDenied):
        leave(make_member(), actor=make_member(**role), reason="so there")
    leaver = make_member()
    leave(leaver)
    with pytest.raises(PermissionDenied):
        services.undo_leaving(member=leaver, actor=make_member(**role), reason="so there")
    assert fresh(leaver).status == Status.LEAVING


def test_an_admin_is_deleted_by_no_other_admin():
    admin, other = (make_member(is_staff=True, is_superuser=True) for _number in range(2))
    with pytest.raises(PermissionDenied):
        leave(other, actor=admin, reason="so there")
    leave(other)  # by themselves they may


def test_a_suspended_member_leaves_by_an_admin_only():
    admin, member = make_member(is_staff=True, is_superuser=True), make_member()
    services.suspend_member(member=member, actor=admin, reason="spam")
    with pytest.raises(PermissionDenied):
        leave(fresh(member))
    leave(fresh(member), actor=admin, reason="asked by letter")
    assert fresh(member).status == Status.LEAVING


# --- the end ---------------------------------------------------------------------------------------------------------
def test_nothing_happens_before_the_day():
    member = make_member()
    leave(member)
    assert services.erase_due() == 0
    assert fresh(member).status == Status.LEAVING


def test_one_mail_comes_before_the_end():
    leaving = leave(make_member())
    assert remind_leavers() == 0
    Leaving.objects.update(due_at=timezone.now() + timedelta(days=1))
    assert (remind_leavers(), remind_leavers()) == (1, 0)
    assert OutgoingMail.objects.filter(kind="members.leaving_soon").count() == 1
    assert leaving.member.outgoing_mail.count() == 2


def test_after_two_weeks_an_empty_row_is_left(client):
    member = make_member(name="Ana Canary", email="ana@example.org", handle="ana-canary")
    admin = make_member(is_staff=True, is_superuser=True)
    services.set_roles(member=member, actor=admin, reason="Ana Canary helps", is_host=True)
    pass_time(leave(member))
    assert services.erase_due() == 1
    assert services.erase_due() == 0
    gone = fresh(member)
    assert (gone.status, gone.is_active, gone.name, gone.is_host) == (
        Status.ERASED,
        False,
        "Former member",
        False,
    )
    assert "ana" not in f"{gone.email} {gone.handle} {gone.name_key}".lower()
    assert not gone.has_usable_password()
    assert not client.login(email="ana@example.org", password=PASSWORD)
    assert Erasure.objects.get().member_id == member.pk
    assert not Profile.objects.get(member=gone).is_listed
    assert set(AuditEntry.objects.filter(verb="members.roles_changed").values_list("reason", flat=True)) == {
        "[former member] helps"
    }
    assert not OutgoingMail.objects.filter(member=gone).exists()


def test_whoever_took_an_everyday_word_for_a_name_does_not_blot_it_out_of_the_log():
    member, other = make_member(name="Spam", handle="spam"), make_member()
    admin = make_member(is_staff=True, is_superuser=True)
    reason = "Spam in the library, see @spam and /members/spam/"
    services.set_roles(member=other, actor=admin, reason=reason, is_host=True)
    pass_time(leave(member))
    assert services.erase_due() == 1
    assert AuditEntry.objects.get(verb="members.roles_changed").reason == (
        "Spam in the library, see @[former member] and /members/[former member]/"
    )


def test_the_handle_of_somebody_who_left_is_free_for_nobody():
    member = make_member(name="Ana Canary", handle="ana-canary")
    pass_time(leave(member))
    services.erase_due()
    assert not services.is_handle_free("Ana-Canary")
    assert "ana" not in SpentHandle.objects.get().digest
    assert make_member(name="Ana Canary").handle == "ana-canary-2"


def test_the_address_may_join_again():
    member = make_member(email="ana@example.org")
    pass_time(leave(member))
    services.erase_due()
    assert make_member(email="ana@example.org").pk != member.pk


def test_what_is_undone_is_not_erased():
    member = make_member()
    pass_time(leave(member))
    services.undo_leaving(member=member)
    assert services.erase_due() == 0
    assert fresh(member).status == Status.ACTIVE


def test_after_the_end_there_is_nothing_to_undo():
    member = make_member()
    pass_time(leave(member))
    services.erase_due()
    with pytest.raises(services.TooLate):
        services.undo_leaving(member=member)


def test_one_that_fails_stops_no_other(monkeypatch, caplog):
    first, second = leave(make_member()), leave(make_member())
    Leaving.objects.filter(pk=first.pk).update(due_at=timezone.now() - timedelta(hours=2))
    pass_time(second)
    erase = services.leaving.erase_member

    def fail_once(*, member, keep_words):
        if member.pk == first.member_id:
            raise RuntimeError("the disk is full")
        return erase(member=member, keep_words=keep_words)

    monkeypatch.setattr(services.leaving, "erase_member", fail_once)
    assert services.erase_due() == 1
    assert Leaving.objects.get().pk == first.pk


def test_an_erasure_that_breaks_off_has_done_nothing(monkeypatch):
    """As when its worker is killed: the whole of it is one transaction, and the next sweep does it."""
    member = make_member(name="Ana Canary")
    pass_time(leave(member))
    with monkeypatch.context() as patch:
        patch.setattr(services.leaving.personal_data, "redact", lambda *given: 1 / 0)
        assert services.erase_due() == 0
    half = fresh(member)
    assert (half.status, half.name, half.email) == (Status.LEAVING, "Ana Canary", member.email)
    assert not (SpentHandle.objects.exists())
    assert not (Erasure.objects.exists())
    assert services.erase_due() == 1


def test_files_go_after_the_transaction(settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MEDIA_ROOT = tmp_path
    member = make_member()
    services.ask_for_copy(member=member)
    services.build_waiting_copies()
    assert len(list(tmp_path.rglob("*.zip"))) == 1
    pass_time(leave(member))
    with django_capture_on_commit_callbacks(execute=True):
        services.erase_due()
    assert list(tmp_path.rglob("*.zip")) == []
    assert not DoomedFile.objects.exists()


# --- a restored backup -----------------------------------------------------------------------------------------------
def test_erasures_are_replayed_on_a_restored_backup(tmp_path, capsys):
    member, newcomer = make_member(), make_member()
    pass_time(leave(member, keep_words=False))
    services.erase_due()
    call_command("list_erasures")
    listed = capsys.readouterr().out
    restored = make_member()  # as if the backup still held them under that number
    Member.objects.filter(pk=restored.pk).update(joined_at=timezone.now() - timedelta(days=1))
    file = tmp_path / "erasures"
    file.write_text(
        listed
        + listed.replace(f'"member": {member.pk}', f'"member": {restored.pk}')
        + listed.replace(f'"member": {member.pk}', '"member": 99999999'),
        encoding="utf-8",
    )
    call_command("replay_erasures", str(file))
    call_command("replay_erasures", str(file))
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "1 deleted again, 1 were deleted already, 1 are not in this database",
        "0 deleted again, 2 were deleted already, 1 are not in this database",
    ]
    assert fresh(restored).status == Status.ERASED
    assert fresh(newcomer).status == Status.ACTIVE


def test_each_erasure_is_also_written_to_the_list_apart(
    settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.ERASURE_LIST = str(tmp_path / "erasures")
    member = make_member()
    pass_time(leave(member))
    with django_capture_on_commit_callbacks(execute=True):
        services.erase_due()
    assert f'"member": {member.pk}' in (tmp_path / "erasures").read_text(encoding="utf-8")


def test_events_keep_their_count_of_who_came():
    event = make_event(capacity=5)
    member = make_member()
    from events import services as events

    registration = events.register_member(event=event, member=member)
    Event.objects.filter(pk=event.pk).update(
        starts_at=timezone.now() - timedelta(hours=2), ends_at=timezone.now() - timedelta(hours=1)
    )
    pass_time(leave(member))
    services.erase_due()
    registration.refresh_from_db()
    assert (registration.status, registration.member_id, registration.guest_address) == (
        Place.CONFIRMED,
        None,
        "",
    )
