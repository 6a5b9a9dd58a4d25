from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.models import Group, GroupMember, Standing, groups_read_by
from members.permissions import can_moderate, can_write, is_full_member

from .reading import Level

RESERVED = {
    *("bookmarks", "helped"),
    *("ask", "complete", "drafts", "feed", "files", "groups", "new", "posts", "preview", "read", "similar"),
    "threads",
}


def check_space_slug(value: str) -> None:
    """An address of a space must not be an address of ours."""
    if value in RESERVED:
        raise ValidationError(_("“%(value)s” is an address of the site itself."), params={"value": value})


class Readers(models.TextChoices):
    PUBLIC = "public", _("everybody, without an account")
    MEMBERS = "members", _("members")
    GROUP = "group", _("a group")
    PEOPLE = "people", _("those who take part")  # the one space that private conversations stand in


class MayStart(models.TextChoices):
    MEMBERS = "members", _("members")
    HOSTS = "hosts", _("hosts and moderators")


def readable_rule(user, prefix: str = "") -> Q:
    """Which spaces this person may read, as a condition: on spaces, or with a prefix on what hangs on them.

    A group's space is read by those in the group, and by nobody else: moderators get what was reported, at their desk.
    The space of private conversations is nobody's to read: who takes part in one is asked for each of them.
    """
    if not is_full_member(user):
        return Q(**{f"{prefix}readable_by": Readers.PUBLIC})
    open_to_members = Q(**{f"{prefix}readable_by__in": (Readers.PUBLIC, Readers.MEMBERS)})
    return open_to_members | Q(**{f"{prefix}group__in": groups_read_by(user)})


class SpaceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The same rule as permissions.can_read_space."""
        return self.filter(readable_rule(user))

    def open_to(self, user):
        """Where this person may begin a thread; the same rule as permissions.can_start_thread."""
        if not can_write(user):
            return self.none()
        spaces = self.exclude(readable_by=Readers.PEOPLE)
        mine = GroupMember.objects.in_it().filter(member=user.pk)
        leads = mine.filter(standing=Standing.CONVENOR)
        everybody, hosts = Q(may_start=MayStart.MEMBERS), Q(may_start=MayStart.HOSTS)
        rule = everybody & (Q(group__isnull=True) | Q(group__in=mine.values("group")))
        rule |= hosts & Q(group__in=leads.values("group"))
        if user.is_host or can_moderate(user):
            rule |= Q(group__isnull=True)
        return spaces.filter(rule)


class Space(models.Model):
    """An area of discussion."""

    slug = models.SlugField(_("address"), max_length=40, unique=True, validators=[check_space_slug])
    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True)
    icon = models.CharField(_("icon"), max_length=30, default="talk", help_text=_("A name from icons.svg."))
    readable_by = models.CharField(_("who may read"), max_length=8, choices=Readers, default=Readers.MEMBERS)
    group = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="spaces", verbose_name=_("group")
    )
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
    default_level = models.CharField(
        _("usual level of being told"),
        max_length=8,
        choices=Level,
        default=Level.NORMAL,
        help_text=_("For members who have chosen none."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    thread_count = models.PositiveIntegerField(default=0, editable=False)

    objects = SpaceQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("space")
        verbose_name_plural = _("spaces")
        constraints = [
            models.CheckConstraint(
                condition=Q(readable_by="group", group__isnull=False)
                | (~Q(readable_by="group") & Q(group__isnull=True)),
                name="space_of_a_group_names_it",
            ),
            models.UniqueConstraint(
                fields=["readable_by"], condition=Q(readable_by="people"), name="one_space_of_conversations"
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("discussions:space", args=[self.slug])

    @property
    def is_public(self) -> bool:
        return self.readable_by == Readers.PUBLIC
