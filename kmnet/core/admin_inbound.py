"""Mail that came in, in the admin: what became of each message, never its words. Nor to which thing it was: of what is
written without a name that would tell who wrote it."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import inbound
from .admin_base import GivenValues, ReadOnlyAdmin
from .audit import record_act
from .inbound.addresses import LOCAL_PART
from .inbound.working import try_again
from .models import ReceivedMail, ReplyAddress


class OnlyToLookAt(ReadOnlyAdmin):
    show_full_result_count = False
    ordering = ["-pk"]

    def has_repair_permission(self, request):
        return request.user.has_perm(f"core.change_{self.opts.model_name}")


@admin.register(ReceivedMail)
class ReceivedMailAdmin(OnlyToLookAt):
    list_display = ["received_at", "sender", "to", "state", "reason", "authenticated", "attempts"]
    list_filter = ["state", ("reason", GivenValues), "via"]
    search_fields = ["sender", "message_id", "member__name"]
    search_help_text = _("Address, name, or Message-ID")
    date_hierarchy = "received_at"
    actions = ["work_again"]
    fields = [
        *("received_at", "sender", "to", "via", "authenticated", "state", "reason", "note", "attempts"),
        *("next_try_at", "done_at", "message_id"),
    ]
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).defer("raw")

    @admin.display(description=_("to"))
    def to(self, row):
        """Which box; a reply address acts for somebody."""
        return _("a reply address") if row.recipient.startswith(LOCAL_PART) else row.recipient

    @admin.action(description=_("Work on it again"), permissions=["repair"])
    def work_again(self, request, queryset):
        done = sum(try_again(row, actor=request.user) for row in queryset)
        said = ngettext("%(count)d is worked on again.", "%(count)d are worked on again.", done)
        self.message_user(request, said % {"count": done})
        if done < len(queryset):
            self.message_user(request, _("What was answered or posted is not."), level=messages.WARNING)


@admin.register(ReplyAddress)
class ReplyAddressAdmin(OnlyToLookAt):
    """By whom and until when; the address itself is shown to nobody."""

    list_display = ["member", "purpose", "made_at", "expires_at", "revoked_at", "revoked_for"]
    list_filter = ["purpose", ("revoked_for", GivenValues)]
    list_select_related = ["member"]
    search_fields = ["member__name", "member__email"]
    actions = ["end"]
    fields = ["member", "purpose", "made_at", "expires_at", "revoked_at", "revoked_for"]
    readonly_fields = fields

    @admin.action(description=_("End all reply addresses of these members"), permissions=["repair"])
    def end(self, request, queryset):
        people = {row.member for row in queryset.select_related("member")}
        for member in people:
            inbound.revoke(member=member, why="ended by an admin")
            record_act(actor=request.user, verb="core.reply_addresses_ended", target=member)
        self.message_user(request, _("They have ended; the next mails bring new ones."))
