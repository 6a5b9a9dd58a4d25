"""What bounces.py hangs on: the mail that proves an address anew, notices that come in, and events told by providers."""

from anymail.signals import tracking
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import bounces, inbound, mail
from .known_address import hash_of_address
from .mail import MailContent, MailKind, Withhold
from .models import SuppressedAddress


def prove_again(row) -> MailContent:
    digest = hash_of_address(row.member.email)
    if not SuppressedAddress.objects.filter(address_hash=digest, suppressed_at__isnull=False).exists():
        raise Withhold("mail goes to the address already")
    url = settings.SITE_URL + reverse("mail:works_again", args=[bounces.proof_token(row.member)])
    why = _("You get this because somebody who is signed in as you asked for it.")
    return MailContent({"proof_url": url, "why": why})


mail.register(
    MailKind(
        key=bounces.PROVE_AGAIN,
        label=gettext_lazy("Proof that an address takes mail again"),
        template="core/email/prove_again",
        compose=prove_again,
        category="sign_in",
    )
)
inbound.register_notice_handler(bounces.handle_notice)
tracking.connect(bounces.on_tracking, dispatch_uid="kmnet.bounces")
