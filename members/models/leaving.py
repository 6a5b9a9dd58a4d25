"""Taking one's data along, and leaving."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from .member import Status

EXPORT_LASTS = timedelta(days=7)
GRACE = timedelta(days=14)


def export_storage():
    """Where copies lie: Django's default storage; never served but through the page that asks whose it is."""
    return storages["default"]


def export_name() -> str:
    """Random, and fixed when the copy is asked for: a second try overwrites what a killed one left behind."""
    name = uuid.uuid4().hex
    return f"exports/{name[:2]}/{name}.zip"


class DataExportQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(state=DataExport.State.WAITING)

    def open_to(self, member, now):
        """What this member may take: ready and not run out."""
        return self.filter(member=member, state=DataExport.State.READY, expires_at__gt=now)


class DataExport(models.Model):
    """A copy of everything that is held about a member, asked for by them and for them only."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("could not be made")

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="data_exports")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)
    expires_at = models.DateTimeField(_("can be taken until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    stored_name = models.CharField(max_length=80, unique=True, default=export_name, editable=False)
    size = models.PositiveBigIntegerField(_("size"), default=0)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("copy of a member’s data")
        verbose_name_plural = _("copies of members’ data")
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(state="waiting"), name="one_copy_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(ready_at__isnull=False, expires_at__isnull=False),
                name="ready_copy_runs_out",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="copies_run_out")]

    def __str__(self):
        return f"copy {self.pk}"


class Leaving(models.Model):
    """A member who has asked for the account to be deleted; until `due_at` it can be undone."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="leaving")
    keep_words = models.BooleanField(_("what they wrote stays, unsigned"))
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    due_at = models.DateTimeField(_("deleted on"))
    status_before = models.CharField(max_length=10, choices=Status)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )  # an admin, where the member could not do it themselves
    reminded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("member who leaves")
        verbose_name_plural = _("members who leave")
        indexes = [models.Index(fields=["due_at"], name="leaving_due")]

    def __str__(self):
        return f"leaving {self.pk}"


class Dormancy(models.Model):
    """Somebody who has not been here for very long, and has been told so; see members.retention."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="dormancy")
    first_mail_at = models.DateTimeField(_("first mail"), default=timezone.now)
    second_mail_at = models.DateTimeField(_("second mail"), null=True, blank=True)

    class Meta:
        verbose_name = _("dormant account")
        verbose_name_plural = _("dormant accounts")

    def __str__(self):
        return f"dormancy {self.pk}"


class Erasure(models.Model):
    """An account that was deleted: its number, which leads nowhere, and when. For replaying after a backup is restored."""

    member_id = models.BigIntegerField(_("number of the account"), unique=True)
    keep_words = models.BooleanField(_("what they wrote stays, unsigned"))
    erased_at = models.DateTimeField(_("deleted"), default=timezone.now)

    class Meta:
        verbose_name = _("deleted account")
        verbose_name_plural = _("deleted accounts")

    def __str__(self):
        return f"erasure {self.pk}"


class SpentHandle(models.Model):
    """A handle of a deleted account, as a keyed hash: nobody else may take it, and nobody can read it."""

    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("handle of a deleted account")
        verbose_name_plural = _("handles of deleted accounts")

    def __str__(self):
        return f"spent handle {self.pk}"

    @staticmethod
    def digests_of(handle: str) -> list[str]:
        """Under each key that the site has or had; the first is the one to store."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return [
            salted_hmac("members.spent_handle", handle.lower(), secret=key, algorithm="sha256").hexdigest()
            for key in keys
        ]
