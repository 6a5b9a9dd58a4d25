"""Reports by members, and what moderators can do with each kind of thing.

Apps register a `Moderated` per model; the queue (kmnet.hub) shows and decides without knowing the apps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from . import agreement, audit
from .models import AuditEntry, CommunitySettings, Flag, Hideable


@dataclass(frozen=True)
class Moderated:
    """How one kind of thing is moderated.

    label: what people call it ("reply", "resource"), translated lazily. card_template: partial that shows it to a
    moderator (gets `target`). title, url, author_id: read off the target. visible_to(user): what a member may see, and so
    report. hide/restore(*, target, actor, reason): the app's services; they write the log. release: for held things.
    held: the queryset of held things, where the kind can be held. around, after: what stands before and after it, for a
    moderator who was told of a thing in a private place and cannot go there. is_private: it stands in a place that only
    some members see. told_id: who wrote it, where that is not the author that everybody sees.

    Where reports hide at once: hide_at(target) gives how many members' reports do (0: none), counted(ids) those of the
    reporters who count, hides_alone(user, target) whose single report does; version_at(target) since when the text is as
    it is; hide_by_reports(*, target, reason, flags) is the app's service. edit_url: where its author mends it;
    changes_since(target, moment): what changed in its text since then, for the moderator who is asked to look again.
    place_url: where those go who saw it until it was hidden.
    """

    model: type[models.Model]
    label: str
    card_template: str
    title: Callable[[models.Model], str]
    url: Callable[[models.Model], str]
    author_id: Callable[[models.Model], int | None]
    hide: Callable[..., None]
    restore: Callable[..., None]
    visible_to: Callable[[object], QuerySet]
    release: Callable[..., None] | None = None
    held: Callable[[], QuerySet] | None = None
    around: Callable[[models.Model], list[models.Model]] | None = None
    after: Callable[[models.Model], list[models.Model]] | None = None
    is_private: Callable[[models.Model], bool] | None = None
    told_id: Callable[[models.Model], int | None] | None = None
    hide_at: Callable[[models.Model], int] | None = None
    counted: Callable[[set[int]], set[int]] | None = None
    hides_alone: Callable[[object, models.Model], bool] | None = None
    version_at: Callable[[models.Model], datetime] | None = None
    hide_by_reports: Callable[..., None] | None = None
    edit_url: Callable[[models.Model], str] | None = None
    changes_since: Callable[[models.Model, datetime], list] | None = None
    place_url: Callable[[models.Model], str] | None = None

    def writer_id(self, target: models.Model) -> int | None:
        """Who is told, and decides nothing about it; not for showing: the author may write under another name."""
        return (self.told_id or self.author_id)(target)

    def is_by(self, user, target: models.Model) -> bool:
        return user.is_authenticated and self.writer_id(target) == user.pk


class AlreadyDecided(Exception):
    """Another moderator was faster; `flags` in the queue have moved on."""


HIDDEN_AT_ONCE = "reports.hidden_at_once"  # by reports, before a moderator has looked
_kinds: dict[type[models.Model], Moderated] = {}
_when_hidden: list[Callable[[Moderated, int], None]] = []


def when_hidden(tell: Callable[[Moderated, int], None]) -> None:
    """From hooks: `tell(kind, pk)` is called in the transaction in which reports hid something at once."""
    if tell not in _when_hidden:
        _when_hidden.append(tell)


def hold_case(kind: Moderated, pk: int) -> None:
    """Until the end of the transaction this thing is reported to and decided by nobody else.

    Not the row's own lock: the apps have their order of locking (a thread before its posts), which we do not know here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"moderation:{kind.model._meta.label_lower}:{pk}"],
        )


def register(kind: Moderated) -> None:
    _kinds[kind.model] = kind


def kinds() -> list[Moderated]:
    return list(_kinds.values())


def kind_of(target: models.Model | type[models.Model]) -> Moderated | None:
    model = target if isinstance(target, type) else type(target)
    return _kinds.get(model)


def kind_named(app_label: str, model_name: str) -> Moderated | None:
    """The kind behind an address such as /moderation/report/discussions.post/12/."""
    return next(
        (kind for kind in _kinds.values() if kind.model._meta.label_lower == f"{app_label}.{model_name}"),
        None,
    )


@transaction.atomic
def report(*, reporter, target: models.Model, reason: str, note: str = "", rule: str = "") -> Flag:
    """A member tells the moderators. A second report of the same thing by the same member changes nothing.

    `rule`: what of the agreement it breaks; where it is not said, what that reason usually breaks. Enough reports, or
    one by a moderator, hide it at once (hide_if_enough); the reports stay open until a moderator has looked.
    Raises PermissionDenied for what the reporter may not see. The caller has made sure that they may write.
    """
    kind = kind_of(target)
    if (
        kind is None
        or not reporter.is_authenticated
        or not kind.visible_to(reporter).filter(pk=target.pk).exists()
    ):
        raise PermissionDenied
    about = {
        "target_type": ContentType.objects.get_for_model(target),
        "target_id": target.pk,
        "reporter": reporter,
        "state": Flag.State.OPEN,
    }
    cited = {
        "rule": (rule or agreement.usual_rule(reason))[:120],
        "agreement_version": CommunitySettings.load().agreement_version,
    }
    hold_case(kind, target.pk)  # two at once: the second counts the first
    try:
        with transaction.atomic():
            flag, new = Flag.objects.get_or_create(
                **about, defaults={"reason": reason, "note": note, **cited}
            )
    except IntegrityError:  # pressed twice at once
        flag, new = Flag.objects.get(**about), False
    if new:
        hide_if_enough(kind, target.pk, flag)
    return flag


def told_by(user, kind: Moderated, pk: int) -> models.Model | None:
    """The thing that this member has reported, whether they still see it or not."""
    about = ContentType.objects.get_for_model(kind.model)
    flags = Flag.objects.filter(target_type=about, target_id=pk, reporter=user).exclude(
        reason=Flag.Reason.REVIEW
    )
    return kind.model._default_manager.filter(pk=pk).first() if flags.exists() else None


def hide_if_enough(kind: Moderated, pk: int, flag: Flag) -> bool:
    """Hide it where a moderator told, or so many members as the settings say; whether it was hidden now.

    Once per version of the text: what a moderator has looked at and left or restored stays, until its author changes it.
    The caller holds the case.
    """
    if kind.hide_at is None or kind.hide_by_reports is None:
        return False
    target = kind.model._default_manager.get(pk=pk)
    most = kind.hide_at(target)
    if target.state != Hideable.State.VISIBLE or not most:
        return False
    why = flag.rule or flag.get_reason_display()
    if kind.hides_alone is not None and kind.hides_alone(flag.reporter, target):
        kind.hide(target=target, actor=flag.reporter, reason=f"{why} {flag.note}".strip())
    else:
        by = _reporters(flag)
        counted = kind.counted(set(by)) if kind.counted else set(by)
        if len(counted) < most or _was_looked_at(kind, target):
            return False
        ids = sorted(by[member] for member in counted)
        reason = gettext("%(count)d members told us about it: %(why)s") % {"count": len(counted), "why": why}
        kind.hide_by_reports(target=target, reason=reason, flags=ids)
        audit.record_act(actor=None, verb=HIDDEN_AT_ONCE, target=target, reason=reason, data={"flags": ids})
    for tell in _when_hidden:
        tell(kind, pk)
    return True


def _reporters(flag: Flag) -> dict[int, int]:
    """Who has reported the same thing, each with their open report."""
    flags = Flag.objects.filter(target_type=flag.target_type, target_id=flag.target_id, state=Flag.State.OPEN)
    flags = flags.exclude(reason=Flag.Reason.REVIEW).filter(reporter__isnull=False)
    return dict(flags.values_list("reporter", "pk"))


def _was_looked_at(kind: Moderated, target: models.Model) -> bool:
    """Has a moderator seen this very text and let it stand, or did reports hide it before?"""
    looked = models.Q(verb__in=("reports.dismissed", HIDDEN_AT_ONCE)) | models.Q(verb__endswith="_restored")
    seen = AuditEntry.objects.filter(
        looked, target_type=ContentType.objects.get_for_model(target), target_id=target.pk
    )
    if kind.version_at is not None:
        seen = seen.filter(at__gte=kind.version_at(target))
    return seen.exists()


class NotHidden(Exception):
    """There is nothing to ask again about."""


@transaction.atomic
def ask_again(*, author, target: models.Model, note: str) -> Flag:
    """The author of something hidden asks for another look; one request at a time, whose words may be changed. It waits
    in the moderators' queue. Raises PermissionDenied for what is another's, NotHidden for what is shown."""
    kind = kind_of(target)
    if kind is None or not kind.is_by(author, target):
        raise PermissionDenied
    hold_case(kind, target.pk)
    if kind.model._default_manager.get(pk=target.pk).state != Hideable.State.HIDDEN:
        raise NotHidden
    flag, _new = Flag.objects.update_or_create(
        target_type=ContentType.objects.get_for_model(target),
        target_id=target.pk,
        reporter_id=kind.author_id(
            target
        ),  # whom everybody sees as the author, also where they wrote without their name
        state=Flag.State.OPEN,
        defaults={"reason": Flag.Reason.REVIEW, "note": note},
    )
    return flag


def request_of(target: models.Model) -> Flag | None:
    """What its author has asked and nobody has answered yet."""
    return Flag.objects.filter(
        target_type=ContentType.objects.get_for_model(target),
        target_id=target.pk,
        reason=Flag.Reason.REVIEW,
        state=Flag.State.OPEN,
    ).first()


@transaction.atomic
def resolve(*, target: models.Model, actor, hide: bool, reason: str) -> int:
    """Decide all open reports about a thing: hide it, or leave it. Returns how many reports that settled.

    Locks the reports. Raises AlreadyDecided when none is open any more. Both ways are logged with the reason; hiding is
    done, and logged, by the app's own service.
    """
    kind = _kinds[type(target)]
    flags = list(
        Flag.objects.select_for_update()
        .filter(
            target_type=ContentType.objects.get_for_model(target), target_id=target.pk, state=Flag.State.OPEN
        )
        .order_by("pk")
    )
    if not flags:
        raise AlreadyDecided
    if hide:
        kind.hide(target=target, actor=actor, reason=reason)
    Flag.objects.filter(pk__in=[flag.pk for flag in flags]).update(
        state=Flag.State.UPHELD if hide else Flag.State.DISMISSED,
        resolved_at=timezone.now(),
        resolved_by=actor,
        resolution=reason,
    )
    audit.record_act(
        actor=actor,
        verb="reports.upheld" if hide else "reports.dismissed",
        target=target,
        reason=reason,
        data={"flags": [flag.pk for flag in flags]},
    )
    return len(flags)
