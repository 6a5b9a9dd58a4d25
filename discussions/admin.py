"""Discussions in the admin: spaces to arrange, threads and posts to look at; hiding and restoring with a reason."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kmnet.core.admin_base import IsGiven, NamedFields, OneRowAdmin, ReadOnlyAdmin, SeenInline
from members.permissions import can_moderate

from . import services
from .forms import DiscussionSettingsForm, ReasonForm, SpaceForm
from .models import DiscussionSettings, Post, PostVersion, Space, Thread


@admin.register(Space)
class SpaceAdmin(NamedFields, admin.ModelAdmin):
    list_display = ["name", "slug", "readable_by", "may_start", "first_kind", "position", "thread_count"]
    form = SpaceForm
    autocomplete_fields = ["group"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["thread_count"]
    search_fields = ["name", "slug"]

    def named_fields(self, request):
        return self.list_editable

    def get_queryset(self, request):
        """What the reader may see as a member; a private group's space has a name that tells."""
        return super().get_queryset(request).visible_to(request.user)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (obj is None or not obj.threads.exists())


@admin.register(DiscussionSettings)
class DiscussionSettingsAdmin(OneRowAdmin):
    form = DiscussionSettingsForm


class SpaceFilter(admin.SimpleListFilter):
    """Django's own would name every space, also those that the reader does not see."""

    title = _("space")
    parameter_name = "space"

    def lookups(self, request, model_admin):
        return [(space.pk, space.name) for space in Space.objects.visible_to(request.user)]

    def queryset(self, request, queryset):
        known = self.value() and self.value().isdecimal() and len(self.value()) < 19
        return queryset.filter(space=int(self.value())) if known else queryset


@admin.register(Thread)
class ThreadAdmin(ReadOnlyAdmin):
    list_display = ["title", "space", "kind", "author", "reply_count", "state", "last_post_at", "closed_at"]
    list_filter = [SpaceFilter, "kind", "state", ("closed_at", IsGiven)]
    list_select_related = ["space", "author"]
    search_fields = ["title", "author__name"]
    date_hierarchy = "created_at"
    show_full_result_count = False
    view_on_site = True

    def get_queryset(self, request):
        """Nothing of a group that the reader is not in."""
        return super().get_queryset(request).visible_to(request.user)


class VersionInline(SeenInline):
    model = PostVersion
    fields = readonly_fields = ["replaced_at", "edited_by", "title", "source"]


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    """Nobody rewrites what others wrote, here neither."""

    list_display = ["id", "thread", "number", "author", "state", "created_at", "edited_at"]
    list_filter = ["state"]
    list_select_related = ["thread", "author"]
    search_fields = ["source", "author__name", "thread__title"]
    raw_id_fields = ["thread", "author", "parent", "hidden_by"]
    exclude = ["submit_key", "render_version"]
    show_full_result_count = False
    inlines = [VersionInline]
    actions = ["hide", "restore"]

    def get_queryset(self, request):
        """Nothing of a group that the reader is not in: what was reported there is at the moderators' desk."""
        return super().get_queryset(request).visible_to(request.user)

    @admin.action(description=_("Hide the chosen posts, with a reason"), permissions=["view"])
    def hide(self, request, queryset):
        return self.with_reason(request, queryset, "hide", services.hide_post)

    @admin.action(description=_("Show the chosen posts again, with a reason"), permissions=["view"])
    def restore(self, request, queryset):
        return self.with_reason(request, queryset, "restore", services.restore_post)

    def with_reason(self, request, queryset, name, service):
        """First a page that asks why; then the service for each."""
        if not can_moderate(request.user):
            raise PermissionDenied
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            for post in queryset.order_by("thread_id", "pk"):
                service(post=post, actor=request.user, reason=form.cleaned_data["reason"])
            count = queryset.count()
            self.message_user(
                request,
                ngettext("%(count)d post, logged.", "%(count)d posts, logged.", count) % {"count": count},
                messages.SUCCESS,
            )
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": self.get_action(name)[2],
            "opts": self.model._meta,
            "posts": queryset.select_related("thread", "author")[:100],
            "form": form,
            "action": name,
            "chosen": request.POST.getlist("_selected_action"),
        }
        return TemplateResponse(request, "admin/discussions/reason.html", context)
