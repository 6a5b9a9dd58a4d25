"""What people of the demo write to each other in private."""

from datetime import datetime, timedelta

from discussions import services
from members.models import Member

from .clock import at
from .data import read


def load_letters(*, people: dict[str, Member], now: datetime) -> None:
    for entry in read("messages.yaml"):
        there = [people[name] for name in entry["people"]]
        thread = None
        for message in entry["messages"]:
            author = people[message["by"]]
            with at(now - timedelta(days=message["ago"])):
                if "joins" in message:
                    services.add_person(actor=author, thread=thread, member=people[message["joins"]])
                if thread is None:
                    post = services.start_conversation(author=author, people=there, source=message["text"])
                    thread = post.thread
                else:
                    services.send_message(author=author, thread=thread, source=message["text"])
        for name, days in entry.get("muted", {}).items():
            until = now + timedelta(days=days) if days else None
            services.mute_conversation(member=people[name], thread=thread, until=until)
