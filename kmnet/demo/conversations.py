"""The discussions of the demo: questions that people in this work bring, and honest answers."""

from datetime import datetime, timedelta

from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Space
from members.models import Member

from .clock import at
from .data import read

UNMASKERS = ("Maren de Wit", "Ngozi Adeyemi")  # who may look who asked without their name


def load_conversations(*, people: dict[str, Member], now: datetime) -> None:
    spaces = {space.slug: space for space in Space.objects.all()}
    settings = DiscussionSettings.load()
    settings.save()
    settings.unmaskers.set([people[name] for name in UNMASKERS])
    play(read("threads.yaml"), people=people, spaces=spaces, now=now)


def play(entries: list[dict], *, people: dict[str, Member], spaces: dict[str, Space], now: datetime) -> None:
    """Every post at its own time, in the order in which they were written; `spaces` by what the entries call them."""
    deeds = []
    for entry in entries:
        story = Story(entry, people, spaces)
        deeds.append((entry["ago"], story.begin))
        for reply in entry["replies"]:
            deeds.append((reply["ago"], lambda story=story, reply=reply: story.answer(reply)))
            if reply.get("accepted"):
                deeds.append((reply["ago"] - 0.1, lambda story=story, reply=reply: story.accept(reply)))
    for ago, deed in sorted(deeds, key=lambda deed: -deed[0]):
        with at(now - timedelta(days=ago)):
            deed()


class Story:
    """One thread as it is written."""

    def __init__(self, entry: dict, people: dict[str, Member], spaces: dict[str, Space]):
        self.entry, self.people, self.spaces = entry, people, spaces
        self.thread = None
        self.posts: dict[int, object] = {}

    def begin(self) -> None:
        self.thread = services.start_thread(
            author=self.people[self.entry["by"]],
            space=self.spaces[self.entry["space"]],
            title=self.entry["title"],
            source=self.entry["text"],
            kind=self.entry["kind"],
            tags=self.entry["tags"],
            masked=self.entry.get("masked", False),
            poll=poll_of(self.entry),
        )

    def answer(self, reply: dict) -> None:
        number = self.entry["replies"].index(reply) + 1
        self.posts[number] = services.add_reply(
            author=self.people[reply["by"]],
            thread=self.thread,
            source=reply["text"],
            parent=self.posts.get(reply.get("to", 0)),
        )

    def accept(self, reply: dict) -> None:
        number = self.entry["replies"].index(reply) + 1
        services.accept_answer(actor=self.people[self.entry["by"]], post=self.posts[number])


def poll_of(entry: dict) -> services.PollWanted | None:
    """It closes so many days after the demo was loaded, not after its own beginning."""
    wanted = entry.get("poll")
    if wanted is None:
        return None
    return services.PollWanted(
        options=wanted["options"],
        way=wanted["way"],
        closes_at=timezone.now() + timedelta(days=wanted["closes"] + entry["ago"]),
        results=wanted.get("results", "always"),
        is_anonymous=not wanted.get("named", False),
    )
