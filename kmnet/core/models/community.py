import time

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from .one_row import OneRow

CACHE_KEY = "community-settings"
HELD_FOR = 2.0  # seconds, by each process: every page of a guest asks

_held: dict[str, tuple[float, "CommunitySettings"]] = {}


class JoinPolicy(models.TextChoices):
    OPEN = "open", _("anybody may join")
    APPROVAL = "approval", _("a moderator approves each new member")
    INVITATION = "invitation", _("by invitation only")


class CommunitySettings(OneRow):
    """The one row of what admins decide for the whole community."""

    cache_key = CACHE_KEY

    name = models.CharField(_("name"), max_length=60, default="kmnet")
    tagline = models.CharField(
        _("tagline"), max_length=160, default="A home for people who work between research and practice"
    )
    contact_email = models.EmailField(_("contact address"), default="hello@kmnet.example")
    postal_address = models.TextField(
        _("postal address"), blank=True, help_text=_("Stands at the foot of every mail to many.")
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Europe/London",
        help_text=_("For guests, who have none of their own."),
    )
    agreement = models.TextField(
        _("how we treat each other"),
        blank=True,
        help_text=_("Markdown. Empty: the text that came with kmnet."),
    )
    agreement_version = models.PositiveIntegerField(_("version of the agreement"), default=1)
    privacy_contact = models.CharField(_("who answers about privacy"), max_length=200, blank=True)
    join_policy = models.CharField(
        _("who may join"), max_length=10, choices=JoinPolicy, default=JoinPolicy.OPEN
    )
    join_question_1 = models.CharField(
        _("first question to whoever asks to join"),
        max_length=200,
        blank=True,
        default="What do you do between research and practice?",
        help_text=_("Asked where a moderator approves. Empty: not asked."),
    )
    join_question_2 = models.CharField(
        _("second question"), max_length=200, blank=True, default="What would you like to find here?"
    )
    join_wait_days = models.PositiveSmallIntegerField(
        _("working days that an answer usually takes"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text=_("Told to those who wait; whoever waits longer is marked in the queue."),
    )
    invitation_reminder_days = models.PositiveSmallIntegerField(
        _("days until people of a mailing list are reminded"),
        default=7,
        validators=[MinValueValidator(2), MaxValueValidator(60)],
        help_text=_("Once, and nobody who answered or does not want it."),
    )
    welcome_host = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"is_host": True, "is_active": True},
        verbose_name=_("welcome mail: from whom"),
        help_text=_("A host; the mail goes out in their name. Answers come to the contact address."),
    )
    welcome_subject = models.CharField(
        _("welcome mail: subject"), max_length=120, blank=True, help_text=_("Empty: ours.")
    )
    welcome_text = models.TextField(
        _("welcome mail: the words"), blank=True, max_length=5000, help_text=_("Markdown. Empty: ours.")
    )
    max_upload_mb = models.PositiveSmallIntegerField(
        _("largest file, in MB"), default=25, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )

    class Meta:
        verbose_name = verbose_name_plural = _("community settings")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="only_one_community")]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        super().save(*args, **kwargs)
        _held.clear()

    @classmethod
    def load(cls) -> "CommunitySettings":
        """The settings, from the cache for up to a minute, and a change is seen by all within two seconds. Do not change
        what you are given. Where no row exists yet: the defaults, unsaved."""
        if connection.in_atomic_block:  # it may be changed here and not be so in the end
            return super().load()
        at, found = _held.get("settings", (0.0, None))
        if found is None or time.monotonic() - at > HELD_FOR:
            found = super().load()
            _held["settings"] = time.monotonic(), found
        return found

    @property
    def sender(self) -> str:
        return settings.DEFAULT_FROM_EMAIL
