"""A crowd as large as wanted, written in bulk; the demo data is there already and gives the rest."""

import random
import re
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from taggit.models import Tag

from discussions.models import Post, Space, Thread
from kmnet.core.models import Term
from kmnet.core.text import RENDER_VERSION, excerpt, render_markdown
from members.models import Availability, Member, Profile
from members.services import index_entries

BATCH = 5_000
words_of = re.compile(r"\w+").findall
FIRST = words_of("Ada Ben Chi Dee Eve Finn Gia Hal Ines Jun Kim Leo Mia Noa Ola Pia Rui Sam Tess Uma")
LAST = words_of("Abara Berg Costa Diaz Eriksen Fofana Garcia Hill Ito Jones Khan Lee Moreau Nagy Okoro Silva")
WORDS = words_of(
    "evidence practice policy brief patients research ward library uptake barrier workshop summary plain language "
    "commissioner review protocol outcome carers clinic story impact funding data ethics team question answer trial"
)
COUNTRIES = words_of("GB CA NL KE NO BR AU ZA IE US DE FR IN NG SE JP MX PT NZ CL GH UG IS MT")
LANGUAGES = words_of("en fr pt nl de es sw ar hi sv")


def make_crowd(*, members: int, posts: int, long_thread: int) -> dict:
    """Members, and threads of two to thirty posts until `posts` are there; one of `long_thread` posts."""
    chance = random.Random(7)
    people = _make_members(members, chance)
    texts = [_make_text(chance) for _ in range(200)]
    lengths = []
    while sum(lengths) < posts - long_thread:
        lengths.append(min(30, 1 + int(chance.expovariate(1 / 9))))
    long = _make_threads([long_thread], people, texts, chance)
    for start in range(0, len(lengths), BATCH // 10):
        _make_threads(lengths[start : start + BATCH // 10], people, texts, chance)
    twenty = _make_threads([20], people, texts, chance)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have by now
    return {"long": Thread.objects.get(pk=long[0]), "twenty": Thread.objects.get(pk=twenty[0])}


def _make_members(number: int, chance) -> list[int]:
    now = timezone.now()
    made = []
    for start in range(0, number, BATCH):
        people = []
        for i in range(start, min(start + BATCH, number)):
            name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
            people.append(
                Member(
                    email=f"crowd{i}@example.org",
                    handle=f"crowd-{i}",
                    name=name,
                    name_key=name.lower(),
                    password="!",
                    address_proven_at=now,
                    agreed_at=now,
                    onboarded_at=now,
                    last_seen_on=(now - timedelta(days=chance.randrange(400))).date(),
                )
            )
        people = Member.objects.bulk_create(people)
        lines = (" ".join(chance.choices(WORDS, k=8)) for _ in people)
        profiles = Profile.objects.bulk_create(
            Profile(
                member=person,
                headline=line,
                country=chance.choices(COUNTRIES, range(len(COUNTRIES), 0, -1))[0],
                team_size=chance.choice(("solo", "solo", "small", "large", "")),
                languages_work=chance.sample(LANGUAGES, chance.randrange(1, 4)),
                availability=chance.sample(Availability.values, chance.randrange(0, 3)),
            )
            for person, line in zip(people, lines, strict=True)
        )
        _tell_more(profiles, chance)
        made += [person.pk for person in people]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_profile SET search_vector = to_tsvector('kmnet', headline) WHERE search_vector IS NULL"
        )
    index_entries()
    return made


def _tell_more(profiles: list[Profile], chance) -> None:
    """Roles, settings, interests, and two to four tags each way, of a few that are everywhere and many that are rare."""
    terms: dict[str, list[int]] = {}
    for facet, pk in Term.objects.values_list("facet__key", "pk"):
        terms.setdefault(facet, []).append(pk)
    tags = [Tag.objects.get_or_create(name=f"{one} {other}")[0].pk for one in WORDS for other in WORDS[:5]]
    likely = [1 / (place + 3) for place in range(len(tags))]
    through = {
        "roles": lambda: chance.sample(terms["role"], 2),
        "work_settings": lambda: chance.sample(terms["setting"], 2),
        "interests": lambda: chance.sample(terms["method"], 3),
        "can_help": lambda: set(chance.choices(tags, likely, k=3)),
        "looking_for": lambda: set(chance.choices(tags, likely, k=2)),
    }
    for name, choose in through.items():
        model = getattr(Profile, name).through
        column = "tag_id" if name in ("can_help", "looking_for") else "term_id"
        model.objects.bulk_create(
            [model(profile_id=profile.pk, **{column: pk}) for profile in profiles for pk in choose()],
            batch_size=BATCH,
        )


def _make_text(chance) -> tuple[str, str, str]:
    paragraphs = [
        " ".join(chance.choices(WORDS, k=chance.randrange(10, 60))).capitalize() + "." for _ in range(3)
    ]
    source = "\n\n".join(
        [*paragraphs[:2], f"- **{chance.choice(WORDS)}**\n- {chance.choice(WORDS)}", paragraphs[2]]
    )
    return source, str(render_markdown(source)), excerpt(source)


def _make_threads(lengths: list[int], people: list[int], texts: list, chance) -> list[int]:
    spaces = list(Space.objects.filter(group=None).order_by("pk"))
    now = timezone.now()
    threads, authors = [], []
    for length in lengths:
        writers = chance.choices(people, k=length)
        title = " ".join(chance.choices(WORDS, k=6)).capitalize()
        threads.append(
            Thread(
                space=chance.choice(spaces),
                title=title,
                slug=title.lower().replace(" ", "-"),
                excerpt=texts[0][2],
                author_id=writers[0],
                last_number=length,
                reply_count=length - 1,
                last_post_at=now - timedelta(minutes=chance.randrange(1, 1_000_000)),
                people=list(dict.fromkeys(reversed(writers)))[:5],
            )
        )
        authors.append(writers)
    threads = Thread.objects.bulk_create(threads)
    posts = []
    for thread, writers in zip(threads, authors, strict=True):
        paths = {}
        for number, writer in enumerate(writers, 1):
            parent = chance.randrange(1, number) if number > 2 and chance.random() < 0.4 else None
            above = paths.get(parent, []) if parent != 1 else []
            paths[number] = [*above, number][-Post.MAX_DEPTH :]
            source, html, _line = chance.choice(texts)
            posts.append(
                Post(
                    thread=thread,
                    number=number,
                    path=paths[number],
                    author_id=writer,
                    source=source,
                    html=html,
                    render_version=RENDER_VERSION,
                    published_at=thread.last_post_at - timedelta(minutes=len(writers) - number),
                    heading=thread.title if number == 1 else "",
                )
            )
    for start in range(0, len(posts), BATCH):
        Post.objects.bulk_create(posts[start : start + BATCH])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE discussions_thread t SET last_post_id = p.id FROM discussions_post p "
            "WHERE p.thread_id = t.id AND p.number = t.last_number AND t.id = ANY(%s)",
            [[thread.pk for thread in threads]],
        )
    return [thread.pk for thread in threads]
