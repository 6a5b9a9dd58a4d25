"""What the hub registers with core."""

from django.utils.translation import gettext_lazy as _

from kmnet.core.frame import MenuItem, register_bell, register_menu_item
from kmnet.core.mail import MailKind, register
from kmnet.core.moderation import when_hidden
from members.permissions import can_greet, can_moderate

from . import digest, mails, moderation, notices
from .permissions import can_see_replies

register(
    MailKind(
        "hub.digest",
        _("digest"),
        "hub/email/digest",
        digest.compose_digest,
        category="digest",
        bulk=True,
        prepare=digest.prepare,
        why=_("You asked for this letter."),
    )
)
register(
    MailKind(
        "hub.hidden",
        _("something of yours was hidden"),
        "hub/email/hidden",
        mails.compose_hidden,
        why=_("You get this because you wrote it."),
    )
)
register(
    MailKind(
        "hub.restored",
        _("something of yours is shown again"),
        "hub/email/restored",
        mails.compose_restored,
        why=_("You get this because you wrote it."),
    )
)
register_bell(notices.count_unread)
when_hidden(moderation.tell_of_hiding)
register_menu_item(MenuItem(_("Moderation"), "/moderation/", can_moderate, order=80))
register_menu_item(MenuItem(_("Replies owed"), "/hosts/replies/", can_see_replies, order=71))
register_menu_item(MenuItem(_("Say hello"), "/hosts/hello/", can_greet, order=70))
