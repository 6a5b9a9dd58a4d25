"""An offer answered by mail."""

from datetime import timedelta

import pytest
from django.utils import timezone

from events import services
from events.inbound import answer_of
from events.models import Registration, Status
from kmnet.core import inbound
from tests.factories import make_member
from tests.factories.events import make_event, make_registration
from tests.inbound import receive
from tests.mailbox import send_due, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered():
    """One place, held for the first of two who wait; and the address of its mail."""
    event = make_event(capacity=1)
    holder = make_registration(event=event)
    first, _second = (make_registration(event=event, status=Status.WAITING) for _one in range(2))
    services.cancel_registration(registration=holder, actor=holder.member)
    first.refresh_from_db()
    assert first.status == Status.OFFERED
    return first


@pytest.fixture
def address(offered):
    [mail] = [mail for mail in send_due(to=offered.member.email) if "reply+" in str(mail["Reply-To"])]
    assert "“Yes” takes the place, “no” gives it to the next person." in text_of(mail)
    return mail["Reply-To"]


def test_a_yes_takes_the_place(offered, address):
    assert receive(offered.member, address, "Yes, please!\n\n> Do you take it?\n").state == "done"
    offered.refresh_from_db()
    assert offered.status == Status.CONFIRMED
    assert receive(offered.member, address, "yes\n").state == "done"  # twice is once


def test_a_no_offers_it_to_the_next(offered, address):
    assert receive(offered.member, address, "Nein, danke.\n").state == "done"
    offered.refresh_from_db()
    assert offered.status == Status.DECLINED
    assert (
        Registration.objects.filter(event=offered.event, status=Status.OFFERED).exclude(pk=offered.pk).count()
        == 1
    )


def test_what_is_unclear_changes_nothing(offered, address):
    received = receive(offered.member, address, "Yes, but I cannot come before ten.\n")
    assert received.reason == "offer_unclear"
    offered.refresh_from_db()
    assert offered.status == Status.OFFERED


def test_an_offer_that_is_over_is_told_so(offered, address):
    Registration.objects.filter(pk=offered.pk).update(offer_expires_at=timezone.now() - timedelta(minutes=1))
    assert receive(offered.member, address, "Yes\n").reason == "offer_over"
    offered.refresh_from_db()
    assert offered.status != Status.CONFIRMED


def test_nobody_else_takes_it(offered, address):
    assert receive(make_member(), address, "Yes\n").reason == "not_yours"
    other = inbound.reply_address(member=make_member(), purpose="events.offer", target=offered)
    assert receive(other_owner(other), other, "Yes\n").reason == "gone"
    offered.refresh_from_db()
    assert offered.status == Status.OFFERED


def other_owner(address: str):
    from kmnet.core.models import ReplyAddress

    return ReplyAddress.objects.get(token=address.partition("+")[2].partition("@")[0]).member


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *((text, True) for text in ("yes", "Yes!", "YES please", "accept", "J'accepte.", "Ja, gerne!", "Sí", "Acepto")),
        *((text, False) for text in ("no", "No, thank you.", "Decline", "Non merci", "Nein danke", "no puedo", "Nee")),
        *((text, None) for text in ("", "Maybe", "Yes and no", "No problem, I take it", "No doubt I come", "hi " * 60)),
        ("Yes, I will be there. See you on Friday.", True),
        ("No, I am ill. Give it to somebody else.", False),
    ],
)  # fmt: skip
def test_what_counts_as_an_answer(text, answer):
    assert answer_of(text) is answer
