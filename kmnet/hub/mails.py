"""Word to an author about a moderator's decision. Composed when it is sent. (The digest: kmnet/hub/digest/.)"""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from kmnet.core import moderation as core
from kmnet.core.mail import MailContent, Withhold
from kmnet.core.models import AuditEntry, Hideable


def _decided(outgoing, *, hidden: bool) -> MailContent:
    app_label, _dot, model_name = outgoing.refs["kind"].partition(".")
    kind = core.kind_named(app_label, model_name)
    target = kind and kind.model._default_manager.filter(pk=outgoing.refs["id"]).first()
    if target is None:
        raise Withhold("it is gone")
    if outgoing.is_preview and kind.writer_id(target) != kind.author_id(target):
        raise Withhold("written without a name: it is shown to its receiver only")
    if (target.state == Hideable.State.HIDDEN) != hidden:
        raise Withhold("decided otherwise before this was sent")
    entry = AuditEntry.objects.filter(pk=outgoing.refs.get("entry")).first()
    return MailContent(
        context={
            "kind_label": kind.label,
            "title": kind.title(target),
            "url": settings.SITE_URL + kind.url(target),
            "reason": entry.reason if entry else "",
            "by_reports": entry is not None and entry.verb == core.HIDDEN_AT_ONCE,
            "again_url": settings.SITE_URL + reverse("hub:ask_again", args=[outgoing.refs["kind"], target.pk])
            if hidden and outgoing.member and kind.is_by(outgoing.member, target)
            else "",
            "may_open": kind.visible_to(outgoing.member or AnonymousUser()).filter(pk=target.pk).exists(),
        }
    )


def compose_hidden(outgoing) -> MailContent:
    return _decided(outgoing, hidden=True)


def compose_restored(outgoing) -> MailContent:
    return _decided(outgoing, hidden=False)
