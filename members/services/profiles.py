"""What members tell about themselves, and by which words it is found."""

import secrets
from datetime import date, timedelta
from functools import reduce
from operator import add, or_

from django.contrib.postgres.search import SearchVector
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from kmnet.core import jobs, mail
from kmnet.core.fixed import Named
from kmnet.core.models import OutgoingMail, Term
from kmnet.core.search import vector_config
from kmnet.core.text import clean_line, fold
from kmnet.core.vocabulary import expand

from ..models import MeetingWindow, Member, Profile, SeenBy
from ..visibility import MANY, PART_OF, PARTS
from .directory import forget_counts, index_entries

WISH_DAYS = 90  # how long "looks for help with" stands before it is asked again
MAX_TAGS = 10
TAG_LENGTH = 60
MAX_WINDOWS = 3
WISH_TOLD_BEFORE = 7  # days
WISH_MAIL = "members.wish_ends"

COLUMNS = (
    *("headline", "pronouns", "job_title", "organisation", "team_size", "years", "country", "region"),
    *("languages_work", "languages_follow", "can_help_text", "looking_for_text", "about", "links"),
    *("availability", "paused_until"),
    *("is_listed", "welcome_step", "digest", "digest_weekday", "digest_hour"),
    *(f"{part}_seen_by" for part in PARTS),
)


class OrcidTaken(ValidationError):
    """Another account has this ORCID iD."""

    def __init__(self):
        super().__init__(_("Another account here is linked to this ORCID iD."), code="taken")


def tags_named(words: list[str], *, most: int = MAX_TAGS) -> list[Tag]:
    """The tags of these names, made where they are new. A spelling of a vocabulary term becomes that term's name."""
    terms = {fold(term.name): term.name for term in Term.objects.current()}
    wanted: dict[str, str] = {}
    for word in words[: most * 2]:
        word = clean_line(word)[:TAG_LENGTH].strip()
        if not fold(word):
            continue
        name = next((terms[fold(same)] for same in (word, *expand(word)) if fold(same) in terms), word)
        wanted.setdefault(fold(name), name)
    wanted = dict(list(wanted.items())[:most])
    found = _known_tags(wanted.values())
    # In one order: two members who save the same new words at once wait for one another, never in a circle.
    for key in sorted(set(wanted) - set(found)):
        found[key] = _make_tag(wanted[key])
    return [found[key] for key in wanted]


def _known_tags(names) -> dict[str, Tag]:
    same = reduce(or_, (Q(name__iexact=name) for name in names), Q(pk__in=()))
    return {fold(tag.name): tag for tag in Tag.objects.filter(same).order_by("-pk")}


def _make_tag(name: str) -> Tag:
    """ON CONFLICT DO NOTHING waits for whoever makes the same tag at this moment, and breaks nothing."""
    slug = Tag().slugify(name)
    for tried in (slug, f"{slug}-{secrets.token_hex(3)}".strip("-")):
        if tried:
            Tag.objects.bulk_create([Tag(name=name, slug=tried)], ignore_conflicts=True)
        made = Tag.objects.filter(name__iexact=name).order_by("pk").first()
        if made:
            return made
    raise IntegrityError(f"no free address for the tag {name!r}")


def lock_profile(member: Member) -> Profile:
    """The member's row first, as everywhere: what lists need of a profile is written there too."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    profile = Profile.objects.select_for_update().get(member=member)
    profile.member = member
    return profile


@transaction.atomic
def update_profile(*, member: Member, **values) -> Profile:
    """Change parts of a profile: columns, `can_help` and `looking_for` as tag names, `hours` as a list of
    {"weekdays", "starts", "ends"}, the others of MANY as terms; `time_zone` is kept on the account.

    What is not named stays. A changed wish for help stands for another 90 days. Locks the member, then the profile."""
    profile = lock_profile(member)
    many = {name: values.pop(name) for name in MANY if name in values}
    unknown = set(values) - {*COLUMNS, "time_zone"}
    if unknown:
        raise TypeError(f"not of a profile: {', '.join(sorted(unknown))}")
    if (zone := values.pop("time_zone", profile.member.time_zone)) != profile.member.time_zone:
        profile.member.time_zone = member.time_zone = zone
        profile.member.save(update_fields=["time_zone"])
    wish = _wish(profile)
    for name, value in values.items():
        setattr(profile, name, value)
    if "hours" in many:
        _set_hours(profile, many.pop("hours"))
    words = {name: list(many[name])[:MAX_TAGS] for name in ("can_help", "looking_for") if name in many}
    if len(words) > 1:  # what is new in both lists is made in one order
        tags_named([word for each in words.values() for word in each], most=2 * MAX_TAGS)
    for name, wanted in many.items():
        getattr(profile, name).set(tags_named(words[name]) if name in words else wanted)
    new_wish = _wish(profile)
    if new_wish != wish or (any(new_wish) and "looking_for" in many and not profile.is_looking()):
        profile.looking_until = _wish_end() if any(new_wish) else None
    profile.updated_at = timezone.now()
    profile.save()
    index_profile(profile)
    member.profile = profile
    return profile


def _wish(profile: Profile) -> tuple[set[str], str]:
    return set(profile.looking_for.values_list("name", flat=True)), profile.looking_for_text


def _wish_end() -> date:
    return timezone.now().date() + timedelta(days=WISH_DAYS)


def _set_hours(profile: Profile, windows: list[dict]) -> None:
    profile.hours.all().delete()
    MeetingWindow.objects.bulk_create(
        MeetingWindow(profile=profile, **{**window, "weekdays": sorted(set(window["weekdays"]))})
        for window in windows[:MAX_WINDOWS]
    )


@transaction.atomic
def renew_wish(*, member: Member) -> Profile:
    """What they look for help with stands for another 90 days. Locks the member, then the profile."""
    profile = lock_profile(member)
    if any(_wish(profile)):
        profile.looking_until = _wish_end()
        profile.save(update_fields=["looking_until"])
        index_entries([profile.pk])
    return profile


def tell_of_ending_wishes(*, limit: int = 500) -> int:
    """Queue one mail to each whose wish for help ends within a week and who has had none about this end of it.

    Any number of workers may run it at once: the mail's key holds the day, so that a day is told once."""
    today = timezone.now().date()
    told = OutgoingMail.objects.filter(
        dedupe_key=Concat(
            Value(f"{WISH_MAIL}:"),
            Cast(OuterRef("pk"), CharField()),
            Value(":"),
            Cast(OuterRef("looking_until"), CharField()),
        )
    )
    ending = Profile.objects.filter(
        ~Exists(told),
        looking_until__gte=today,
        looking_until__lte=today + timedelta(days=WISH_TOLD_BEFORE),
        member__in=Member.objects.full(),
    )

    def tell(profile):
        mail.queue(
            WISH_MAIL,
            member=profile.member,
            refs={"until": profile.looking_until.isoformat()},
            dedupe_key=f"{WISH_MAIL}:{profile.pk}:{profile.looking_until.isoformat()}",
        )

    profiles = ending.select_related("member").order_by("looking_until", "pk")[:limit]
    return jobs.each(list(profiles), tell, what="wish of profile")


@transaction.atomic
def set_orcid(*, member: Member, orcid: str) -> Profile:
    """The iD that ORCID itself has told us at sign-in. Raises OrcidTaken where somebody else has it.

    Nobody sees it until the member says so (`orcid_seen_by`)."""
    profile = lock_profile(member)
    profile.orcid = orcid
    try:
        with transaction.atomic():
            profile.save(update_fields=["orcid"])
    except IntegrityError as error:
        raise OrcidTaken from error
    return profile


def unlink_orcid(*, member: Member) -> None:
    """The iD is gone from the profile; who may see it starts at “only me” again."""
    Profile.objects.filter(member=member).update(orcid="", orcid_seen_by=SeenBy.ME)


# --- by which words it is found --------------------------------------------------------------------------------------
def _words(profile: Profile, *attributes: str, has_lists: bool = True) -> str:
    """What these attributes hold, as text."""
    found = []
    for attribute in attributes:
        if attribute in MANY:
            found += getattr(profile, attribute).values_list("name", flat=True) if has_lists else ()
        elif attribute == "country":
            found.append(profile.country.name if profile.country else "")
        else:
            found.append(getattr(profile, attribute))
    return " ; ".join(filter(None, found))


WEIGHED = {
    "B": ("roles", "headline", "job_title", "can_help"),
    "C": ("organisation", "place", "interests", "work_settings", "frameworks"),
    "D": ("can_help_text", "about"),
}
FOUND_BY = {
    **{part: (part,) for parts in WEIGHED.values() for part in parts},
    "place": ("country", "region"),
}


def index_profile(profile: Profile, *, has_lists: bool = True) -> None:
    """Write the words by which this profile is found, one vector for each kind of viewer, and the picture for lists.

    `has_lists`: False where it is so new that nothing can be in its lists of terms and tags, which then are not asked for.
    """
    shown = profile.state == Profile.State.VISIBLE
    parts_shown = FOUND_BY if shown else {}
    words = {part: _words(profile, *parts_shown[part], has_lists=has_lists) for part in parts_shown}
    levels = {
        part: getattr(profile, f"{PART_OF[FOUND_BY[part][0]]}_seen_by")
        for part, text in words.items()
        if text
    }

    def vector(level: SeenBy) -> SearchVector:
        """The name, and all words that somebody at this level sees."""
        vectors = [_vector(profile.member.name, "A")]
        for weight, parts in WEIGHED.items():
            seen = [words[part] for part in parts if levels.get(part, SeenBy.ME) <= level]
            vectors += [_vector(" ; ".join(seen), weight)] if any(seen) else []
        return reduce(add, vectors)

    def own_vector(level: SeenBy) -> SearchVector | None:
        """None where no words are at just this level: the next narrower vector says it all."""
        return vector(level) if level in levels.values() else None

    wish = _words(profile, "looking_for", "looking_for_text", has_lists=has_lists)
    wish_shown = shown and profile.looking_for_seen_by != SeenBy.ME
    Profile.objects.filter(pk=profile.pk).update(
        search_vector=vector(SeenBy.MEMBERS),
        search_groups=own_vector(SeenBy.GROUPS),
        search_public=own_vector(SeenBy.PUBLIC),
        search_looking=_vector(wish if wish_shown else "", "C"),
    )
    index_entries([profile.pk])
    show_picture(profile)


BLANK = Named(
    f"""
    WITH indexed AS (
        UPDATE members_profile SET
            search_vector = setweight(to_tsvector('{vector_config}', %(name)s), 'A'),
            search_groups = NULL, search_public = NULL, search_looking = ''
        WHERE id = %(profile)s
        RETURNING member_id, is_listed, looking_for_seen_by, availability_seen_by
    )
    INSERT INTO members_directoryentry (
        member_id, is_listed, for_anyone, for_members, for_groups,
        wishes, wishes_seen_by, free_for, free_for_seen_by)
    SELECT member_id, is_listed, '{{}}', '{{}}', '{{}}', '{{}}', looking_for_seen_by, '{{}}', availability_seen_by
    FROM indexed
    RETURNING member_id
    """,
    name="text",
    profile="bigint",
)


def index_blank_profile(profile: Profile) -> None:
    """As index_profile, for one that was made a moment ago and says nothing yet: in one statement."""
    BLANK.rows(name=profile.member.name, profile=profile.pk)
    transaction.on_commit(forget_counts, robust=True)


def _vector(text: str, weight: str) -> SearchVector:
    return SearchVector(Value(text), weight=weight, config=vector_config)


def show_picture(profile: Profile) -> None:
    """Say on the member's row which picture there is, and who sees it: lists draw arches without the profile."""
    shown = bool(profile.avatar) and profile.state == Profile.State.VISIBLE
    picture = profile.picture_key if shown else ""
    level = profile.avatar_seen_by if shown else SeenBy.ME
    if (profile.member.picture, profile.member.picture_seen_by) != (picture, level):
        Member.objects.filter(pk=profile.member_id).update(picture=picture, picture_seen_by=level)
        profile.member.picture, profile.member.picture_seen_by = picture, level


def reindex_profiles(profiles: QuerySet[Profile] | None = None) -> int:
    """Write all of them anew; after a change of the vocabulary or of the rule."""
    done = 0
    for profile in (
        (Profile.objects.all() if profiles is None else profiles).select_related("member").iterator()
    ):
        index_profile(profile)
        done += 1
    return done
