"""Do the links still answer? Asked politely, told to those who look after the records, never fatal.

What must never be false: one host is asked by one request in HOST_PAUSE, however many workers and links there are (where
HEAD is not understood, the GET that follows waits, too; redirects are followed within the one visit); a link is broken
only after three failures over seven days; no transaction is open while the network is spoken to; one bad link stops no
other; nobody is told twice of one break. What may be asked at all is decided in resources.fetching.
"""

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, jobs

from .. import csl, fetching
from ..identifiers import url_key
from ..models import LibrarySettings, LinkCheck, Resource
from ..permissions import can_edit_resource
from . import history

LOCK = 7_306_002  # claims are made one after the other: two at once could both find a host free
HOST_PAUSE = timedelta(seconds=10)
CYCLE, JITTER = timedelta(days=30), timedelta(days=6)
RETRIES = (timedelta(days=1), timedelta(days=3), timedelta(days=7))  # since the first failure
BROKEN_AFTER, BROKEN_FAILURES = timedelta(days=7), 3
LEASE = timedelta(minutes=15)  # a killed worker's link is asked about again after that
MOST_WAIT = timedelta(days=7)  # of what a server asks for
SECONDS = 8.0  # for one link, all redirects included
RUN = 45.0  # seconds in one run
FIRST_BYTES = 1024
AT_A_TIME = 10
UNSURE = {401, 402, 403, 407, 429, 451, 999}
WORDS = {
    "name": _("There is no such site any more."),
    "connection": _("The site does not answer."),
    "tls": _("The site’s certificate is not in order, so browsers warn of it."),
    "time": _("The site did not answer in time."),
    "size": _("The site sent something endless."),
    "redirects": _("It leads round in circles."),
    "protocol": _("What the site answers cannot be understood."),
    "private": _("It leads to an address that is not public."),
}
State = LinkCheck.State


class NothingToDo(Exception):
    """The link, or what is known of it, is another one now."""


@dataclass(frozen=True)
class Outcome:
    """What one visit told. state: OK, UNSURE, FAILING, or None where the first bytes must be asked for instead."""

    state: str | None
    status: int | None = None
    reason: str = ""
    moved_to: str = ""
    wait: timedelta = timedelta(0)


def in_words(check: LinkCheck) -> str:
    if check.reason == "status":
        return _("The site answers with an error (%(status)s).") % {"status": check.status}
    return str(WORDS.get(check.reason, ""))


# --- which there are ---------------------------------------------------------------------------------------------------
def list_links(*, limit: int = 5000) -> int:
    """A row for each address that a record gives, spread over some hours; rows that no record needs go."""
    live = Resource.objects.exclude(state=Resource.State.HIDDEN).exclude(url_key="")
    known = LinkCheck.objects.filter(url_key=OuterRef("url_key"))
    new = (
        live.filter(~Exists(known))
        .order_by("url_key", "pk")
        .distinct("url_key")
        .values_list("url_key", "url")
    )
    now = timezone.now()
    rows = [
        LinkCheck(
            url_key=key,
            url=url,
            host=_host_of(url),
            due_at=now + timedelta(seconds=random.uniform(0, 6 * 3600)),
        )
        for key, url in new[:limit]
    ]
    made = LinkCheck.objects.bulk_create(rows, ignore_conflicts=True)
    gone = LinkCheck.objects.filter(~Exists(live.filter(url_key=OuterRef("url_key"))))
    return len(made) + gone.delete()[0]


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:253].removeprefix("www.")
    except ValueError:
        return ""


# --- asking ------------------------------------------------------------------------------------------------------------
def check_links(*, seconds: float = RUN) -> int:
    """Visit what is due, for some seconds; return how many. Any number of workers may run it at once."""
    if not LibrarySettings.load().checks_links:
        return 0
    ends_at, served = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        claimed = _claim()
        if not claimed:
            break
        for check in claimed:
            served += jobs.attempt(f"link {check.pk}", lambda check=check: note(check, visit(check)))
    return served


@transaction.atomic
def _claim() -> list[LinkCheck]:
    """Some that are due, each of another host that was not asked lately; they are nobody else's for LEASE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    now = timezone.now()
    busy = LinkCheck.objects.filter(checked_at__gt=now - HOST_PAUSE).values("host")
    due = LinkCheck.objects.filter(due_at__lte=now).exclude(host__in=busy)
    found = list(due.order_by("host", "due_at", "pk").distinct("host")[:AT_A_TIME])
    for check in found:
        check.checked_at, check.due_at = now, now + LEASE
    LinkCheck.objects.bulk_update(found, ["checked_at", "due_at"])
    return found


def visit(check: LinkCheck) -> Outcome:
    """HEAD; where that does not answer well, the first bytes by a ranged GET, at another time."""
    how = {"first_bytes": FIRST_BYTES} if check.by_get else {"method": "HEAD"}
    try:
        answer = fetching.fetch(check.url, seconds=SECONDS, **how)
    except fetching.Refused:
        return Outcome(State.FAILING, reason="private")
    except fetching.NoAnswer as error:
        tell_more = not check.by_get and error.why in ("connection", "time", "protocol", "size")
        return Outcome(None if tell_more else State.FAILING, reason=error.why)
    wait = retry_after(answer.headers.get("retry-after", ""))
    if answer.status == 429:
        return Outcome(State.UNSURE, 429, "status", wait=wait)
    if 200 <= answer.status < 300 or answer.status in (304, 416):
        return Outcome(State.OK, answer.status, moved_to=answer.moved_to[:2000])
    if not check.by_get:
        return Outcome(None, answer.status, "status", wait=wait)
    state = State.UNSURE if answer.status in UNSURE else State.FAILING
    return Outcome(state, answer.status, "status", wait=wait)


def retry_after(stated: str) -> timedelta:
    """What a server asks for, in seconds or as a date; nothing where it cannot be read, a week at most."""
    stated = stated.strip()[:60]
    try:
        if stated.isdigit():
            return min(timedelta(seconds=int(stated[:9])), MOST_WAIT)
        wait = parsedate_to_datetime(stated) - timezone.now()
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)
    return max(timedelta(0), min(wait, MOST_WAIT))


# --- what it means -----------------------------------------------------------------------------------------------------
@transaction.atomic
def note(check: LinkCheck, outcome: Outcome) -> None:
    """Write down what a visit told, unless somebody has decided about the link meanwhile. Locks the row."""
    claimed_at = check.checked_at
    check = LinkCheck.objects.select_for_update().filter(pk=check.pk, checked_at=claimed_at).first()
    if check is None:
        return
    now = timezone.now()
    if outcome.state is None:
        check.by_get, check.due_at = True, now + max(HOST_PAUSE, outcome.wait)
    else:
        check.status, check.reason = outcome.status, outcome.reason
        check.moved_to = outcome.moved_to if outcome.moved_to != check.url else ""
        if outcome.state == State.FAILING:
            _failed(check, now)
        else:
            _well(check, outcome.state, now)
            if outcome.status == 429:
                check.due_at = now + timedelta(days=1)
        check.due_at = max(check.due_at, now + outcome.wait)
    check.save()
    if outcome.wait:  # the site asks for quiet, not the page
        LinkCheck.objects.filter(host=check.host, due_at__lt=now + outcome.wait).update(
            due_at=now + outcome.wait
        )
    if check.state == State.BROKEN and check.told_at is None:
        _tell(check, now)


def _next_cycle(now: datetime) -> datetime:
    return now + CYCLE + random.uniform(-1, 1) * JITTER


def _well(check: LinkCheck, state: str, now: datetime) -> None:
    check.state, check.failures, check.failing_since, check.told_at = state, 0, None, None
    check.due_at = _next_cycle(now)


def _failed(check: LinkCheck, now: datetime) -> None:
    check.failures = min(check.failures + 1, 30_000)
    check.failing_since = check.failing_since or now
    since = now - check.failing_since
    if check.failures >= BROKEN_FAILURES and since >= BROKEN_AFTER:
        check.state, check.due_at = State.BROKEN, _next_cycle(now)
        return
    check.state = State.FAILING
    later = [check.failing_since + retry for retry in RETRIES if retry > since]
    check.due_at = later[0] if later else now + RETRIES[0]


def _tell(check: LinkCheck, now: datetime) -> None:
    """Those who look after the records that others meet with this link, once of this break."""
    LinkCheck.objects.filter(pk=check.pk).update(told_at=now)
    kept = Resource.objects.published().filter(url_key=check.url_key, keeper__isnull=False)
    for resource in kept.order_by("pk"):
        activity.record("resources.link_broken", actor=None, target=resource, data={"check": check.pk})


# --- what its keeper does ----------------------------------------------------------------------------------------------
def check_of(resource: Resource) -> LinkCheck | None:
    return LinkCheck.objects.filter(url_key=resource.url_key).first() if resource.url_key else None


def archived_url(check: LinkCheck) -> str:
    """Where a copy from before it broke would be. Nobody is asked whether there is one until somebody opens it."""
    when = f"{check.failing_since:%Y%m%d}/" if check.failing_since else ""
    return f"https://web.archive.org/web/{when}{check.url}"


@transaction.atomic
def say_it_works(*, actor, resource: Resource) -> None:
    """The keeper has looked: it is well for a month. Locks the record, then the row."""
    _resource, check = _mine(actor, resource)
    _well(check, State.OK, timezone.now())
    check.status, check.reason, check.checked_at = None, "", timezone.now()
    check.save()


@transaction.atomic
def follow_move(*, actor, resource: Resource) -> None:
    """The link becomes the address where it leads for good."""
    resource, check = _mine(actor, resource)
    if not check.moved_to:
        raise NothingToDo
    _set_url(resource, check.moved_to, actor, str(_("The site moved it for good.")))


@transaction.atomic
def use_archived(*, actor, resource: Resource) -> None:
    """The link becomes that of a copy in the Internet Archive. Only where it is broken."""
    resource, check = _mine(actor, resource)
    if check.state != State.BROKEN:
        raise NothingToDo
    _set_url(
        resource, archived_url(check)[:2000], actor, str(_("The link was broken; this is an archived copy."))
    )


def _mine(actor, resource: Resource) -> tuple[Resource, LinkCheck]:
    locked = Resource.objects.select_for_update().get(pk=resource.pk)
    if not can_edit_resource(actor, locked):
        raise PermissionDenied
    check = LinkCheck.objects.select_for_update().filter(url_key=locked.url_key).first()
    if not locked.url_key or check is None or locked.url_key != resource.url_key:
        raise NothingToDo
    return locked, check


def _set_url(resource: Resource, url: str, editor, note: str) -> None:
    with history.changing(resource, editor=editor, note=note):
        resource.csl = csl.clean_item({**resource.csl, "URL": url})
        resource.url = resource.csl.get("URL", "")
        resource.url_key, resource.updated_at = url_key(resource.url), timezone.now()
        resource.save(update_fields=["csl", "url", "url_key", "updated_at"])
