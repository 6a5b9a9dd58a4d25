"""What others answered when they were asked about a DOI or a link."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DoiRecord(models.Model):
    """What the agencies said about a DOI, asked once; the answer is kept as it came."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        FOUND = "found", _("found")
        UNKNOWN = "unknown", _("no such DOI")
        FAILED = "failed", _("no answer")

    doi = models.CharField(max_length=255, unique=True)  # in lower case
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    raw = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("answer about a DOI")
        verbose_name_plural = _("answers about DOIs")
        constraints = [models.CheckConstraint(condition=Q(doi=Lower("doi")), name="doi_record_in_lower_case")]

    def __str__(self):
        return self.doi


class LinkRecord(models.Model):
    """What a page says of itself: its title, and what it states for reference managers. Asked once."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        FOUND = "found", _("found")
        REFUSED = "refused", _("not a public address")
        FAILED = "failed", _("no answer")

    url_key = models.CharField(max_length=64, unique=True)
    url = models.CharField(max_length=2000)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    item = models.JSONField(null=True, blank=True)  # CSL-JSON, as far as the page states it
    reason = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("answer about a link")
        verbose_name_plural = _("answers about links")

    def __str__(self):
        return self.url


class LinkCheck(models.Model):
    """Whether an address still answers. One row per address, however many records give it."""

    class State(models.TextChoices):
        NEW = "new", _("not checked yet")
        OK = "ok", _("answers")
        UNSURE = "unsure", _("does not let us look")  # 401, 403, 429
        FAILING = "failing", _("did not answer lately")
        BROKEN = "broken", _("broken")

    url_key = models.CharField(max_length=64, unique=True)
    url = models.CharField(_("link"), max_length=2000)
    host = models.CharField(_("site"), max_length=253)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.NEW)
    status = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    reason = models.CharField(_("what was wrong"), max_length=200, blank=True)
    moved_to = models.CharField(_("where it leads for good"), max_length=2000, blank=True)
    by_get = models.BooleanField(_("asked for its first bytes"), default=False)  # it knows no HEAD
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    due_at = models.DateTimeField(_("to be checked"), default=timezone.now)
    told_at = models.DateTimeField(_("told to those who look after it"), null=True, blank=True)

    class Meta:
        verbose_name = _("check of a link")
        verbose_name_plural = _("checks of links")
        indexes = [
            models.Index(fields=["due_at"], name="link_checks_due"),
            models.Index(fields=["host", "checked_at"], name="link_checks_of_host"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="broken") | Q(failures__gte=3), name="broken_after_three_failures"
            )
        ]

    def __str__(self):
        return self.url


class LibraryWord(models.Model):
    """A word of the titles, names, tags and terms that members see, folded: what a mistyped one may have meant.

    Made anew by a job. No group's words are in it, and none is offered to somebody for whom it finds nothing."""

    word = models.CharField(max_length=40, unique=True)
    number = models.PositiveIntegerField(default=1)  # of records

    class Meta:
        verbose_name = _("word of the library")
        verbose_name_plural = _("words of the library")
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="library_word_trgm")]

    def __str__(self):
        return self.word
