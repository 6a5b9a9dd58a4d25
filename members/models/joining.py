"""Coming in: the request that a moderator decides, invitations, and the hello that a newcomer gets."""

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kmnet.core.known_address import hash_of_address

MOST_USES = 500


class JoinRequest(models.Model):
    """Somebody asks to be let in; moderators answer once the address is proven."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        APPROVED = "approved", _("let in")
        DECLINED = "declined", _("declined")

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="join_request"
    )
    answers = models.JSONField(
        _("questions and answers"), default=list, blank=True
    )  # [[question, answer], …]
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    waits_since = models.DateTimeField(_("waits since"), null=True, blank=True)  # the address was proven then
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("request to join")
        verbose_name_plural = _("requests to join")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="a_decision_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["waits_since", "id"], condition=Q(state="waiting"), name="join_requests_waiting"
            )
        ]

    def __str__(self):
        return f"request to join {self.pk}"


class BringIn(models.Model):
    """A mailing list that an organiser brought in, and on what ground. Its people each get one invitation."""

    class Basis(models.TextChoices):
        ASKED = "asked", _("They asked to hear from us about this community")
        LIST = "list", _("They are on our mailing list, which moves here, and were told so")
        MEMBERS = "members", _("They are members of our association, and this is part of it")

    name = models.CharField(_("which list"), max_length=120)
    basis = models.CharField(_("why we may write to them"), max_length=10, choices=Basis)
    promise = models.TextField(_("what was confirmed"))
    promise_version = models.PositiveSmallIntegerField(_("version of the text"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    confirmed_at = models.DateTimeField(_("confirmed"), default=timezone.now)
    rows = models.PositiveIntegerField(_("addresses"))

    class Meta:
        verbose_name = _("mailing list brought in")
        verbose_name_plural = _("mailing lists brought in")

    def __str__(self):
        return self.name


class InvitationQuerySet(models.QuerySet):
    def with_uses(self):
        return self.annotate(used=Count("uses"))

    def open(self, now=None):
        """Neither withdrawn nor run out; whether a use is left is asked under the lock."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=now or timezone.now())

    def of_token_hash(self, token_hash: str):
        return self.filter(Q(token_hash=token_hash) | Q(reminder_hash=token_hash))


class Invitation(models.Model):
    """A way in: by mail to one address, whose link proves that address; or a link that works for so many people.

    Only hashes of the links are kept."""

    address = models.EmailField(
        _("for this address"), max_length=254, blank=True
    )  # forgotten some time after its end
    address_hash = models.CharField(max_length=64, blank=True, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    note = models.CharField(_("what it is for"), max_length=200, blank=True)
    max_uses = models.PositiveSmallIntegerField(_("works for so many people"), default=1)
    token_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001  unique
    reminder_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001  unique
    bring_in = models.ForeignKey(
        BringIn, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="invitations_made"
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    expires_at = models.DateTimeField(_("works until"))
    revoked_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                condition=Q(max_uses__gte=1, max_uses__lte=MOST_USES), name="invitation_has_uses"
            ),
            models.CheckConstraint(
                condition=Q(address_hash="") | Q(max_uses=1), name="a_person_is_invited_for_themselves"
            ),
            models.CheckConstraint(
                condition=Q(address="") | ~Q(address_hash=""), name="an_invited_address_is_recognised"
            ),
            models.CheckConstraint(
                condition=Q(bring_in__isnull=True) | ~Q(address_hash=""), name="a_list_has_addresses"
            ),
            models.UniqueConstraint(
                fields=["address_hash"],
                condition=Q(bring_in__isnull=False),
                name="a_list_invites_each_address_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["address_hash"], condition=~Q(address_hash=""), name="invitations_to_address"
            ),
            models.Index(fields=["id"], condition=Q(mailed_at__isnull=True), name="invitations_to_mail"),
            models.Index(fields=["invited_by", "-created_at"], name="invitations_of_somebody"),
        ]

    def __str__(self):
        return f"invitation {self.pk}"

    @property
    def is_bound(self) -> bool:
        """For one address, whose mailbox its link went to."""
        return bool(self.address_hash)

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    def is_for(self, address: str) -> bool:
        return not self.is_bound or self.address_hash == hash_of_address(address)


class InvitationUse(models.Model):
    """Somebody came in by it. An account that is never proven goes after some days, and gives its use back."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="uses")
    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitation_used"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("use of an invitation")
        verbose_name_plural = _("uses of invitations")

    def __str__(self):
        return f"use {self.pk}"


class NeverInvite(models.Model):
    """Somebody said "do not write to me again": kept as a hash, for ever, whoever brings which list."""

    address_hash = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("address that is never invited")
        verbose_name_plural = _("addresses that are never invited")

    def __str__(self):
        return f"never invited {self.pk}"


class Greeting(models.Model):
    """A host said hello to a newcomer; the first of them counts."""

    class How(models.TextChoices):
        SAID = "said", _("said so")
        REPLIED = "replied", _("replied to the introduction")

    newcomer = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="greeting"
    )
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="greetings_given"
    )
    how = models.CharField(max_length=10, choices=How, default=How.SAID)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("greeting")
        verbose_name_plural = _("greetings")
        constraints = [
            models.CheckConstraint(
                condition=Q(host__isnull=True) | ~Q(host=F("newcomer")), name="nobody_greets_themselves"
            )
        ]
        indexes = [models.Index(fields=["-at"], name="greetings_latest")]

    def __str__(self):
        return f"greeting {self.pk}"
