"""The mails about somebody's account, which django-allauth asks for. They go through the outbox as all others do.

allauth would render them within the request. Here only the one-time values go into the row, encrypted and wiped after
sending; the words are made when it is sent, in the receiver's language, with the rights asked again."""

import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_lazy

from kmnet.core import mail
from kmnet.core.models import OutgoingMail
from kmnet.core.text import has_double

from .models import Member, Status

KEPT = (
    "code",
    "activate_url",
    "password_reset_url",
    "signup_url",
    "from_email",
    "to_email",
    "deleted_email",
    "door",
)


@dataclass(frozen=True)
class AccountMail:
    """One mail of allauth's: its prefix, our template, and for how long what is in it works."""

    prefix: str
    label: str
    template: str
    lifetime: timedelta | None = None
    words: Callable[[dict], tuple[str, str]] | None = None  # of a notice: its title and its sentence

    @property
    def key(self) -> str:
        return self.prefix.replace("/email/", ".")


def change(prefix: str, label: str, title: Callable[[], str], sentence: Callable[[dict], str]) -> AccountMail:
    """A notice that something about the account has changed."""
    return AccountMail(
        prefix, label, "account/email/changed", words=lambda values: (title(), sentence(values))
    )


PROOF = timedelta(days=settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS)
CODE = timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT)
RESET = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
_ = gettext_lazy

ACCOUNT_MAILS = [
    AccountMail(
        "account/email/email_confirmation_signup",
        _("prove the address, joining"),
        "account/email/email_confirmation_signup",
        PROOF,
    ),
    AccountMail(
        "account/email/email_confirmation",
        _("prove a new address"),
        "account/email/email_confirmation",
        PROOF,
    ),
    AccountMail("account/email/login_code", _("sign-in code"), "account/email/login_code", CODE),
    AccountMail(
        "account/email/password_reset_code", _("code for a new password"), "account/email/login_code", CODE
    ),
    AccountMail(
        "account/email/password_reset_key",
        _("link to a new password"),
        "account/email/password_reset_key",
        RESET,
    ),
    AccountMail("account/email/unknown_account", _("no account here"), "account/email/unknown_account"),
    AccountMail(
        "account/email/account_already_exists", _("has an account"), "account/email/account_already_exists"
    ),
    change(
        "account/email/password_changed",
        _("password changed"),
        lambda: gettext("Your password was changed"),
        lambda v: gettext("Somebody who knew your old password chose a new one. We hope it was you."),
    ),
    change(
        "account/email/password_reset",
        _("password reset"),
        lambda: gettext("You have a new password"),
        lambda v: gettext("Somebody who reads your mail chose a new password by the link that we sent."),
    ),
    change(
        "account/email/password_set",
        _("password set"),
        lambda: gettext("Your account has a password now"),
        lambda v: gettext("Until now you signed in with a code by mail; that still works."),
    ),
    change(
        "account/email/email_changed",
        _("address changed"),
        lambda: gettext("Your account has another e-mail address"),
        lambda v: (
            gettext("It was %(from)s. From now on we write to %(to)s.")
            % {"from": v.get("from_email", ""), "to": v.get("to_email", "")}
        ),
    ),
    change(
        "account/email/email_deleted",
        _("address removed"),
        lambda: gettext("An e-mail address was removed from your account"),
        lambda v: (
            gettext("It is %(address)s. We do not write there any more.")
            % {"address": v.get("deleted_email", "")}
        ),
    ),
    change(
        "account/email/email_confirm",
        _("address proven"),
        lambda: gettext("One more e-mail address opens your account"),
        lambda v: gettext("It is %(address)s, and it has been proven.") % {"address": v.get("to_email", "")},
    ),
    change(
        "mfa/email/totp_activated",
        _("second step on"),
        lambda: gettext("Signing in takes a second step now"),
        lambda v: gettext("An app on your phone or computer makes the codes for it."),
    ),
    change(
        "mfa/email/totp_deactivated",
        _("second step off"),
        lambda: gettext("The second step of signing in is off"),
        lambda v: gettext("The codes of your app are not asked for any more."),
    ),
    change(
        "mfa/email/recovery_codes_generated",
        _("new recovery codes"),
        lambda: gettext("You have new recovery codes"),
        lambda v: gettext("The old ones do not work any more."),
    ),
    change(
        "mfa/email/webauthn_added",
        _("security key added"),
        lambda: gettext("A security key was added to your account"),
        lambda v: gettext("It can be used to sign in."),
    ),
    change(
        "mfa/email/webauthn_removed",
        _("security key removed"),
        lambda: gettext("A security key was removed from your account"),
        lambda v: gettext("It cannot be used to sign in any more."),
    ),
]
ACCOUNT_MAILS += [
    change(
        "socialaccount/email/account_connected",
        _("sign-in through others on"),
        lambda: gettext("You can sign in through another service now"),
        lambda v: gettext("%(door)s was connected to your account.") % {"door": v.get("door", "")},
    ),
    change(
        "socialaccount/email/account_disconnected",
        _("sign-in through others off"),
        lambda: gettext("A sign-in through another service was taken away"),
        lambda v: gettext("%(door)s does not open your account any more.") % {"door": v.get("door", "")},
    ),
]
KEYS = {account_mail.prefix: account_mail.key for account_mail in ACCOUNT_MAILS}


@transaction.atomic
def queue_account_mail(prefix: str, email: str, context: dict) -> OutgoingMail:
    """Write the mail that allauth asks for into the outbox."""
    member = context.get("user") or find_member(email)
    if context.get("provider"):
        context = {**context, "door": context["provider"].app.name}
    secrets = {name: str(context[name]) for name in KEPT if context.get(name)}
    to_member = member is not None and member.email.lower() == email.lower()
    if prefix == "account/email/email_confirm":
        to_member = False  # to the address that was the main one then, should it be changed a moment later
    with translation.override(member.language if member else translation.get_language()):
        return mail.queue(
            KEYS[prefix],
            member=member if to_member else None,
            address=None if to_member else email,  # a second address, the old one, or nobody we know
            dedupe_key=f"{KEYS[prefix]}:{uuid.uuid4().hex}",  # each request is a deed of its own
            refs={"member": member.pk} if member else {},
            secrets=secrets,
        )


def find_member(email: str) -> Member | None:
    if has_double(email):  # it only looks like somebody's
        return None
    with suppress(Member.DoesNotExist):
        return Member.objects.get_by_natural_key(email)
    owned = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    return owned.user if owned else None


def compose(row: OutgoingMail, *, account_mail: AccountMail) -> mail.MailContent:
    """What the templates need; refused where it has become pointless."""
    member = Member.objects.filter(pk=row.refs.get("member")).first()
    address = row.address or member.email
    if member is not None and member.status in (Status.SUSPENDED, Status.ERASED):
        raise mail.Withhold(f"the member is {member.status}")
    expires_at = None
    if account_mail.lifetime is not None:
        expires_at = row.created_at + account_mail.lifetime
        if timezone.now() >= expires_at:
            raise mail.Withhold("what it holds had run out before it could be sent")
    values = row.secrets
    if (
        "activate_url" in values
        and EmailAddress.objects.filter(email__iexact=address, verified=True).exists()
    ):
        raise mail.Withhold("the address is proven already")
    context = {
        "name": greeted(member) if member else "",
        "address": address,
        "code": values.get("code", ""),
        "expires_at": expires_at,
        "minutes": int(CODE.total_seconds() // 60),
        "days": PROOF.days,
        "at": row.created_at,
        "why": why(account_mail),
        "settings_url": "",
        "reset_start_url": settings.SITE_URL + reverse("account_reset_password"),
        **{name: ours(url) for name, url in values.items() if name.endswith("_url")},
    }
    if account_mail.words:
        context["title"], context["sentence"] = account_mail.words(values)
    return mail.MailContent(context)


def greeted(member: Member) -> str:
    """The first name, unless a mail program would make a link of it: anybody can have such a mail sent to anybody."""
    name = member.get_short_name()
    return "" if re.search(r"[.:/]\S", name) else name


def ours(url: str) -> str:
    """The link on our own address, whatever host the request was made to."""
    parts = urlsplit(url)
    return settings.SITE_URL + parts.path + (f"?{parts.query}" if parts.query else "")


def why(account_mail: AccountMail) -> str:
    if account_mail.words:
        return gettext(
            "You get this because it is about the safety of your account. It cannot be switched off."
        )
    return gettext("You get this because somebody, you we hope, typed this address at kmnet.")


for account_mail in ACCOUNT_MAILS:
    mail.register(
        mail.MailKind(
            account_mail.key,
            account_mail.label,
            account_mail.template,
            partial(compose, account_mail=account_mail),
            category="sign_in",
            reaches_leavers=True,  # signing in is how one undoes it
        )
    )
