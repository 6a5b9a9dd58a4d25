"""Looking after the library: what was changed, taken down, handed on and brought in; how much it is used."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.one_row import OneRow, between

from .resource import Resource

CACHE_KEY = "library-settings"


class LibrarySettings(OneRow):
    """The one row of what admins decide about the library."""

    cache_key = CACHE_KEY

    reviewed_first = models.PositiveSmallIntegerField(
        _("resources of a new member that a moderator looks at first"),
        default=1,
        validators=between(0, 10),
        help_text=_("Until then only who added them and the moderators see them. 0: none."),
    )
    files_mb_per_member = models.PositiveIntegerField(
        _("megabytes of files that one member may keep here"), default=500, validators=between(1, 100_000)
    )
    files_gb_in_all = models.PositiveIntegerField(
        _("gigabytes of files in all"), default=50, validators=between(1, 10_000)
    )
    resources_per_day = models.PositiveSmallIntegerField(
        _("resources that a member may add in a day"),
        default=60,
        validators=between(1, 1000),
        help_text=_("An import counts as one."),
    )
    checks_links = models.BooleanField(_("links are checked"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("settings of the library")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="only_one_settings_of_the_library")]

    def __str__(self):
        return str(_("Library"))


class ResourceEdit(models.Model):
    """What a record said before somebody changed it."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="edits")
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField()  # only what was changed, by the names of the form
    note = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("change of a resource")
        verbose_name_plural = _("changes of resources")
        indexes = [models.Index(fields=["resource", "-at"], name="edits_of_resource")]

    def __str__(self):
        return f"change of resource {self.resource_id}"


class Tombstone(models.Model):
    """What stands where a record was taken down: why, and how it was cited. Its files are gone."""

    class Reason(models.TextChoices):
        COPYRIGHT = "copyright", _("whoever holds the rights asked for it")
        PERSONAL = "personal-data", _("it held data about people")
        RETRACTED = "retracted", _("its publisher has withdrawn it")
        HARM = "harm", _("acting on it could do harm")
        SPAM = "spam", _("it was advertising")
        WISH = "wish", _("who added it asked for it")
        LAW = "law", _("the law asks for it")
        OTHER = "other", _("another reason")

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, related_name="tombstone")
    reason = models.CharField(_("reason"), max_length=14, choices=Reason)
    note = models.CharField(_("in a sentence, for everybody"), max_length=300, blank=True)
    citation = models.TextField(_("citation"), blank=True)  # empty where the words themselves had to go
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")

    def __str__(self):
        return f"tombstone of resource {self.resource_id}"


class HandOver(models.Model):
    """Somebody is asked to look after a record from now on."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="hand_overs")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resources_offered"
    )
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(null=True)

    class Meta:
        verbose_name = _("handing on")
        verbose_name_plural = _("handings on")
        constraints = [
            models.UniqueConstraint(
                fields=["resource"], condition=Q(answered_at__isnull=True), name="one_open_hand_over"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, accepted__isnull=True)
                | Q(answered_at__isnull=False, accepted__isnull=False),
                name="answered_hand_over_says_what",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True) | ~Q(asked_by=F("asked")), name="handed_to_another_member"
            ),
        ]

    def __str__(self):
        return f"handing on of resource {self.resource_id}"


class ImportBatch(models.Model):
    """A file of references, read and shown before anything is put into the library; the rows as they were read.

    rows: [{"item": CSL-JSON, "line": 1, "problems": [...], "like": [{"id": 5, "because": "doi"}], "tags": [...],
    "description": ""}, ...]. Rows and file name are forgotten a day after the batch was saved or given up.
    """

    class State(models.TextChoices):
        READING = "reading", _("being read")
        READY = "ready", _("to be looked at")
        SAVING = "saving", _("being saved")
        SAVED = "saved", _("saved")
        FAILED = "failed", _("not saved")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="import_batches"
    )
    file_name = models.CharField(_("file"), max_length=120)
    form = models.CharField(_("format"), max_length=8)  # bib, ris, json, csv
    source = models.TextField(blank=True)  # the file's text, until it is read
    rows = models.JSONField(default=list, blank=True)
    chosen = models.JSONField(default=dict, blank=True)  # what was answered in the preview
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.READING)
    reason = models.CharField(max_length=300, blank=True)
    made = models.PositiveIntegerField(_("resources made"), default=0)
    tries = models.PositiveSmallIntegerField(_("tries to save it"), default=0, db_default=0, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)  # of the next try
    created_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["member", "-created_at"], name="imports_of_member")]

    def __str__(self):
        return self.file_name


class UsageEvent(models.Model):
    """Somebody read or downloaded something; gone after seven days. `visitor` cannot be told back into a person: its salt
    is thrown away each day."""

    class Kind(models.TextChoices):
        READ = "read", _("read")
        DOWNLOAD = "download", _("downloaded")

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    kind = models.CharField(max_length=8, choices=Kind)
    visitor = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("use, as it came")
        verbose_name_plural = _("uses, as they came")
        indexes = [models.Index(fields=["at"], name="usage_by_time")]

    def __str__(self):
        return f"{self.kind} of resource {self.resource_id}"


class UsageDay(models.Model):
    """How many people read or downloaded a record on a day (UTC)."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="usage_days")
    kind = models.CharField(max_length=8, choices=UsageEvent.Kind)
    day = models.DateField()
    people = models.PositiveIntegerField()
    times = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("use on a day")
        verbose_name_plural = _("uses on days")
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "kind", "day"], name="one_count_per_resource_and_day"
            ),
            models.CheckConstraint(condition=Q(times__gte=F("people")), name="each_person_at_least_once"),
        ]

    def __str__(self):
        return f"resource {self.resource_id} on {self.day}"


class ResourceUse(models.Model):
    """The sums, for pages: people who read, downloaded, saved and used a record. Written by a job, never by a reader."""

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, related_name="use")
    read = models.PositiveIntegerField(default=0)
    downloaded = models.PositiveIntegerField(default=0)
    used = models.PositiveIntegerField(default=0)  # members who told a story or said so
    saved = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("use of a resource")
        verbose_name_plural = _("uses of resources")

    def __str__(self):
        return f"use of resource {self.resource_id}"


class UsedMark(models.Model):
    """“I used this”, by one tap and without a story. Nobody sees who, only how many."""

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="used_marks")
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="used_marks")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("used")
        verbose_name_plural = _("used")
        constraints = [
            models.UniqueConstraint(fields=["member", "resource"], name="one_used_mark_per_member")
        ]

    def __str__(self):
        return f"resource {self.resource_id} used"
