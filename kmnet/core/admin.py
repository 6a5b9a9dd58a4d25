"""Core in the admin: settings, vocabulary, reports, and the log (to read)."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from . import admin_mail  # noqa: F401  the outbox
from .models import AuditEntry, CommunitySettings, Facet, Flag, Synonym, SynonymGroup, Term

admin.site.site_header = _("kmnet administration")
admin.site.site_title = _("kmnet administration")
admin.site.index_title = _("What the community is made of")


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at; nothing here is made, changed or removed by hand."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(CommunitySettings)
class CommunitySettingsAdmin(admin.ModelAdmin):
    list_display = ["name", "contact_email", "time_zone", "join_policy"]

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not CommunitySettings.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False


class TermInline(admin.TabularInline):
    model = Term
    fields = ["name", "slug", "definition", "position", "retired_at"]
    prepopulated_fields = {"slug": ["name"]}
    extra = 0

    def has_delete_permission(self, request, obj=None):
        return False  # terms are retired


@admin.register(Facet)
class FacetAdmin(admin.ModelAdmin):
    list_display = ["label", "key", "applies_to", "position"]
    inlines = [TermInline]

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Term)
class TermAdmin(admin.ModelAdmin):
    list_display = ["name", "facet", "definition", "retired_at"]
    list_filter = ["facet", ("retired_at", admin.EmptyFieldListFilter)]
    list_select_related = ["facet"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, request, obj=None):
        return False


class SynonymInline(admin.TabularInline):
    model = Synonym
    extra = 1


@admin.register(SynonymGroup)
class SynonymGroupAdmin(admin.ModelAdmin):
    list_display = ["note", "spellings"]
    search_fields = ["note", "words__word"]
    inlines = [SynonymInline]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("words")

    @admin.display(description=_("words"))
    def spellings(self, group):
        return ", ".join(word.word for word in group.words.all())


@admin.register(Flag)
class FlagAdmin(ReadOnlyAdmin):
    """Reports are decided in the moderation queue, where the thing itself can be seen."""

    list_display = ["created_at", "reason", "target_type", "state", "reporter", "resolved_by"]
    list_filter = ["state", "reason", "target_type"]
    list_select_related = ["target_type", "reporter", "resolved_by"]
    date_hierarchy = "created_at"


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "verb", "actor", "target_type", "target_id", "reason"]
    list_filter = ["verb", "target_type"]
    list_select_related = ["actor", "target_type"]
    search_fields = ["reason", "verb"]
    date_hierarchy = "at"
