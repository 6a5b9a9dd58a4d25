"""Any order of what people, organisers and the clock do, against a model of the rules in a few lines of plain Python."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from events import services, tasks
from events.models import BACK, Registration, Status
from tests.factories import make_member
from tests.factories.events import make_event
from tests.rules import broken_rules

HOUR = timedelta(hours=1)
BEGIN = datetime(2027, 3, 24, 9, 0, tzinfo=UTC)
START = BEGIN + 100 * HOUR
LIVE = set(Status.live())
SENSIBLE = {
    "accept": {"offered"},
    "decline": {"offered"},
    "claim": {"waiting", "expired", "soft"},
    "say_yes": {"soft"},
    "enter": {"confirmed", "soft", "waiting"},
    "promote": {"waiting"},
}


@dataclass
class Row:
    number: int
    status: str
    joined: datetime
    priority: int = 0
    confirmed: datetime | None = None
    ends: datetime | None = None  # an offer
    asked: datetime | None = None
    said_yes: bool = False
    came: bool = False

    def take(self, now):
        self.status, self.confirmed = "confirmed", now


@dataclass
class Model:
    """What PRODUCT.md and the issue say about places, and nothing else."""

    now: datetime = BEGIN
    capacity: int = 2
    more: int = 0
    rows: dict[int, Row] = field(default_factory=dict)  # by person: their latest registration
    made: int = 0

    def held(self) -> int:
        return sum(
            row.status == "confirmed" or (row.status == "offered" and row.ends > self.now)
            for row in self.rows.values()
        )

    def free(self) -> int:
        return self.capacity + self.more - self.held()

    def line(self) -> list[Row]:
        waiting = [row for row in self.rows.values() if row.status == "waiting"]
        return sorted(waiting, key=lambda row: (-row.priority, row.joined, row.number))

    def lapse(self):
        for row in self.rows.values():
            if row.status == "offered" and row.ends <= self.now:
                row.status = "expired"

    def settle(self):
        self.lapse()
        while self.now < START - 3 * HOUR and self.free() > 0 and self.line():
            row = self.line()[0]
            row.status = "offered"
            row.ends = max(min(self.now + 24 * HOUR, START - 3 * HOUR), self.now + HOUR)

    def queue_up(self, row, priority=0):
        row.status, row.joined, row.priority = "waiting", self.now, priority

    # --- deeds: what they do, or the refusal -------------------------------------------------------------------------
    def register(self, who, recording):
        self.settle()
        row = self.rows.get(who)
        if row and row.status in LIVE and (row.status != "recording" or recording):
            return
        if self.now >= START:
            raise services.RegistrationClosed
        if not row or row.status not in LIVE:
            self.made += 1
            row = self.rows[who] = Row(self.made, "", self.now)
        row.joined = self.now
        if recording:
            row.status = "recording"
        elif self.free() > 0 and not self.line():
            row.take(self.now)
        else:
            self.queue_up(row)

    def leave(self, who, status):
        row = self.rows[who]
        if row.status in LIVE:
            row.status = status
            self.settle()

    def record(self, who):
        if self.rows[who].status not in LIVE:
            raise services.TooLate
        self.leave(who, "recording")

    def accept(self, who):
        row = self.rows[who]
        if row.status == "confirmed":
            return
        if row.status != "offered" or row.ends <= self.now:
            raise services.OfferOver(row)
        row.take(self.now)

    def decline(self, who):
        row = self.rows[who]
        if row.status == "declined":
            return
        if row.status != "offered" or row.ends <= self.now:
            raise services.OfferOver(row)
        self.leave(who, "declined")

    def claim(self, who):
        self.settle()
        row = self.rows[who]
        if row.status == "confirmed":
            return
        near = START - 3 * HOUR <= self.now < START
        if row.status not in ("waiting", "expired", "soft") or self.free() <= 0 or not near:
            raise services.NotYourTurn
        row.take(self.now)

    def say_yes(self, who):
        self.settle()
        row = self.rows[who]
        if row.status == "confirmed":
            row.said_yes = True
        elif row.status == "soft":
            row.said_yes = True
            if self.free() > 0:
                row.take(self.now)
            else:
                self.queue_up(row, BACK)
        elif row.status == "offered":
            self.accept(who)
        elif row.status != "waiting":
            raise services.OfferOver(row)

    def enter(self, who):
        row = self.rows[who]
        soft = row.status == "soft" or (row.status == "waiting" and row.priority == BACK)
        if row.status != "confirmed" and not soft:
            raise PermissionDenied
        if self.now < START - HOUR / 4:
            raise services.DoorsClosed
        if soft and not row.came:
            self.settle()
            if self.free() > 0:
                row.take(self.now)
            elif self.now < START or sum(one.came for one in self.rows.values()) >= self.capacity:
                raise services.NoRoomYet
        row.came = True

    def resize(self, capacity):
        self.lapse()
        if self.held() > capacity:
            raise services.CapacityTooLow(0, 0)
        self.capacity, self.more = capacity, 0
        self.settle()

    def accept_more(self, count):
        self.settle()
        if self.now >= START - 3 * HOUR:
            raise services.TooLate
        self.more += count
        self.settle()

    def promote(self, who):
        self.settle()
        row = self.rows[who]
        if row.status == "waiting":
            if self.now >= START - 3 * HOUR:
                raise services.TooLate
            self.more += self.line().index(row) + 1
            self.settle()

    def beat(self):
        self.settle()
        for row in self.rows.values():
            if row.status != "confirmed" or row.said_yes:
                continue
            if START - 72 * HOUR <= self.now < START - 24 * HOUR and row.confirmed < START - 72 * HOUR:
                row.asked = row.asked or self.now
            late = START - 24 * HOUR <= self.now < START and row.asked
            if late and row.asked <= self.now - 12 * HOUR and row.confirmed <= row.asked and not row.came:
                row.status = "soft"
        self.settle()


class Machine(RuleBasedStateMachine):
    """The services and the model do the same, and after each step they agree."""

    members: list  # made once, by the test
    organiser = None
    people = st.integers(min_value=0, max_value=5)

    @initialize(here=st.sampled_from([6, 6, 4, 2, 0]), hour=st.sampled_from([80, 98, 0, 27, 60, 99.9, 100.2]))
    def begin(self, here, hour):
        """So many people are there, and so many hours have gone by, with a beat whenever something was due."""
        self.point = transaction.savepoint()
        self.clock = time_machine.travel(BEGIN, tick=False)
        self.travelled = self.clock.start()
        self.model = Model()
        self.event = make_event(
            capacity=2,
            starts_at=START,
            published_at=BEGIN - 24 * HOUR,
            organisers=[self.organiser],
        )
        for who in range(here):
            self.register(who, False)
        for due in (1, 30, 77):
            if due < hour:
                self.pass_time(BEGIN + due * HOUR - self.model.now)
                self.beat()
        self.pass_time(max(BEGIN + hour * HOUR - self.model.now, timedelta(0)))

    def beat(self):
        tasks.sweep_promotions()
        tasks.sweep_registrations()
        self.model.beat()

    def teardown(self):
        if hasattr(self, "clock"):
            self.clock.stop()
            transaction.savepoint_rollback(self.point)

    def latest(self, who) -> Registration | None:
        theirs = self.event.registrations.filter(member=self.members[who])
        return theirs.order_by("-pk").first()

    def both(self, name, deed, *args):
        """In the model and in earnest, a second later; both do it, or both refuse it for the same reason."""
        self.pass_time(timedelta(seconds=1))
        wanted = copy.deepcopy(self.model)
        try:
            getattr(wanted, name)(*args)
            self.model, refusal = wanted, None
        except Exception as error:
            refusal = type(error)
        try:
            with transaction.atomic():
                deed()
            found = None
        except Exception as error:
            found = type(error)
        assert found is refusal or (refusal and found.__name__ == refusal.__name__), (
            name,
            args,
            found,
            refusal,
        )

    def act(self, name, who, deed, *args, **fields):
        """Mostly by somebody for whom it makes sense; 5 is anybody's."""
        rows = self.model.rows
        sensible = [one for one, row in sorted(rows.items()) if row.status in SENSIBLE.get(name, LIVE)]
        if sensible and who < 5:
            who = sensible[who % len(sensible)]
        if who in rows:
            mine = self.latest(who)
            self.both(name, lambda: deed(registration=mine, **fields), who, *args)

    def pass_time(self, delta):
        self.model.now += delta
        self.travelled.move_to(self.model.now, tick=False)

    @rule(who=people, recording=st.sampled_from([False, False, False, True]))
    def register(self, who, recording):
        member = self.members[who]
        self.both(
            "register",
            lambda: services.register_member(event=self.event, member=member, recording_only=recording),
            who,
            recording,
        )

    @rule(who=people)
    def cancel(self, who):
        self.act("leave", who, services.cancel_registration, "cancelled")

    @rule(who=people)
    def remove(self, who):
        reason = {"by": self.organiser, "reason": "a test"}
        self.act("leave", who, services.remove_registration, "removed", **reason)

    @rule(who=people)
    def record(self, who):
        self.act("record", who, services.take_recording_only)

    @rule(who=people)
    def accept(self, who):
        self.act("accept", who, services.accept_offer)

    @rule(who=people)
    def decline(self, who):
        self.act("decline", who, services.decline_offer)

    @rule(who=people)
    def claim(self, who):
        self.act("claim", who, services.claim_place)

    @rule(who=people)
    def say_yes(self, who):
        self.act("say_yes", who, services.confirm_coming)

    @rule(who=people)
    def enter(self, who):
        self.act("enter", who, services.enter)

    @rule(capacity=st.integers(min_value=1, max_value=4))
    def resize(self, capacity):
        sized = {"event": self.event, "actor": self.organiser, "capacity": capacity}
        self.both("resize", lambda: services.change_capacity(**sized), capacity)

    @rule(count=st.integers(min_value=1, max_value=2))
    def accept_more(self, count):
        more = {"event": self.event, "count": count, "by": self.organiser}
        self.both("accept_more", lambda: services.offer_more_places(**more), count)

    @rule(who=people)
    def promote(self, who):
        self.act("promote", who, services.promote_up_to, by=self.organiser)

    @rule(hours=st.sampled_from([0.3, 1, 6, 24]), beats=st.integers(min_value=0, max_value=2))
    def later(self, hours, beats):
        """The clock goes on, and the beat comes once, twice, or not at all."""
        last = START + HOUR - timedelta(minutes=5)
        self.pass_time(min(hours * HOUR, max(last - self.model.now, timedelta(0))))
        for _beat in range(beats):
            self.beat()

    @invariant()
    def they_agree(self):
        if not hasattr(self, "model"):
            return
        found = {who: self.latest(who).status for who in self.model.rows}
        assert found == {who: row.status for who, row in self.model.rows.items()}
        waiting = self.event.registrations.filter(status=Status.WAITING).in_queue_order()
        order = [self.members.index(row.member) for row in waiting.select_related("member")]
        numbers = {row.number: who for who, row in self.model.rows.items()}
        assert order == [numbers[row.number] for row in self.model.line()]
        assert self.model.held() <= self.model.capacity + self.model.more

    @invariant()
    def no_rule_is_broken(self):
        if hasattr(self, "model"):
            broken = broken_rules(self.event, self.model.now)
            lapsed = any(
                row.status == "offered" and row.ends <= self.model.now for row in self.model.rows.values()
            )
            assert broken == [] or (lapsed and all(one.startswith("a place is free") for one in broken))


def people() -> None:
    """Those who play in every example of one test."""
    Machine.members = [make_member(password=None) for _number in range(6)]
    Machine.organiser = make_member(is_organiser=True, password=None)


def run(examples: int, steps: int, phases=(Phase.generate,)) -> None:
    """Without shrinking, which takes minutes: the long test does it."""
    people()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_services_do_what_the_model_says_in_any_order():
    run(examples=15, steps=25)


@pytest.mark.django_db
def test_at_the_door_lapsed_offers_end_first():
    """What the long one found: at 99.9 hours two were silent, and no beat has ended the offers of their places."""
    people()
    machine = Machine()
    machine.begin(here=6, hour=99.9)

    def states():
        machine.they_agree()
        machine.no_rule_is_broken()
        return [row.status for row in machine.model.rows.values()]

    try:
        assert states() == ["soft", "soft", "offered", "offered", "waiting", "waiting"]
        machine.enter(who=2)  # is somebody who waits: refused, and nothing is ended by that
        assert states() == ["soft", "soft", "offered", "offered", "waiting", "waiting"]
        machine.enter(who=0)
        assert states() == ["confirmed", "soft", "expired", "expired", "waiting", "waiting"]
        machine.enter(who=1)
        assert states() == ["confirmed", "confirmed", "expired", "expired", "waiting", "waiting"]
    finally:
        machine.teardown()


@pytest.mark.fault
@pytest.mark.timeout(900)
@pytest.mark.django_db
def test_services_do_what_the_model_says_in_any_order_for_long():
    run(examples=100, steps=30, phases=(Phase.generate, Phase.shrink))
