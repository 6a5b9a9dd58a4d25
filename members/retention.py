"""What this app forgets by itself."""

import logging
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, F, OuterRef, ProtectedError, Q
from django.utils import timezone

from kmnet.core import jobs, mail
from kmnet.core.retention import Job, register

from . import services
from .models import Dormancy, JoinRequest, Leaving, Member, Status
from .services.exporting import expired_copies
from .services.leaving import MustHandOver, start_leaving

logger = logging.getLogger(__name__)

AT_ONCE = 500
NOWHERE = "0.0.0.0"
BETWEEN_MAILS = timedelta(days=30)


# --- accounts that nobody ever proved --------------------------------------------------------------------------------
def unproven(before):
    return Member.objects.filter(
        address_proven_at__isnull=True,
        status__in=(Status.ACTIVE, Status.PENDING),
        joined_at__lt=before,
        is_staff=False,
    )


def forget_unproven(before) -> int:
    """The whole row goes: nothing can hang on it, since who has not proven their address can do nothing."""
    return _delete_accounts(unproven, before)


def declined(before):
    return Member.objects.filter(
        status=Status.PENDING,
        join_request__state=JoinRequest.State.DECLINED,
        join_request__decided_at__lt=before,
    )


def _delete_accounts(found, before) -> int:
    def delete(pk) -> bool:
        # They may prove it in this very moment: then the row no longer matches, and is left alone.
        row = Member.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if row is None or not found(before).filter(pk=pk).exists():
            return False
        mail.forget_person(member=row)
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:  # they were let write by some way: a person must look
            logger.warning("member %s was never proven, and has written: not deleted", pk)
            return False
        return True

    ids = list(found(before).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return jobs.each(ids, delete, what="unproven account")


# --- sessions --------------------------------------------------------------------------------------------------------
def old_addresses(before):
    return UserSession.objects.filter(last_seen_at__lt=before).exclude(ip=NOWHERE, user_agent="")


def forget_addresses(before) -> int:
    """The session goes on; where from and with what it was used is forgotten."""
    return old_addresses(before).update(ip=NOWHERE, user_agent="", data={})


def dead_sessions(before):
    return Session.objects.filter(expire_date__lt=before)


def orphans(before):
    """On the list of sessions, and run out or no longer there."""
    lives = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gte=before)
    return UserSession.objects.filter(~Exists(lives), created_at__lt=timezone.now() - timedelta(days=1))


def forget_sessions(before) -> int:
    listed = orphans(before).delete()[0]
    return listed + dead_sessions(before).delete()[0]


# --- accounts that sleep ---------------------------------------------------------------------------------------------
def dormant(before):
    return Member.objects.full().filter(last_seen_on__lt=before.date(), is_staff=False, is_moderator=False)


def to_be_told(before):
    """No mail yet; or one mail and a month without a sign; or two, and another month."""
    month_ago = timezone.now() - BETWEEN_MAILS
    asleep = dormant(before)
    return (
        asleep.filter(dormancy__isnull=True)
        | asleep.filter(dormancy__first_mail_at__lt=month_ago, dormancy__second_mail_at__isnull=True)
        | asleep.filter(dormancy__second_mail_at__lt=month_ago)
    )


def serve_dormant(before) -> int:
    """Two mails, a month apart; a month after the second the account is closed, with the usual two weeks to undo it."""
    Dormancy.objects.filter(
        Q(member__last_seen_on__gt=F("first_mail_at__date"))
        & ~Exists(Leaving.objects.filter(member=OuterRef("member")))
    ).delete()  # they have been here since
    served = 0
    for pk in list(to_be_told(before).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        try:
            with transaction.atomic():
                served += _serve(pk, before)
        except MustHandOver:  # others count on them: an organiser will see to it
            continue
    return served


def _serve(pk: int, before) -> int:
    member = to_be_told(before).filter(pk=pk).first()
    if member is None:
        return 0
    sleep, new = Dormancy.objects.select_for_update().get_or_create(member=member)
    if not new and sleep.second_mail_at is not None:
        start_leaving(member=member, keep_words=True)
        return 1
    if not new:
        sleep.second_mail_at = timezone.now()
        sleep.save(update_fields=["second_mail_at"])
    number = 1 if new else 2
    key = f"members.dormant:{pk}:{int(sleep.first_mail_at.timestamp())}:{number}"
    mail.queue("members.dormant", member=member, dedupe_key=key)
    return 1


for job in (
    Job(
        "unproven_accounts",
        "accounts whose address nobody ever proved",
        lambda before: unproven(before).count(),
        forget_unproven,
    ),
    Job(
        "join_requests",
        "accounts that were declined",
        lambda before: declined(before).count(),
        lambda before: _delete_accounts(declined, before),
    ),
    Job(
        "network_addresses",
        "network addresses and browsers of sessions not used since",
        lambda before: old_addresses(before).count(),
        forget_addresses,
    ),
    Job(
        "sessions",
        "sessions that ran out",
        lambda before: dead_sessions(before).count() + orphans(before).count(),
        forget_sessions,
    ),
    Job(
        "copies",
        "copies of members’ data that ran out",
        lambda before: expired_copies(before).count(),
        services.sweep_copies,
    ),
    Job(
        "invitations",
        "addresses of people who were invited and never came",
        lambda before: services.old_invitations().count(),
        lambda before: services.forget_old_invitations(),
    ),
    Job("dormant_accounts", "accounts that sleep", lambda before: to_be_told(before).count(), serve_dormant),
):
    register(job)
