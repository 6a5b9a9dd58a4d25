"""Coming in, in the admin: to look up. Requests are decided in the queue, invitations made on their own pages."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from kmnet.core.admin_base import IsGiven, ReadOnlyAdmin

from . import services
from .models import BringIn, Greeting, Invitation, JoinRequest
from .permissions import can_administer, can_moderate


class ForAdmins(ReadOnlyAdmin):
    def has_module_permission(self, request):
        return can_administer(request.user)

    def has_view_permission(self, request, obj=None):
        return can_administer(request.user)


@admin.register(JoinRequest)
class JoinRequestAdmin(ReadOnlyAdmin):
    list_display = ["member", "state", "waits_since", "decided_at", "decided_by", "reason"]
    list_filter = ["state"]
    list_select_related = ["member", "decided_by"]
    ordering = ["-asked_at"]

    def has_module_permission(self, request):
        return can_moderate(request.user)

    def has_view_permission(self, request, obj=None):
        return can_moderate(request.user)


@admin.register(Invitation)
class InvitationAdmin(ForAdmins):
    list_display = [
        "created_at",
        "to",
        "invited_by",
        "max_uses",
        "used",
        "expires_at",
        "revoked_at",
        "bring_in",
    ]
    list_filter = ["bring_in", ("revoked_at", IsGiven)]
    list_select_related = ["invited_by", "bring_in"]
    search_fields = ["address", "name", "invited_by__name"]
    ordering = ["-created_at"]
    actions = ["withdraw"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_uses()

    @admin.display(description=_("to"))
    def to(self, invitation):
        return invitation.address or (_("forgotten") if invitation.is_bound else _("a link"))

    @admin.display(description=_("used"))
    def used(self, invitation):
        return invitation.used

    def has_withdraw_permission(self, request):
        return can_administer(request.user)

    @admin.action(description=_("Withdraw"), permissions=["withdraw"])
    def withdraw(self, request, queryset):
        done = sum(services.revoke_invitation(invitation=row, by=request.user) for row in queryset)
        self.message_user(request, _("Withdrawn: %(count)d.") % {"count": done})


@admin.register(BringIn)
class BringInAdmin(ForAdmins):
    list_display = ["confirmed_at", "name", "rows", "basis", "promise_version", "confirmed_by"]
    list_select_related = ["confirmed_by"]
    ordering = ["-confirmed_at"]


@admin.register(Greeting)
class GreetingAdmin(ForAdmins):
    list_display = ["at", "newcomer", "host", "how"]
    list_select_related = ["newcomer", "host"]
    ordering = ["-at"]
