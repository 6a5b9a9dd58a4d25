"""The mails of signing in and joining: through the outbox, in our words, with nothing secret left behind."""

from datetime import timedelta
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from kmnet.core.models import OutgoingMail
from members import account_mails
from members.account_mails import queue_account_mail
from tests.factories import make_member
from tests.mailbox import html_of, links_in, send_due, text_of


def test_every_mail_of_allauth_has_a_kind_here():
    packaged = {
        f"{app}/email/{path.name.removesuffix('_subject.txt')}"
        for app in ("account", "mfa", "socialaccount")
        for path in (Path(allauth.__file__).parent / "templates" / app / "email").glob("*_subject.txt")
    }
    assert set(account_mails.KEYS) == packaged


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", sorted(account_mails.KEYS))
def test_account_mail_reads_well(prefix):
    member = make_member(email="ana@example.org")
    member.name = "<b>Ana</b>"  # the join page refuses it; a template must not count on that
    member.save()
    EmailAddress.objects.filter(user=member).update(verified=False)
    context = {
        "user": member,
        "code": "ABC-DEF",
        "from_email": "old@example.org",
        "to_email": "new@example.org",
    }
    context |= {name: f"http://evil.example/{name}/?a=1" for name in ("activate_url", "password_reset_url")}
    context |= {"signup_url": "/join/", "deleted_email": "old@example.org"}

    queue_account_mail(prefix, "ana@example.org", context)
    [message] = send_due()

    assert message["To"] == "ana@example.org"
    assert message["Subject"]
    assert "List-Unsubscribe" not in message
    for part in (text_of(message), html_of(message)):
        assert "evil.example" not in part
        assert "{{" not in part
    assert "<b>Ana" not in html_of(message)
    assert "&lt;" not in text_of(message)
    assert '<html lang="en" dir="ltr">' in html_of(message)
    row = OutgoingMail.objects.get()
    assert (row.state, row.secret, row.wiped_at is not None) == ("sent", "", True)


@pytest.mark.django_db
def test_code_by_mail_says_how_long_it_works_and_signs_in(client, django_capture_on_commit_callbacks):
    make_member(email="ana@example.org")

    client.post(reverse("account_request_login_code"), {"email": "Ana@Example.org"})
    row = OutgoingMail.objects.get()
    code = row.secrets["code"]
    [message] = send_due()

    assert code not in str(row.refs) + row.secret
    assert "15 minutes" in text_of(message)
    assert code in text_of(message)
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert client.session.get("_auth_user_id")


@pytest.mark.django_db
def test_code_that_ran_out_while_it_waited_is_not_sent():
    member = make_member(email="ana@example.org")
    row = queue_account_mail("account/email/login_code", member.email, {"code": "ABC-DEF"})
    OutgoingMail.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(minutes=15))

    assert send_due() == []

    row.refresh_from_db()
    assert (row.state, row.reason) == ("withheld", "what it holds had run out before it could be sent")
    assert row.secret == ""


@pytest.mark.django_db
def test_proof_link_works_three_days_and_not_once_proven():
    member = make_member(email="ana@example.org")
    EmailAddress.objects.filter(user=member).update(verified=False)
    context = {"user": member, "activate_url": "http://testserver/accounts/confirm-email/KEY/"}

    queue_account_mail("account/email/email_confirmation_signup", member.email, context)
    [message] = send_due()
    assert "3 days" in text_of(message)
    assert "http://testserver/accounts/confirm-email/KEY/" in links_in(message)

    EmailAddress.objects.filter(user=member).update(verified=True)
    late = queue_account_mail("account/email/email_confirmation_signup", member.email, context)
    assert len(send_due()) == 1
    late.refresh_from_db()
    assert late.reason == "the address is proven already"


@pytest.mark.django_db
def test_unknown_address_hears_so_and_the_page_does_not_tell(client):
    make_member(email="ana@example.org")

    known = client.post(reverse("account_reset_password"), {"email": "ana@example.org"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    messages = {message["To"]: text_of(message) for message in send_due()}
    assert "No account has this address" in messages["nobody@example.org"]
    assert "/accounts/password/reset/key/" in messages["ana@example.org"]
    assert OutgoingMail.objects.get(kind="account.unknown_account").member is None


@pytest.mark.django_db
def test_suspended_member_gets_no_account_mail():
    member = make_member(email="ana@example.org")
    member.status, member.is_active = "suspended", False
    member.save()

    queue_account_mail(
        "account/email/password_reset_key", member.email, {"user": member, "password_reset_url": "/x/"}
    )
    to_the_old = queue_account_mail("account/email/email_changed", "old@example.org", {"user": member})

    assert send_due() == []
    to_the_old.refresh_from_db()
    assert to_the_old.reason == "the member is suspended"


@pytest.mark.django_db
def test_old_address_hears_of_the_change():
    member = make_member(email="new@example.org")

    queue_account_mail(
        "account/email/email_changed",
        "old@example.org",
        {"user": member, "from_email": "old@example.org", "to_email": "new@example.org"},
    )

    [message] = send_due()
    assert message["To"] == "old@example.org"
    assert "It was old@example.org. From now on we write to new@example.org." in text_of(message)
