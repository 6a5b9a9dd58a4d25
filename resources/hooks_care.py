"""What looking after records registers with core: deeds, mails and the like."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kmnet.core import activity, free_tags, mail
from members import duties
from members.models import Member

from . import care_mails
from .models import HandOver, LinkCheck, Resource, ResourceTag, ResourceTerm
from .permissions import can_view_resource
from .services import reindex


def keeper(deed) -> list[int]:
    """Who looks after it now."""
    return full([deed.target.keeper_id])


def named(deed) -> list[int]:
    """Those whom the deed names."""
    return full(deed.data.get("members", ()))


def full(ids) -> list[int]:
    return list(Member.objects.full().filter(pk__in=[pk for pk in ids if pk]).values_list("pk", flat=True))


def keeper_of_broken(deed) -> list[int]:
    """As long as others meet the record with that link."""
    resource = deed.target
    broken = LinkCheck.objects.filter(pk=deed.data.get("check"), url_key=resource.url_key, state="broken")
    return keeper(deed) if resource.state == Resource.State.VISIBLE and broken.exists() else []


def still_asked(deed) -> list[int]:
    """As long as they have not answered, and nobody has taken the question back."""
    asked = HandOver.objects.filter(asked__in=deed.data.get("members", ()), answered_at__isnull=True)
    if not asked.filter(asked_by=deed.actor_id).exists():
        return []
    if deed.data.get("count", 1) > 1:  # of several no title is told
        return named(deed)
    members = Member.objects.filter(pk__in=named(deed))
    return [member.pk for member in members if can_view_resource(member, deed.target)]


CATEGORY = "looking_after"
for key, label, audience, compose, category, official in (
    ("released", _("A resource of mine is in the library"), keeper, care_mails.compose_released, CATEGORY, True),
    ("link_broken", _("A link of mine is broken"), keeper_of_broken, care_mails.compose_link_broken, CATEGORY, False),
    ("offered", _("Somebody asks me to look after a resource"), still_asked, care_mails.compose_offered, CATEGORY, False),
    ("taken_down", _("A resource of mine was taken down"), named, care_mails.compose_taken_down, None, True),
):  # fmt: skip
    activity.register(
        activity.ActivityType(
            verb=f"resources.{key}",
            template=f"resources/activity/_{key}.html",
            audience=audience,
            mail_kind=f"resources.{key}",
            official=official,
        )
    )
    mail.register(
        mail.MailKind(
            key=f"resources.{key}",
            label=label,
            template=f"resources/email/{key}",
            compose=compose,
            category=category,
            bundles=category is not None,
        )
    )

activity.register(
    activity.ActivityType(
        verb="resources.put_back",
        template="resources/activity/_put_back.html",
        audience=named,
        category=CATEGORY,
        official=True,
    )
)

activity.register(
    activity.ActivityType(
        verb="resources.offer_answered",
        template="resources/activity/_offer_answered.html",
        audience=named,
        category=CATEGORY,
    )
)


def what_stays_behind(member) -> list[duties.Duty]:
    """Before somebody leaves: what they look after may be handed on; else the community has it."""
    count = Resource.objects.filter(keeper=member).exclude(state=Resource.State.HIDDEN).count()
    if not count:
        return []
    words = ngettext(
        "You look after %(count)d resource of the library. Hand it on, or leave it to the community.",
        "You look after %(count)d resources of the library. Hand them on, or leave them to the community.",
        count,
    )
    return [duties.Duty(words % {"count": count}, reverse("resources:kept"))]


duties.register_advice(what_stays_behind)


# --- free tags that many use -------------------------------------------------------------------------------------------
def tags_that_members_meet():
    met = Resource.objects.published().filter(group__isnull=True).values("pk")
    return ResourceTag.objects.filter(content_object__in=met).values_list("tag_id", flat=True)


def merge_tag(tag, term, named) -> int:
    """The term instead of the tag; where the term is not for resources, the tag that is called like it."""
    bearing = list(Resource.objects.filter(resource_tags__tag=tag).order_by("pk"))
    if "resource" in term.facet.applies_to:
        rows = [ResourceTerm(resource=resource, term=term) for resource in bearing]
        ResourceTerm.objects.bulk_create(rows, ignore_conflicts=True)
        ResourceTag.objects.filter(tag=tag).delete()
    elif tag.pk != named.pk:
        rows = [ResourceTag(content_object=resource, tag=named) for resource in bearing]
        ResourceTag.objects.bulk_create(rows, ignore_conflicts=True)
        ResourceTag.objects.filter(tag=tag).delete()
    reindex(bearing)
    return len(bearing)


free_tags.register(free_tags.TagBearer("resources", tags_that_members_meet, merge_tag))
