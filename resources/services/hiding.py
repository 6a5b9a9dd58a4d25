"""Out of sight and back, for what a moderator judges as a whole: stories and collections."""

from django.utils import timezone

from kmnet.core import audit
from kmnet.core.models import Hideable

FIELDS = ["state", "hidden_at", "hidden_by", "hidden_reason"]


def put_out_of_sight(row: Hideable, *, actor, reason: str, verb: str) -> None:
    """Hide a row that the caller has locked and may hide. Logged under this verb; twice changes and logs nothing."""
    if row.state == Hideable.State.HIDDEN:
        return
    row.state = Hideable.State.HIDDEN
    row.hidden_at, row.hidden_by, row.hidden_reason = timezone.now(), actor, reason
    row.save(update_fields=FIELDS)
    audit.record_act(actor=actor, verb=verb, target=row, reason=reason)


def put_back(row: Hideable, *, actor, reason: str, verb: str) -> None:
    """Show it again, as it was; the same rules."""
    if row.state == Hideable.State.VISIBLE:
        return
    row.state = Hideable.State.VISIBLE
    row.hidden_at, row.hidden_by, row.hidden_reason = None, None, ""
    row.save(update_fields=FIELDS)
    audit.record_act(actor=actor, verb=verb, target=row, reason=reason)
