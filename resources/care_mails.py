"""Mails to those who look after records. Composed when they are sent: whom it no longer concerns gets none."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from kmnet.core.mail import Line, MailContent, Withhold
from kmnet.core.models import Activity
from members.models import has_blocked
from members.permissions import is_full_member

from .models import HandOver, LinkCheck, Resource, Tombstone
from .permissions import can_edit_resource, can_take_on, can_view_resource
from .services.linkchecks import in_words


def deed_and_resource(mail) -> tuple[Activity, Resource]:
    deed = Activity.objects.select_related("actor").filter(pk=mail.refs["activity"]).first()
    resource = deed and Resource.objects.filter(pk=deed.target_id).first()
    if resource is None:
        raise Withhold("the resource is gone")
    if not is_full_member(mail.member):
        raise Withhold("no longer a member")
    return deed, resource


def url_of(resource: Resource, name: str = "") -> str:
    path = reverse(f"resources:{name}", args=[resource.pk]) if name else resource.get_absolute_url()
    return settings.SITE_URL + path


def line(resource: Resource, words: str, url: str = "") -> Line:
    return Line(resource.title, words, url or url_of(resource), f"resource:{resource.pk}")


def why_keeper() -> str:
    return _("You get this because you look after this resource.")


def compose_released(mail) -> MailContent:
    """A moderator has looked: it is in the library."""
    _deed, resource = deed_and_resource(mail)
    if resource.state != Resource.State.VISIBLE or not can_view_resource(mail.member, resource):
        raise Withhold("it was hidden before this was sent")
    return MailContent(
        context={"resource": resource, "url": url_of(resource), "why": why_keeper()},
        line=line(resource, _("It is in the library now.")),
    )


def compose_taken_down(mail) -> MailContent:
    """It is out of the library, and why."""
    _deed, resource = deed_and_resource(mail)
    tombstone = Tombstone.objects.filter(resource=resource).first()
    if tombstone is None:
        raise Withhold("it was put back before this was sent")
    return MailContent(
        context={
            "resource": resource,
            "tombstone": tombstone,
            "reason": resource.hidden_reason,
            "url": url_of(resource),
            "why": _("You get this because you added this resource, or look after it."),
        }
    )


def compose_link_broken(mail) -> MailContent:
    """Its link has not answered for a week; the page has the buttons."""
    deed, resource = deed_and_resource(mail)
    check = LinkCheck.objects.filter(pk=deed.data["check"], url_key=resource.url_key).first()
    if check is None or check.state != LinkCheck.State.BROKEN:
        raise Withhold("the link answers, or was changed")
    if not can_edit_resource(mail.member, resource):
        raise Withhold("somebody else looks after it now")
    url = url_of(resource, "link")
    return MailContent(
        context={
            "resource": resource,
            "check": check,
            "wrong": in_words(check),
            "url": url,
            "why": why_keeper(),
        },
        line=line(resource, _("Its link does not answer any more."), url),
    )


def compose_offered(mail) -> MailContent:
    """Somebody asks whether they would look after it, or several; the page asks, and a button answers."""
    deed, resource = deed_and_resource(mail)
    asked = HandOver.objects.filter(asked=mail.member, answered_at__isnull=True, asked_by=deed.actor_id)
    count = asked.count()
    if not count or (deed.data.get("count") == 1 and not asked.filter(resource=resource).exists()):
        raise Withhold("it was answered, or taken back")
    if deed.actor is None or not is_full_member(deed.actor) or has_blocked(mail.member, deed.actor):
        raise Withhold("the one who asks is no longer to be heard")
    if not can_take_on(mail.member, resource):
        raise Withhold("they may not see it")
    many = deed.data.get("count", 1) > 1
    url = settings.SITE_URL + reverse("resources:kept") if many else url_of(resource, "keeper")
    return MailContent(
        context={
            "resource": resource,
            "who": deed.actor,
            "count": count if many else 1,
            "url": url,
            "why": _("You get this because a member asks you."),
        },
        from_name=deed.actor.name,
        line=line(resource, _("%(name)s asks you to look after it.") % {"name": deed.actor.name}, url),
    )
