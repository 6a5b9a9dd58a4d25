"""What groups register with core."""

from django.db.models import Count, Window
from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, mail, moderation, search
from kmnet.core.frame import MenuItem, register_menu_item

from . import group_mails
from .models import Group, GroupMember, Member, Standing, has_blocked
from .permissions import is_full_member
from .services import group_upkeep


# --- activity --------------------------------------------------------------------------------------------------------
def convenors(deed) -> list[int]:
    """Of an open group, as long as the request stands."""
    if deed.target.is_closed or not GroupMember.objects.filter(pk=deed.data.get("standing")).exists():
        return []
    leading = GroupMember.objects.in_it().filter(group=deed.target_id, standing=Standing.CONVENOR)
    return list(Member.objects.full().filter(pk__in=leading.values("member")).values_list("pk", flat=True))


def whom_it_concerns(deed) -> list[int]:
    """The one who was invited, let in, or given the lead; not by somebody whom they block."""
    member = Member.objects.full().filter(pk=deed.data.get("member")).first()
    standing = GroupMember.objects.filter(group=deed.target_id, member=member) if member else None
    if standing is None or deed.target.is_closed or not standing.exists():
        return []
    return [] if deed.actor and has_blocked(member, deed.actor) else [member.pk]


for verb, audience in (
    ("requested", convenors),
    ("invited", whom_it_concerns),
    ("admitted", whom_it_concerns),
    ("led", whom_it_concerns),
):
    activity.register(
        activity.ActivityType(
            verb=f"groups.{verb}",
            template=f"groups/activity/_{verb}.html",
            audience=audience,
            mail_kind=f"groups.{verb}",
        )
    )


# --- mail ------------------------------------------------------------------------------------------------------------
for key, label, compose, category in (
    ("requested", _("Somebody asks to join a group"), group_mails.compose_requested, "groups"),
    ("invited", _("An invitation to a group"), group_mails.compose_invited, "groups"),
    ("admitted", _("You are in a group"), group_mails.compose_admitted, "groups"),
    ("led", _("You lead a group"), group_mails.compose_led, None),
    ("unled", _("A group has nobody to lead it"), group_mails.compose_unled, None),
):
    mail.register(
        mail.MailKind(
            key=f"groups.{key}",
            label=label,
            template=f"groups/email/{key}",
            compose=compose,
            category=category,
            bundles=category is not None,
        )
    )


# --- search ----------------------------------------------------------------------------------------------------------
def search_groups(text: search.SearchText, viewer, limit: int) -> search.SearchPage:
    """Groups whose page the viewer may open, the ones they are in first."""
    if not text:
        return search.SearchPage()
    found = Group.objects.visible_to(viewer).matching(text.text)
    rows = list(
        found.with_card(viewer)
        .annotate(total=Window(Count("pk")))  # counted along, not by a query of its own
        .order_by("-my_standing", "name", "pk")[:limit]
        if is_full_member(viewer)
        else ()
    )
    hits = [
        search.SearchHit(
            url=group.get_absolute_url(),
            title=group.name,
            snippet=group.purpose,
            meta=str(group.get_joining_display() if group.is_listed else _("private")),
        )
        for group in rows
    ]
    return search.SearchPage(hits=hits, total=rows[0].total if rows else 0)


search.register(search.SearchSource(key="groups", label=_("Groups"), order=50, search=search_groups))


# --- moderation ------------------------------------------------------------------------------------------------------
moderation.register(
    moderation.Moderated(
        model=Group,
        label=_("group"),
        card_template="groups/_moderated.html",
        title=lambda group: group.name,
        url=lambda group: group.get_absolute_url(),
        author_id=lambda group: group.made_by_id,
        hide=group_upkeep.hide_group,
        restore=group_upkeep.restore_group,
        visible_to=lambda user: Group.objects.visible_to(user),
        is_private=lambda group: not group.is_listed,
    )
)

register_menu_item(MenuItem(_("Groups"), "/groups/", is_full_member, order=20))
