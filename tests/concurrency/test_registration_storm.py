"""Every path into and out of a place, at once and in random order, on real commits; then the rules are asked in SQL.

The control is a run on the places with a lock that does nothing: it oversells.
"""

import random
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from events import services, tasks
from events.models import Event, Kind, Registration, Status
from events.services import places
from tests.factories import make_member
from tests.factories.events import make_event
from tests.rules import broken_rules
from tests.together import Meeting, meet_after

from .test_registration import at_once, no_guard, no_lock

__all__ = ["no_guard"]

pytestmark = pytest.mark.django_db(transaction=True)  # real commits, so real locks
SEEDS = [0, 1, 3, *(pytest.param(seed, marks=pytest.mark.fault) for seed in (2, *range(4, 20)))]
EXPECTED = (
    services.CapacityTooLow,
    services.NotYourTurn,
    services.OfferOver,
    services.RegistrationClosed,
    services.TooLate,
    services.TransferRefused,
    PermissionDenied,
)


class Storm:
    """An event tomorrow (or within the last three hours), its people, and all that they and its organisers do."""

    def __init__(self, seed: int, *, prepared: bool = True):
        self.chance = random.Random(seed)
        self.organiser = make_member(is_organiser=True, password=None)
        is_hybrid, self.is_near = bool(seed % 2), seed % 4 == 3
        fields = {"kind": Kind.HYBRID, "online_capacity": 5} if is_hybrid else {}
        self.event = make_event(
            capacity=6,
            organisers=[self.organiser],
            starts_in=timedelta(hours=20),
            allows_transfer=True,
            **fields,
        )
        self.ways = self.event.ways
        self.members = [make_member(password=None) for _number in range(26)]
        self.guests = [f"guest{number}.{seed}@example.org" for number in range(6)]
        self.unproven = {}
        if prepared:
            self.prepare()

    def way(self) -> str:
        return self.chance.choice(self.ways)

    def prepare(self) -> None:
        """Most are there before it begins: with places, waiting, offered a place, asked and silent."""
        for member in self.members[:16]:
            services.register_member(event=self.event, member=member, way=self.way())
        for guest in self.guests:
            services.request_guest_place(event=self.event, name="Guest", address=guest, way=self.way())
        unproven = self.event.registrations.filter(status=Status.UNPROVEN)
        self.unproven = {row.guest_address: row for row in unproven}
        self.prove(self.guests[0])()
        confirmed = list(self.event.registrations.filter(status=Status.CONFIRMED).order_by("pk"))
        now = timezone.now()
        Registration.objects.filter(pk__in=[row.pk for row in confirmed[:4]]).update(
            confirmed_at=now - timedelta(days=9), asked_at=now - timedelta(hours=13)
        )
        for row in confirmed[4:6]:  # the first two of those who wait are offered their places
            services.cancel_registration(registration=row)
        if self.is_near:
            start = now + timedelta(hours=2)
            Event.objects.filter(pk=self.event.pk).update(starts_at=start, ends_at=start + timedelta(hours=1))
            self.event.refresh_from_db()

    # --- what people do ----------------------------------------------------------------------------------------------
    def latest(self, member) -> Registration | None:
        return Registration.objects.filter(event=self.event, member=member).order_by("-pk").first()

    def register(self, member, **fields):
        way = self.way()
        return lambda: services.register_member(event=self.event, member=member, way=way, **fields).status

    def prove(self, address):
        return lambda: services.prove_guest(registration=self.unproven[address]).status

    def act(self, deed, member, **fields):
        def press():
            mine = self.latest(member)
            return mine and deed(registration=mine, actor=member, **fields).status

        return press

    def give_on(self, member):
        target = self.chance.choice([{"to_member": self.members[-1]}, {"to_address": "named@example.org"}])
        return self.act(services.transfer_place, member, **target)

    # --- what organisers and the clock do ----------------------------------------------------------------------------
    def organise(self, deed, **fields):
        return lambda: deed(event=self.event, **fields)

    def remove(self, member):
        def press():
            mine = self.latest(member)
            return mine and services.remove_registration(
                registration=mine, by=self.organiser, reason="a test"
            )

        return press

    def promote(self, member):
        def press():
            mine = self.latest(member)
            return mine and services.promote_up_to(registration=mine, by=self.organiser)

        return press

    def lapse(self) -> None:
        """Somebody's time is up. (Under the lock: a service reads the clock once, so nothing lapses within it.)"""
        with transaction.atomic():
            places.lock_event(self.event.pk)
            Registration.objects.filter(event=self.event, status=Status.OFFERED).update(
                offer_expires_at=timezone.now() - timedelta(seconds=1)
            )

    def deeds(self) -> list:
        here, chance, organiser = self.members[:16], self.chance, self.organiser
        deeds = [self.register(member) for member in self.members]  # most of them for the second time
        deeds += [self.register(member, recording_only=True) for member in self.members[20:23]]
        deeds += [self.prove(guest) for guest in self.unproven for _twice in range(2)]
        for deed, how_many in (
            (services.cancel_registration, 5),
            (services.accept_offer, 6),
            (services.decline_offer, 5),
            (services.confirm_coming, 6),
            (services.claim_place, 5),
            (services.take_recording_only, 2),
            (services.come_after_all, 3),
        ):
            deeds += [self.act(deed, member) for member in chance.sample(here, how_many)]
        deeds += [self.act(services.change_way, member, way=self.way()) for member in chance.sample(here, 5)]
        deeds += [self.give_on(member) for member in chance.sample(here, 3)]
        deeds.append(self.remove(chance.choice(here)))
        for _number in range(3):
            size = {"capacity": chance.randint(4, 9), "way": self.way()}
            deeds.append(self.organise(services.change_capacity, actor=organiser, **size))
        deeds.append(self.organise(services.offer_more_places, count=2, by=organiser, way=self.way()))
        deeds.append(self.promote(chance.choice(here)))
        deeds.append(self.organise(services.update_event, actor=organiser, title="Another title"))
        deeds.append(self.register(self.members[23], by=organiser))
        deeds.append(lambda: services.release_member(member=self.members[3], why="suspended"))
        deeds.append(
            lambda: services.adopt_guest_registrations(member=self.members[24], address=self.guests[0])
        )
        deeds += [self.lapse, self.lapse, *(2 * [tasks.sweep_promotions, tasks.sweep_registrations])]
        chance.shuffle(deeds)
        return deeds


@pytest.mark.parametrize("seed", SEEDS)
def test_storm_of_every_path_breaks_no_rule(seed):
    storm = Storm(seed)
    answers = at_once(storm.deeds())
    surprises = [
        found for found in answers if isinstance(found, Exception) and not isinstance(found, EXPECTED)
    ]
    assert surprises == []
    assert broken_rules(storm.event) == []  # before any sweep: what frees a place offers it
    tasks.sweep_promotions()
    tasks.sweep_registrations()
    assert broken_rules(storm.event) == []


def test_control_without_the_lock_the_run_on_places_oversells(monkeypatch, no_guard):
    """So the rules can be broken, and a storm is hard enough to break them. (Only people who come in: whoever leaves
    again would hide it.)"""
    storm = Storm(0, prepared=False)
    meeting = Meeting(4, again=True)
    deeds = [storm.register(member) for member in storm.members * 2]
    with monkeypatch.context() as patch:
        patch.setattr(places, "lock_event", no_lock)
        meet_after(patch, Event, "occupancies_for", meeting)
        at_once(deeds)
    assert [broken for broken in broken_rules(storm.event) if broken.startswith("more places are held")]
    with monkeypatch.context() as patch:
        meet_after(patch, Event, "occupancies_for", meeting)
        other = Storm(0, prepared=False)
        at_once([other.register(member) for member in other.members * 2])
    assert broken_rules(other.event) == []
