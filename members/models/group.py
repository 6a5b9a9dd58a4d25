"""Groups: what "my groups" means wherever somebody chooses who may see something."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

RESERVED = {"new", "invitations"}  # addresses of ours under /groups/


class Joining(models.TextChoices):
    OPEN = "open", _("Any member may join")
    REQUEST = "request", _("Members ask to join")
    INVITATION = "invitation", _("By invitation")


class Standing(models.TextChoices):
    """Where somebody stands with a group. Only MEMBER and CONVENOR are in it."""

    REQUESTED = "requested", _("asked to join")
    INVITED = "invited", _("invited")
    MEMBER = "member", _("member")
    CONVENOR = "convenor", _("convenor")


IN_IT = (Standing.MEMBER, Standing.CONVENOR)


class Group(models.Model):
    """Members who belong together: a network, a team, an action learning set. It may be the audience of things."""

    slug = models.SlugField(_("address"), max_length=60)
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("what it is for"), max_length=400, blank=True)
    joining = models.CharField(_("how one joins"), max_length=10, choices=Joining, default=Joining.OPEN)
    is_listed = models.BooleanField(
        _("listed"),
        default=True,
        help_text=_("A private group is seen by its members and those invited only."),
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="GroupMember",
        through_fields=("group", "member"),
        related_name="all_groups",
        verbose_name=_("members"),
    )

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [models.UniqueConstraint(Lower("slug"), name="one_group_per_address")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("groups:detail", args=[self.slug])


class GroupMemberQuerySet(models.QuerySet):
    def in_it(self):
        """Those who are in the group, not those who asked or were asked."""
        return self.filter(standing__in=IN_IT, group__closed_at__isnull=True)


class GroupMember(models.Model):
    """One member's standing with one group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="standings", verbose_name=_("group"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="standings", verbose_name=_("member")
    )
    standing = models.CharField(_("standing"), max_length=10, choices=Standing, default=Standing.MEMBER)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    since = models.DateTimeField(_("since"), default=timezone.now)

    objects = GroupMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing with a group")
        verbose_name_plural = _("standings with groups")
        constraints = [models.UniqueConstraint(fields=["group", "member"], name="one_standing_per_group")]
        indexes = [models.Index(fields=["member", "standing", "group"], name="group_member_of")]

    def __str__(self):
        return f"standing {self.pk}"  # no related row: a list of these must not query


def groups_of(user):
    """The ids of the groups this person is in, as a subquery; nobody's for a guest."""
    if not user.is_authenticated:
        return GroupMember.objects.none().values("group")
    return GroupMember.objects.in_it().filter(member=user.pk).values("group")


def is_in_group(user, group_id: int | None) -> bool:
    """The same rule as groups_of, for one group."""
    return bool(
        group_id
        and user.is_authenticated
        and GroupMember.objects.in_it().filter(member=user.pk, group=group_id).exists()
    )
