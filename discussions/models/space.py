from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.permissions import is_full_member

RESERVED = {"ask", "posts", "preview", "read", "threads", "new", "feed"}


def check_space_slug(value: str) -> None:
    """An address of a space must not be an address of ours."""
    if value in RESERVED:
        raise ValidationError(_("“%(value)s” is an address of the site itself."), params={"value": value})


class Readers(models.TextChoices):
    PUBLIC = "public", _("everybody, without an account")
    MEMBERS = "members", _("members")


class MayStart(models.TextChoices):
    MEMBERS = "members", _("members")
    HOSTS = "hosts", _("hosts and moderators")


class SpaceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The same rule as permissions.can_read_space."""
        return self if is_full_member(user) else self.filter(readable_by=Readers.PUBLIC)


class Space(models.Model):
    """An area of discussion."""

    slug = models.SlugField(_("address"), max_length=40, unique=True, validators=[check_space_slug])
    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True)
    icon = models.CharField(_("icon"), max_length=30, default="talk", help_text=_("A name from icons.svg."))
    readable_by = models.CharField(_("who may read"), max_length=8, choices=Readers, default=Readers.MEMBERS)
    may_start = models.CharField(
        _("who may start a thread"), max_length=8, choices=MayStart, default=MayStart.MEMBERS
    )
    first_kind = models.CharField(
        _("usual kind of thread"),
        max_length=12,
        choices=[
            ("discussion", _("discussion")),
            ("question", _("question")),
            ("introduction", _("introduction")),
        ],
        default="discussion",
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    thread_count = models.PositiveIntegerField(default=0, editable=False)

    objects = SpaceQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("space")
        verbose_name_plural = _("spaces")

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("discussions:space", args=[self.slug])

    @property
    def is_public(self) -> bool:
        return self.readable_by == Readers.PUBLIC
