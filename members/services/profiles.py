"""What members tell about themselves, and by which words it is found."""

from datetime import timedelta

from django.contrib.postgres.search import SearchVector
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.utils import timezone
from taggit.models import Tag

from kmnet.core.models import MailChoice, Term
from kmnet.core.search import vector_config
from kmnet.core.text import clean_line, fold
from kmnet.core.vocabulary import expand

from ..models import Member, Profile, SeenBy
from ..visibility import MANY, PARTS
from .directory import index_entries

WISH_DAYS = 90  # how long "looks for help with" stands before it is asked again
MAX_TAGS = 10
TAG_LENGTH = 60

COLUMNS = (
    *("headline", "pronouns", "job_title", "organisation", "team_size", "years", "country", "region"),
    *("languages_work", "languages_follow", "can_help_text", "looking_for_text", "about", "links"),
    *("is_listed", "welcome_step", "digest", "digest_weekday", "digest_hour"),
    *(f"{part}_seen_by" for part in PARTS),
)


def tags_named(words: list[str]) -> list[Tag]:
    """The tags of these names, made where they are new. A spelling of a vocabulary term becomes that term's name."""
    terms = {fold(term.name): term.name for term in Term.objects.current()}
    found: dict[str, Tag] = {}
    for word in words[: MAX_TAGS * 2]:
        word = clean_line(word)[:TAG_LENGTH].strip()
        if not fold(word):
            continue
        name = next((terms[fold(same)] for same in (word, *expand(word)) if fold(same) in terms), word)
        if fold(name) not in found:
            found[fold(name)] = _tag(name)
    return list(found.values())[:MAX_TAGS]


def _tag(name: str) -> Tag:
    known = Tag.objects.filter(name__iexact=name).order_by("pk").first()
    if known:
        return known
    try:
        with transaction.atomic():
            return Tag.objects.create(name=name)
    except IntegrityError:  # somebody else made it at the same moment
        return Tag.objects.get(name__iexact=name)


@transaction.atomic
def update_profile(*, member: Member, **values) -> Profile:
    """Change parts of a profile: columns, `can_help` and `looking_for` as tag names, the others of MANY as terms.

    What is not named stays. A changed wish for help stands for another 90 days."""
    profile = Profile.objects.select_for_update().get(member=member)
    many = {name: values.pop(name) for name in MANY if name in values}
    unknown = set(values) - set(COLUMNS)
    if unknown:
        raise TypeError(f"not of a profile: {', '.join(sorted(unknown))}")
    wish = (set(profile.looking_for.values_list("name", flat=True)), profile.looking_for_text)
    for name, value in values.items():
        setattr(profile, name, value)
    for name, wanted in many.items():
        if name in ("can_help", "looking_for"):
            wanted = tags_named(list(wanted))
        getattr(profile, name).set(wanted)
    new_wish = (set(profile.looking_for.values_list("name", flat=True)), profile.looking_for_text)
    if new_wish != wish or (any(new_wish) and "looking_for" in many and not profile.is_looking()):
        today = timezone.now().date()
        profile.looking_until = today + timedelta(days=WISH_DAYS) if any(new_wish) else None
    profile.updated_at = timezone.now()
    profile.save()
    index_profile(profile)
    member.profile = profile
    return profile


def _words(profile: Profile, *attributes: str) -> str:
    """What members may find of these attributes, as text; hidden parts give nothing."""
    found = []
    for attribute in attributes:
        if attribute in MANY:
            found += getattr(profile, attribute).values_list("name", flat=True)
        elif attribute == "country":
            found.append(profile.country.name if profile.country else "")
        else:
            found.append(getattr(profile, attribute))
    return " ; ".join(filter(None, found))


def index_profile(profile: Profile) -> None:
    """Write the words by which members find this profile: the name, and what its owner shows to members."""

    def words(*parts_and_attributes: tuple[str, tuple[str, ...]]) -> str:
        return " ; ".join(
            _words(profile, *attributes)
            for part, attributes in parts_and_attributes
            if profile.state == Profile.State.VISIBLE
            and getattr(profile, f"{part}_seen_by") <= SeenBy.MEMBERS
        )

    def vector(text: str, weight: str) -> SearchVector:
        return SearchVector(Value(text), weight=weight, config=vector_config)

    closest = words(
        ("roles", ("roles",)), ("headline", ("headline",)), ("job_title", ("job_title",)),
        ("can_help", ("can_help",)),
    )  # fmt: skip
    around = words(
        ("organisation", ("organisation",)), ("place", ("country", "region")),
        ("interests", ("interests",)), ("work_settings", ("work_settings",)),
    )  # fmt: skip
    rest = words(("can_help", ("can_help_text",)), ("about", ("about",)))
    wishes = words(("looking_for", ("looking_for", "looking_for_text")))
    Profile.objects.filter(pk=profile.pk).update(
        search_vector=vector(profile.member.name, "A")
        + vector(closest, "B")
        + vector(around, "C")
        + vector(rest, "D"),
        search_looking=vector(wishes, "C"),
    )
    index_entries([profile.pk])


def reindex_profiles(profiles: QuerySet[Profile] | None = None) -> int:
    """Write all of them anew; after a change of the vocabulary or of the rule."""
    done = 0
    for profile in (
        (Profile.objects.all() if profiles is None else profiles).select_related("member").iterator()
    ):
        index_profile(profile)
        done += 1
    return done


@transaction.atomic
def change_mails(*, member: Member, wanted: dict[str, bool], digest: str, weekday: int, hour: int) -> None:
    """Which mails they get: one choice per category, and how often the digest comes."""
    for category, yes in wanted.items():
        MailChoice.objects.update_or_create(
            member=member,
            category=category,
            defaults={"how": MailChoice.How.AT_ONCE if yes else MailChoice.How.NEVER},
        )
    Profile.objects.filter(member=member).update(digest=digest, digest_weekday=weekday, digest_hour=hour)
