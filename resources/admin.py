"""The library in the admin: to look up, and to hide or restore with a reason. Nobody rewrites what others wrote."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, Subquery
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from kmnet.core.admin_base import GivenValues, OneRowAdmin
from members.admin import StaffAdmin, StaffInline
from members.admin_joining import ForAdmins

from . import services
from .models import (
    Collection,
    CollectionItem,
    DoiRecord,
    ImportBatch,
    LibrarySettings,
    LinkCheck,
    Resource,
    ResourceEdit,
    ResourceFile,
    ResourceTerm,
    ResourceText,
    ResourceVersion,
    Story,
    Tombstone,
)
from .models.resource import Visibility

FOR_WHOM = {
    Visibility.PUBLIC: _("everybody"),
    Visibility.MEMBERS: _("members"),
    Visibility.GROUP: _("a group"),
}

MOST_RECORDS = 20  # that are named beside a link


class TermInline(StaffInline):
    verbose_name_plural = _("Terms")
    model = ResourceTerm
    fields = ["facet", "word"]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("term__facet")

    @admin.display(description=_("facet"))
    def facet(self, row):
        return row.term.facet

    @admin.display(description=_("term"))
    def word(self, row):
        return row.term


class FileInline(StaffInline):
    model = ResourceFile
    fields = ["name", "long", "pages", "state", "version", "created_at"]
    readonly_fields = fields

    def get_queryset(self, request):
        """What the scanner has not passed is known to nobody but its sender."""
        return super().get_queryset(request).open_to_readers()

    @admin.display(description=_("size"))
    def long(self, file):
        return filesizeformat(file.size)


class VersionInline(StaffInline):
    verbose_name_plural = _("Versions")
    model = ResourceVersion
    fields = readonly_fields = ["number", "changes", "made_by", "created_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("made_by")


class StoryInline(StaffInline):
    model = Story
    fields = readonly_fields = ["best_line", "author", "again", "did_not_work", "state", "created_at"]
    show_change_link = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("author").defer("search")


class EditInline(StaffInline):
    """Who changed it and when; what it said is on its own page, where it can be taken out."""

    verbose_name_plural = _("Changes")
    model = ResourceEdit
    fields = readonly_fields = ["at", "editor", "note"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("editor").defer("before")


class TombstoneInline(StaffInline):
    verbose_name_plural = _("Taken down")
    model = Tombstone
    fields = readonly_fields = ["reason", "note", "by", "at"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("by")


def link_state_of(key: str) -> Subquery:
    return Subquery(LinkCheck.objects.filter(url_key=OuterRef(key)).exclude(url_key="").values("state")[:1])


class LinkFilter(admin.SimpleListFilter):
    title = _("its link")
    parameter_name = "link"

    def lookups(self, request, model_admin):
        return LinkCheck.State.choices

    def queryset(self, request, queryset):
        return queryset.filter(link_state=self.value()) if self.value() else queryset


@admin.register(Resource)
class ResourceAdmin(StaffAdmin):
    list_display = ["named", "state", "for_whom", "link", "added_by", "published_at"]
    list_filter = ["state", "visibility", LinkFilter, "licence"]
    list_select_related = ["added_by"]
    search_fields = ["title", "creators", "doi"]
    search_help_text = _("Title, creators or DOI")
    date_hierarchy = "published_at"
    show_full_result_count = False
    list_per_page = 50
    actions = ["release", "hide", "restore"]
    inlines = [TermInline, FileInline, VersionInline, StoryInline, EditInline, TombstoneInline]
    readonly_fields = ["on_the_site"]
    fieldsets = [
        (None, {"fields": ["on_the_site", "state", "hidden_at", "hidden_by", "hidden_reason"]}),
        (
            _("What it says"),
            {
                "fields": [
                    *("title", "creators", "year", "language", "description", "doi", "url", "licence"),
                    *("visibility", "files_for", "version", "csl"),
                ]
            },
        ),
        (_("Whose it is"), {"fields": ["added_by", "keeper", "published_at"]}),
    ]

    def get_queryset(self, request):
        """Nothing of a group that the reader is not in: what was reported there is at the moderators' desk."""
        seen = super().get_queryset(request).readable_by(request.user)
        return seen.annotate(link_state=link_state_of("url_key")).defer("search")

    @admin.display(description=_("title"), ordering="title_key")
    def named(self, resource):
        return Truncator(resource.title).chars(90)

    @admin.display(description=_("for whom"), ordering="visibility")
    def for_whom(self, resource):
        return FOR_WHOM[resource.visibility]

    @admin.display(description=_("its link"))
    def link(self, resource):
        return LinkCheck.State(resource.link_state).label if resource.link_state else "-"

    @admin.display(description=_("on the site"))
    def on_the_site(self, resource):
        """Where it is looked after: pages that show the thing itself."""
        places = [
            (resource.get_absolute_url(), _("Its page")),
            (reverse("hub:moderation_case", args=["resources.resource", resource.pk]), _("Decide about it")),
            (reverse("resources:history", args=[resource.pk]), _("What changed")),
            (reverse("resources:merge", args=[resource.pk]), _("Merge it with another one")),
            (reverse("resources:take_down", args=[resource.pk]), _("Take it down")),
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', places)

    @admin.action(description=_("Let appear what is held"))
    def release(self, request, queryset):
        self.act(request, queryset, services.release_resource, target="target")

    @admin.action(description=_("Hide, with the reason given"))
    def hide(self, request, queryset):
        self.act(request, queryset, services.hide_resource, target="target")

    @admin.action(description=_("Show again, with the reason given"))
    def restore(self, request, queryset):
        self.act(request, queryset, services.restore_resource, target="target")


@admin.register(Story)
class StoryAdmin(StaffAdmin):
    """What became of resources. Who told one without their name stands nowhere here."""

    list_display = ["line", "about", "author", "again", "did_not_work", "state", "created_at"]
    list_filter = ["state", "did_not_work", "again"]
    list_select_related = ["author", "resource"]
    search_fields = ["place", "people", "changed", "happened", "resource__title"]
    search_help_text = _("Words of the story, or the title of its resource")
    ordering = ["-pk"]
    show_full_result_count = False
    list_per_page = 50
    actions = ["hide", "restore"]
    fields = [
        *("resource", "author", "place", "people", "changed", "happened", "again", "did_not_work"),
        *("state", "hidden_at", "hidden_by", "hidden_reason", "created_at", "edited_at"),
    ]

    def get_queryset(self, request):
        """Of what the reader sees."""
        seen = Resource.objects.readable_by(request.user).values("pk")
        return super().get_queryset(request).filter(resource__in=seen).defer("search")

    @admin.display(description=_("story"))
    def line(self, story):
        return Truncator(story.best_line or story).chars(90)

    @admin.display(description=_("resource"), ordering="resource__title_key")
    def about(self, story):
        return Truncator(story.resource.title).chars(60)

    @admin.action(description=_("Hide, with the reason given"))
    def hide(self, request, queryset):
        self.act(request, queryset, services.hide_story, target="target")

    @admin.action(description=_("Show again, with the reason given"))
    def restore(self, request, queryset):
        self.act(request, queryset, services.restore_story, target="target")


class ItemInline(StaffInline):
    verbose_name_plural = _("Resources")
    model = CollectionItem
    fields = ["resource", "note"]
    readonly_fields = fields

    def get_queryset(self, request):
        seen = Resource.objects.readable_by(request.user).values("pk")
        return super().get_queryset(request).filter(resource__in=seen).select_related("resource")


@admin.register(Collection)
class CollectionAdmin(StaffAdmin):
    """Lists of resources that the reader may open: nobody's own ones."""

    list_display = ["title", "owner", "is_curated", "visibility", "state", "updated_at"]
    list_filter = ["state", "is_curated", "visibility"]
    list_select_related = ["owner"]
    search_fields = ["title"]
    ordering = ["-pk"]
    show_full_result_count = False
    list_per_page = 50
    actions = ["hide", "restore"]
    inlines = [ItemInline]
    fields = [
        *("title", "description", "owner", "group", "is_curated", "visibility"),
        *("state", "hidden_at", "hidden_by", "hidden_reason", "created_at", "updated_at"),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).readable_by(request.user)

    @admin.action(description=_("Hide, with the reason given"))
    def hide(self, request, queryset):
        self.act(request, queryset, services.hide_collection, target="target")

    @admin.action(description=_("Show again, with the reason given"))
    def restore(self, request, queryset):
        self.act(request, queryset, services.restore_collection, target="target")


@admin.register(ImportBatch)
class ImportBatchAdmin(ForAdmins):
    """How reading and saving lists goes; their rows are their members' own until they are saved."""

    list_display = ["number", "member", "form", "state", "made", "reason", "created_at", "saved_at"]
    list_filter = ["state", "form"]
    list_select_related = ["member"]
    ordering = ["-pk"]
    show_full_result_count = False
    list_per_page = 50
    fields = ["member", "form", "state", "reason", "made", "created_at", "saved_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("source", "rows", "chosen", "file_name")

    def get_object(self, request, object_id, from_field=None):
        """The head of the page says a number, not what the member's file is called."""
        batch = super().get_object(request, object_id, from_field)
        if batch is not None:
            batch.file_name = self.number(batch)
        return batch

    @admin.display(description=_("import"), ordering="pk")
    def number(self, batch):
        return _("import %(number)d") % {"number": batch.pk}


@admin.register(DoiRecord)
class DoiRecordAdmin(StaffAdmin):
    list_display = ["doi", "state", "reason", "asked_at", "answered_at"]
    list_filter = ["state"]
    search_fields = ["doi"]
    fields = ["doi", "state", "reason", "asked_at", "answered_at", "raw"]


@admin.register(ResourceText)
class ResourceTextAdmin(StaffAdmin):
    """How reading goes. No words and no names: files may be for few."""

    list_display = ["file_number", "state", "reason", "tries", "due_at", "done_at"]
    list_filter = ["state", ("reason", GivenValues)]
    ordering = ["-pk"]
    show_full_result_count = False
    fields = ["file_number", "state", "reason", "tries", "due_at", "done_at"]
    readonly_fields = ["file_number"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("text", "search", "title", "doi")

    @admin.display(description=_("file"), ordering="file_id")
    def file_number(self, text):
        return text.file_id


@admin.register(LibrarySettings)
class LibrarySettingsAdmin(OneRowAdmin):
    """How much a member may bring, and what is looked at first."""


@admin.register(LinkCheck)
class LinkCheckAdmin(StaffAdmin):
    """How the links are doing; none that stands only in what the reader does not see."""

    list_display = ["url", "state", "status", "failures", "checked_at", "due_at"]
    list_filter = ["state"]
    search_fields = ["url", "host"]
    ordering = ["-failures", "pk"]
    show_full_result_count = False
    readonly_fields = ["where"]
    fields = [
        *(
            "url",
            "where",
            "state",
            "status",
            "reason",
            "moved_to",
            "failures",
            "failing_since",
            "checked_at",
            "due_at",
        ),
        *("told_at", "by_get"),
    ]

    def get_queryset(self, request):
        seen = Resource.objects.readable_by(request.user).filter(url_key=OuterRef("url_key"))
        return super().get_queryset(request).filter(Exists(seen))

    def get_object(self, request, object_id, from_field=None):
        check = super().get_object(request, object_id, from_field)
        if check is not None:
            giving = Resource.objects.readable_by(request.user).filter(url_key=check.url_key)
            check.records = list(giving.only("title").order_by("pk")[:MOST_RECORDS])
        return check

    @admin.display(description=_("in these records"))
    def where(self, check):
        """Those that the reader sees; the first of many."""
        places = ((reverse("admin:resources_resource_change", args=[one.pk]), one) for one in check.records)
        return format_html_join(", ", '<a href="{}">{}</a>', places)
