"""Bringing in a list of references: read and shown first, then saved as it was chosen, all of it or nothing.

What must never be false: nothing is in the library before its sender has said so; a batch is saved at most once, whatever
is pressed twice, killed or run again (its state changes in the transaction that makes the records); nobody but its sender
meets it. What goes wrong while it is saved is tried again by itself; who gives up tells the sender.
"""

import hashlib
import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kmnet.core import activity, jobs
from kmnet.core.tasks import enqueue
from kmnet.core.uploads import clean_name
from members.models import Group, Member, is_in_group

from .. import formats, tasks
from ..licences import BY_KEY
from ..matching import find_many
from ..models import ImportBatch, LibrarySettings, Resource, Visibility
from ..permissions import can_add_resource
from ..storable import storable
from .bulk import add_many
from .importing import Filing

logger = logging.getLogger(__name__)
State = ImportBatch.State
OPEN_AT_ONCE = 5  # batches of one member that are not saved
TAKES_OVER = timedelta(minutes=2)  # a worker that was killed is given up after this
GIVES_UP = timedelta(minutes=15)
MAX_TRIES = 2
SAVING_TRIES = 4
SAVING_TAKES = timedelta(
    minutes=6
)  # at most, before another worker may take over; the task is ended a little earlier
AGAIN_AFTER = (timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=10))
FORGOTTEN_AFTER = timedelta(days=1)  # the rows, once saved or given up
OPEN_FOR = timedelta(days=7)  # a batch that nobody decides about


class TooManyBatches(ValidationError):
    """The member has several open already."""


@transaction.atomic
def begin_batch(*, actor: Member, name: str, data: bytes) -> ImportBatch:
    """Keep a file of references, to be read in a task. Raises formats.NotReadable (words for the sender), TooManyBatches.
    Locks the member's row."""
    if not can_add_resource(actor):
        raise PermissionDenied
    text = formats.text_of(data)
    form = formats.form_of(name, text)
    if not form:
        raise formats.NotReadable(_("This is no file of references that we can read."))
    Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if (
        ImportBatch.objects.filter(member=actor).exclude(state__in=(State.SAVED, State.FAILED)).count()
        >= OPEN_AT_ONCE
    ):
        raise TooManyBatches(_("Finish or give up one of your other lists first."))
    batch = ImportBatch.objects.create(member=actor, file_name=clean_name(name), form=form, source=text)
    enqueue(tasks.read_batch, batch_id=batch.pk)
    return batch


def read_batch(*, batch_id: int) -> None:
    """Read the file and compare it with the library; outside any transaction, and one worker at a time."""
    batch = _claim_reading(batch_id)
    if batch is None:
        return
    rows, reason = [], ""
    try:
        found = formats.read(batch.form, batch.source)
        likenesses = find_many(
            viewer=batch.member,
            items=[row.item for row in found],
            progress=lambda done: tell_progress(batch_id, done, len(found)),
        )
        for row, like in zip(found, likenesses, strict=True):
            extra = {key: value for key, value in row.extra.items() if key != "key"}
            told = {"item": row.item, "line": row.line, "problems": row.problems, "like": like, **extra}
            rows.append(storable(told))
    except formats.NotReadable as error:
        rows, reason = [], str(error)
    except Exception:  # a file that breaks its reader stands in nobody's way
        logger.exception("list %s could not be read", batch_id)
        rows = []
        reason = _("It could not be read. Export it anew from where it comes, or try another format.")
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
        if batch.state != State.READING:
            return
        batch.rows, batch.source, batch.reason = rows, "", reason[:300]
        batch.state = State.FAILED if reason else State.READY
        batch.save(update_fields=["rows", "source", "reason", "state"])


@transaction.atomic
def _claim_reading(batch_id: int) -> ImportBatch | None:
    """Who is about to read writes down first that they try: a file that kills workers is given up after a few."""
    batch = (
        ImportBatch.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("member")
        .filter(pk=batch_id, state=State.READING)
        .first()
    )
    if batch is None or not cache.add(f"import-reading:{batch_id}", 1, int(TAKES_OVER.total_seconds())):
        return None
    tries = batch.chosen.get("tries", 0)
    if tries >= MAX_TRIES:
        batch.state, batch.source = State.FAILED, ""
        batch.reason = _("It could not be read. Export it anew from where it comes, or try another format.")
        batch.save(update_fields=["state", "source", "reason"])
        return None
    batch.chosen = {**batch.chosen, "tries": tries + 1}
    batch.save(update_fields=["chosen"])
    return batch


def is_taken(row: dict, number: int, chosen: dict) -> bool:
    """Will this row be saved? What can be, and is not here yet; or as its sender has decided."""
    if not row["item"]:
        return False
    return chosen.get("taken", {}).get(str(number), not row["like"])


@transaction.atomic
def decide(*, actor: Member, batch: ImportBatch, numbers: list[int], taken: set[int]) -> ImportBatch:
    """Of these rows the sender wants those that are in `taken`. Locks the batch."""
    batch = _mine(actor, batch)
    if batch.state == State.READY:
        decided = dict(batch.chosen.get("taken", {}))
        for number in numbers:
            if 0 <= number < len(batch.rows):
                decided[str(number)] = number in taken
        batch.chosen = {**batch.chosen, "taken": decided}
        batch.save(update_fields=["chosen"])
    return batch


@transaction.atomic
def decide_all(*, actor: Member, batch: ImportBatch, also_known: bool) -> ImportBatch:
    """Take every row that can be taken; those that are here already only with `also_known`. Locks the batch."""
    batch = _mine(actor, batch)
    if batch.state == State.READY:
        known = [str(number) for number, row in enumerate(batch.rows) if row["like"]]
        batch.chosen = {**batch.chosen, "taken": dict.fromkeys(known, True) if also_known else {}}
        batch.save(update_fields=["chosen"])
    return batch


@transaction.atomic
def note_settings(*, actor: Member, batch: ImportBatch, typed: dict) -> None:
    """What was typed about all rows, kept while the sender goes through them. Locks the batch."""
    batch = _mine(actor, batch)
    if batch.state == State.READY:
        batch.chosen = {**batch.chosen, "typed": storable(typed)}
        batch.save(update_fields=["chosen"])


@transaction.atomic
def save_batch(
    *, actor: Member, batch: ImportBatch, visibility: str, group: Group | None, licence: str, tags: list[str]
) -> ImportBatch:
    """Have the chosen rows saved, in a task; pressed twice it is one. Raises ValidationError where no row is chosen, or the
    day's number is reached. Locks the member's row and the batch."""
    Member.objects.select_for_update(no_key=True).get(pk=actor.pk)
    batch = _mine(actor, batch)
    if batch.state != State.READY:
        return batch
    _check_audience(actor, visibility, group)
    if not any(is_taken(row, number, batch.chosen) for number, row in enumerate(batch.rows)):
        raise ValidationError(_("Choose at least one row."), code="none")
    if added_today(actor) >= LibrarySettings.load().resources_per_day:
        raise ValidationError(
            _("That is enough for one day. Your list waits here until tomorrow."), code="day"
        )
    if licence not in BY_KEY:
        raise ValidationError(_("Choose a licence."), code="licence")
    batch.chosen = {
        **batch.chosen,
        "visibility": Visibility.GROUP if group else visibility,
        "group": group.pk if group else None,
        "licence": licence,
        "tags": tags,
    }
    batch.state, batch.reason, batch.saved_at = State.SAVING, "", timezone.now()
    batch.tries, batch.due_at = 0, batch.saved_at
    batch.save(update_fields=["chosen", "state", "reason", "saved_at", "tries", "due_at"])
    enqueue(tasks.carry_out_batch, batch_id=batch.pk)
    return batch


def carry_out_batch(*, batch_id: int) -> None:
    """Save what was chosen, if it is due; the state changes in the same transaction. Any number of workers may call it at
    once, and as often as they like: what failed is due again later, SAVING_TRIES times in all."""
    tries = _claim_saving(batch_id)
    if not tries:
        return
    try:
        with transaction.atomic():
            batch = (
                ImportBatch.objects.select_for_update(of=("self",))
                .select_related("member")
                .filter(pk=batch_id, state=State.SAVING, tries=tries)
                .first()
            )
            if batch is not None:  # else another worker took over, after a pause that ended ours
                _carry_out(batch)
    except PermissionDenied:
        words = _(
            "Nothing was saved: you may not add for the people whom you chose. Choose again who may see them."
        )
        _give_back(batch_id, tries, words)
    except Exception:
        logger.exception("list %s could not be saved, try %s", batch_id, tries)
        if tries < SAVING_TRIES:
            mine = ImportBatch.objects.filter(pk=batch_id, state=State.SAVING, tries=tries)
            mine.update(due_at=timezone.now() + AGAIN_AFTER[tries - 1])
        else:
            _give_back(batch_id, tries, GAVE_UP)


GAVE_UP = gettext_lazy(
    "Nothing was saved, although we tried several times. If it fails again, take some rows out, or tell the people who run "
    "this site."
)


@transaction.atomic
def _claim_saving(batch_id: int) -> int:
    """Whose turn it is writes down first that they try, and until when they may take; which try it is, 0 for none. So a
    list that kills its workers is given up, too."""
    now = timezone.now()
    batch = due_batches(now).select_for_update(skip_locked=True).filter(pk=batch_id).first()
    if batch is None:
        return 0
    if batch.tries >= SAVING_TRIES:
        _give_back(batch_id, batch.tries, GAVE_UP)
        return 0
    batch.tries, batch.due_at = batch.tries + 1, now + SAVING_TAKES
    batch.save(update_fields=["tries", "due_at"])
    return batch.tries


def due_batches(now: datetime) -> QuerySet[ImportBatch]:
    """Lists to be saved whose turn it is."""
    return ImportBatch.objects.filter(state=State.SAVING).exclude(due_at__gt=now)


def _carry_out(batch: ImportBatch) -> None:
    chosen, member = batch.chosen, batch.member
    group = Group.objects.filter(pk=chosen["group"]).first() if chosen.get("group") else None
    if not can_add_resource(member):
        raise PermissionDenied
    _check_audience(member, chosen["visibility"], group)
    rows = [(number, row) for number, row in enumerate(batch.rows) if is_taken(row, number, chosen)]
    filing = Filing()
    details = [
        filing.details(
            row["item"],
            row,
            visibility=chosen["visibility"],
            group=group,
            licence=chosen["licence"],
            tags=chosen["tags"],
        )[0]
        for _number, row in rows
    ]
    made = add_many(
        actor=member,
        details=details,
        import_keys=[_key(batch, number) for number, _row in rows],
        progress=lambda done: tell_progress(batch.pk, done, len(rows)),
    )
    batch.state, batch.made, batch.saved_at, batch.due_at = State.SAVED, len(made), timezone.now(), None
    batch.chosen = {**chosen, "held": bool(made) and made[0].state == Resource.State.HELD}
    batch.save(update_fields=["state", "made", "saved_at", "due_at", "chosen"])


def _key(batch: ImportBatch, number: int) -> str:
    return hashlib.sha256(f"list {batch.pk} row {number}".encode()).hexdigest()


@transaction.atomic
def _give_back(batch_id: int, tries: int, words: str) -> None:
    """Nothing was saved; the sender is told, and may try again."""
    mine = ImportBatch.objects.filter(pk=batch_id, state=State.SAVING, tries=tries)
    if mine.update(state=State.READY, reason=words, saved_at=None, due_at=None):
        activity.record("resources.list_not_saved", actor=None, target=ImportBatch.objects.get(pk=batch_id))


@transaction.atomic
def give_up(*, actor: Member, batch: ImportBatch) -> None:
    """The sender does not want it; what was not saved is forgotten at once. Locks the batch."""
    batch = _mine(actor, batch)
    if batch.state != State.SAVING:
        batch.delete()


def added_today(member: Member) -> int:
    """What this member put into the library within a day; a list counts as one."""
    since = timezone.now() - timedelta(days=1)
    alone = Resource.objects.filter(added_by=member, created_at__gt=since, import_key__isnull=True).count()
    lists = ImportBatch.objects.filter(
        member=member, saved_at__gt=since, state__in=(State.SAVING, State.SAVED)
    )
    return alone + lists.count()


def _mine(actor: Member, batch: ImportBatch) -> ImportBatch:
    if not can_add_resource(actor):
        raise PermissionDenied
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.member_id != actor.pk:
        raise PermissionDenied
    return batch


def _check_audience(actor: Member, visibility: str, group: Group | None) -> None:
    if visibility == Visibility.GROUP or group is not None:
        if group is None or not is_in_group(actor, group.pk):
            raise PermissionDenied
    elif visibility not in (Visibility.PUBLIC, Visibility.MEMBERS):
        raise PermissionDenied


# --- how it stands -------------------------------------------------------------------------------------------------------
def tell_progress(batch_id: int, done: int, of: int) -> None:
    cache.set(f"import-progress:{batch_id}", (min(done, of), of), 600)


def progress_of(batch: ImportBatch) -> tuple[int, int] | None:
    """(rows done, rows in all), where that is known."""
    return cache.get(f"import-progress:{batch.pk}")


def sweep_batches() -> int:
    """Take up what a killed worker left, and forget what is not needed any more; return how many batches."""
    now = timezone.now()
    left = ImportBatch.objects.filter(state=State.READING, created_at__lte=now - TAKES_OVER)
    served = left.filter(created_at__lte=now - GIVES_UP).update(
        state=State.FAILED, source="", reason=_("It could not be read in time. Try a smaller file.")
    )
    for pk in left.values_list("pk", flat=True)[:20]:
        served += jobs.attempt(f"list {pk}", lambda pk=pk: read_batch(batch_id=pk))
    for pk in due_batches(now).order_by("due_at", "pk").values_list("pk", flat=True)[:20]:
        carry_out_batch(batch_id=pk)
        served += 1
    old = ImportBatch.objects.filter(state__in=(State.SAVED, State.FAILED)).exclude(rows=[], file_name="")
    served += jobs.serve(old.filter(created_at__lte=now - FORGOTTEN_AFTER).order_by("pk"), _forget)
    waiting = ImportBatch.objects.filter(state=State.READY, created_at__lte=now - OPEN_FOR).order_by("pk")
    return served + jobs.serve(waiting, lambda batch: batch.delete() and None)


def _forget(batch: ImportBatch) -> None:
    """The references and the file's name; that somebody brought in so many stays."""
    batch.rows, batch.source, batch.file_name = [], "", ""
    batch.chosen = {"held": batch.chosen.get("held", False)}
    batch.save(update_fields=["rows", "source", "file_name", "chosen"])
