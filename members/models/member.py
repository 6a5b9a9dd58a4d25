"""The account of a person. What they tell about themselves is on `profile`."""

import hashlib
import zoneinfo
from collections.abc import Iterable
from datetime import date
from functools import lru_cache, reduce
from operator import or_

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import IntegerField, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from kmnet.core.addresses import address
from kmnet.core.text import has_double

from .. import names
from .ties import unread_by

DEMO_DOMAIN = "demo.kmnet.example"


def today() -> date:
    return timezone.now().date()


def check_time_zone(value: str) -> None:
    """Refuse what is not an IANA time zone name."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(value)s” is not a time zone we know."), params={"value": value})


class Status(models.TextChoices):
    PENDING = "pending", _("waiting for approval")
    ACTIVE = "active", _("active")
    SILENCED = "silenced", _("silenced: reads, but does not write")
    SUSPENDED = "suspended", _("suspended")
    LEAVING = "leaving", _("leaves: can undo it for two weeks")
    ERASED = "erased", _("account deleted")


def is_full(user) -> bool:
    """See permissions.is_full_member, which may not be imported from here."""
    return bool(
        user.is_authenticated
        and user.is_active
        and user.status in (Status.ACTIVE, Status.SILENCED)
        and user.address_proven_at
    )


def name_patterns(text) -> tuple[str, ...]:
    """What was typed is a part of the name; one or two letters must begin a word of it, or no index could help."""
    key = names.plain(text.text)
    like = connection.ops.prep_for_like_query(key)
    return (f"%{like}%",) if len(key) > 2 else (f"{like}%", f"% {like}%")


def name_fits(patterns: Iterable[str]) -> Q:
    return reduce(or_, (Q(name_key__like=pattern) for pattern in patterns))


def name_like(text) -> Q:
    """The name is like what was typed."""
    return name_fits(name_patterns(text))


class MemberQuerySet(models.QuerySet):
    def full(self):
        """Address proven, approved, not suspended; the same rule as permissions.is_full_member."""
        return self.filter(
            status__in=(Status.ACTIVE, Status.SILENCED), is_active=True, address_proven_at__isnull=False
        )

    def profile_visible_to(self, user):
        """Whose profile page this person may open; the same rule as permissions.can_view_profile."""
        from ..visibility import something_public  # it reads the models

        own = Q(pk=user.pk) if user.is_authenticated else Q(pk__in=())
        if not is_full(user):
            return self.filter(own | Q(pk__in=self.full().filter(something_public("profile__")).values("pk")))
        return self.filter(own | Q(pk__in=self.full().values("pk")))

    def listed_for(self, user):
        """Whom this person finds in the directory: members only find members who chose to be listed."""
        if not is_full(user):
            return self.none()
        return self.full().filter(profile__is_listed=True)

    def matching(self, text, viewer):
        """Found by a part of the name, or by words that the profile shows to this viewer. `text` is a SearchText."""
        if not text:
            return self.none() if text.text else self
        from ..visibility import found_by_words  # it reads the models

        by_name = self.model._default_manager.filter(name_like(text))
        return self.filter(pk__in=by_name.values("pk").union(*found_by_words(text.query, viewer)))

    def ids_matching(self, query, patterns, viewer, *, limit: int, today=None):
        """The ids of up to `limit` of those whom `matching` finds (whatever their standing), each by its own index; of a
        text its query, and name_patterns() of it."""
        from ..visibility import found_by_words  # it reads the models

        by_name = self.model._default_manager.filter(name_fits(patterns)).values_list("pk", flat=True)
        by_words = [
            found.values_list("member", flat=True)[:limit]
            for found in found_by_words(query, viewer, today=today)
        ]
        return by_name[:limit].union(*by_words)[:limit]

    def matching_one_by_one(self, query, patterns, viewer, *, today=None):
        """The same people as by `matching`; for words that fit many, where the list stops after a page."""
        from ..visibility import heard_by  # it reads the models

        rule = name_fits(patterns)
        for heard in heard_by(query, viewer, "profile__", today=today) if is_full(viewer) else ():
            rule |= heard
        return self.filter(rule)

    def with_level(self, viewer):
        """Each brings along how much this viewer sees of them, so that `Shown.to` asks no more."""
        from ..visibility import level_to  # it reads the models

        return self.annotate(level_of=Value(viewer.pk, output_field=IntegerField()), level=level_to(viewer))

    def with_card(self, viewer):
        """All that a row of the directory shows, at the same number of queries for 1 and for 50 rows."""
        return (
            self.with_level(viewer)
            .select_related("profile")
            .prefetch_related("profile__roles", "profile__can_help", "profile__looking_for")
        )


class MemberManager(BaseUserManager.from_queryset(MemberQuerySet)):
    def get_by_natural_key(self, email):
        """Signing in does not care for the case of an address; the database would take an “ı” for an “i” as well."""
        if has_double(email):
            raise self.model.DoesNotExist
        return self.get(email__iexact=email)

    def create_superuser(self, email, password=None, **fields):
        """For `manage.py createsuperuser`; everything else goes through members.services."""
        from ..services import create_member  # services import this module

        return create_member(
            email=email,
            name=fields.get("name") or email.partition("@")[0],
            password=password,
            address_proven=True,
            is_staff=True,
            is_superuser=True,
        )


@lru_cache(maxsize=10_000)
def tint_of(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 8 + 1


class Member(AbstractBaseUser, PermissionsMixin):
    """A person with an account. What they tell about themselves is on `profile`."""

    email = models.EmailField(_("e-mail address"), max_length=254)
    handle = models.SlugField(
        _("handle"), max_length=40, help_text=_("The last part of your profile’s address.")
    )
    name = models.CharField(_("name"), max_length=120)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_time_zone])
    language = models.CharField(_("language"), max_length=12, default="en", choices=settings.LANGUAGES)
    status = models.CharField(_("standing"), max_length=10, choices=Status, default=Status.ACTIVE)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may enter the admin pages"), default=False)
    is_moderator = models.BooleanField(_("moderator"), default=False)
    is_organiser = models.BooleanField(_("organiser"), default=False)
    is_host = models.BooleanField(_("host"), default=False)
    agreed_at = models.DateTimeField(_("agreed to how we treat each other"), null=True, blank=True)
    agreed_version = models.PositiveIntegerField(_("version agreed to"), default=1, editable=False)
    onboarded_at = models.DateTimeField(_("finished the first steps"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    last_seen_on = models.DateField(
        _("last seen"), default=today
    )  # a visit while signed in, or something done, also by mail: services.note_presence
    address_proven_at = models.DateTimeField(_("address proven"), null=True, blank=True, editable=False)
    # The picture of the profile, said here too, so that a list of people needs no other table to draw their arches.
    # Written by services.index_profile only; who sees it: visibility.Pictures.
    picture = models.CharField(max_length=32, editable=False, default="", blank=True)
    picture_seen_by = models.PositiveSmallIntegerField(editable=False, default=40)
    keeps_away = models.BooleanField(
        _("blocks or ignores somebody"), default=False, editable=False
    )  # so that nobody else's pages ask
    # The hash of the address that returned our mail (kmnet.core.bounces): as long as it is theirs every page says so.
    mail_returned_to = models.CharField(max_length=64, editable=False, default="", db_default="", blank=True)
    name_key = models.CharField(
        max_length=160, editable=False, default="", help_text=_("The name without accents, in lower case.")
    )

    objects = MemberManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_member_per_address"),
            models.UniqueConstraint(Lower("handle"), name="one_member_per_handle"),
            models.CheckConstraint(
                condition=~Q(status__in=("suspended", "erased"), is_active=True),
                name="suspended_cannot_sign_in",
            ),
            models.CheckConstraint(
                condition=Q(is_staff=True) | Q(is_superuser=False), name="admins_are_staff"
            ),
        ]
        indexes = [
            models.Index(fields=["-last_seen_on", "name_key", "id"], name="members_recently_active"),
            models.Index(fields=["name_key", "id"], name="members_by_name"),
            models.Index(fields=["-joined_at", "id"], name="members_newest"),
            GinIndex(fields=["name_key"], opclasses=["gin_trgm_ops"], name="members_name_trigrams"),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        self.name_key = names.plain(self.name)[:160]
        if update_fields is not None and "name" in update_fields:
            update_fields = {*update_fields, "name_key"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_absolute_url(self):
        return address("members:profile", self.handle)

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name.split()[0] if self.name.split() else self.name

    @cached_property
    def unwanted(self) -> frozenset[int]:
        """The ids of those whose words this member does not want to see. Templates fold their words away:
        {% if post.author_id in user.unwanted %}. One query, and none for those who keep nobody away."""
        return frozenset(unread_by(self).values_list("other", flat=True)) if self.keeps_away else frozenset()

    @property
    def initials(self) -> str:
        """Two letters for the arch that stands in for a picture."""
        words = [word for word in self.name.split() if word[:1].isalpha()]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "·"

    @property
    def tint(self) -> int:
        """1 to 8, the same for the same name for ever."""
        return tint_of(self.name)

    def picture_for(self, request, size: int) -> str:
        """The address of their picture, if the reader of this page may see it; else "". For lists of any length."""
        if not self.picture:
            return ""
        from ..visibility import may_see_picture  # it reads the models

        if not may_see_picture(request, self):
            return ""
        return address("members:picture", self.pk, self.picture, size)

    @property
    def has_page(self) -> bool:
        """Whether a link to their profile leads anywhere. Not so for those who left or were suspended."""
        return self.status in (Status.ACTIVE, Status.SILENCED)

    @property
    def is_demo(self) -> bool:
        """Made by the demo data; signs in only where settings.KMNET_DEMO."""
        return self.email.lower().endswith("@" + DEMO_DOMAIN)


class OldHandle(models.Model):
    """A handle that a member once had. It redirects for ever, and nobody else may take it."""

    handle = models.SlugField(_("handle"), max_length=40)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="old_handles")
    left_at = models.DateTimeField(_("given up"), default=timezone.now)

    class Meta:
        verbose_name = _("former handle")
        verbose_name_plural = _("former handles")
        constraints = [models.UniqueConstraint(Lower("handle"), name="one_owner_per_former_handle")]

    def __str__(self):
        return self.handle
