"""Admin repairs; it does not run the place. What holds a place is only changed by the services."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kmnet.core import audit
from kmnet.core.admin_base import ReadOnlyAdmin, SeenInline, WrittenInline
from members.admin import ReasonActionForm

from . import services
from .models import Event, Registration, RegistrationLog, Session, Speaker


def reason_given(page: admin.ModelAdmin, request) -> str:
    """What stands beside the action; without it nothing is done. Who is concerned is told it, and the log keeps it."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        page.message_user(request, _("Please say why; it is kept in the log."), messages.ERROR)
    return reason


class SessionInline(WrittenInline):
    model = Session
    fields = ("order", "kind", "title", "starts_at", "ends_at", "speakers")
    autocomplete_fields = ("speakers",)


class RegistrationInline(SeenInline):
    model = Registration
    fields = ("member", "guest_address", "status", "joined_at", "offer_expires_at", "attended_at")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("member").order_by("joined_at", "pk")


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = (
        "title",
        "kind",
        "starts_at",
        "capacity",
        "overbooking",
        "visibility",
        "published_at",
        "cancelled_at",
    )
    list_filter = ("kind", "visibility", "starts_at")
    search_fields = ("title", "summary")
    date_hierarchy = "starts_at"
    autocomplete_fields = ("organisers", "rehearsal_of")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    # Times, title, lists and places go through the organisers' page: people are told there, and places are counted there.
    readonly_fields = (
        "title",
        "starts_at",
        "ends_at",
        "time_zone",
        "venue",
        "description",
        "kind",
        "capacity",
        "overbooking",
        "online_capacity",
        "online_overbooking",
        "needs_approval",
        "priority_from",
        "picture_alt",
        "series",
        "published_at",
        "postponed_at",
        "cancelled_at",
        "uid",
        "sequence",
        "created_at",
    )
    exclude = ("description_html", "tags")
    inlines = (SessionInline, RegistrationInline)
    action_form = ReasonActionForm
    actions = ("publish", "call_off", "offer_free_places")

    def get_queryset(self, request):
        """Nothing of a group that the reader is not in."""
        return super().get_queryset(request).visible_to(request.user)

    def get_readonly_fields(self, request, obj=None):
        """For whom an event is, its organisers say: there it is counted who has a place already."""
        return (*self.readonly_fields, "visibility", "group")

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False  # an event is called off, so that people hear of it

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """It lists who registered: an admin who looks leaves a line in the log."""
        event = self.get_object(request, object_id)
        if event is not None and request.method == "GET":
            audit.record_act(actor=request.user, verb="events.people_seen", target=event)
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        """Only what was changed here: the rest may have been changed by a service a moment ago."""
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns])
        services.log_admin(request.user, obj, "events.edited", data={"changed": form.changed_data})

    def _act(self, request, queryset, deed):
        done = 0
        for event in queryset:
            try:
                deed(event)
                done += 1
            except (PermissionDenied, services.EventOver):
                self.message_user(request, _("Not possible for “%s”.") % event, messages.WARNING)
        self.message_user(request, ngettext("%d event done.", "%d events done.", done) % done)

    @admin.action(description=_("Publish"))
    def publish(self, request, queryset):
        if reason := reason_given(self, request):
            self._act(
                request,
                queryset,
                lambda event: services.publish_event(event=event, actor=request.user, reason=reason),
            )

    @admin.action(description=_("Call off, and tell everybody"))
    def call_off(self, request, queryset):
        if reason := reason_given(self, request):
            self._act(
                request,
                queryset,
                lambda event: services.cancel_event(event=event, actor=request.user, reason=reason),
            )

    @admin.action(description=_("Offer free places to those who wait"))
    def offer_free_places(self, request, queryset):
        self._act(request, queryset, lambda event: services.promote_waiting(event=event))


class LogInline(SeenInline):
    model = RegistrationLog
    fields = readonly_fields = ("at", "actor", "from_status", "to_status", "why")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor")


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "event",
        "member",
        "guest_address",
        "status",
        "joined_at",
        "offer_expires_at",
        "attended_at",
    )
    list_filter = ("status",)
    list_select_related = ("event", "member")
    search_fields = ("member__name", "member__email", "guest_address", "event__title")
    inlines = (LogInline,)
    action_form = ReasonActionForm
    actions = ("remove",)

    def get_queryset(self, request):
        return super().get_queryset(request).filter(event__in=Event.objects.visible_to(request.user))

    def changelist_view(self, request, extra_context=None):
        """Names and addresses of people at all events."""
        if request.method == "GET":
            audit.record_act(actor=request.user, verb="events.people_seen")
        return super().changelist_view(request, extra_context)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        registration = self.get_object(request, object_id)
        if registration is not None:
            audit.record_act(actor=request.user, verb="events.people_seen", target=registration.event)
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.action(description=_("Take off, and offer the place to the next person"))
    def remove(self, request, queryset):
        removed, reason = 0, reason_given(self, request)
        for registration in queryset if reason else ():
            try:
                services.remove_registration(registration=registration, by=request.user, reason=reason)
                removed += 1
            except (PermissionDenied, services.TooLate):
                self.message_user(request, _("Not possible for %s.") % registration, messages.WARNING)
        if reason:
            self.message_user(request, ngettext("%d taken off.", "%d taken off.", removed) % removed)


@admin.register(Speaker)
class SpeakerAdmin(admin.ModelAdmin):
    list_display = ("name", "about", "member")
    list_select_related = ("member",)
    search_fields = ("name", "about")
    autocomplete_fields = ("member",)
