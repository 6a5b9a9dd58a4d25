"""Reports by members, and what moderators can do with each kind of thing.

Apps register a `Moderated` per model; the queue (kmnet.hub) shows and decides without knowing the apps.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from . import audit
from .models import Flag


@dataclass(frozen=True)
class Moderated:
    """How one kind of thing is moderated.

    label: what people call it ("reply", "resource"), translated lazily. card_template: partial that shows it to a
    moderator (gets `target`). title, url, author_id: read off the target. visible_to(user): what a member may see, and so
    report. hide/restore(*, target, actor, reason): the app's services; they write the log. release: for held things.
    held: the queryset of held things, where the kind can be held. around, after: what stands before and after it, for a
    moderator who was told of a thing in a private place and cannot go there. is_private: it stands in a place that only
    some members see. told_id: who wrote it, where that is not the author that everybody sees.
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

    def writer_id(self, target: models.Model) -> int | None:
        """Who is told, and decides nothing about it; not for showing: the author may write under another name."""
        return (self.told_id or self.author_id)(target)


class AlreadyDecided(Exception):
    """Another moderator was faster; `flags` in the queue have moved on."""


_kinds: dict[type[models.Model], Moderated] = {}


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


def report(*, reporter, target: models.Model, reason: str, note: str = "") -> Flag:
    """A member tells the moderators. A second report of the same thing by the same member changes nothing.

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
    try:
        with transaction.atomic():
            flag, _new = Flag.objects.get_or_create(**about, defaults={"reason": reason, "note": note})
    except IntegrityError:  # pressed twice at once
        flag = Flag.objects.get(**about)
    return flag


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
