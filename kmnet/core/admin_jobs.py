"""How the periodic work is doing, in the admin."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from . import jobs
from .admin_base import ReadOnlyAdmin
from .health import beat_report
from .models import JobState


@admin.register(JobState)
class JobStateAdmin(ReadOnlyAdmin):
    """To look at. The list shows every job that the apps have registered, whether it ever ran or not."""

    fields = [
        *("name", "begun_at", "ended_at", "well_at", "seconds", "served"),
        *("failures", "failed_at", "failure"),
    ]
    readonly_fields = fields

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        reports = jobs.reports()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Periodic work"),
            "reports": sorted(reports, key=lambda report: report.is_well),  # what is not well comes first
            "beat": beat_report(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/core/jobstate/change_list.html", context)
