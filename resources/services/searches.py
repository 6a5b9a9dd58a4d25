"""Saved searches: a look into the library that its member wants to hear from, once a day at most."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs, mail
from members.models import Member
from members.permissions import is_full_member

from ..finding import Finder
from ..models import SavedSearch

NEW_FOUND = "resources.new_found"
MOST = 50  # of one member
EVERY = timedelta(days=1)
SETTLES = timedelta(minutes=5)  # what was added in a transaction that is still open is found the next time


class TooManySearches(ValidationError):
    """MOST of one member."""


@transaction.atomic
def save_search(*, member: Member, query: str, name: str, tells: bool = True) -> SavedSearch:
    """Keep this look (`query` as Finder.question gives it); what is there already is left out of the telling.

    Saved before: its name and whether it tells are set anew. Locks the member's row. PermissionDenied, TooManySearches."""
    if not is_full_member(member) or not query:
        raise PermissionDenied
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    known = SavedSearch.objects.filter(member=member, query=query).first()
    if known is not None:
        return change_search(member=member, search=known, name=name, tells=tells)
    if SavedSearch.objects.filter(member=member).count() >= MOST:
        raise TooManySearches(_("You have %(limit)s searches. Delete one first."), params={"limit": MOST})
    now = timezone.now()
    return SavedSearch.objects.create(
        member=member, query=query, name=name, tells=tells, seen_until=now, due_at=now + EVERY
    )


@transaction.atomic
def change_search(*, member: Member, search: SavedSearch, name: str, tells: bool) -> SavedSearch:
    """What it is called, and whether it tells. What came while it was silent is not told later. Locks the search."""
    search = SavedSearch.objects.select_for_update().get(pk=search.pk, member=member)
    if tells and not search.tells:
        search.seen_until = timezone.now()
        search.due_at = search.seen_until + EVERY
    search.name, search.tells = name, tells
    search.save(update_fields=["name", "tells", "seen_until", "due_at"])
    return search


@transaction.atomic
def delete_search(*, member: Member, search: SavedSearch) -> None:
    """It is gone; twice is once."""
    SavedSearch.objects.filter(pk=search.pk, member=member).delete()


def found_since(search: SavedSearch, since, until):
    """What others put into the library in this time that the search finds and its member may see, the latest first."""
    finder = Finder(QueryDict(search.query), search.member, forgiving=False)
    rows = finder.found.filter(published_at__gt=since, published_at__lte=until)
    return rows.exclude(added_by=search.member_id).order_by("-published_at", "-pk")


def due_searches(now):
    return SavedSearch.objects.filter(tells=True, due_at__lte=now)


def tell_what_is_new(*, now=None) -> int:
    """One mail for each search that is due and has found something; return how many searches were looked at.

    Any number of workers may run it: the lock on the row is the claim, and `seen_until` commits with the mail."""
    now = now or timezone.now()
    until = now - SETTLES

    def tell(search: SavedSearch):
        since, search.seen_until = search.seen_until, max(search.seen_until, until)
        search.due_at = now + EVERY
        search.save(update_fields=["seen_until", "due_at"])
        if search.seen_until == since or not is_full_member(search.member):
            return
        if found_since(search, since, until).exists():
            mail.queue(
                NEW_FOUND,
                member=search.member,
                dedupe_key=f"{NEW_FOUND}:{search.pk}:{until.isoformat()}",
                refs={"search": search.pk, "since": since.isoformat(), "until": until.isoformat()},
            )

    due = due_searches(now).select_related("member").order_by("due_at", "pk")
    return jobs.serve(due, tell)
