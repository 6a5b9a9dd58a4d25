"""Mail that comes in: addresses that accept a reply, and every message that was received."""

import secrets

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def new_reply_token() -> str:
    """26 letters and digits, about 130 bits; lower case, since mail programs may change the case of an address."""
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _place in range(26))


class ReplyAddress(models.Model):
    """reply+<token>@our domain: this member's way to answer this thing by mail, until it runs out or is revoked."""

    token = models.CharField(max_length=40, unique=True, default=new_reply_token, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="reply_addresses",
        verbose_name=_("member"),
    )
    purpose = models.CharField(_("purpose"), max_length=60)  # "discussions.thread"; see kmnet.core.inbound
    target_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    target_id = models.BigIntegerField()
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_for = models.CharField(_("why revoked"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("reply address")
        verbose_name_plural = _("reply addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "purpose", "target_type", "target_id"],
                condition=Q(revoked_at__isnull=True),
                name="one_live_reply_address_per_target",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="reply_address_ends")]

    def __str__(self):
        return f"reply address {self.pk}"


class ReceivedMail(models.Model):
    """One message as it came, byte for byte; written before it is accepted, worked on afterwards."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        HELD = "held", _("held for a moderator")
        REJECTED = "rejected", _("rejected, and the sender was told")
        DROPPED = "dropped", _("dropped")

    message_id = models.CharField(_("Message-ID"), max_length=300)
    recipient = models.CharField(_("to"), max_length=254)
    sender = models.CharField(_("from"), max_length=254, blank=True)
    via = models.CharField(_("came by"), max_length=20)  # "lmtp", "smtp", or the provider's name
    authenticated = models.CharField(
        _("passed"), max_length=20, blank=True
    )  # "dkim", "spf", "dkim spf": as the receiving server found
    raw = models.BinaryField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(_("why"), max_length=60, blank=True)  # the code of a named refusal
    note = models.TextField(_("note"), blank=True)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("member"),
    )
    result_type = models.ForeignKey(
        ContentType, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    result_id = models.BigIntegerField(null=True, blank=True)  # the post that came of it
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"), auto_now_add=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("received mail")
        verbose_name_plural = _("received mails")
        constraints = [
            models.UniqueConstraint(fields=["message_id", "recipient"], name="received_once"),
            models.CheckConstraint(
                condition=~Q(state__in=("rejected", "dropped", "held"), reason=""),
                name="received_not_done_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], condition=Q(state="waiting"), name="received_waiting"),
            models.Index(fields=["received_at"], name="received_by_age"),
        ]

    def __str__(self):
        return f"received mail {self.pk}"
