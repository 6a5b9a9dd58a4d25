"""The rules of the community's agreement (/about/how-we-treat-each-other/), by name: what a report cites."""

import re

from django.utils.translation import gettext as _

from .models import CommunitySettings, Flag

NAMED = re.compile(
    r"^(?:#{2,4}\s+(?P<heading>.+?)|(?:[-*+]|\d+[.)])\s+\*\*(?P<item>.+?)\*\*.*)\s*#*\s*$", re.MULTILINE
)
MOST = 20
LONGEST = 120


def our_rules() -> dict[str, str]:
    """Of the text that comes with kmnet, as it names them itself."""
    return {
        "answer": _("Answer the person."),
        "plainly": _("Ask plainly."),
        "safe": _("Keep people safe."),
        "idea": _("Disagree with the idea."),
        "credit": _("Give credit, and say whose work it is."),
        "room": _("Leave room."),
        "unwelcome": _("What is not welcome"),
    }


USUAL = {
    Flag.Reason.IDENTIFIES: "safe",
    Flag.Reason.UNKIND: "idea",
    Flag.Reason.SPAM: "unwelcome",
    Flag.Reason.WRONG: "unwelcome",
    Flag.Reason.RIGHTS: "credit",
}


def rules() -> list[str]:
    """The names of the rules: of a community's own text its headings, and what its lists begin with in bold."""
    text = CommunitySettings.load().agreement
    if not text:
        return list(our_rules().values())
    found = [(match["heading"] or match["item"]).strip("*_ ")[:LONGEST] for match in NAMED.finditer(text)]
    return list(dict.fromkeys(name for name in found if name))[:MOST]


def usual_rule(reason: str) -> str:
    """The rule that is broken where a reporter gave only the reason; "" where the text is the community's own."""
    if CommunitySettings.load().agreement or reason not in USUAL:
        return ""
    return our_rules()[USUAL[reason]]
