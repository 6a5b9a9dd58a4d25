"""What the ties between members register with core: who hears of whom, and introductions."""

from django.utils.translation import gettext_lazy as _

from kmnet.core import activity, mail

from . import introduction_mails as mails
from .models import Answer, Boundary, Member


def those_who_hear(deed, ids: set[int]) -> set[int]:
    """Nobody hears of what somebody did whom they block or ignore."""
    away = Boundary.objects.filter(other=deed.actor_id, owner__in=ids)
    return ids - set(away.values_list("owner_id", flat=True))


activity.register_filter("members.boundaries", those_who_hear)


def those_asked(deed) -> list[int]:
    """The two, as far as they have not answered."""
    introduction = deed.target
    if introduction.goes_nowhere or not introduction.is_open():
        return []
    waiting = [pk for pk, answer in answers(introduction).items() if not answer]
    return list(Member.objects.full().filter(pk__in=waiting).values_list("pk", flat=True))


def answers(introduction) -> dict[int, str]:
    return dict(zip(introduction.pair, (introduction.first_answer, introduction.second_answer), strict=True))


def those_who_waited(deed) -> list[int]:
    """The proposer, and whoever said yes."""
    said_yes = [pk for pk, answer in answers(deed.target).items() if answer == Answer.YES]
    return [deed.target.proposer_id, *said_yes]


for verb, template, audience, mail_kind in (
    ("members.introduction_proposed", "_introduction_proposed", those_asked, "members.introduction"),
    ("members.introduction_made", "_introduction_made", lambda deed: deed.target.pair, "members.introduced"),
    (
        "members.introduction_came_about",
        "_introduction_came_about",
        lambda deed: [deed.target.proposer_id],
        None,
    ),
    ("members.introduction_ended", "_introduction_ended", those_who_waited, None),
):
    activity.register(
        activity.ActivityType(
            verb=verb, template=f"members/activity/{template}.html", audience=audience, mail_kind=mail_kind
        )
    )


mail.register(
    mail.MailKind(
        key="members.introduction",
        label=_("An introduction"),
        template="members/email/introduction",
        compose=mails.compose_introduction,
    )
)
mail.register(
    mail.MailKind(
        key="members.introduction_reminder",
        label=_("An introduction waits for your answer"),
        template="members/email/introduction_reminder",
        compose=mails.compose_introduction,
    )
)
mail.register(
    mail.MailKind(
        key="members.introduced",
        label=_("You are introduced"),
        template="members/email/introduced",
        compose=mails.compose_introduced,
    )
)
