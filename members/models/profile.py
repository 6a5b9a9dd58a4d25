"""What a member tells about themselves, and who may see each part of it."""

from datetime import date
from pathlib import PurePosixPath

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from taggit.models import Tag

from kmnet.core.models import Hideable, Term


class SeenBy(models.IntegerChoices):
    """Who sees a part of a profile; a viewer sees what is at or below their level."""

    PUBLIC = 10, _("anyone")
    MEMBERS = 20, _("members")
    GROUPS = 30, _("members of my groups")
    ME = 40, _("only me")


class TeamSize(models.TextChoices):
    SOLO = "solo", _("I am the only one here who does this")
    SMALL = "small", _("One of two to five")
    LARGE = "large", _("Part of a larger team")


class Years(models.TextChoices):
    NEW = "0-1", _("less than two years")
    SOME = "2-5", _("two to five years")
    MANY = "6-10", _("six to ten years")
    LONG = "10+", _("more than ten years")


class Availability(models.TextChoices):
    """What members may ask somebody for."""

    COFFEE = "coffee", _("A coffee by video")
    MENTOR = "mentor", _("Being a mentor")
    MENTEE = "mentee", _("Having a mentor")
    LEARNING_SET = "learning_set", _("An action learning set")
    SPEAKER = "speaker", _("Speaking at an event")


class DigestRhythm(models.TextChoices):
    WEEKLY = "weekly", _("Once a week")
    DAYS = "days", _("On the days I choose")
    DAILY = "daily", _("Every day, when there is something")
    MONTHLY = "monthly", _("Once a month")
    NEVER = "never", _("Never")


class DigestMinutes(models.IntegerChoices):
    """How long reading a digest may take."""

    TWO = 2, _("Two minutes")
    FIVE = 5, _("Five minutes")
    TEN = 10, _("Ten minutes")


class Weekday(models.IntegerChoices):
    """As date.weekday() counts."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


def seen_by(default: SeenBy = SeenBy.MEMBERS) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(_("who sees it"), choices=SeenBy, default=default)


class Profile(Hideable):
    """One per member. Show it through `visibility` only: each part has its own audience."""

    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")

    headline = models.CharField(_("what I do, in plain words"), max_length=200, blank=True)
    pronouns = models.CharField(_("pronouns"), max_length=60, blank=True)
    roles = models.ManyToManyField(Term, verbose_name=_("roles"), related_name="+", blank=True)
    job_title = models.CharField(_("my job title"), max_length=120, blank=True)
    organisation = models.CharField(_("organisation"), max_length=160, blank=True)
    work_settings = models.ManyToManyField(Term, verbose_name=_("where I work"), related_name="+", blank=True)
    team_size = models.CharField(_("alone or in a team"), max_length=10, choices=TeamSize, blank=True)
    years = models.CharField(_("years in this kind of work"), max_length=10, choices=Years, blank=True)
    country = CountryField(_("country"), blank=True)
    region = models.CharField(_("town or region"), max_length=120, blank=True)
    languages_work = ArrayField(
        models.CharField(max_length=12), verbose_name=_("works in"), default=list, blank=True
    )
    languages_follow = ArrayField(
        models.CharField(max_length=12), verbose_name=_("can follow"), default=list, blank=True
    )
    can_help = models.ManyToManyField(
        Tag, verbose_name=_("can help with"), related_name="helpers", blank=True
    )
    can_help_text = models.CharField(_("can help with, in a sentence"), max_length=300, blank=True)
    looking_for = models.ManyToManyField(
        Tag, verbose_name=_("looks for help with"), related_name="seekers", blank=True
    )
    looking_for_text = models.CharField(_("looks for help with, in a sentence"), max_length=300, blank=True)
    looking_until = models.DateField(_("looks for help until"), null=True, blank=True)
    interests = models.ManyToManyField(Term, verbose_name=_("interests"), related_name="+", blank=True)
    frameworks = models.ManyToManyField(
        Term, verbose_name=_("frameworks I use"), related_name="+", blank=True
    )
    availability = ArrayField(
        models.CharField(max_length=12, choices=Availability),
        verbose_name=_("available for"),
        default=list,
        blank=True,
    )
    paused_until = models.DateField(
        _("not available until"),
        null=True,
        blank=True,
        help_text=_("All of it rests until the end of this day."),
    )
    avatar = models.FileField(_("picture"), upload_to="avatars/", blank=True, editable=False)
    orcid = models.CharField(
        _("ORCID iD"), max_length=19, blank=True, editable=False
    )  # by ORCID's sign-in only
    about = models.TextField(_("in my words"), max_length=4000, blank=True)
    links = ArrayField(
        models.URLField(max_length=300, validators=[URLValidator(schemes=["http", "https"])]),
        verbose_name=_("links"),
        default=list,
        blank=True,
        size=5,
    )

    # One column per part; members/visibility.py names which columns a part holds and reads these.
    headline_seen_by = seen_by()
    pronouns_seen_by = seen_by()
    roles_seen_by = seen_by()
    job_title_seen_by = seen_by()
    organisation_seen_by = seen_by()
    work_settings_seen_by = seen_by()
    team_size_seen_by = seen_by()
    years_seen_by = seen_by()
    place_seen_by = seen_by()
    clock_seen_by = seen_by(SeenBy.ME)
    languages_seen_by = seen_by()
    can_help_seen_by = seen_by()
    looking_for_seen_by = seen_by()
    interests_seen_by = seen_by()
    frameworks_seen_by = seen_by()
    availability_seen_by = seen_by()
    hours_seen_by = seen_by(SeenBy.ME)
    avatar_seen_by = seen_by()
    orcid_seen_by = seen_by(SeenBy.ME)
    about_seen_by = seen_by()
    links_seen_by = seen_by()
    email_seen_by = seen_by(SeenBy.ME)

    is_listed = models.BooleanField(_("members find me in the directory"), default=True)
    welcome_step = models.PositiveSmallIntegerField(_("first steps done"), default=0)

    digest = models.CharField(_("digest"), max_length=10, choices=DigestRhythm, default=DigestRhythm.WEEKLY)
    digest_weekday = models.PositiveSmallIntegerField(
        _("day of the weekly digest"), choices=Weekday, default=Weekday.TUESDAY
    )  # of the monthly one, too: its first in the month
    digest_days = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday),
        verbose_name=_("days of the digest"),
        default=list,
        db_default=models.Value([], output_field=ArrayField(models.PositiveSmallIntegerField())),
        blank=True,
    )  # of the rhythm DAYS
    digest_hour = models.PositiveSmallIntegerField(
        _("hour of the digest"), default=7, validators=[MaxValueValidator(23)]
    )
    digest_minutes = models.PositiveSmallIntegerField(
        _("minutes for the digest"), choices=DigestMinutes, default=DigestMinutes.FIVE, db_default=5
    )
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    # The words that find this profile, written by services.index_profile; each vector is for one kind of viewer, and
    # Member.objects.matching asks the one that is for them. Empty where it would hold nothing of its own.
    search_vector = SearchVectorField(null=True, editable=False)  # for members
    search_groups = SearchVectorField(null=True, editable=False)  # for those who share a group with the owner
    search_public = SearchVectorField(null=True, editable=False)  # for those whom the owner blocks
    search_looking = SearchVectorField(
        null=True, editable=False
    )  # the wish: for those who see it, while it stands

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [
            models.CheckConstraint(condition=Q(digest_weekday__lte=6), name="digest_on_a_weekday"),
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="digest_at_an_hour"),
            models.CheckConstraint(
                condition=Q(digest_minutes__in=(2, 5, 10)), name="digest_takes_2_5_or_10_minutes"
            ),
            models.CheckConstraint(
                condition=~Q(digest="days", digest_days__len=0) & Q(digest_days__contained_by=list(range(7))),
                name="digest_days_are_weekdays",
            ),
            models.UniqueConstraint(fields=["orcid"], condition=~Q(orcid=""), name="one_profile_per_orcid"),
        ]
        indexes = [
            GinIndex(fields=["search_vector"], name="profile_found_by"),
            GinIndex(fields=["search_groups"], name="profile_found_in_groups"),
            GinIndex(fields=["search_public"], name="profile_found_openly"),
            GinIndex(fields=["search_looking"], name="profile_found_by_wish"),
            models.Index(fields=["country"], name="profile_country"),
            models.Index(fields=["digest", "digest_weekday"], name="profile_digest"),
        ]

    def __str__(self):
        return f"profile of member {self.member_id}"  # no related row: a list of these must not query

    @property
    def picture_key(self) -> str:
        """The random part of the picture's name; "" where there is none."""
        return PurePosixPath(self.avatar.name).name.partition("-")[0] if self.avatar else ""

    def is_paused(self, on: date | None = None) -> bool:
        """Not available at present, whatever the switches say."""
        return self.paused_until is not None and self.paused_until >= (on or timezone.now().date())

    def is_looking(self, on: date | None = None) -> bool:
        """A wish for help stands until its date."""
        return self.looking_until is None or self.looking_until >= (on or timezone.now().date())

    @property
    def as_members_saw_it(self):
        """For moderators: what members see, or saw before it was hidden. "Only me" stays that."""
        from ..visibility import Shown  # it reads the models

        return Shown(self, SeenBy.GROUPS, even_hidden=True)


class MeetingWindow(models.Model):
    """When somebody usually can meet: on these weekdays, between these times of their own clock (Member.time_zone)."""

    profile = models.ForeignKey(Profile, models.CASCADE, related_name="hours")
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday), size=7, verbose_name=_("days of the week")
    )
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"))

    class Meta:
        ordering = ["starts", "ends", "pk"]
        verbose_name = _("usual hours")
        verbose_name_plural = _("usual hours")
        constraints = [
            models.CheckConstraint(condition=Q(starts__lt=models.F("ends")), name="window_ends_after_start"),
            models.CheckConstraint(condition=Q(weekdays__len__gt=0), name="window_on_some_day"),
        ]

    def __str__(self):
        return f"window {self.pk}"
