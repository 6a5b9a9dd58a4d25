"""What goes to the people of an event by itself, when, and to how many: for its organisers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.models import OutgoingMail

from . import mails
from .models import Event
from .reminders import ASKED_BEFORE, REMINDERS, SILENT_BEFORE

SENT, WAITING = "sent", "waiting"
TELLS = {
    "events.reminder_24h": lambda: _("Tomorrow it is"),
    "events.reminder_1h": lambda: _("It starts in an hour"),
}


@dataclass
class Step:
    """One line. `at` None: at once, whenever it happens. `state`: done, now (the next) or later."""

    label: str
    at: datetime | None
    words: str
    state: str = "later"


def message_counts(event: Event) -> list[dict]:
    """Per kind of mail: sent, still to go, and held back for a reason. One query, by the beginning of the keys."""
    about = Q()
    for kind in mails.KINDS:
        about |= Q(dedupe_key__startswith=f"{kind.key}:{event.pk}.")
    rows = OutgoingMail.objects.filter(about).order_by().values_list("kind", "state").annotate(n=Count("pk"))
    found: dict[str, dict] = {}
    for kind, state, count in rows:
        found.setdefault(kind, {})[state] = count
    return [
        {
            "key": kind.key,
            "label": kind.label.partition(": ")[2] or kind.label,
            "sent": found[kind.key].get(SENT, 0),
            "to_go": found[kind.key].get(WAITING, 0),
            "not_sent": found[kind.key].get("withheld", 0) + found[kind.key].get("failed", 0),
        }
        for kind in mails.KINDS
        if kind.key in found
    ]


def timeline(event: Event, counts: dict[str, int], sent: list[dict], now: datetime) -> list[Step]:
    """What went and what comes, in order of time; `sent` is what message_counts() told. One query, for the letters."""
    went = {line["key"]: line["sent"] + line["to_go"] for line in sent}
    went |= {"events.reconfirm": counts["asked"]}  # also of those who have left since
    steps = [Step(_("You have a place"), None, _went(_("At once"), counts["had_place"]), "done")]
    if not event.is_postponed and event.cancelled_at is None:
        steps += _planned(event, counts, went, now)
    steps += [
        Step(letter.subject, letter.sent_at, _went(_("Your letter"), letter.told_count), "done")
        for letter in event.letters.order_by("sent_at", "pk")
    ]
    steps.sort(key=lambda step: (step.at is not None, step.at or now))
    following = next((step for step in steps if step.state == "later"), None)
    if following is not None and event.published_at is not None:
        following.state = "now"
    return steps


def _planned(event: Event, counts: dict[str, int], went: dict[str, int], now: datetime) -> list[Step]:
    starts_at = event.starts_at
    steps = []

    def step(label: str, before: timedelta, ahead: str, kind: str) -> None:
        at = starts_at - before
        if at > now:
            steps.append(Step(label, at, ahead))
        elif went.get(kind):  # what went to nobody tells nothing
            steps.append(Step(label, at, _went("", went[kind]), "done"))

    if event.asks_reconfirmation and event.places is not None:
        ahead = _("To all who have had their place for longer")
        step(_("Are you still coming?"), ASKED_BEFORE, ahead, "events.reconfirm")
        ahead = (
            ngettext(
                "%(count)d person has not answered yet",
                "%(count)d people have not answered yet",
                counts["silent"],
            )
            % {"count": counts["silent"]}
            if counts["silent"]
            else _("To those who did not answer")
        )
        step(_("Silent places are offered on"), SILENT_BEFORE, ahead, "events.soft")
    for reminder in REMINDERS:
        step(TELLS[reminder.kind](), reminder.before, _("To everyone with a place"), reminder.kind)
    if event.places is not None:
        ahead = _("If a place is free, to all who still wait: the first one has it")
        step(_("Last call"), starts_at - event.last_offer_at, ahead, "events.all_hands")
    return steps


def _went(words: str, count: int) -> str:
    """“Sent at once to 100”"""
    if not count:
        return words
    told = ngettext("to %(count)d person", "to %(count)d people", count) % {"count": count}
    return _("%(what)s, %(told)s") % {"what": words, "told": told} if words else told[:1].upper() + told[1:]
