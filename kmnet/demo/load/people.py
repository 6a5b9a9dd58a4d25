"""Invented members, with profiles as full as people’s are."""

import random
import re
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import connection
from django.utils import timezone
from taggit.models import Tag

from kmnet.core.models import Term
from kmnet.core.text import fold
from members.models import Availability, Member, Profile
from members.models.directory import DirectoryEntry
from members.services import index_entries

from .copying import Table, take_ids, without_indexes
from .words import sentences

FIRST = re.findall(
    r"\w+",
    "Ada Ben Chi Dee Eve Finn Gia Hal Ines Jun Kim Leo Mia Noa Ola Pia Rui Sam Tess Uma Vera Wen Yara Zoë Amina Bo "
    "Chidi Dafne Emeka Femi Greta Hugo Iris João Katya Liam Mei Nils Oona Priya Quinn Rosa Siân Tariq Ursula Viktor",
)
LAST = re.findall(
    r"\w+",
    "Abara Berg Costa Diaz Eriksen Fofana Garcia Hill Ito Jones Khan Lee Moreau Nagy Okoro Silva Tanaka Usman Varga "
    "Weber Xu Young Zeman Adeyemi Bauer Chen Dlamini Evans Ferrari Gómez Hassan Ivanova Jansen Kowalski Lindqvist",
)
COUNTRIES = [
    "GB",
    "CA",
    "NL",
    "KE",
    "NO",
    "BR",
    "AU",
    "ZA",
    "IE",
    "US",
    "DE",
    "FR",
    "IN",
    "NG",
    "SE",
    "JP",
    "MX",
    "PT",
    "NZ",
    "CL",
    "GH",
    "UG",
    "IS",
    "MT",
]
ZONES = ["Europe/London", "America/Toronto", "Africa/Nairobi", "Australia/Sydney", "America/Sao_Paulo", "UTC"]
LANGUAGES = ["en", "fr", "pt", "nl", "de", "es", "sw", "ar", "hi", "sv"]
WAYS = {"roles": ("role", 2), "work_settings": ("setting", 2), "interests": ("method", 3)}


def load_people(number: int, chance: random.Random) -> range:
    """So many members who can be found in the directory; nobody can sign in as one of them. Their ids."""
    ids = take_ids(Member, number)
    profile_ids = take_ids(Profile, number)
    tables = [model._meta.db_table for model in (Member, Profile, EmailAddress, DirectoryEntry)]
    tables += [getattr(Profile, name).through._meta.db_table for name in (*WAYS, "can_help", "looking_for")]
    without_indexes(tables, lambda: _write(ids, profile_ids, chance))
    return ids


def _write(ids: range, profile_ids: range, chance: random.Random) -> None:
    now = timezone.now()
    names = [f"{chance.choice(FIRST)} {chance.choice(LAST)}" for _ in ids]
    members = Table(
        Member, "id", "email", "handle", "name", "name_key", "password", "time_zone", "address_proven_at",
        "agreed_at", "onboarded_at", "joined_at", "last_seen_on",
    )  # fmt: skip

    def member_rows():
        for pk, name in zip(ids, names, strict=True):
            joined = now - timedelta(days=chance.randrange(30, 1500))
            seen = (now - timedelta(days=chance.randrange(400))).date()
            yield (
                pk, f"crowd{pk}@example.org", f"crowd-{pk}", name, fold(name), "!", chance.choice(ZONES), joined,
                joined, joined, joined, seen,
            )  # fmt: skip

    members.copy(member_rows())
    Table(EmailAddress, "user_id", "email", "verified", "primary").copy(
        (pk, f"crowd{pk}@example.org", True, True) for pk in ids
    )
    lines = [line for line in sentences() if len(line) < 190]
    profiles = Table(
        Profile, "id", "member_id", "headline", "country", "team_size", "languages_work", "availability"
    )
    profiles.copy(
        (
            profile,
            pk,
            chance.choice(lines),
            chance.choices(COUNTRIES, range(len(COUNTRIES), 0, -1))[0],
            chance.choice(("solo", "solo", "small", "large", "")),
            chance.sample(LANGUAGES, chance.randrange(1, 4)),
            chance.sample(Availability.values, chance.randrange(0, 3)),
        )
        for profile, pk in zip(profile_ids, ids, strict=True)
    )
    _tell_more(profile_ids, chance)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE members_profile p SET search_vector =
                setweight(to_tsvector('kmnet', m.name), 'A') || setweight(to_tsvector('kmnet', p.headline), 'B')
            FROM members_member m WHERE m.id = p.member_id AND p.id BETWEEN %s AND %s
            """,
            [profile_ids.start, profile_ids.stop - 1],
        )
    index_entries(None)


def _tell_more(profile_ids: range, chance: random.Random) -> None:
    """Roles, settings, interests, and tags each way: a few that are everywhere and many that are rare."""
    terms: dict[str, list[int]] = {}
    for facet, pk in Term.objects.values_list("facet__key", "pk"):
        terms.setdefault(facet, []).append(pk)
    for name, (facet, most) in WAYS.items():
        some = terms[facet]
        _link(
            name,
            "term_id",
            profile_ids,
            lambda some=some, most=most: chance.sample(some, min(most, len(some))),
        )
    words = sorted({word.lower() for line in sentences() for word in re.findall(r"[a-z]{6,}", line)})[:150]
    tags = [Tag.objects.get_or_create(name=word)[0].pk for word in words]
    likely = [1 / (place + 3) for place in range(len(tags))]
    _link("can_help", "tag_id", profile_ids, lambda: set(chance.choices(tags, likely, k=3)))
    _link("looking_for", "tag_id", profile_ids, lambda: set(chance.choices(tags, likely, k=2)))


def _link(name: str, column: str, profile_ids: range, choose) -> None:
    through = getattr(Profile, name).through
    Table(through, "profile_id", column).copy((profile, pk) for profile in profile_ids for pk in choose())
