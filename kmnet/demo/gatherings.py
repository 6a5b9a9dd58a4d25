"""The events of the demo: the launch with more people than places, what came before it, and what follows."""

from datetime import datetime, time, timedelta

from django.conf import settings

from events import services
from events.models import Event, Registration
from kmnet.core.forms import to_instant
from members.models import Member

from .clock import at
from .data import read

MEETING = "https://meet.kmnet.example/"  # an address that leads nowhere: the demo has no meeting to go to


def load_gatherings(*, people: dict[str, Member], recording: str, now: datetime) -> dict[str, Event]:
    """Create, publish and fill the events. `recording` is the address of the past event's recording."""
    host = people["Rosalind Achebe"]
    crowd = list(people.values())
    stories = read("events.yaml")
    events: dict[str, Event] = {}
    for name in ("past", "launch", "rehearsal", "workshop", "coffee"):
        story = stories[name]
        starts_at = instant(story, now)
        announced = min(starts_at, now) - timedelta(days=16 if name in ("past", "launch") else 7)
        with at(announced):
            event = _publish(
                story, starts_at, host, people, rehearsal_of=events["launch"] if name == "rehearsal" else None
            )
        wanting = [member for member in crowd if _comes(member, name)]
        _fill(event, story, wanting, host, announced, now)
        if story.get("came"):
            _remember(event, story, host, starts_at, recording)
        events[name] = event
    return events


def _comes(member: Member, event: str) -> bool:
    """Not the organiser, nor who joined an hour ago; and one account finds the launch full, to try the waiting list."""
    account = member.email.partition("@")[0]
    return account not in ("organiser", "newcomer") and not (account == "member" and event == "launch")


def instant(story: dict, now: datetime) -> datetime:
    """The moment that `in_days`, `at` and `zone` of an entry say."""
    hour, minute = map(int, story["at"].split(":"))
    day = (now + timedelta(days=story["in_days"])).date()
    return to_instant(datetime.combine(day, time(hour, minute)), story["zone"], later=False)


def _publish(
    story: dict, starts_at: datetime, host: Member, people: dict, rehearsal_of: Event | None
) -> Event:
    access = story.get("access", {})
    event = services.create_event(
        actor=host,
        title=story["title"],
        summary=story["summary"],
        description=story["description"],
        kind=story["kind"],
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=story["minutes"]),
        time_zone=story["zone"],
        capacity=story["capacity"],
        meeting_url=MEETING,
        has_captions=access.get("captions", False),
        has_slides_ahead=access.get("slides_ahead", False),
        access_notes=access.get("other", ""),
        organisers=[people["Maren de Wit"]],
        tags=story["tags"],
        sessions=_programme(story, starts_at, people),
        rehearsal_of=rehearsal_of,
    )
    return services.publish_event(event=event, actor=host)


def _programme(story: dict, starts_at: datetime, people: dict) -> list[dict]:
    items, begins = [], starts_at
    for item in story.get("programme", ()):
        ends = begins + timedelta(minutes=item["minutes"])
        who = people[item["speaker"]]
        items.append(
            {
                "kind": item["kind"],
                "title": item["title"],
                "starts_at": begins,
                "ends_at": ends,
                "speakers": [(who.name, f"{who.profile.job_title}, {who.profile.region}"[:200])],
            }
        )
        begins = ends
    return items


def _fill(
    event: Event, story: dict, crowd: list[Member], host: Member, announced: datetime, now: datetime
) -> None:
    """They come over a few days, each event in another order; the accounts among the first."""
    shift = len(story["title"]) * 37 % len(crowd)
    wanting = sorted(crowd[shift:] + crowd[:shift], key=lambda member: not member.has_usable_password())
    wanting = wanting[: story["registrants"]]
    by = host if event.rehearsal_of_id else None  # friendly faces are asked
    until = min(event.starts_at, now) - announced - timedelta(hours=1)
    for number, member in enumerate(wanting):
        with at(announced + until * (number + 1) / (len(wanting) + 1) * (number + 1) / len(wanting)):
            services.register_member(event=event, member=member, by=by)


def _remember(event: Event, story: dict, host: Member, starts_at: datetime, recording: str) -> None:
    """Some of them came; what was said can be heard again."""
    holders = list(
        Registration.objects.live().filter(event=event).select_related("member").order_by("joined_at", "pk")
    )
    first = [r for r in holders if r.member.email.startswith(("admin@", "moderator@"))]
    others = [registration for registration in holders if registration not in first]
    step = len(others) / (story["came"] - len(first))
    came = first + [others[int(index * step)] for index in range(story["came"] - len(first))]
    with at(starts_at + timedelta(minutes=3)):
        for registration in came:
            services.mark_attendance(registration=registration, came=True, by=host)
    with at(starts_at + timedelta(days=1)):
        services.update_event(event=event, actor=host, recording_url=f"{settings.SITE_URL}{recording}")
