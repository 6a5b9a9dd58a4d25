"""The outbox: one row per mail, and what people chose to receive."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class MailState(models.TextChoices):
    """There is no "sending": the claim of a sender is its lock on the row, which goes with a killed worker."""

    WAITING = "waiting", _("waiting")
    SENT = "sent", _("sent")
    WITHHELD = "withheld", _("not sent, on purpose")
    FAILED = "failed", _("given up")


BUNDLE = "core.bundle"  # the kind of a mail that holds several pieces of news, each a row with `lead`


def new_message_id() -> str:
    return f"<{uuid.uuid4().hex}@{settings.MAIL_DOMAIN}>"


class OutgoingMailQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(state=MailState.WAITING)

    def due(self, now):
        """What may go out by itself, the longest due first. Callers take bulk=False before bulk=True."""
        return self.waiting().filter(lead__isnull=True, next_try_at__lte=now).order_by("next_try_at", "pk")


class OutgoingMail(models.Model):
    """One mail to one recipient. It holds ids; the words are made when it is sent."""

    kind = models.CharField(_("kind"), max_length=80)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="outgoing_mail",
        verbose_name=_("member"),
    )
    address = models.CharField(_("address, where it is not to a member"), max_length=254, blank=True)
    dedupe_key = models.CharField(_("dedupe key"), max_length=200, unique=True)
    refs = models.JSONField(_("what it is about (ids)"), default=dict, blank=True)
    secret = models.TextField(blank=True, editable=False)  # encrypted one-time secrets; wiped when final
    wiped_at = models.DateTimeField(_("one-time secret wiped"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=12, default="en")
    bulk = models.BooleanField(_("bulk"), default=False)  # copied from the kind: others overtake it
    domain = models.CharField(
        _("receiving domain"), max_length=254, blank=True, default="", db_default=""
    )  # for the pace
    lead = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="bundled",
        verbose_name=_("goes out within"),
    )  # a row of the kind BUNDLE; a row that has one is never claimed by itself
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(_("state"), max_length=10, choices=MailState, default=MailState.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True, default=new_message_id)
    reason = models.TextField(_("why it was not sent"), blank=True)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()
    prepared = None  # what MailKind.prepare gave for this row, while it is being sent
    returned_before = False  # set on the instance at sending, where something came back from the address once
    is_preview = False  # set on the instance that somebody else than the receiver will look at

    class Meta:
        verbose_name = _("mail in the outbox")
        verbose_name_plural = _("outbox")
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, address="") | (Q(member__isnull=True) & ~Q(address="")),
                name="mail_goes_to_a_member_or_an_address",
            ),
            models.CheckConstraint(condition=Q(state__in=MailState.values), name="mail_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="mail_sent_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("withheld", "failed"), reason=""), name="mail_not_sent_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(secret=""), name="mail_secret_goes_when_it_is_final"
            ),
            models.UniqueConstraint(
                fields=["member"],
                condition=Q(kind=BUNDLE, state="waiting"),
                name="one_open_bundle_per_member",
            ),
            models.CheckConstraint(
                condition=Q(lead__isnull=True) | (Q(member__isnull=False) & ~Q(kind=BUNDLE)),
                name="mail_bundled_is_to_a_member",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bulk", "next_try_at", "id"],
                condition=Q(state="waiting", lead__isnull=True),
                name="mail_due",
            ),
            models.Index(
                fields=["lead"], condition=Q(state="waiting", lead__isnull=False), name="mail_in_bundle"
            ),
            models.Index(fields=["sent_at", "domain"], condition=Q(state="sent"), name="mail_pace"),
            models.Index(Lower("address"), condition=~Q(address=""), name="mail_by_address"),
        ]

    def __str__(self):
        return f"mail {self.pk}: {self.kind}"

    @property
    def secrets(self) -> dict:
        """The one-time secrets given to queue(), for compose; never shown to anybody else."""
        from kmnet.core.mail.secrets import decrypt  # the model is imported before the mail package

        secrets = decrypt(self.secret) if self.secret else {}
        return dict.fromkeys(secrets, "•••") if self.is_preview else secrets


class MailChoiceQuerySet(models.QuerySet):
    def of(self, *, member_id=None, address=""):
        """The choices of one member, or of a guest's address whatever its case."""
        if member_id is not None:
            return self.filter(member_id=member_id)
        return self.annotate(lowered=Lower("address")).filter(member__isnull=True, lowered=address.lower())


class MailChoice(models.Model):
    """What one person wants of one category. No row means: as usual for the category (kmnet.core.mail.kinds)."""

    class How(models.TextChoices):
        USUAL = "", _("as usual")
        AT_ONCE = "at_once", _("at once")
        BUNDLED = "bundled", _("bundled")
        DIGEST = "digest", _("in the digest")
        NEVER = "never", _("never")

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="mail_choices",
        verbose_name=_("member"),
    )
    address = models.CharField(_("address of a guest"), max_length=254, blank=True)
    category = models.CharField(_("category"), max_length=40)
    how = models.CharField(_("by mail"), max_length=10, choices=How, default=How.USUAL, blank=True)
    site = models.BooleanField(_("on the site"), default=True, db_default=True)
    changed_at = models.DateTimeField(_("chosen"), auto_now=True)

    objects = MailChoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail choice")
        verbose_name_plural = _("mail choices")
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, address="") | (Q(member__isnull=True) & ~Q(address="")),
                name="mail_choice_of_a_member_or_an_address",
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False, how__in=("", "at_once", "bundled", "digest", "never"))
                | Q(member__isnull=True, how__in=("at_once", "never"), site=True),
                name="mail_choice_is_known",
            ),
            models.UniqueConstraint(fields=["member", "category"], name="one_mail_choice_per_member"),
            models.UniqueConstraint(
                Lower("address"), "category", condition=~Q(address=""), name="one_mail_choice_per_address"
            ),
        ]

    def __str__(self):
        return f"mail choice {self.pk}: {self.category} {self.how}"


class MailHabits(models.Model):
    """When one member wants mail at all. No row means: ten minutes, no quiet hours, no pause."""

    LONGEST_PAUSE = 366  # days

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_habits", primary_key=True
    )
    bundle_minutes = models.PositiveSmallIntegerField(_("minutes before a bundle goes out"), default=10)
    # Hours of the member's own clock; what can wait does so from the first until the second, also over midnight.
    quiet_from = models.PositiveSmallIntegerField(_("quiet from"), null=True, blank=True)
    quiet_until = models.PositiveSmallIntegerField(_("quiet until"), null=True, blank=True)
    paused_until = models.DateField(
        _("no mail until"), null=True, blank=True
    )  # mail begins again at the start of this day, in the member's zone
    asked_if_here_at = models.DateTimeField(_("asked whether they still read"), null=True, blank=True)
    changed_at = models.DateTimeField(_("chosen"), auto_now=True)

    class Meta:
        verbose_name = _("mail habits")
        verbose_name_plural = _("mail habits")
        constraints = [
            models.CheckConstraint(
                condition=Q(bundle_minutes__gte=2, bundle_minutes__lte=120),
                name="mail_waits_2_to_120_minutes",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__lte=23, quiet_until__lte=23) & ~Q(quiet_from=models.F("quiet_until"))),
                name="mail_quiet_hours_are_hours",
            ),
        ]

    def __str__(self):
        return f"mail habits of member {self.member_id}"


class MailReturn(models.Model):
    """One bounce or complaint about a mail of ours, as told by a mail server or by the provider."""

    class Kind(models.TextChoices):
        SOFT = "soft", _("for now not taken")
        HARD = "hard", _("not taken")
        COMPLAINT = "complaint", _("marked as spam")

    told_by = models.CharField(
        max_length=300, unique=True
    )  # Message-ID of the notice, or the provider's id of the event
    mail = models.ForeignKey(
        OutgoingMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="returns"
    )
    address_hash = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    text = models.TextField(_("what the server said"), blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("returned mail")
        verbose_name_plural = _("returned mails")

    def __str__(self):
        return f"returned mail {self.pk}: {self.kind}"


class SuppressedAddress(models.Model):
    """How an address has answered our mail. It knows the address by its hash only, so that it outlasts the account."""

    address_hash = models.CharField(max_length=64, unique=True)
    score = models.FloatField(_("score"), default=0)  # as it was at scored_at; it decays from there
    scored_at = models.DateTimeField(_("counted"))
    suppressed_at = models.DateTimeField(_("no mail since"), null=True, blank=True)
    reason = models.CharField(
        _("because of"),
        max_length=10,
        choices=[("bounces", _("bounces")), ("complaint", _("a complaint"))],
        blank=True,
    )

    class Meta:
        verbose_name = _("address that returns mail")
        verbose_name_plural = _("addresses that return mail")
        constraints = [
            models.CheckConstraint(
                condition=Q(suppressed_at__isnull=True, reason="")
                | (Q(suppressed_at__isnull=False) & ~Q(reason="")),
                name="mail_suppressed_for_a_reason",
            ),
        ]

    def __str__(self):
        return f"address that returns mail {self.pk}"


class DevMail(models.Model):
    """What the demo's in-site mailbox received, byte for byte."""

    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=300, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    raw = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("mail in the demo’s mailbox")
        verbose_name_plural = _("demo mailbox")
        indexes = [models.Index(Lower("recipient"), "id", name="dev_mail_by_recipient")]

    def __str__(self):
        return f"demo mail {self.pk}"
