"""The events of the demo: the launch with more people than places, what came before it, and what follows."""

from datetime import datetime, time, timedelta

from django.conf import settings

from events import services
from events.models import Event, Registration, Status
from kmnet.core.forms import to_instant
from members.models import Member

from .clock import at
from .data import read
from .occasions import ask_who_comes, invite, postpone, write_letter
from .scenes import draw_scene

# Each after those that it names: its rehearsal, or whoever was left out there.
ORDER = (
    *("january", "march", "may", "past", "launch", "rehearsal", "workshop", "coffee"),
    *("gathering", "round", "postponed"),
)
MEETING = "https://meet.kmnet.example/"  # an address that leads nowhere: the demo has no meeting to go to


def load_gatherings(*, people: dict[str, Member], recording: str, now: datetime) -> dict[str, Event]:
    """Create, publish and fill the events. `recording` is the address of the past event's recording."""
    host = people["Rosalind Achebe"]
    crowd = list(people.values())
    stories = read("events.yaml")
    events: dict[str, Event] = {}
    for name in ORDER:
        story = stories[name]
        starts_at = instant(story, now)
        announced = min(starts_at, now) - timedelta(days=16 if name in ("past", "launch") else 7)
        with at(announced):
            event = _publish(story, starts_at, host, people, events)
            able = invite(event, story, host, crowd)
        wanting = [member for member in able if _comes(member, name)]
        _fill(event, story, wanting, host, announced, now)
        ask_who_comes(event, story, now)
        write_letter(event, story, host, now)
        postpone(event, story, host, now)
        if story.get("came"):
            _remember(event, story, host, starts_at, recording if name == "past" else "")
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


def _publish(story: dict, starts_at: datetime, host: Member, people: dict, events: dict) -> Event:
    access = story.get("access", {})
    is_rehearsal = "rehearsal" in story["tags"]
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
        has_sign_language=access.get("sign_language", False),
        has_slides_ahead=access.get("slides_ahead", False),
        access_notes=access.get("other", ""),
        organisers=[people["Maren de Wit"]],
        tags=story["tags"],
        sessions=_programme(story, starts_at, people),
        questions=[{"choices": [], "is_required": False} | asked for asked in story.get("questions", ())],
        rehearsal_of=events["launch"] if is_rehearsal else None,
        **story.get("set", {}),
    )
    if story.get("picture"):
        drawn = services.check_picture(draw_scene(seed=len(story["title"])))
        event = services.set_picture(event=event, actor=host, drawn=drawn, alt=story["picture"])
    if story.get("first_from"):
        services.set_priority_from(event=event, earlier=events[story["first_from"]], by=host)
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
    questions = list(event.questions.all())
    for number, member in enumerate(wanting):
        with at(announced + until * (number + 1) / (len(wanting) + 1) * (number + 1) / len(wanting)):
            registration = services.register_member(
                event=event, member=member, by=by, **_said(event, story, questions, number)
            )
            if registration.status == Status.REQUESTED and number < len(wanting) - story.get("undecided", 0):
                services.approve_registration(registration=registration, by=host)


def _said(event: Event, story: dict, questions: list, number: int) -> dict:
    """How they come, what they answer and what they need: everybody else what is next on the lists of the story."""
    answers, needs = story.get("answers", ()), story.get("needs", ())
    is_online = event.ways != ("",) and number % story["online"]
    given = answers[number % len(answers)] if answers else ()
    return {
        "way": event.ways[1 if is_online else 0],
        "answers": {question.pk: value for question, value in zip(questions, given, strict=False)},
        "access_needs": needs[number % (3 * len(needs))]
        if needs and number % (3 * len(needs)) < len(needs)
        else "",
    }


def _remember(event: Event, story: dict, host: Member, starts_at: datetime, recording: str) -> None:
    """Some of them came; what was said can be heard again."""
    holders = list(
        Registration.objects.filter(event=event, status=Status.CONFIRMED)
        .select_related("member")
        .order_by("joined_at", "pk")
    )
    first = [r for r in holders if r.member.email.startswith(("admin@", "moderator@"))]
    others = [registration for registration in holders if registration not in first]
    step = len(others) / (story["came"] - len(first))
    came = first + [others[int(index * step)] for index in range(story["came"] - len(first))]
    with at(starts_at + timedelta(minutes=3)):
        for registration in came:
            services.mark_attendance(registration=registration, came=True, by=host)
    if not recording:
        return
    with at(starts_at + timedelta(days=1)):
        services.update_event(event=event, actor=host, recording_url=f"{settings.SITE_URL}{recording}")
