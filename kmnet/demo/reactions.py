"""What members of the demo said with one press, how they voted, and what they keep for later."""

from datetime import datetime, timedelta

from discussions import services
from discussions.forms_keeping import days_ahead
from discussions.models import Post, Reaction
from discussions.services.bookmarks import at_nine
from members.models import Member

from .clock import at
from .data import read

PACE = timedelta(minutes=47)  # between one reader and the next


def load_reactions(*, people: dict[str, Member], now: datetime) -> None:
    told = read("reactions.yaml")
    for entry in told["reactions"]:
        post = find(entry)
        moment = post.published_at
        for kind in (*Reaction.Kind.values, "helped"):
            for name in entry.get(kind, ()):
                moment = min(moment + PACE, now)
                with at(moment):
                    press(kind, member=people[name], post=post)
    for entry in told["votes"]:
        poll = find({**entry, "post": 1}).thread.poll
        options = list(poll.options.order_by("position").values_list("pk", flat=True))
        for name, places in entry["of"].items():
            services.vote(member=people[name], poll=poll, choices=[options[place] for place in places])
    for entry in told["kept"]:
        keep(entry, member=people[entry["by"]])


def find(entry: dict) -> Post:
    posts = Post.objects.select_related("thread__space", "mask")
    return posts.get(thread__title__startswith=entry["thread"], number=entry["post"])


def press(kind: str, *, member: Member, post: Post) -> None:
    if kind == "helped":
        services.set_quiet_thanks(member=member, post=post, on=True)
    else:
        services.set_reaction(member=member, post=post, kind=kind, on=True)


def keep(entry: dict, *, member: Member) -> None:
    zone = member.time_zone
    remind_at = at_nine(days_ahead(zone)[entry["when"]], zone) if "when" in entry else None
    services.keep_post(member=member, post=find(entry), note=entry.get("note", ""), remind_at=remind_at)
