"""The digest in the admin, to look at: who was told what, when, and when the next one is due."""

from django.contrib import admin
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from kmnet.core.admin_base import ReadOnlyAdmin
from kmnet.core.models import OutgoingMail
from kmnet.core.models.mail import MailState

from .models import DigestRun, DigestSchedule


@admin.register(DigestRun)
class DigestRunAdmin(ReadOnlyAdmin):
    """Each with what became of its mail, so that “why did Ana not get one?” has an answer."""

    list_display = ["member", "period", "since", "until", "created_at", "outcome", "read_at"]
    list_select_related = ["member"]
    search_fields = ["member__name", "member__email"]
    date_hierarchy = "created_at"
    list_per_page = 50

    def get_queryset(self, request):
        mail = OutgoingMail.objects.filter(
            dedupe_key=Concat(Value("hub.digest:"), Cast(OuterRef("pk"), CharField()))
        )
        runs = super().get_queryset(request)
        return runs.annotate(
            mail_state=Subquery(mail.values("state")), mail_reason=Subquery(mail.values("reason"))
        )

    @admin.display(description=_("what became of it"))
    def outcome(self, run):
        if run.mail_state is None:
            return _("no mail")
        said = MailState(run.mail_state).label
        return f"{said}: {run.mail_reason}" if run.mail_reason else said


@admin.register(DigestSchedule)
class DigestScheduleAdmin(ReadOnlyAdmin):
    list_display = ["member", "frequency", "time_zone", "next_due_at", "covered_until"]
    list_filter = ["frequency"]
    list_select_related = ["member"]
    search_fields = ["member__name", "member__email"]
