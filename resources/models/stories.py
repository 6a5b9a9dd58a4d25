"""“I used this”: what became of a resource in practice."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.lookups import GreaterThanOrEqual
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models import Hideable
from kmnet.core.models.moderation import HideableQuerySet

from .resource import Resource

PARTS = ("place", "people", "changed", "happened", "again")
LONGEST = 300  # characters of a part


class StoryQuerySet(HideableQuerySet):
    def visible_to(self, user):
        """Stories of what this person meets in lists."""
        return self.shown().filter(resource__in=Resource.objects.visible_to(user).values("pk"))


def _told(name: str):
    return Case(When(**{name: ""}, then=Value(0)), default=Value(1), output_field=IntegerField())


class Story(Hideable):
    """Where, for whom, what was changed, what happened, and whether again; two of them at least.

    Without the author's name to readers: `author` is empty then, and StoryMask alone knows (as with questions, so no page
    that shows `story.author` can tell).
    """

    class Again(models.TextChoices):
        YES = "yes", _("Yes")
        CHANGED = "changed", _("Yes, with changes")
        NO = "no", _("No")

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="stories")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="stories",
        verbose_name=_("author"),
    )
    place = models.CharField(_("where"), max_length=LONGEST, blank=True)
    people = models.CharField(_("for whom"), max_length=LONGEST, blank=True)
    changed = models.CharField(_("what I changed"), max_length=LONGEST, blank=True)
    happened = models.CharField(_("what happened"), max_length=LONGEST, blank=True)
    again = models.CharField(_("would I again"), max_length=7, choices=Again, blank=True)
    did_not_work = models.BooleanField(_("it did not work"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    submit_key = models.UUIDField(null=True, blank=True, editable=False, unique=True)
    search = SearchVectorField(null=True, editable=False)

    objects = StoryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("story")
        verbose_name_plural = _("stories")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="hidden")
                | GreaterThanOrEqual(
                    _told("place") + _told("people") + _told("changed") + _told("happened") + _told("again"),
                    2,
                ),
                name="story_tells_two_things",
            )
        ]
        indexes = [
            GinIndex(fields=["search"], name="story_search"),
            models.Index(
                fields=["resource", "-created_at"], name="stories_of_resource", condition=Q(state="visible")
            ),
            models.Index(
                fields=["-created_at"],
                name="stories_that_did_not_work",
                condition=Q(state="visible", did_not_work=True),
            ),
        ]

    def __str__(self):
        return f"story {self.pk}"

    def get_absolute_url(self):
        """Its place in the list of stories about the record. Needs the record."""
        stories = reverse("resources:stories", args=[self.resource_id, self.resource.slug])
        return f"{stories}?story={self.pk}#story-{self.pk}"

    @property
    def best_line(self) -> str:
        """What stands out where there is room for one part."""
        return self.happened or self.changed or self.people or self.place

    @property
    def told(self) -> list[tuple[str, str]]:
        """(what was asked, what was answered), in the order of the form."""
        said = [(self._meta.get_field(name).verbose_name, getattr(self, name)) for name in PARTS[:-1]]
        said.append((self._meta.get_field("again").verbose_name, self.get_again_display()))
        return [(label, words) for label, words in said if words]

    @property
    def beside(self) -> str:
        """The line under the name: where and for whom, without what stands as the quotation."""
        best = self.best_line
        return ". ".join(words.rstrip(".") for words in (self.place, self.people) if words and words != best)


class StoryMask(models.Model):
    """Who told a story without their name. Read by nobody but the author's own pages and copy."""

    story = models.OneToOneField(Story, on_delete=models.CASCADE, related_name="mask")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="masked_stories"
    )

    class Meta:
        verbose_name = _("author of a story without a name")
        verbose_name_plural = _("authors of stories without a name")

    def __str__(self):
        return f"mask of story {self.story_id}"
