"""Files of records, and the words and pictures that are taken out of them."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .resource import Resource


def file_storage():
    """Where files lie: Django's default storage, local unless the settings say otherwise."""
    return storages["default"]


def stored_name(instance, filename: str) -> str:
    """A random name without an extension: nothing of what the person called the file reaches the disk."""
    name = uuid.uuid4().hex
    return f"library/{name[:2]}/{name}"


def thumbnail_name(instance, filename: str) -> str:
    name = uuid.uuid4().hex
    return f"library/pages/{name[:2]}/{name}"


OPEN_STATES = ("clean", "unscanned")  # of a file that may be given out


class ResourceFileQuerySet(models.QuerySet):
    def open_to_readers(self):
        """What may be given out: looked at by the scanner, or no scanner is there to look."""
        return self.filter(state__in=OPEN_STATES)

    def listed_for(self, user):
        """Of the files of records that this person may open, those whose names they meet: what the scanner has passed, and
        what they sent themselves. Their bytes may be for fewer people (permissions.can_open_file)."""
        own = Q(added_by=user) if user.is_authenticated else Q(pk__in=())
        return self.filter(Q(state__in=OPEN_STATES) | own)

    def of_version(self, number: int):
        """The files of one version; one that did not change belongs to several."""
        return self.annotate(since=Coalesce("since_version", "version")).filter(
            since__lte=number, version__gte=number
        )

    def abandoned(self, before):
        """Uploads kept for a form that was never finished."""
        return self.filter(resource__isnull=True, created_at__lt=before)


class ResourceFile(models.Model):
    """A file of a resource; without a resource it waits for its form to be finished.

    Nobody but who sent it meets it while it is `pending`, and nobody at all once it is `infected`. `unscanned`: it came
    while no scanner was configured.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("being checked")
        CLEAN = "clean", _("checked")
        UNSCANNED = "unscanned", _("not checked")
        INFECTED = "infected", _("refused by the scanner")

    resource = models.ForeignKey(
        Resource, null=True, blank=True, on_delete=models.CASCADE, related_name="files"
    )
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="resource_files",
        verbose_name=_("added by"),
    )
    file = models.FileField(_("file"), storage=file_storage, upload_to=stored_name, max_length=80)
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("kind"), max_length=120)
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveSmallIntegerField(_("version"), default=1)  # the newest one that it belongs to
    since_version = models.PositiveSmallIntegerField(  # the first one, where it stayed over several
        null=True, blank=True, editable=False
    )
    label = models.CharField(_("what it is"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.UNSCANNED)
    scan_tries = models.PositiveSmallIntegerField(default=0)
    scan_due_at = models.DateTimeField(null=True, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(_("what the scanner said"), max_length=200, blank=True)
    thumbnail = models.FileField(
        storage=file_storage, upload_to=thumbnail_name, max_length=80, blank=True, default=""
    )
    pages = models.PositiveIntegerField(_("pages"), null=True, blank=True)

    objects = ResourceFileQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [
            models.Index(
                fields=["created_at"],
                name="resource_files_waiting",
                condition=Q(resource__isnull=True),
            ),
            models.Index(fields=["scan_due_at"], name="resource_files_to_scan", condition=Q(state="pending")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="pending") | Q(scan_due_at__isnull=False),
                name="pending_file_will_be_scanned",
            ),
            models.CheckConstraint(
                condition=Q(since_version__isnull=True) | Q(since_version__lt=F("version")),
                name="file_stayed_over_versions",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("resources:file", args=[self.pk, self.name])

    @property
    def page_url(self) -> str:
        """Of the picture of its first page; "" while there is none."""
        return reverse("resources:file_page", args=[self.pk]) if self.thumbnail else ""

    @property
    def is_open(self) -> bool:
        """Looked at by the scanner, or no scanner is there to look."""
        return self.state in OPEN_STATES


class ResourceText(models.Model):
    """The words of a file, taken out by a process of its own, for search; and what else the file says of itself."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("read")
        EMPTY = "empty", _("holds no text")  # pictures of pages
        FAILED = "failed", _("could not be read")

    file = models.OneToOneField(ResourceFile, on_delete=models.CASCADE, related_name="text")
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    text = models.TextField(blank=True)
    title = models.CharField(_("title that the file states"), max_length=500, blank=True)
    doi = models.CharField(_("DOI found on its first pages"), max_length=255, blank=True)
    reason = models.CharField(_("why not"), max_length=200, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    search = SearchVectorField(null=True, editable=False)  # weight D

    class Meta:
        verbose_name = _("text of a file")
        verbose_name_plural = _("texts of files")
        indexes = [
            GinIndex(fields=["search"], name="resource_text_search"),
            models.Index(fields=["due_at"], name="resource_texts_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self):
        return f"text of file {self.file_id}"

    @property
    def trouble(self) -> str:
        """For whoever looks after the record: what is wrong with the file; "" where nothing is."""
        if self.state != self.State.FAILED:
            return ""
        return str(
            _TROUBLES.get(self.reason, _("Its words cannot be searched; readers can open it all the same."))
        )


_TROUBLES = {
    "password": _("It wants a password, so readers cannot open it. Save it without one."),
    "damaged": _("It looks damaged. Try whether you can open it."),
}
