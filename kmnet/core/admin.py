"""Core in the admin: settings, vocabulary, reports, and the log (to read)."""

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from taggit import admin as _tags  # noqa: F401  registered first, so that it can be replaced
from taggit.models import Tag

from . import (
    admin_inbound,  # noqa: F401  mail that came in
    admin_jobs,  # noqa: F401  periodic work
    admin_mail,  # noqa: F401  the outbox
    admin_returned,  # noqa: F401  what came back
    audit,
    free_tags,
    placeholders,
    tokens,
)
from .admin_base import IsGiven, OneRowAdmin, ReadOnlyAdmin, WrittenInline
from .mail.message import build_message
from .mail_pages import framed_mail
from .models import (
    AuditEntry,
    CommunitySettings,
    Facet,
    Flag,
    OutgoingMail,
    Synonym,
    SynonymGroup,
    Term,
)

admin.site.site_header = _("kmnet administration")
admin.site.site_title = _("kmnet administration")
admin.site.index_title = _("What the community is made of")
apps.get_app_config("taggit").verbose_name = _("Tags")  # the package names itself


class CommunitySettingsForm(forms.ModelForm):
    """The words of the welcome mail may hold placeholders, of a fixed list."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        known = ", ".join(f"{{{name}}}" for name in (*placeholders.PEOPLE, *placeholders.LINKS))
        for name in ("welcome_subject", "welcome_text"):
            if name in self.fields:
                field = self.fields[name]
                field.help_text = _("%(help)s Placeholders: %(known)s.") % {
                    "help": field.help_text,
                    "known": known,
                }

    def clean_welcome_subject(self):
        placeholders.check_words(self.cleaned_data["welcome_subject"])
        return self.cleaned_data["welcome_subject"]

    def clean_welcome_text(self):
        placeholders.check_words(self.cleaned_data["welcome_text"])
        return self.cleaned_data["welcome_text"]


@admin.register(CommunitySettings)
class CommunitySettingsAdmin(OneRowAdmin):
    form = CommunitySettingsForm

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("welcome/", view(self.welcome_view), name="core_communitysettings_welcome"),
            path("welcome/html/", view(self.welcome_html), name="core_communitysettings_welcome_html"),
            *super().get_urls(),
        ]

    def compose_welcome(self, request):
        """The welcome mail as it is saved, to the admin who looks; it is stored and sent nowhere."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = OutgoingMail(kind="members.welcome", member=request.user, dedupe_key="preview")
        row.is_preview = True
        with tokens.hidden():
            return build_message(row)

    def welcome_view(self, request):
        message = self.compose_welcome(request)
        context = {
            **self.admin_site.each_context(request),
            "title": message.subject,
            "message": message,
            "headers": message.message().items(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/core/communitysettings/welcome.html", context)

    def welcome_html(self, request):
        return framed_mail(self.compose_welcome(request).alternatives[0].content)


class TermInline(WrittenInline):
    """Retired and taken back they are in the list of terms, where it is logged."""

    model = Term
    fields = ["name", "slug", "definition", "position", "retired_at"]
    readonly_fields = ["retired_at"]
    prepopulated_fields = {"slug": ["name"]}

    def has_delete_permission(self, request, obj=None):
        return False  # terms are retired


class FacetForm(forms.ModelForm):
    """What it is used for is ticked, not typed."""

    applies_to = forms.MultipleChoiceField(
        label=_("Used for"), choices=Facet.Kind, widget=forms.CheckboxSelectMultiple
    )


@admin.register(Facet)
class FacetAdmin(admin.ModelAdmin):
    form = FacetForm
    list_display = ["label", "key", "used_for", "position"]
    inlines = [TermInline]

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("used for"))
    def used_for(self, facet):
        return ", ".join(str(Facet.Kind(kind).label) for kind in facet.applies_to)


class TermForTagForm(forms.Form):
    """Which term a free tag becomes."""

    term = forms.ModelChoiceField(
        label=_("Term"),
        queryset=Term.objects.none(),
        help_text=_("Everything that bears the tag bears the term instead."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        terms = list(
            Term.objects.current().select_related("facet").order_by("facet__position", "position", "pk")
        )
        self.fields["term"].queryset = Term.objects.current()
        self.fields["term"].choices = [
            ("", "---"),
            *((term.pk, f"{term.facet}: {term.name}") for term in terms),
        ]


@admin.register(Term)
class TermAdmin(admin.ModelAdmin):
    actions = ["retire", "use_again"]
    list_display = ["name", "facet", "definition", "retired_at"]
    list_filter = ["facet", ("retired_at", IsGiven)]
    list_select_related = ["facet"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["retired_at"]  # by the actions, which are logged

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.action(
        description=_("Retire: it stays where it is used, and cannot be chosen any more"),
        permissions=["change"],
    )
    def retire(self, request, queryset):
        self._set_retired(
            request, queryset.filter(retired_at__isnull=True), timezone.now(), "core.term_retired"
        )

    @admin.action(description=_("Take back into use"), permissions=["change"])
    def use_again(self, request, queryset):
        self._set_retired(request, queryset.filter(retired_at__isnull=False), None, "core.term_used_again")

    def _set_retired(self, request, queryset, moment, verb):
        terms = list(queryset)
        with transaction.atomic():
            for term in terms:
                term.retired_at = moment
                term.save(update_fields=["retired_at"])
                audit.record_act(actor=request.user, verb=verb, target=term)
        messages.success(request, _("Done for %(count)d.") % {"count": len(terms)})

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("free-tags/", view(self.free_tags_view), name="core_term_free_tags"),
            path("free-tags/<int:tag>/", view(self.free_tag_view), name="core_term_free_tag"),
            *super().get_urls(),
        ]

    def free_tags_view(self, request):
        """The free tags that many use."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Free tags that many use"),
            "found": free_tags.free_tags(),
            "many": free_tags.MANY,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/core/term/free_tags.html", context)

    def free_tag_view(self, request, tag):
        """Make one of them a term."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        tag = get_object_or_404(Tag, pk=min(tag, 2**31 - 1))
        form = TermForTagForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            changed = free_tags.merge_tag(actor=request.user, tag=tag, term=form.cleaned_data["term"])
            words = _("“%(tag)s” is “%(term)s” now, on %(count)d things, and is found by both words.")
            messages.success(
                request, words % {"tag": tag.name, "term": form.cleaned_data["term"], "count": changed}
            )
            return redirect("admin:core_term_free_tags")
        context = {
            **self.admin_site.each_context(request),
            "title": tag.name,
            "form": form,
            "tag": tag,
            "opts": self.opts,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/core/term/free_tag.html", context, status=status)


class SynonymInline(WrittenInline):
    model = Synonym
    fields = ["word"]
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
    list_display = ["at", "verb", "actor", "thing", "reason"]
    list_filter = ["verb", ("target_type", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["actor", "target_type"]
    search_fields = ["reason", "verb"]
    date_hierarchy = "at"

    @admin.display(description=_("to what"))
    def thing(self, entry):
        """Its kind and number: what it is called may be for few."""
        return f"{entry.target_type.name} {entry.target_id}" if entry.target_type_id else "-"


admin.site.unregister(Tag)


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    """The words that people gave themselves. Here they become terms; the package's own page for merging would leave out
    what the library bears, and write nothing into the log."""

    list_display = ["name", "make_term"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    fields = ["name", "slug"]
    show_full_result_count = False

    @admin.display(description=_("vocabulary"))
    def make_term(self, tag):
        return format_html(
            '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
            reverse("admin:core_term_free_tag", args=[tag.pk]),
            _("Make it one of the terms"),
            tag.name,
        )
