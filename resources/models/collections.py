"""What people put together: saves, collections and reading lists, and searches that tell what is new."""

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.models import Hideable
from kmnet.core.models.moderation import HideableQuerySet
from members.models import Group, groups_of, groups_read_by
from members.permissions import can_moderate, can_write, is_full_member

from .resource import Resource


class SavedResource(models.Model):
    """Somebody keeps a record for later; nobody else sees who, only how many."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_resources"
    )
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="saves")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("saved resource")
        verbose_name_plural = _("saved resources")
        constraints = [
            models.UniqueConstraint(fields=["member", "resource"], name="one_save_per_member_and_resource")
        ]
        indexes = [models.Index(fields=["member", "-created_at", "-id"], name="saves_of_member")]

    def __str__(self):
        return f"resource {self.resource_id} saved"


class CollectionQuerySet(HideableQuerySet):
    def visible_to(self, user):
        """Which collections this person meets: curated and shared ones, their groups' and their own."""
        shared = Q(visibility=Collection.Visibility.PUBLIC)
        if is_full_member(user):
            shared |= Q(visibility=Collection.Visibility.MEMBERS)
            shared |= Q(visibility=Collection.Visibility.OWN, owner=user)
            shared |= Q(visibility=Collection.Visibility.GROUP, group__in=groups_read_by(user))
        return self.shown().filter(shared)

    def readable_by(self, user):
        """What this person may open; the same rule as collection_permissions.can_view_collection.

        Beside what they meet in lists: their own, hidden or not, but for those of a group that they have left; moderators
        the hidden ones that were shared.
        """
        if not is_full_member(user):
            return self.visible_to(user)
        V = Collection.Visibility
        shared = Q(visibility__in=(V.PUBLIC, V.MEMBERS))
        if not can_moderate(user):
            shared &= Q(state=Collection.State.VISIBLE) | Q(owner=user)
        theirs = Q(visibility=V.GROUP, group__in=groups_read_by(user))
        theirs &= Q(state=Collection.State.VISIBLE) | Q(owner=user)
        return self.filter(Q(visibility=V.OWN, owner=user) | shared | theirs)

    def fillable_by(self, user):
        """Where this person may put records; the same rule as collection_permissions.can_fill_collection."""
        if not can_write(user):
            return self.none()
        may = Q(owner=user, is_curated=False) & ~Q(visibility=Collection.Visibility.GROUP)
        may |= Q(visibility=Collection.Visibility.GROUP, group__in=groups_of(user))
        if user.is_host or user.is_superuser:
            may |= Q(is_curated=True)
        return self.exclude(state=Collection.State.HIDDEN).filter(may)

    def with_line(self, user):
        """What a line of a list shows: who made it, for which group, and how many of its records this person meets."""
        met = CollectionItem.objects.filter(
            collection=OuterRef("pk"), resource__in=Resource.objects.visible_to(user).values("pk")
        )
        met = met.order_by().values("collection").annotate(n=Count("pk")).values("n")
        return self.select_related("owner", "group").annotate(held=Coalesce(Subquery(met), 0))


class Collection(Hideable):
    """Records in an order, with a word on each: somebody's own, a group's, or one that the community's hosts curate."""

    class Visibility(models.TextChoices):
        OWN = "own", _("only me")
        MEMBERS = "members", _("members")
        PUBLIC = "public", _("everybody")
        GROUP = "group", _("the members of a group")

    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(max_length=80, blank=True)
    description = models.TextField(_("what it is for"), blank=True)
    description_html = models.TextField(blank=True, editable=False)
    render_version = models.PositiveSmallIntegerField(default=0, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="collections",
        verbose_name=_("made by"),
    )
    group = models.ForeignKey(
        Group,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="collections",
        verbose_name=_("group"),
    )
    is_curated = models.BooleanField(_("curated by the hosts"), default=False)
    visibility = models.CharField(
        _("who may see it"), max_length=8, choices=Visibility, default=Visibility.OWN
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    submit_key = models.UUIDField(null=True, blank=True, editable=False, unique=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="collection_has_a_title"),
            models.CheckConstraint(
                condition=Q(visibility="group", group__isnull=False)
                | (~Q(visibility="group") & Q(group__isnull=True)),
                name="collection_of_a_group_names_it",
            ),
            models.CheckConstraint(
                condition=Q(is_curated=False) | Q(visibility__in=("members", "public")),
                name="curated_collection_is_shared",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-updated_at"], name="collections_of_owner"),
            models.Index(
                fields=["-updated_at", "-id"],
                name="collections_shared",
                condition=Q(state="visible", visibility__in=("members", "public")),
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("resources:collection", args=[self.pk, self.slug or "collection"])


class CollectionItem(models.Model):
    """A record in a collection, at its place."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="collected")
    position = models.PositiveIntegerField(_("place"))
    note = models.CharField(_("why it is here"), max_length=300, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("resource of a collection")
        verbose_name_plural = _("resources of collections")
        constraints = [
            models.UniqueConstraint(fields=["collection", "resource"], name="once_in_a_collection"),
            models.UniqueConstraint(
                fields=["collection", "position"],
                name="one_place_in_a_collection",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]

    def __str__(self):
        return f"resource {self.resource_id} in collection {self.collection_id}"


class SavedSearch(models.Model):
    """A look into the library that somebody wants to hear from."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(_("name"), max_length=120)
    query = models.CharField(_("what is asked"), max_length=1000)  # as in the address, in one order
    tells = models.BooleanField(_("tell me what is new"), default=True)
    seen_until = models.DateTimeField(
        default=timezone.now
    )  # what came before this has been told, or was there
    due_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        constraints = [
            models.UniqueConstraint(fields=["member", "query"], name="one_saved_search_per_question")
        ]
        indexes = [models.Index(fields=["due_at"], name="saved_searches_due", condition=Q(tells=True))]

    def __str__(self):
        return self.name
