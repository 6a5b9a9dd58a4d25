"""The outbox in the admin: why did Ana not get a mail? What did it say? Send it again, or keep it from going out."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import mail, tokens
from .admin_base import ReadOnlyAdmin
from .mail import why
from .mail.message import build_message
from .mail_pages import framed_mail
from .models import MailChoice, OutgoingMail
from .models.mail import BUNDLE

MOST_PIECES = 200


class OneOfKind(admin.SimpleListFilter):
    """The kinds by the names that a person knows."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(kind.key, f"{kind.key}: {kind.label}") for kind in mail.all_kinds()]

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() else queryset


class OneOfCategory(admin.SimpleListFilter):
    """The rows of the settings page."""

    title = _("what people can choose")
    parameter_name = "category"

    def lookups(self, request, model_admin):
        return [
            *((key, category.label) for key, category in mail.CATEGORIES.items()),
            ("none", _("none of these")),
        ]

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        wanted = None if self.value() == "none" else self.value()
        return queryset.filter(kind__in=[kind.key for kind in mail.all_kinds() if kind.category == wanted])


class Receivers(admin.SimpleListFilter):
    """Mail to guests stands among much more to members."""

    title = _("to whom")
    parameter_name = "to"

    def lookups(self, request, model_admin):
        return [("member", _("members")), ("address", _("guests and other addresses"))]

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        return queryset.filter(member__isnull=self.value() == "address")


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Why (it is kept in the log)"), max_length=300)


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "receiver", "state", "reason", "kind", "due_at", "attempts"]
    list_filter = ["state", OneOfCategory, Receivers, "bulk", OneOfKind]
    list_select_related = ["member"]
    change_list_template = "admin/core/outgoingmail/change_list.html"
    search_fields = ["member__email", "member__name", "address", "message_id", "reason"]
    search_help_text = _("Name, address, Message-ID, or words of the reason")
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    show_full_result_count = False
    actions = ["send_again", "keep_back"]
    fields = [
        *("kind", "receiver", "state", "reason", "preview", "attempts", "due_at", "next_try_at", "sent_at"),
        *("within", "pieces"),
        *("message_id", "language", "bulk", "created_at", "wiped_at"),
    ]
    # Neither the secret is among them, nor what the mail is about (refs, dedupe_key): of what was written without a name
    # that would tell who wrote it.
    readonly_fields = fields

    def has_repair_permission(self, request):
        return request.user.has_perm("core.change_outgoingmail")

    @admin.display(description=_("to"), ordering="member__email")
    def receiver(self, row):
        return f"{row.member.name} <{row.member.email}>" if row.member_id else row.address

    @admin.display(description=_("as it reads"))
    def preview(self, row):
        url = reverse("admin:core_outgoingmail_preview", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, _("Show it as its receiver would see it now"))

    @admin.display(description=_("goes out within"))
    def within(self, row):
        return self.link_to(row.lead) if row.lead_id else "-"

    @admin.display(description=_("holds"))
    def pieces(self, row):
        found = row.bundled.order_by("pk")[:MOST_PIECES] if row.kind == BUNDLE else []
        return format_html_join(
            ", ", "{} ({})", ((self.link_to(piece), piece.get_state_display()) for piece in found)
        )

    def link_to(self, row):
        return format_html(
            '<a href="{}">{} {}</a>',
            reverse("admin:core_outgoingmail_change", args=[row.pk]),
            row.kind,
            row.pk,
        )

    @admin.action(description=_("Send again"), permissions=["repair"])
    def send_again(self, request, queryset):
        def act(row, reason):
            try:
                mail.resend(row, actor=request.user, reason=reason)
            except mail.CannotResend:
                return False
            return True

        return self.with_reason(request, queryset, "send_again", _("Send these mails again?"), act)

    @admin.action(description=_("Keep back (do not send)"), permissions=["repair"])
    def keep_back(self, request, queryset):
        def act(row, reason):
            return mail.cancel(row, actor=request.user, reason=reason)

        return self.with_reason(request, queryset, "keep_back", _("Keep these mails back?"), act)

    def with_reason(self, request, queryset, action, title, act):
        """A page that asks why; then the deed, on each."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": title,
                "rows": queryset.select_related("member"),
                "form": form,
                "action": action,
                "opts": self.opts,
            }
            return TemplateResponse(request, "admin/core/outgoingmail/reason.html", context)
        done = [act(row, form.cleaned_data["reason"]) for row in queryset]
        if any(done):
            said = ngettext("Done for %(count)d mail.", "Done for %(count)d mails.", sum(done))
            self.message_user(request, said % {"count": sum(done)}, messages.SUCCESS)
        if not all(done):
            left = len(done) - sum(done)
            said = ngettext(
                "Not possible for %(count)d mail: it has gone out, or its one-time secret is wiped.",
                "Not possible for %(count)d mails: they have gone out, or their one-time secrets are wiped.",
                left,
            )
            self.message_user(request, said % {"count": left}, messages.WARNING)
        return redirect("admin:core_outgoingmail_changelist")

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("why/", view(self.why_view), name="core_outgoingmail_why"),
            path("<int:pk>/preview/", view(self.preview_view), name="core_outgoingmail_preview"),
            path("<int:pk>/preview/html/", view(self.preview_html), name="core_outgoingmail_preview_html"),
            *super().get_urls(),
        ]

    def why_view(self, request):
        """Why did Ana not get a mail? Ask by name or address; where one person fits, their answer is there at once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        words, pk = request.GET.get("q", "").replace("\x00", "").strip()[:200], request.GET.get("member", "")
        people = why.find_people(words)
        chosen = next((person for person in people if str(person.pk) == pk), None)
        if chosen is None and len(people) == 1:
            [chosen] = people
        answer = None
        if chosen is not None:
            answer, people = why.about_member(chosen), []
        elif not people and "@" in words:
            answer = why.about_address(words)
            if not answer.is_known:
                answer = None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Why did somebody not get a mail?"),
            "words": words,
            "people": people,
            "answer": answer,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/core/outgoingmail/why.html", context)

    def compose(self, request, pk):
        """The message as it would be sent now, less what only its receiver may hold; or why it would not be sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(OutgoingMail.objects.select_related("member"), pk=pk)
        row.is_preview = True
        try:
            with tokens.hidden():
                return row, build_message(row), ""
        except mail.Withhold as decision:
            return row, None, str(decision)
        except Exception as error:  # a broken row is what this page is there to look at
            return row, None, f"{type(error).__name__}: {error}"

    def preview_view(self, request, pk):
        row, message, refusal = self.compose(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "title": message.subject if message else _("It would not be sent"),
            "row": row,
            "message": message,
            "headers": message.message().items() if message else [],
            "refusal": refusal,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/core/outgoingmail/preview.html", context)

    def preview_html(self, request, pk):
        _row, message, _refusal = self.compose(request, pk)
        if message is None:
            raise Http404
        return framed_mail(message.alternatives[0].content)


@admin.register(MailChoice)
class MailChoiceAdmin(ReadOnlyAdmin):
    """What people chose; only they change it."""

    list_display = ["changed_at", "member", "address", "category", "how"]
    list_filter = ["category", "how"]
    list_select_related = ["member"]
    search_fields = ["member__email", "member__name", "address"]
