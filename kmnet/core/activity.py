"""Deeds and who hears of them.

A service calls `record` in its own transaction; a task fans the row out to notifications and mails. Apps register an
`ActivityType` per verb at start-up (hooks.py), so that core needs to know none of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import models, transaction
from django.utils import timezone

from . import rows
from .models import Activity, MailChoice, Notification


@dataclass(frozen=True)
class ActivityType:
    """What a verb means.

    verb: "discussions.replied". template: a one-line partial that shows it (gets `activity`). audience: the ids of the
    members who are told; asked at fan-out time, so it must itself leave out whoever may no longer see the target. The
    actor never hears of their own deed. mail_kind: the kind of mail each of them gets, or None. category: the row of the
    settings page that it belongs to where no mail tells it. official: done in a role that nobody can block away, so that
    no filter is asked. mail_due_at: when the mails go out; at once where it is not given.
    mail_kinds: where not all get the same kind of mail, the kind for each of these members; who is missing gets none.
    """

    verb: str
    template: str
    audience: Callable[[Activity], Iterable[int]] | None = None
    mail_kind: str | None = None
    official: bool = False
    mail_due_at: Callable[[Activity], datetime] | None = None
    mail_kinds: Callable[[Activity, set[int]], dict[int, str]] | None = None
    category: str | None = None


Filter = Callable[[Activity, set[int]], set[int]]
_filters: dict[str, Filter] = {}
_types: dict[str, ActivityType] = {}


def register(activity_type: ActivityType) -> None:
    """Make a verb known. Registering another type under the same verb is a mistake."""
    known = _types.setdefault(activity_type.verb, activity_type)
    if known != activity_type:
        raise ValueError(f"activity verb {activity_type.verb!r} is registered twice")


def register_filter(key: str, keep: Filter) -> None:
    """From an app's hooks: `keep(activity, ids)` gives those of these members who may be told of the deed.

    Asked when the deed is told, and again when a mail about it is composed."""
    _filters[key] = keep


def those_told(activity: Activity, ids: Iterable[int]) -> set[int]:
    """Those of these members whom no filter leaves out, without the one who did it."""
    left = set(ids) - {activity.actor_id}
    kind = _types.get(activity.verb)
    if activity.actor_id is None or (kind is not None and kind.official):
        return left
    for keep in _filters.values():
        if left:
            left = keep(activity, left)
    return left


def get_type(verb: str) -> ActivityType | None:
    return _types.get(verb)


def record(
    verb: str, *, actor, target: models.Model, data: dict | None = None, at: datetime | None = None
) -> Activity:
    """Write the deed down; call it inside the deed's transaction. Wakes the fan-out after the commit."""
    activity = _deed(verb, actor=actor, target=target, data=data, at=at)
    rows.insert(activity)
    _wake(activity)
    return activity


def record_both(
    verb: str,
    other: str,
    *,
    actor,
    target: models.Model,
    data: dict | None = None,
    at: datetime | None = None,
) -> None:
    """What was done is two deeds, of which `data` is about the other: as record() of each, in one statement."""
    deeds = [
        _deed(verb, actor=actor, target=target, data=None, at=at),
        _deed(other, actor=actor, target=target, data=data, at=at),
    ]
    for activity in Activity.objects.bulk_create(deeds):
        _wake(activity)


def _deed(verb: str, *, actor, target: models.Model, data: dict | None, at: datetime | None) -> Activity:
    if verb not in _types:
        raise LookupError(f"activity verb {verb!r} is not registered")
    now = at or timezone.now()
    return Activity(
        verb=verb,
        actor=actor,
        target_type=ContentType.objects.get_for_model(target),
        target_id=target.pk,
        data=data or {},
        at=now,
        fanned_out_at=now if _types[verb].audience is None else None,
    )


def _wake(activity: Activity) -> None:
    from .tasks import enqueue, fan_out_activity  # the task calls back into this module

    if activity.fanned_out_at is None:
        enqueue(fan_out_activity, activity_id=activity.pk)


@transaction.atomic
def fan_out(*, activity_id: int) -> int:
    """Tell everybody in the audience, once; return how many. Any number of workers may call it at once.

    Locks the activity row (skipping one that another worker has). The notifications, the mail rows and the mark
    "fanned out" commit together.
    """
    from . import mail  # mail rows are part of the fan-out; kmnet.core.mail uses core models too

    activity = (
        Activity.objects.select_for_update(skip_locked=True, of=("self",))
        .waiting()
        .filter(pk=activity_id)
        .first()
    )
    if activity is None:
        return 0
    kind = _types.get(activity.verb)
    told = 0
    if kind is not None and kind.audience is not None and activity.target is not None:
        ids = those_told(activity, kind.audience(activity))
        if kind.mail_kinds:
            kinds = kind.mail_kinds(activity, ids)
        else:
            kinds = dict.fromkeys(ids, kind.mail_kind) if kind.mail_kind else {}
        _notify(activity, ids, {pk: _category_of(kind, kinds.get(pk)) for pk in ids})
        told = len(ids)
        members = models_by_id(kinds)
        due_at = kind.mail_due_at(activity) if kind.mail_due_at else None
        for key in sorted(set(kinds.values())):
            mail.queue_many(
                key,
                [members[pk] for pk in sorted(members) if kinds[pk] == key],
                dedupe_key=lambda member, key=key: f"{key}:{activity.pk}:{member.pk}",
                refs=lambda _member: {"activity": activity.pk},
                due_at=due_at,
            )
    activity.fanned_out_at = timezone.now()
    activity.save(update_fields=["fanned_out_at"])
    return told


def _category_of(kind: ActivityType, mail_kind: str | None) -> str | None:
    """The row of the settings page that such a deed belongs to, for those who get this kind of mail of it."""
    from . import mail

    return (mail.get_kind(mail_kind).category if mail_kind else None) or kind.category


def _notify(activity: Activity, ids: Iterable[int], categories: dict[int, str | None]) -> None:
    """A notification on the site for each of these members, but for those who want none of the category."""
    asked = {category for category in categories.values() if category}
    hushed = set()
    if asked:
        off = MailChoice.objects.filter(member__in=list(ids), category__in=asked, site=False)
        hushed = {
            pk for pk, category in off.values_list("member_id", "category") if categories[pk] == category
        }
    now = timezone.now()
    Notification.objects.bulk_create(
        [
            Notification(activity=activity, recipient_id=pk, created_at=now)
            for pk in sorted(set(ids) - hushed)
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )


def models_by_id(ids: Iterable[int]) -> dict[int, models.Model]:
    """Members by id."""
    from django.contrib.auth import get_user_model

    return get_user_model().objects.in_bulk(list(ids))


def mark_read(*, member, targets: Iterable[models.Model]) -> int:
    """The member has seen these things: their unread notifications about them are read now."""
    by_type: dict[ContentType, list[int]] = {}
    for target in targets:
        by_type.setdefault(ContentType.objects.get_for_model(target), []).append(target.pk)
    if not by_type or not member.is_authenticated:
        return 0
    about = models.Q()
    for content_type, ids in by_type.items():
        about |= models.Q(activity__target_type=content_type, activity__target_id__in=ids)
    return _read(member.pk, Notification.objects.filter(about))


def mark_all_read(*, member, up_to: int | None = None) -> int:
    """Every notification of this member is read now; with `up_to` (an id) none that came after that one."""
    rows = Notification.objects.all() if up_to is None else Notification.objects.filter(pk__lte=up_to)
    return _read(member.pk, rows)


def mark_rows_read(*, member, ids: Iterable[int]) -> int:
    """Those of these notifications that are this member's are read now."""
    return _read(member.pk, Notification.objects.filter(pk__in=list(ids)))


def _read(member_id: int, rows: models.QuerySet) -> int:
    count = rows.unread().filter(recipient=member_id).update(read_at=timezone.now())
    if count:
        cache.delete(bell_key(member_id))
    return count


def bell_key(member_id: int) -> str:
    """Under which the number on a member's bell is kept for a few seconds."""
    return f"bell:{member_id}"
