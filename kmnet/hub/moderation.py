"""The moderators' queue, and its decisions: hide, leave, restore, release. Each has a reason, is logged, and its author
is told. Reports and held things look the same here; what hiding means is the app's business."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Value
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core import audit, mail
from kmnet.core import moderation as core
from kmnet.core.models import AuditEntry, Flag, Hideable
from kmnet.core.moderation import AlreadyDecided, Moderated, hold_case
from members.models import Member

from .permissions import can_decide

MOST_CASES = 100
ACTS = {
    "reports.upheld": _("Acted on the reports"),
    "reports.private_read": _("Read it, in a private place"),
    "reports.dismissed": _("Looked at the reports, no action"),
    "reports.hidden_at_once": _("Hidden at once, by what members reported"),
    "discussions.post_hidden": _("Hidden"),
    "discussions.post_restored": _("Shown again"),
    "discussions.post_released": _("Let appear"),
    "discussions.posts_split": _("Split off"),
    "discussions.thread_merged": _("Merged"),
    "discussions.thread_moved": _("Moved"),
    "discussions.thread_pinned": _("Pinned"),
    "discussions.thread_unpinned": _("Pinned no longer"),
    "discussions.thread_slowed": _("Slowed down"),
    "discussions.thread_closed": _("Closed"),
    "discussions.thread_reopened": _("Opened again"),
    "discussions.poll_closed": _("Closed the poll"),
    "discussions.unmasked": _("Looked who asked without their name"),
    "members.profile_hidden": _("Hidden"),
    "members.profile_restored": _("Shown again"),
    "groups.hidden": _("Hidden"),
    "groups.restored": _("Shown again"),
    "groups.member_removed": _("Took somebody out"),
    "groups.handed_on": _("Handed on"),
    "resources.hidden": _("Hidden"),
    "resources.restored": _("Shown again"),
    "resources.collection_hidden": _("Hidden"),
    "resources.collection_restored": _("Shown again"),
    "resources.released": _("Let appear"),
    "resources.taken_down": _("Taken down"),
    "resources.merged": _("Merged into another one"),
    "resources.taken_on": _("Took it on"),
    "resources.history_redacted": _("Took words out of its history"),
}
PROMISE = timedelta(days=1)


class Decision(models.TextChoices):
    HIDE = "hide", _("Hide it and write to its author")
    LEAVE = "leave", _("Leave it as it is")
    RESTORE = "restore", _("Show it again")
    RELEASE = "release", _("Let it appear")


@dataclass
class Case:
    """One thing that needs a second look: why, since when, and whose it is."""

    kind: Moderated
    target: models.Model
    flags: list[Flag] = field(default_factory=list)
    author: Member | None = None
    is_private: bool = False  # in a place that the moderator who looks is not in
    around: list = field(default_factory=list)
    after: list = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.target._meta.label_lower}/{self.target.pk}"

    @property
    def kind_name(self) -> str:
        return self.target._meta.label_lower

    @property
    def title(self) -> str:
        return self.kind.title(self.target)

    @property
    def url(self) -> str:
        return self.kind.url(self.target)

    @property
    def is_hidden(self) -> bool:
        return self.target.state == Hideable.State.HIDDEN

    @property
    def is_held(self) -> bool:
        return self.target.state == Hideable.State.HELD

    @property
    def since(self) -> datetime | None:
        return min((flag.created_at for flag in self.flags), default=getattr(self.target, "created_at", None))

    @property
    def is_late(self) -> bool:
        return self.since is not None and self.since < timezone.now() - PROMISE

    @property
    def told_by(self) -> int:
        """How many members reported it; its author, who asks for another look, is not one of them."""
        return sum(not flag.is_request for flag in self.flags)

    @property
    def changes(self) -> list:
        """What its author changed since it was hidden, where they ask for another look."""
        asked = any(flag.is_request for flag in self.flags)
        since = getattr(self.target, "hidden_at", None)
        return (
            self.kind.changes_since(self.target, since) if asked and since and self.kind.changes_since else []
        )

    @property
    def reasons(self) -> list[str]:
        return sorted({flag.get_reason_display() for flag in self.flags})

    @property
    def choices(self) -> list[Decision]:
        if self.is_hidden:
            return [Decision.RESTORE] + ([Decision.LEAVE] if self.flags else [])
        if self.is_held and self.kind.release:
            return [Decision.RELEASE, Decision.HIDE]
        return [Decision.HIDE] + ([Decision.LEAVE] if self.flags else [])


def _related(kind: Moderated) -> models.QuerySet:
    """The things of a kind with what their cards and titles show: the author, the thread, its space."""
    concrete = {
        field.name
        for field in kind.model._meta.get_fields()
        if field.concrete and (field.many_to_one or field.one_to_one)
    }
    wanted = [
        name for name in ("author", "added_by", "member", "thread", "space", "hidden_by") if name in concrete
    ]
    if "thread" in wanted:
        wanted.append("thread__space")
    return kind.model._default_manager.select_related(*wanted)


def _with_authors(cases: list[Case]) -> list[Case]:
    ids = {case.kind.author_id(case.target) for case in cases} - {None}
    authors = Member.objects.select_related("profile").in_bulk(list(ids))
    for case in cases:
        case.author = authors.get(case.kind.author_id(case.target))
    return cases


def waiting_cases() -> list[Case]:
    """Reported and held things, the longest waiting first; the same number of queries for 1 and for 50."""
    flags = list(
        Flag.objects.filter(state=Flag.State.OPEN)
        .select_related("reporter")
        .order_by("created_at", "pk")[: MOST_CASES * 5]
    )
    cases: list[Case] = []
    for kind in core.kinds():
        type_id = ContentType.objects.get_for_model(kind.model).pk
        by_target: dict[int, list[Flag]] = {}
        for flag in flags:
            if flag.target_type_id == type_id:
                by_target.setdefault(flag.target_id, []).append(flag)
        found = {}
        if by_target:
            found = _related(kind).in_bulk(list(by_target))
            cases += [Case(kind, target, by_target[pk]) for pk, target in found.items()]
        if kind.held is not None:
            held = _related(kind).filter(pk__in=kind.held().values("pk")).exclude(pk__in=found).order_by("pk")
            cases += [Case(kind, target) for target in held[:MOST_CASES]]
    cases.sort(key=lambda case: (case.since is None, case.since or timezone.now(), case.address))
    return _with_authors(cases[:MOST_CASES])


def mark_private(cases: list[Case], moderator) -> list[Case]:
    """Which of these the moderator would see nowhere but here: their words are shown on the case's own page, logged.

    A query for each kind of which something stands in such a place.
    """
    apart: dict[str, list[Case]] = {}
    for case in cases:
        if case.kind.is_private is not None and case.kind.is_private(case.target):
            apart.setdefault(case.kind_name, []).append(case)
    for same in apart.values():
        seen = same[0].kind.visible_to(moderator).filter(pk__in=[case.target.pk for case in same])
        known = set(seen.values_list("pk", flat=True))
        for case in same:
            case.is_private = case.target.pk not in known
    return cases


def log_private_look(case: Case, moderator) -> None:
    """Reading what was reported in a private place is an act like any other; told once an hour, not at every reload."""
    hour_ago = timezone.now() - timedelta(hours=1)
    lately = log_of(case.target).filter(actor=moderator, verb="reports.private_read", at__gt=hour_ago)
    if not lately.exists():
        audit.record_act(actor=moderator, verb="reports.private_read", target=case.target)


def waiting_count() -> int:
    """How many things wait for a decision: reported, held, or both. One query."""
    reported = (
        Flag.objects.filter(state=Flag.State.OPEN).order_by().values_list("target_type_id", "target_id")
    )
    held = [
        kind.held()
        .order_by()
        .annotate(kind_id=Value(ContentType.objects.get_for_model(kind.model).pk))
        .values_list("kind_id", "pk")
        for kind in core.kinds()
        if kind.held is not None
    ]
    return reported.union(*held).count()


def find_case(kind: Moderated, pk: int) -> Case | None:
    """One thing with all its reports, open ones only in `flags`."""
    target = _related(kind).filter(pk=pk).first()
    if target is None:
        return None
    open_flags = (
        flags_of(target).filter(state=Flag.State.OPEN).select_related("reporter").order_by("created_at", "pk")
    )
    return _with_authors([Case(kind, target, list(open_flags))])[0]


def flags_of(target: models.Model):
    return Flag.objects.filter(target_type=ContentType.objects.get_for_model(target), target_id=target.pk)


def may_look_at(moderator, case: Case) -> bool:
    """What a moderator sees anyway, and what was reported, held, hidden or acted on; nothing private beyond that."""
    if case.flags or case.is_hidden or case.is_held:
        return True
    return (
        case.kind.visible_to(moderator).filter(pk=case.target.pk).exists()
        or flags_of(case.target).exists()
        or log_of(case.target).exists()
    )


def act_in_words(verb: str) -> str:
    """What the log calls an act, for people."""
    return str(ACTS.get(verb) or capfirst(verb.rpartition(".")[2].replace("_", " ")))


def log_of(target: models.Model):
    """What was done to it, the latest first."""
    return (
        AuditEntry.objects.filter(target_type=ContentType.objects.get_for_model(target), target_id=target.pk)
        .select_related("actor")
        .order_by("-at", "-pk")
    )


def history(target: models.Model, length: int = 20) -> list[AuditEntry]:
    """The log of one thing, each entry with its `words`."""
    entries = list(log_of(target)[:length])
    for entry in entries:
        entry.words = act_in_words(entry.verb)
    return entries


def settled_flags() -> models.QuerySet:
    """Reports that were decided, with their things."""
    return (
        Flag.objects.exclude(state=Flag.State.OPEN)
        .select_related("resolved_by")
        .prefetch_related(GenericPrefetch("target", [_related(kind) for kind in core.kinds()]))
    )


@dataclass
class Settled:
    """One decision; several reports may have led to it."""

    kind: Moderated | None
    flag: Flag
    reports: int = 1
    is_private: bool = False

    @property
    def title(self) -> str:
        if self.is_private:
            return gettext("in a private place")
        return self.kind.title(self.flag.target) if self.kind else ""

    @property
    def kind_name(self) -> str:
        return self.flag.target._meta.label_lower if self.kind else ""


def settled(flags: list[Flag]) -> list[Settled]:
    """Reports that one decision settled, as one line."""
    found: list[Settled] = []
    for flag in flags:
        last = found[-1].flag if found else None
        if last and (last.target_type_id, last.target_id, last.resolved_at) == (
            flag.target_type_id,
            flag.target_id,
            flag.resolved_at,
        ):
            found[-1].reports += 1
        else:
            kind = core.kind_of(flag.target) if flag.target is not None else None
            found.append(Settled(kind, flag))
    return found


def withhold_titles(decisions: list[Settled], moderator) -> list[Settled]:
    """A title from a private place is not for a list; a query for each kind that is among them."""
    cases = [(one, Case(one.kind, one.flag.target)) for one in decisions if one.kind]
    mark_private([case for _one, case in cases], moderator)
    for one, case in cases:
        one.is_private = case.is_private
    return decisions


@transaction.atomic
def decide(
    *,
    kind: Moderated,
    pk: int,
    actor: Member,
    decision: str,
    reason: str,
    seen_state: str,
    seen_flags: set[int],
) -> models.Model:
    """Carry out a moderator's decision; returns the thing as it is now.

    `seen_state` and `seen_flags` (ids of open reports) are what the moderator had before them. Decisions about one
    thing happen one after the other, so of two moderators who press at the same moment the second gets
    AlreadyDecided, and is shown what the first one did. A report that came meanwhile is settled along.
    """
    hold_case(kind, pk)
    target = kind.model._default_manager.filter(pk=pk).first()
    if target is None or target.state != seen_state:
        raise AlreadyDecided
    open_flags = set(flags_of(target).filter(state=Flag.State.OPEN).values_list("pk", flat=True))
    if seen_flags - open_flags:
        raise AlreadyDecided
    reported = bool(open_flags)
    if not can_decide(actor, kind, target):
        raise PermissionDenied
    if decision == Decision.HIDE and target.state != Hideable.State.HIDDEN:
        if reported:
            core.resolve(target=target, actor=actor, hide=True, reason=reason)
        else:
            kind.hide(target=target, actor=actor, reason=reason)
        tell_author(kind, pk, "hub.hidden")
    elif decision == Decision.RESTORE and target.state == Hideable.State.HIDDEN:
        kind.restore(target=target, actor=actor, reason=reason)
        if reported:
            core.resolve(target=target, actor=actor, hide=False, reason=reason)
        tell_author(kind, pk, "hub.restored")
    elif decision == Decision.RELEASE and target.state == Hideable.State.HELD and kind.release:
        kind.release(target=target, actor=actor, reason=reason)
        if reported:
            core.resolve(target=target, actor=actor, hide=False, reason=reason)
    elif decision == Decision.LEAVE and reported:
        stays_hidden = target.state == Hideable.State.HIDDEN
        asked = flags_of(target).filter(state=Flag.State.OPEN, reason=Flag.Reason.REVIEW).exists()
        core.resolve(target=target, actor=actor, hide=stays_hidden, reason=reason)
        if stays_hidden and asked:
            tell_author(kind, pk, "hub.hidden")
    else:  # not possible as it stands now: somebody else was here
        raise AlreadyDecided
    return kind.model._default_manager.get(pk=pk)


def tell_of_hiding(kind: Moderated, pk: int) -> None:
    """Reports have hidden it at once: its author hears of it as of a moderator's decision."""
    tell_author(kind, pk, "hub.hidden")


def tell_author(kind: Moderated, pk: int, mail_kind: str) -> None:
    """The author hears of it, with the reason; by a mail of the app's own where it has one ("members.profile_hidden")."""
    label, deed = kind.model._meta.label_lower, mail_kind.rpartition(".")[2]
    if any(known.key == f"{label}_{deed}" for known in mail.all_kinds()):
        return
    target = kind.model._default_manager.get(pk=pk)
    author = Member.objects.filter(pk=kind.writer_id(target)).first()
    entry = log_of(target).first()
    if author is not None and entry is not None:
        mail.queue(
            mail_kind,
            member=author,
            dedupe_key=f"{mail_kind}:{label}:{pk}:{entry.pk}",  # hidden twice is told twice
            refs={"kind": label, "id": pk, "entry": entry.pk},
        )
