"""Members in the admin: to look up, and to act on with a reason. Nothing is written but by the services."""

from allauth.account import admin as _addresses  # noqa: F401  (registered first, so that it can be replaced)
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _second_steps  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as _social  # noqa: F401
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions import admin as _sessions  # noqa: F401
from allauth.usersessions.models import UserSession
from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth import admin as _groups  # noqa: F401
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Exists, OuterRef, Q
from django.shortcuts import redirect
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from kmnet.core.admin_base import IsGiven, ReadOnlyAdmin, SeenInline

from . import (
    admin_joining,  # noqa: F401
    services,
)
from .models import Group as MembersGroup
from .models import GroupMember, Member, OldHandle, Profile
from .permissions import can_administer, can_moderate
from .services import group_upkeep
from .visibility import PARTS

# One way to sign in for all: rate limits, proof of the address and the second step hold for staff too.
admin.site.login = secure_admin_login(admin.site.login)
# And one way to change a password: it asks for proof, ends other sessions and tells the owner.
admin.site.password_change = admin.site.password_change_done = login_required(
    lambda request, *args, **kwargs: redirect("account_change_password")
)

apps.get_app_config("mfa").verbose_name = _("Second step at sign-in")  # the package calls it MFA

ROLES = ("is_moderator", "is_organiser", "is_host", "is_staff", "is_superuser")


class ReasonActionForm(ActionForm):
    reason = forms.CharField(label=_("Reason, for the log"), required=False, max_length=500)


class StaffAdmin(ReadOnlyAdmin):
    """Moderators look and act; only admins change roles. Nobody adds or deletes here."""

    action_form = ReasonActionForm

    def lookup_allowed(self, lookup, value, request=None):
        """Only what the filters offer. Django lets an address ask about any column of the model, so that
        `?password__startswith=` would spell out a password's hash, and what somebody hides, letter by letter."""
        offered = {item[0] if isinstance(item, tuple) else item for item in self.get_list_filter(request)}
        if lookup in {getattr(item, "parameter_name", None) for item in offered}:
            return True  # a filter of ours, which takes what it knows
        asked = lookup.partition("__")[0]
        return asked in {*offered, self.date_hierarchy} and super().lookup_allowed(lookup, value, request)

    def has_module_permission(self, request):
        return can_moderate(request.user)

    def has_view_permission(self, request, obj=None):
        return can_moderate(request.user)

    def act(self, request, queryset, service, **names):
        """One service call per row; each refusal is told, none stops the others."""
        done = 0
        for row in queryset:
            try:
                service(
                    **{names.get("target", "member"): row},
                    actor=request.user,
                    reason=request.POST.get("reason", ""),
                )
                done += 1
            except PermissionDenied:
                messages.error(request, _("Not allowed for %(name)s.") % {"name": row})
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
                break
        if done:
            messages.success(request, _("Done for %(count)d.") % {"count": done})


class RolesForm(forms.ModelForm):
    reason = forms.CharField(label=_("Reason, for the log"), max_length=500)

    class Meta:
        model = Member
        fields = ROLES
        labels = {"is_superuser": _("Admin")}
        help_texts = {"is_superuser": _("Settings, roles, vocabulary and exports.")}

    def clean(self):
        data = super().clean()
        if data.get("is_superuser") and not data.get("is_staff"):
            self.add_error("is_staff", _("An admin may enter the admin pages."))
        return data


class StaffInline(SeenInline):
    """Moderators look."""

    def has_view_permission(self, request, obj=None):
        return can_moderate(request.user)


class OldHandleInline(StaffInline):
    model = OldHandle
    fields = readonly_fields = ["handle", "left_at"]


@admin.register(Member)
class MemberAdmin(StaffAdmin):
    form = RolesForm
    list_display = [
        "name",
        "email",
        "handle",
        "status",
        "address_proven_at",
        "is_host",
        "joined_at",
        "last_seen_on",
    ]
    list_filter = ["status", *ROLES, ("address_proven_at", IsGiven), "joined_at"]
    search_fields = ["name", "name_key", "email", "handle"]
    ordering = ["-joined_at", "pk"]
    date_hierarchy = "joined_at"
    show_full_result_count = False
    list_per_page = 50
    actions = ["suspend", "silence", "restore", "approve", "start_leaving", "undo_leaving"]
    inlines = [OldHandleInline]
    readonly_fields = [
        *("name", "email", "handle", "status", "time_zone", "language", "joined_at", "address_proven_at"),
        *("agreed_at", "onboarded_at", "last_seen_on", "last_login"),
    ]
    fieldsets = [
        (None, {"fields": ["name", "email", "handle", "status", "time_zone", "language"]}),
        (
            _("When"),
            {
                "fields": [
                    "joined_at",
                    "address_proven_at",
                    "agreed_at",
                    "onboarded_at",
                    "last_seen_on",
                    "last_login",
                ]
            },
        ),
        (_("Roles"), {"fields": [*ROLES, "reason"]}),
    ]

    def has_change_permission(self, request, obj=None):
        return can_administer(request.user)

    def get_fieldsets(self, request, obj=None):
        """Who only looks has no reason to give."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        return [*self.fieldsets[:2], (_("Roles"), {"fields": list(ROLES)})]

    def save_model(self, request, obj, form, change):
        """Only roles can be changed here, by the service that writes the log."""
        services.set_roles(
            member=Member.objects.get(pk=obj.pk),
            actor=request.user,
            reason=form.cleaned_data["reason"],
            **{role: form.cleaned_data[role] for role in ROLES},
        )

    @admin.action(description=_("Suspend: out of every session and mail"), permissions=["view"])
    def suspend(self, request, queryset):
        self.act(request, queryset, services.suspend_member)

    @admin.action(description=_("Silence: reads, but does not write"), permissions=["view"])
    def silence(self, request, queryset):
        self.act(request, queryset, services.silence_member)

    @admin.action(description=_("Restore: an ordinary member again"), permissions=["view"])
    def restore(self, request, queryset):
        self.act(request, queryset, services.restore_member)

    @admin.action(description=_("Approve those who wait"), permissions=["view"])
    def approve(self, request, queryset):
        self.act(request, queryset, services.approve_member)

    @admin.action(description=_("Start deletion: two weeks to undo it"), permissions=["change"])
    def start_leaving(self, request, queryset):
        """What they wrote stays, unsigned: who wants it otherwise says so by signing in, or is asked."""

        def start(*, member, actor, reason):
            try:
                services.start_leaving(member=member, keep_words=True, actor=actor, reason=reason)
            except services.MustHandOver as error:
                for duty in error.duties:
                    messages.error(request, duty.label)
                raise PermissionDenied from error

        self.act(request, queryset, start)

    @admin.action(description=_("Undo deletion"), permissions=["change"])
    def undo_leaving(self, request, queryset):
        self.act(request, queryset, services.undo_leaving)


@admin.register(Profile)
class ProfileAdmin(StaffAdmin):
    """What members see of each other; what somebody keeps to themselves is not shown here either."""

    list_display = ["member", "state", "hidden_at", "updated_at"]
    list_filter = ["state", "is_listed"]
    list_select_related = ["member"]
    search_fields = ["member__name", "member__name_key", "member__email", "member__handle"]
    ordering = ["-updated_at", "pk"]
    show_full_result_count = False
    actions = ["hide", "show"]
    fields = readonly_fields = [
        *("member", "state", "hidden_at", "hidden_by", "hidden_reason", "updated_at", "as_members_see_it"),
    ]

    @admin.display(description=_("as members see it"))
    def as_members_see_it(self, profile):
        shown = profile.as_members_saw_it
        rows = []
        for part in PARTS.values():
            for attribute in part.attributes:
                value = getattr(shown, attribute)
                if value:
                    words = ", ".join(map(str, value)) if isinstance(value, list) else value
                    rows.append((part.label, words))
        return format_html_join("\n", "<p><b>{}</b>: {}</p>", rows)

    @admin.action(description=_("Hide what the profile says"), permissions=["view"])
    def hide(self, request, queryset):
        self.act(request, queryset.select_related("member"), services.hide_profile, target="target")

    @admin.action(description=_("Show it again"), permissions=["view"])
    def show(self, request, queryset):
        self.act(request, queryset.select_related("member"), services.restore_profile, target="target")


class StandingInline(StaffInline):
    """Who convenes a listed group, and how it stands with others. Of a private one nobody is named."""

    model = GroupMember
    fields = readonly_fields = ["member", "standing", "since"]

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("member").order_by("standing", "since", "pk")
        return rows.filter(group__in=MembersGroup.objects.visible_to(request.user))


@admin.register(MembersGroup)
class GroupAdmin(StaffAdmin):
    """How many groups there are and whether somebody leads them. A private group is a number and a count here."""

    list_display = ["called", "is_listed", "joining", "people", "led_by", "state", "created_at", "closed_at"]
    list_filter = ["is_listed", "joining", "state", ("closed_at", IsGiven)]
    search_fields = ["name_key"]
    ordering = ["-created_at", "pk"]
    show_full_result_count = False
    list_per_page = 50
    actions = ["hide", "show", "hand_on"]
    inlines = [StandingInline]
    fields = readonly_fields = [
        *("called", "what_for", "is_listed", "joining", "people", "led_by", "created_at", "closed_at"),
        *("state", "hidden_at", "hidden_by", "hidden_reason"),
    ]

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .with_card(request.user)
            .annotate(
                seen=Exists(MembersGroup.objects.visible_to(request.user).filter(pk=OuterRef("pk"))),
                leaders=Count("standings", filter=Q(standings__standing="convenor")),
            )
        )

    def get_search_results(self, request, queryset, search_term):
        """A search that finds private groups by their words would tell of them; so does choosing one for a space."""
        found, distinct = super().get_search_results(request, queryset, search_term)
        choosing = request.path.endswith("/autocomplete/")
        return (found.filter(seen=True) if search_term or choosing else found), distinct

    def get_object(self, request, object_id, from_field=None):
        """The head of the page says what the row is called, too."""
        group = super().get_object(request, object_id, from_field)
        if group is not None:
            group.name = self.called(group)
        return group

    def action_checkbox(self, group):
        """Its label names the row, for those who do not see it."""
        group.name = self.called(group)
        return super().action_checkbox(group)

    @admin.display(description=_("group"))
    def called(self, group):
        return group.name if group.seen else _("private group %(number)d") % {"number": group.pk}

    @admin.display(description=_("what it is for"))
    def what_for(self, group):
        return group.purpose if group.seen else ""

    @admin.display(description=_("people"))
    def people(self, group):
        return group.people_count

    @admin.display(description=_("convenors"))
    def led_by(self, group):
        return group.leaders

    def act(self, request, queryset, service, **names):
        super().act(request, MembersGroup.objects.filter(pk__in=queryset.values("pk")), service, **names)

    @admin.action(
        description=_("Hide from all who are not in it, with the reason given"), permissions=["view"]
    )
    def hide(self, request, queryset):
        self.act(request, queryset, group_upkeep.hide_group, target="target")

    @admin.action(description=_("Show it again"), permissions=["view"])
    def show(self, request, queryset):
        self.act(request, queryset, group_upkeep.restore_group, target="target")

    @admin.action(description=_("Nobody leads it: hand it to who is in it longest"), permissions=["view"])
    def hand_on(self, request, queryset):
        self.act(request, queryset, group_upkeep.hand_on_group, target="group")


# The packages' own pages would show the keys of open sessions and of second steps, and change things without the log.
# Groups give nobody a right here.
for model in (EmailAddress, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken, Group):
    admin.site.unregister(model)


@admin.register(EmailAddress)
class EmailAddressAdmin(StaffAdmin):
    """Whose an address is, and whether it is proven."""

    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["primary", "verified"]
    list_select_related = ["user"]
    search_fields = ["email", "user__name", "user__handle"]
    ordering = ["email", "pk"]
    fields = readonly_fields = ["email", "user", "primary", "verified"]


@admin.register(Authenticator)
class AuthenticatorAdmin(StaffAdmin):
    """Who has a second step at sign-in. An admin may take one away from somebody who lost it."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__email", "user__handle"]
    ordering = ["-created_at", "pk"]
    actions = ["take_away"]
    fields = readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def has_module_permission(self, request):
        return can_administer(request.user)

    def has_view_permission(self, request, obj=None):
        return can_administer(request.user)

    @admin.action(description=_("Take it away: its owner lost it"), permissions=["view"])
    def take_away(self, request, queryset):
        self.act(request, queryset.select_related("user"), services.remove_second_step, target="target")
