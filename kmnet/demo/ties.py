"""Introductions of the demo: one that came about, one that waits for the member's answer, one still open for others."""

from datetime import datetime, timedelta

from members import services
from members.models import Member

from .clock import at

# who proposes, the two, days ago, why; and who of the two has said yes
INTRODUCTIONS = (
    ("Rosalind Achebe", "Maren de Wit", "Ngozi Adeyemi", 9, ("Maren de Wit", "Ngozi Adeyemi"),
     "Maren can show a board what changed; Ngozi is asked to do just that next month."),
    ("Maren de Wit", "Étienne Gagnon-Roy", "Rosalind Achebe", 2, ("Rosalind Achebe",),
     "You both turn long reviews into one page for people who have no time, in two languages and on two continents."),
    ("Ngozi Adeyemi", "Rosalind Achebe", "Samina Qureshi", 0.1, (),
     "Samina is new and the only one where she works. Rosalind remembers what that is like."),
)  # fmt: skip


def load_ties(*, people: dict[str, Member], now: datetime) -> None:
    for proposer, one, other, ago, yes, reason in INTRODUCTIONS:
        with at(now - timedelta(days=ago)):
            introduction = services.propose_introduction(
                proposer=people[proposer], one=people[one], other=people[other], reason=reason
            )
        for hours, name in enumerate(yes, 3):
            with at(now - timedelta(days=ago) + timedelta(hours=hours)):
                services.answer_introduction(introduction=introduction, member=people[name], yes=True)
