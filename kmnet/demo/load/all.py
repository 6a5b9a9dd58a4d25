"""Everything that `manage.py load_demo` writes."""

import random
from dataclasses import dataclass

from discussions.models import Thread
from kmnet.core.models import Term
from kmnet.core.vocabulary import load_vocabulary
from members.models import Member

from ..people import DOMAIN
from . import people, shelf, talk
from .copying import settle

SEED = 7


@dataclass
class Loaded:
    """The ids of the threads that a benchmark asks for."""

    members: int
    posts: int
    threads: int
    long_thread: int
    twenty: int
    resources: int = 0


def load(*, members: int, posts: int, long_thread: int, resources: int = 0, seed: int = SEED) -> Loaded:
    """Invented members, posts and records of the library beside what is there; the same numbers give the same data. By
    COPY, so that a million posts take minutes. Nobody is told of anything. The caller has made sure that this is no real
    community."""
    chance = random.Random(seed)
    if not Term.objects.exists():
        load_vocabulary()
    ids = people.load_people(members, chance)
    viewers = list(Member.objects.filter(email=f"member@{DOMAIN}").values_list("pk", flat=True))
    plans = talk.plan(posts=posts, long_thread=long_thread, chance=chance)
    talk.load_talk(plans=plans, people=ids, viewers=viewers, chance=chance)
    shelf.load_shelf(number=resources, people=ids, readers=viewers, chance=chance)
    settle()
    twenty = plans[1].pk if len(plans) > 1 else plans[0].pk
    return Loaded(
        members=members,
        posts=sum(one.length for one in plans),
        threads=Thread.objects.filter(pk__gte=plans[0].pk).count(),
        long_thread=plans[0].pk,
        twenty=twenty,
        resources=resources,
    )


def load_resources(*, number: int, seed: int = SEED) -> None:
    """Records alone, beside members who are there already."""
    ids = Member.objects.order_by("pk").values_list("pk", flat=True)
    readers = list(Member.objects.filter(email=f"member@{DOMAIN}").values_list("pk", flat=True))
    shelf.load_shelf(
        number=number, people=range(ids[0], ids[0] + 1), readers=readers, chance=random.Random(seed)
    )
    settle()
