"""The two storms at one event, and what must be so after each."""

from collections import Counter
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from events.models import Event, Status
from tests.bench import measure
from tests.rules import broken_rules

from . import crowd

DECISIONS, SLOWEST = (
    250,
    5.0,
)  # PRODUCT.md: at least so many a second, and everybody is answered within so many


def play(port: int, people: list[crowd.Person], organiser: crowd.Person, options, tell) -> list[str]:
    """Both storms, told line by line; return what was wrong."""
    event = _event(organiser, options.places)
    crowd.look(port, [organiser, *people], event.get_absolute_url())
    faults = _register(port, event, people, options.places, tell)
    return faults + _leave(port, event, people, organiser, options.leaving, tell)


def _event(organiser: crowd.Person, places: int) -> Event:
    now = timezone.now()
    event = Event.objects.create(
        title="A thousand want to come",
        slug="a-thousand-want-to-come",
        starts_at=now + timedelta(days=9),
        ends_at=now + timedelta(days=9, hours=1),
        capacity=places,
        published_at=now,
    )
    event.organisers.add(organiser.member)
    return event


def _address(name: str, event: Event) -> str:
    return reverse(f"events:{name}", args=[event.pk, event.slug])


def _register(port, event, people, places, tell) -> list[str]:
    """Everybody presses Register."""
    presses = [(person, _address("register", event), {}) for person in people]
    answers, cpu = _storm(port, presses)
    _tell_pace("register", answers, cpu, tell)
    states = Counter(event.registrations.values_list("status", flat=True))
    expected = Counter({Status.CONFIRMED: places, Status.WAITING: len(people) - places})
    tell(f"  {_words(states)}; answered {_words(Counter(answer.status for answer in answers))}")
    faults = _answers_fine(answers)
    if states != expected:
        faults.append(f"not {_words(expected)}, but {_words(states)}")
    rows = list(event.registrations.order_by("pk").values_list("member", "status", "joined_at"))
    if len({member for member, _status, _joined in rows}) != len(rows):
        faults.append("somebody is there twice")
    if {member for member, _status, _joined in rows} != {person.member.pk for person in people}:
        faults.append("somebody is lost")
    # Keys are given out under the event's lock, which is held until the commit: their order is that of the commits.
    if [status for _member, status, _joined in rows] != [Status.CONFIRMED] * places + [Status.WAITING] * (
        len(rows) - places
    ):
        faults.append("somebody was overtaken")
    queue = event.registrations.filter(status=Status.WAITING).in_queue_order().values_list("pk", flat=True)
    if list(queue) != sorted(queue):
        faults.append("those who wait are not in the order of their commits")
    return faults + broken_rules(event)


def _leave(port, event, people, organiser, leaving, tell) -> list[str]:
    """So many give their place up while the organiser makes ten places more."""
    holders = set(
        event.registrations.filter(status=Status.CONFIRMED).values_list("member", flat=True)[:leaving]
    )
    presses = [(person, _address("cancel", event), {}) for person in people if person.member.pk in holders]
    more = {"capacity": event.capacity + 10, "overbooking": 0}
    presses.insert(len(presses) // 2, (organiser, _address("capacity", event), more))
    answers, cpu = _storm(port, presses)
    _tell_pace("give up", answers, cpu, tell)
    states = Counter(event.registrations.values_list("status", flat=True))
    expected = Counter(
        {
            Status.CONFIRMED: event.capacity - leaving,
            Status.CANCELLED: leaving,
            Status.OFFERED: leaving + 10,
            Status.WAITING: len(people) - event.capacity - leaving - 10,
        }
    )
    tell(f"  {_words(states)}; answered {_words(Counter(answer.status for answer in answers))}")
    faults = _answers_fine(answers)
    if states != expected:
        faults.append(f"not {_words(expected)}, but {_words(states)}")
    return faults + broken_rules(event)


def _storm(port, presses):
    before = measure.cpu_by_program()
    answers = crowd.press_at_once(port, presses)
    spent = measure.cpu_by_program() - before
    return answers, Counter({name: seconds / len(answers) * 1000 for name, seconds in spent.items()})


def _answers_fine(answers) -> list[str]:
    return [
        f"{count} answered with {status}"
        for status, count in Counter(answer.status for answer in answers).items()
        if status not in (200, 302)
    ]


def _tell_pace(what: str, answers, cpu: Counter, tell) -> None:
    """A star marks what PRODUCT.md's numbers do not allow."""
    pace = crowd.pace(answers)
    slow = "*" if what == "register" and pace.per_second < DECISIONS else ""
    late = "*" if pace.p99 > SLOWEST else ""
    programs = ", ".join(f"{name} {spent:.1f}" for name, spent in cpu.most_common())
    tell(
        f"{what:>9}: {pace.per_second:.0f}{slow} decisions a second, p50 {pace.median:.2f} s, "
        f"p99 {pace.p99:.2f}{late} s, the last after {pace.slowest:.2f} s, {cpu.total():.1f} ms of CPU each ({programs})"
    )


def _words(counts: Counter) -> str:
    return ", ".join(
        f"{count} {str(what)}" for what, count in sorted(counts.items(), key=lambda one: str(one[0]))
    )
