"""Records of things that help.

CSL-JSON is the bibliographic form that everything else is a projection of (resources.csl); the columns beside it are
what lists, searches and constraints need. Versions, derivatives, stories and collections hang on Resource by their own
tables.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Prefetch, Q
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager
from taggit.models import ItemBase, Tag

from kmnet.core.models import Hideable, Term
from kmnet.core.models.moderation import HideableQuerySet
from members.models import Group, groups_read_by
from members.permissions import can_moderate, is_full_member

from .. import csl as csl_json
from ..identifiers import doi_url
from ..licences import BY_KEY, CHOICES, Licence

LANGUAGES = [
    ("en", "English"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pt", "Português"),
    ("de", "Deutsch"),
    ("nl", "Nederlands"),
    ("it", "Italiano"),
    ("pl", "Polski"),
    ("sv", "Svenska"),
    ("da", "Dansk"),
    ("no", "Norsk"),
    ("fi", "Suomi"),
    ("cy", "Cymraeg"),
    ("sw", "Kiswahili"),
    ("ar", "العربية"),
    ("hi", "हिन्दी"),
    ("zh", "中文"),
    ("ja", "日本語"),
    ("und", _("another language")),
]
LANGUAGE_NAMES = dict(LANGUAGES)


KIND_ICONS = {  # by the terms' names; a term that an admin adds has the book
    "audio": "captions",
    "blog": "talk",
    "checklist": "list",
    "infographic": "image",
    "research paper": "file",
    "slides": "image",
    "tool or template": "tool",
    "video": "video",
}


NO_TIME = 32767  # minutes, for what does not say how long it takes: at the end


class Visibility(models.TextChoices):
    PUBLIC = "public", _("everybody, also people without an account")
    MEMBERS = "members", _("members only")
    GROUP = "group", _("the members of a group")


def audience_rule(user) -> Q:
    """For whom a resource is, as a condition. A group's is for those in the group, and not for moderators."""
    if not is_full_member(user):
        return Q(visibility=Visibility.PUBLIC)
    return Q(group__isnull=True) | Q(group__in=groups_read_by(user))


def files_rule(user) -> Q:
    """Of records that this person sees, those whose files they may open, too: the record's page may be for more people."""
    return Q() if is_full_member(user) else Q(files_for="")


class ResourceQuerySet(HideableQuerySet):
    def published(self):
        return self.shown().filter(published_at__isnull=False)

    def visible_to(self, user):
        """What this person meets in lists, search, feeds and mails: nothing hidden, whoever asks."""
        return self.published().filter(audience_rule(user))

    def readable_by(self, user):
        """What this person may open; the same rule as permissions.can_view_resource.

        Beside what they meet in lists: moderators open hidden ones, to judge and restore them; members what they added
        or look after. Whoever left a group opens nothing of it any more, not what they added either.
        """
        reach = self.filter(audience_rule(user))
        if can_moderate(user):
            return reach
        seen = Q(state=Resource.State.VISIBLE, published_at__isnull=False)
        if not is_full_member(user):
            return reach.filter(seen)
        return reach.filter(seen | Q(added_by=user) | Q(keeper=user))

    def with_open_files_for(self, user):
        """Records whose files this person may open; the same rule as permissions.can_open_files. Of each file also its
        own state counts: ResourceFile.objects.open_to_readers(). Lists: `.visible_to(user).filter(files_rule(user))`."""
        return self.readable_by(user).filter(files_rule(user))

    def with_card(self):
        """All that a row or a card of a list shows, in four queries whatever its length."""
        terms = Term.objects.select_related("facet").order_by("facet__position", "position", "pk")
        return (
            self.defer("search", "description", "description_html")
            .select_related("added_by")
            .prefetch_related(Prefetch("terms", queryset=terms), "tags")
        )

    def for_digest(self, member, since, until):
        """What others added in this window and this member may see, newest first."""
        return (
            self.visible_to(member)
            .filter(published_at__gt=since, published_at__lte=until)
            .exclude(added_by=member)
            .order_by("-published_at", "-pk")
        )


class Resource(Hideable):
    """One thing of the library: a link, a DOI, files, or several of them, equal in kind."""

    found_for: int | None = (
        None  # the member for whom this very object was just found among what they may open
    )

    title = models.CharField(_("title"), max_length=500)
    slug = models.SlugField(max_length=80, allow_unicode=False, blank=True)
    csl = models.JSONField(_("bibliographic record (CSL-JSON)"), default=dict, blank=True)
    creators = models.TextField(_("creators"), blank=True, editable=False)
    year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    description = models.TextField(_("in your own words"), blank=True)
    description_html = models.TextField(blank=True, editable=False)
    render_version = models.PositiveSmallIntegerField(default=0, editable=False)
    summary = models.CharField(max_length=320, blank=True, editable=False)
    doi = models.CharField(_("DOI"), max_length=255, blank=True)
    isbn = models.CharField(max_length=13, blank=True, default="", db_default="", editable=False)
    url = models.URLField(_("link"), max_length=2000, blank=True)
    url_key = models.CharField(max_length=64, blank=True, editable=False)
    title_key = models.CharField(max_length=500, blank=True, editable=False)
    fuzzy = models.TextField(blank=True, default="", editable=False)  # title and creators, folded: for typos
    licence = models.CharField(_("licence"), max_length=20, choices=CHOICES, default="unknown")
    visibility = models.CharField(
        _("who may see it"), max_length=8, choices=Visibility, default=Visibility.PUBLIC
    )
    group = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="resources", verbose_name=_("group")
    )
    files_for = (
        models.CharField(  # narrower than the record only: its page may be public while its files are not
            _("who may open the files"),
            max_length=8,
            choices=[("", _("whoever sees the record")), (Visibility.MEMBERS, _("members only"))],
            blank=True,
            default="",
        )
    )
    minutes = models.PositiveSmallIntegerField(_("minutes it takes to use it"), null=True, blank=True)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    published_at = models.DateTimeField(_("in the library since"), null=True, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="resources",
        verbose_name=_("added by"),
    )
    keeper = models.ForeignKey(  # who looks after it now; who added it, unless it was handed on
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="kept_resources",
        verbose_name=_("looked after by"),
    )
    popularity = models.PositiveIntegerField(_("how much it is used"), default=0, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    submit_key = models.UUIDField(null=True, blank=True, editable=False)
    import_key = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    search = SearchVectorField(null=True, editable=False)

    # Written by triggers (migrations), whoever changes the tables of terms and tags: so that words, terms, tags and
    # audience are one condition on one table, and the planner knows how rare each is.
    term_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[], editable=False)
    tag_ids = ArrayField(models.BigIntegerField(), default=list, db_default=[], editable=False)

    terms = models.ManyToManyField(
        Term, through="ResourceTerm", related_name="resources", verbose_name=_("terms"), blank=True
    )
    tags = TaggableManager(_("free tags"), through="ResourceTag", blank=True, related_name="resources")

    objects = ResourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        constraints = [
            models.UniqueConstraint(
                Lower("doi"), condition=~Q(doi="") & ~Q(state="hidden"), name="one_live_resource_per_doi"
            ),
            models.UniqueConstraint(fields=["added_by", "submit_key"], name="one_resource_per_submit"),
            models.CheckConstraint(condition=~Q(title=""), name="resource_has_a_title"),
            models.CheckConstraint(
                condition=Q(visibility="group", group__isnull=False)
                | (~Q(visibility="group") & Q(group__isnull=True)),
                name="resource_of_a_group_names_it",
            ),
            models.CheckConstraint(
                condition=Q(group__isnull=True) | Q(doi=""), name="no_doi_claimed_for_a_group"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(state="hidden"),
                name="merged_resource_is_out_of_sight",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
                name="resource_not_merged_into_itself",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="resource_versions_begin_at_one"),
            models.CheckConstraint(
                condition=Q(files_for="") | Q(visibility="public"), name="files_narrower_than_a_public_record"
            ),
            models.CheckConstraint(
                condition=Q(import_key__isnull=True) | ~Q(import_key=""), name="resource_import_key_or_none"
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="resource_search"),
            GinIndex(OpClass("title_key", name="gin_trgm_ops"), name="resource_title_trgm"),
            GinIndex(OpClass("fuzzy", name="gin_trgm_ops"), name="resource_fuzzy_trgm"),
            models.Index(
                fields=["-published_at", "-id"],
                name="resource_latest",
                condition=Q(state="visible", published_at__isnull=False),
            ),
            models.Index(fields=["title_key", "id"], name="resource_by_title"),
            models.Index(
                fields=["-popularity", "-id"],
                name="resource_most_used",
                condition=Q(state="visible", published_at__isnull=False),
            ),
            models.Index(
                fields=["language", "-published_at", "-id"],
                name="resource_by_language",
                condition=Q(state="visible", published_at__isnull=False),
            ),
            GinIndex(fields=["term_ids"], name="resource_by_term"),
            GinIndex(fields=["tag_ids"], name="resource_by_tag"),
            models.Index(
                Coalesce("minutes", NO_TIME),
                "id",
                name="resource_shortest",
                condition=Q(state="visible", published_at__isnull=False),
            ),
            models.Index(fields=["updated_at", "id"], name="resource_by_change"),
            models.Index(fields=["isbn"], name="resource_by_isbn", condition=~Q(isbn="")),
            models.Index(fields=["url_key"], name="resource_by_url", condition=~Q(url_key="")),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("resources:detail", args=[self.pk, self.slug])

    @property
    def licence_info(self) -> Licence:
        return BY_KEY[self.licence]

    @property
    def cited_doi(self) -> str:
        """The DOI to cite: that of the record, also where another record of ours holds the claim to it."""
        return self.doi or self.csl.get("DOI", "")

    @property
    def doi_url(self) -> str:
        return doi_url(self.cited_doi)

    @property
    def language_name(self) -> str:
        return str(LANGUAGE_NAMES.get(self.language, self.language))

    @property
    def creator_names(self) -> list[str]:
        return [csl_json.display_name(name) for name in csl_json.creators_of(self.csl)]

    @property
    def creators_short(self) -> str:
        """Two names, or one and how many more."""
        names = self.creator_names
        if len(names) > 3:
            return _("%(first)s and %(count)d others") % {"first": names[0], "count": len(names) - 1}
        return ", ".join(names)

    def kind(self) -> str:
        """What it is, in the vocabulary's word or else in a plain one. Reads the terms: prefetch them in lists."""
        kinds = [term.name for term in self.terms.all() if term.facet.key == "type"]
        return kinds[0] if kinds else csl_json.KIND_LABELS.get(self.csl.get("type", ""), _("resource"))

    def kind_icon(self) -> str:
        return KIND_ICONS.get(str(self.kind()), "library")

    @property
    def is_public(self) -> bool:
        return (
            self.state == self.State.VISIBLE
            and self.published_at is not None
            and self.visibility == Visibility.PUBLIC
        )

    def make_slug(self) -> str:
        return slugify(self.title)[:80].strip("-") or "resource"


class ResourceTerm(models.Model):
    """A term of the vocabulary on a resource."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="resource_terms")
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="resource_terms")

    class Meta:
        verbose_name = _("term of a resource")
        verbose_name_plural = _("terms of resources")
        constraints = [
            models.UniqueConstraint(fields=["resource", "term"], name="one_term_once_per_resource")
        ]
        indexes = [models.Index(fields=["term", "resource"], name="resources_of_term")]

    def __str__(self):
        return f"term {self.term_id} of resource {self.resource_id}"


class ResourceTag(ItemBase):
    """A free tag on a resource; the tags themselves are shared by the whole site."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="tagged_resources")
    content_object = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="resource_tags")

    class Meta:
        verbose_name = _("tag of a resource")
        verbose_name_plural = _("tags of resources")
        constraints = [
            models.UniqueConstraint(fields=["tag", "content_object"], name="one_tag_once_per_resource")
        ]

    def __str__(self):
        return f"tag {self.tag_id} of resource {self.content_object_id}"
