from django.conf import settings
from django.core.cache import cache
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

CACHE_KEY = "community-settings"


class JoinPolicy(models.TextChoices):
    OPEN = "open", _("anybody may join")
    APPROVAL = "approval", _("a moderator approves each new member")


class CommunitySettings(models.Model):
    """The one row of what admins decide for the whole community."""

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
    welcome_from = models.CharField(
        _("welcome mail: from whom"),
        max_length=120,
        blank=True,
        help_text=_("A person’s name, such as “Rosalind”."),
    )
    welcome_text = models.TextField(_("welcome mail: the words"), blank=True)
    max_upload_mb = models.PositiveSmallIntegerField(
        _("largest file, in MB"), default=25, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )

    class Meta:
        verbose_name = verbose_name_plural = _("community settings")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="only_one_community")]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)
        cache.delete(CACHE_KEY)

    @classmethod
    def load(cls) -> "CommunitySettings":
        """The settings, from the cache for up to a minute. Where no row exists yet: the defaults, unsaved."""
        found = cache.get(CACHE_KEY)
        if found is None:
            found = cls.objects.filter(pk=1).first() or cls(pk=1)
            cache.set(CACHE_KEY, found, 60)
        return found

    @property
    def sender(self) -> str:
        return settings.DEFAULT_FROM_EMAIL
