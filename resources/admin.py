"""The library in the admin: to look up, and to hide or restore with a reason. Nobody rewrites what others wrote."""

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from members.admin import StaffAdmin
from members.permissions import can_moderate

from . import services
from .models import (
    DoiRecord,
    LibrarySettings,
    LinkCheck,
    Resource,
    ResourceFile,
    ResourceTerm,
    ResourceText,
)


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return can_moderate(request.user)

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class TermInline(ReadOnlyInline):
    model = ResourceTerm
    fields = ["term"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("term")


class FileInline(ReadOnlyInline):
    model = ResourceFile
    fields = ["name", "content_type", "size", "pages", "state", "version", "sha256", "created_at"]

    def get_queryset(self, request):
        """What the scanner has not passed is known to nobody but its sender."""
        return super().get_queryset(request).open_to_readers()


@admin.register(Resource)
class ResourceAdmin(StaffAdmin):
    list_display = ["title", "creators", "year", "doi", "visibility", "state", "added_by", "published_at"]
    list_filter = ["state", "visibility", "language", "licence"]
    list_select_related = ["added_by"]
    search_fields = ["title", "creators", "doi"]
    date_hierarchy = "published_at"
    show_full_result_count = False
    list_per_page = 50
    actions = ["release", "hide", "restore"]
    inlines = [TermInline, FileInline]
    fields = [
        *("title", "creators", "year", "language", "description", "doi", "url", "licence", "visibility"),
        *("state", "hidden_at", "hidden_by", "hidden_reason", "added_by", "published_at", "csl"),
    ]

    def get_queryset(self, request):
        """Nothing of a group that the reader is not in: what was reported there is at the moderators' desk."""
        return super().get_queryset(request).readable_by(request.user).defer("search")

    @admin.action(description=_("Let appear what is held"))
    def release(self, request, queryset):
        self.act(request, queryset, services.release_resource, target="target")

    @admin.action(description=_("Hide, with the reason given"))
    def hide(self, request, queryset):
        self.act(request, queryset, services.hide_resource, target="target")

    @admin.action(description=_("Show again, with the reason given"))
    def restore(self, request, queryset):
        self.act(request, queryset, services.restore_resource, target="target")


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
    list_filter = ["state", "reason"]
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
class LibrarySettingsAdmin(admin.ModelAdmin):
    def has_add_permission(self, request):
        return super().has_add_permission(request) and not LibrarySettings.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(LinkCheck)
class LinkCheckAdmin(StaffAdmin):
    """How the links are doing; none that stands only in what the reader does not see."""

    list_display = ["url", "state", "status", "failures", "checked_at", "due_at"]
    list_filter = ["state"]
    search_fields = ["url", "host"]
    ordering = ["-failures", "pk"]
    show_full_result_count = False
    fields = [
        *(
            "url",
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
