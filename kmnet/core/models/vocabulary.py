"""The words of the field: nine facets of terms, and the synonyms that search expands."""

from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _


class Facet(models.Model):
    """One way to sort things: role, audience, stage, ..."""

    class Kind(models.TextChoices):
        MEMBER = "member", _("members")
        THREAD = "thread", _("threads")
        EVENT = "event", _("events")
        RESOURCE = "resource", _("resources")

    key = models.SlugField(_("key"), max_length=40, unique=True)
    label = models.CharField(_("label"), max_length=60)
    applies_to = ArrayField(models.CharField(max_length=10, choices=Kind), verbose_name=_("used for"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("facet")
        verbose_name_plural = _("facets")

    def __str__(self):
        return self.label


class TermQuerySet(models.QuerySet):
    def current(self):
        """Terms that may be chosen now; retired ones stay on what already has them."""
        return self.filter(retired_at__isnull=True)


class Term(models.Model):
    """A word of a facet. Retired when no longer wanted, never deleted while used."""

    facet = models.ForeignKey(Facet, on_delete=models.PROTECT, related_name="terms", verbose_name=_("facet"))
    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("slug"), max_length=90)
    definition = models.CharField(_("definition in one line"), max_length=240, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    objects = TermQuerySet.as_manager()

    class Meta:
        ordering = ["facet__position", "position", "pk"]
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        constraints = [
            models.UniqueConstraint(fields=["facet", "slug"], name="one_term_per_facet_and_slug"),
            models.UniqueConstraint("facet", Lower("name"), name="one_term_per_facet_and_name"),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        if not self.slug:
            self.slug = slugify(self.name)[:90]
        super().save(*args, **kwargs)
        cache.delete("vocabulary")


class SynonymGroup(models.Model):
    """Words that mean the same here; searching for one finds all."""

    note = models.CharField(_("note"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("synonyms")
        verbose_name_plural = _("synonyms")

    def __str__(self):
        return self.note or f"synonyms {self.pk}"


class Synonym(models.Model):
    """One spelling in a group."""

    group = models.ForeignKey(SynonymGroup, on_delete=models.CASCADE, related_name="words")
    word = models.CharField(_("word or phrase"), max_length=80)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("synonym")
        verbose_name_plural = _("synonyms")
        constraints = [
            models.UniqueConstraint(Lower("word"), name="one_group_per_word"),
            models.CheckConstraint(condition=~Q(word=""), name="synonym_is_a_word"),
        ]

    def __str__(self):
        return self.word

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        cache.delete("vocabulary")

    def delete(self, *args, **kwargs):
        gone = super().delete(*args, **kwargs)
        cache.delete("vocabulary")
        return gone
