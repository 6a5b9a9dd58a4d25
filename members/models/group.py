"""Groups: what "my groups" means wherever somebody chooses who may see something."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.moderation import Hideable, HideableQuerySet

from .. import names
from .member import Member, is_full

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


class GroupQuerySet(HideableQuerySet):
    def open(self):
        return self.filter(closed_at__isnull=True)

    def visible_to(self, user):
        """Groups whose page this person may open; the same rule as group_permissions.can_view_group.

        Members see listed groups that stand, and every group that they are in, were in when it closed, asked to join
        or are invited to. To all others, moderators too, a private group is not there.
        """
        if not is_full(user):
            return self.none()
        theirs = GroupMember.objects.filter(member=user.pk).values("group")
        listed = models.Q(is_listed=True, closed_at__isnull=True, state=Hideable.State.VISIBLE)
        return self.filter(listed | models.Q(pk__in=theirs))

    def of(self, user):
        """The groups this person is in, the closed ones too."""
        return self.filter(pk__in=groups_read_by(user))

    def with_card(self, user):
        """All that a row shows: how many are in it and ask to be, and this person's own standing ("" for none)."""
        rows = GroupMember.objects.filter(group=models.OuterRef("pk"), standing__in=IN_IT).order_by()
        rows = rows.filter(member__in=Member.objects.full())
        people = rows.values("group").annotate(n=models.Count("pk")).values("n")
        mine = GroupMember.objects.filter(group=models.OuterRef("pk"), member=user.pk).values("standing")
        asking = GroupMember.objects.filter(
            group=models.OuterRef("pk"), standing=Standing.REQUESTED
        ).order_by()
        asking = asking.filter(member__in=Member.objects.full())
        asking = asking.values("group").annotate(n=models.Count("pk")).values("n")
        return self.annotate(
            asking_count=Coalesce(models.Subquery(asking), 0),
            people_count=Coalesce(models.Subquery(people), 0),
            my_standing=Coalesce(models.Subquery(mine), models.Value("")),
        )

    def matching(self, text: str):
        """Found by a part of the name or of the purpose, accents and case aside."""
        for word in names.plain(text).split()[:8]:
            self = self.filter(name_key__contains=word)
        return self


class Group(Hideable):
    """Members who belong together: a network, a team, an action learning set. It may be the audience of things.

    Its row is the lock under which people come and go; an open group always has a convenor (a trigger watches). One
    that moderators hid stands for those who are in it, and is not there for anybody else.
    """

    slug = models.SlugField(_("address"), max_length=60)
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("what it is for"), max_length=400, blank=True)
    joining = models.CharField(_("how one joins"), max_length=10, choices=Joining, default=Joining.OPEN)
    is_listed = models.BooleanField(
        _("listed"),
        default=True,
        help_text=_("A private group is seen by its members and those invited only."),
    )
    ways = models.TextField(_("how it works"), blank=True, max_length=4000)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    submit_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    name_key = models.TextField(editable=False, default="")  # name and purpose as people are found by: plain
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="GroupMember",
        through_fields=("group", "member"),
        related_name="all_groups",
        verbose_name=_("members"),
    )

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        constraints = [models.UniqueConstraint(Lower("slug"), name="one_group_per_address")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("groups:detail", args=[self.slug])

    def save(self, *args, update_fields=None, **kwargs):
        self.name_key = names.plain(f"{self.name} {self.purpose}")
        if update_fields is not None and {"name", "purpose"} & set(update_fields):
            update_fields = {*update_fields, "name_key"}
        super().save(*args, update_fields=update_fields, **kwargs)

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    @property
    def is_shown(self) -> bool:
        return self.state == self.State.VISIBLE


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


def groups_read_by(user):
    """The ids of the groups whose things this person may read, as a subquery: those they are in, open or closed.

    What a group had stays readable, not writable, to those who were in it when it closed: it is their memory. Whoever
    left or was removed reads it no more. One who is no full member reads nothing of any group.
    """
    if not is_full(user):
        return GroupMember.objects.none().values("group")
    return GroupMember.objects.filter(member=user.pk, standing__in=IN_IT).values("group")


def may_read_group(user, group_id: int | None) -> bool:
    """The same rule as groups_read_by, for one group."""
    return bool(
        group_id
        and is_full(user)
        and GroupMember.objects.filter(member=user.pk, standing__in=IN_IT, group=group_id).exists()
    )


def is_convenor(user, group_id: int | None) -> bool:
    """Convenes this group, and it is open."""
    return bool(
        group_id
        and user.is_authenticated
        and GroupMember.objects.in_it()
        .filter(member=user.pk, group=group_id, standing=Standing.CONVENOR)
        .exists()
    )


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
