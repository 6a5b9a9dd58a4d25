"""The append-only log of what was done to other people's things: who, what, when, why."""

from django.contrib.contenttypes.models import ContentType
from django.db import models

from .models import AuditEntry


def record_act(
    *, actor, verb: str, target: models.Model | None = None, reason: str = "", data: dict | None = None
) -> AuditEntry:
    """Write one entry, in the transaction of the act itself. `verb` reads like "discussions.post_hidden"."""
    return AuditEntry.objects.create(
        actor=actor,
        verb=verb,
        target_type=ContentType.objects.get_for_model(target) if target else None,
        target_id=target.pk if target else None,
        reason=reason,
        data=data or {},
    )
