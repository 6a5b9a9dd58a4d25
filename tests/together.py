"""Threads that do something at the same moment, and the places where they wait for each other.

On a busy machine the second thread may come seconds after the first, so nobody waits for a time here: they wait until
all have come, or until one of those who are missing cannot come because it waits for a lock of those who are there, or
has ended.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier, Condition, Event, Lock

from django.db import connection, connections

LONG = 60  # seconds: what has not happened by then does not happen
LOOK = 0.02  # seconds between two looks at who waits for whom


class _Deeds:
    """How many of the deeds of `at_once` have not ended."""

    lock, left = Lock(), 0


def at_once(*deeds: Callable, errors: Callable | None = None, threads: int = 0) -> list:
    """What each deed returns; they are done side by side, begin together, and each has a connection of its own.

    `errors` makes a deed's result of the exception it ended with; without it the exception is raised here.
    """
    threads = threads or len(deeds)
    begin = Barrier(min(threads, len(deeds)))
    _Deeds.left = len(deeds)

    def run(number: int):
        try:
            with closing(connection):  # a thread's connection is its own to close
                if number < threads:
                    begin.wait(timeout=LONG)
                return deeds[number]()
        except Exception as error:
            if errors is None:
                raise
            return errors(error)
        finally:
            connections.close_all()
            with _Deeds.lock:
                _Deeds.left -= 1

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(len(deeds))))


def _somebody_waits_for_me() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


class Meeting:
    """Nobody who comes goes on before so many have come, as far as they can. Once it was held, or could not be, nobody
    waits here any more; except `again`, where the next ones meet as well."""

    def __init__(self, people: int = 2, *, again: bool = False):
        self.people, self.again = people, again
        self.changed, self.here, self.number, self.over = Condition(), 0, 0, False

    def come(self) -> None:
        with self.changed:
            number = self.number
            if not self.over:
                self.here += 1
                if self.here == self.people:
                    self._end()
        give_up = time.monotonic() + LONG
        while not self._held(number):
            if _Deeds.left < self.people or _somebody_waits_for_me() or time.monotonic() > give_up:
                with self.changed:
                    if self.number == number:
                        self._end()

    def _held(self, number: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.over or self.number != number, timeout=LOOK)

    def _end(self) -> None:
        self.here, self.over = 0, not self.again
        self.number += 1
        self.changed.notify_all()


def meet_before(monkeypatch, owner, name: str, meeting: Meeting | None = None) -> None:
    """From now on nobody does this before all have come to it. The last look should lie before it: what is looked at
    later may show what the other has committed by then."""
    meeting, act = meeting or Meeting(), getattr(owner, name)

    def come_then_act(*args, **fields):
        meeting.come()
        return act(*args, **fields)

    monkeypatch.setattr(owner, name, come_then_act)


def meet_after(monkeypatch, owner, name: str, meeting: Meeting | None = None) -> None:
    """From now on nobody goes on from this before all have done it."""
    meeting, act = meeting or Meeting(), getattr(owner, name)

    def act_then_come(*args, **fields):
        found = act(*args, **fields)
        meeting.come()
        return found

    monkeypatch.setattr(owner, name, act_then_come)


def until(happened: Event) -> None:
    """Wait for what another deed of `at_once` tells; in vain where that one waits for our lock, or has ended."""
    give_up = time.monotonic() + LONG
    while not happened.wait(timeout=LOOK):
        if _Deeds.left < 2 or _somebody_waits_for_me() or time.monotonic() > give_up:
            return
