"""Mail that a provider hands over by its webhook."""

from anymail.signals import inbound as inbound_signal
from anymail.urls import urlpatterns as anymail_patterns
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.dispatch import receiver
from django.http import Http404
from django.views.decorators.csrf import csrf_exempt

from .inbound.receiving import is_taken, store

ENDING = "_inbound_webhook"
PROVIDERS = {
    pattern.name.removesuffix(ENDING): pattern.callback
    for pattern in anymail_patterns
    if pattern.name.endswith(ENDING)
}  # "mailgun": its view, which asks for the secret
MOST_RECIPIENTS = 20


@csrf_exempt
@login_not_required
def take(request, provider):
    """Anymail's view of this provider, which checks the secret and reads the message. It is there only where mail comes in
    and a secret is set."""
    view = PROVIDERS.get(provider)
    if view is None or not settings.INBOUND_MAIL or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    return view(request)


@receiver(inbound_signal)
def take_in(sender, event, esp_name, **kwargs):
    """Written down before the provider hears "200"; what fails is a 500, and it comes again. What it takes for spam, and
    what is to nobody here, is left."""
    message = event.message
    if message.spam_detected:
        return
    to = [message.envelope_recipient] if message.envelope_recipient else addresses_of(message)
    for recipient in dict.fromkeys(to):
        if is_taken(recipient):
            raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
            store(raw, recipient=recipient, via=esp_name.lower(), envelope_sender=message.envelope_sender)


def addresses_of(message) -> list[str]:
    return [one.addr_spec for one in (*message.to, *message.cc)][:MOST_RECIPIENTS]
