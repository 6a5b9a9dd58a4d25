"""Why did Ana not get a mail? What the outbox, her choices and her address say, in plain words."""

from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.db.models import Count, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kmnet.core.known_address import hash_of_address
from kmnet.core.models.mail import (
    BUNDLE,
    MailChoice,
    MailHabits,
    MailState,
    OutgoingMail,
    SuppressedAddress,
)

from .choices import choices_of, usual_how
from .holding import midnight, zone_named
from .kinds import CATEGORIES, get_kind

SHOWN = 60  # mails
FOUND = 20  # people


@dataclass
class Told:
    """One mail of the last ones, with what became of it."""

    row: OutgoingMail
    label: str
    words: str


@dataclass
class Answer:
    """About one member, or one address of somebody who is none."""

    name: str
    address: str
    hindrances: list[str] = field(default_factory=list)  # for which no mail, or less of it, goes out at all
    habits: list[str] = field(default_factory=list)
    choices: list[tuple[str, str, bool | None, bool]] = field(
        default_factory=list
    )  # what, how, on the site (None: never there), as usual
    mails: list[Told] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether there is anything to tell: of an address that nothing went to, and that chose nothing, there is not."""
        return bool(self.mails or self.hindrances or not all(usual for *_choice, usual in self.choices))


def find_people(words: str) -> list:
    """Members by name, handle or address, the best known first."""
    words = words.strip()
    if not words:
        return []
    about = Q(name__icontains=words) | Q(handle__iexact=words.lstrip("@")) | Q(email__iexact=words)
    return list(get_user_model().objects.filter(about).order_by("name", "pk")[:FOUND])


def about_member(member) -> Answer:
    answer = Answer(member.name, member.email)
    if member.status in ("suspended", "erased"):
        answer.hindrances.append(_("The account is suspended or deleted: no mail goes to it."))
    elif member.status == "leaving":
        answer.hindrances.append(_("They are leaving: only what they need for that goes out."))
    proven = member.emailaddress_set.annotate(lowered=Lower("email"))
    if not proven.filter(lowered=member.email.lower(), verified=True).exists():
        answer.hindrances.append(
            _("They have not proven their address: mail that can be switched off waits for that.")
        )
    _address(answer)
    _habits(answer, member)
    chosen = choices_of(member_id=member.pk)
    off_site = set(MailChoice.objects.filter(member=member, site=False).values_list("category", flat=True))
    _choices(answer, chosen, off_site, is_member=True)
    _mails(answer, OutgoingMail.objects.filter(member=member))
    return answer


def about_address(address: str) -> Answer:
    """Of a guest, or an address that somebody had once."""
    answer = Answer(address, address)
    _address(answer)
    _choices(answer, choices_of(address=address), set(), is_member=False)
    rows = OutgoingMail.objects.annotate(lowered=Lower("address")).filter(lowered=address.strip().lower())
    _mails(answer, rows)
    return answer


def _address(answer: Answer) -> None:
    row = SuppressedAddress.objects.filter(
        address_hash=hash_of_address(answer.address), suppressed_at__isnull=False
    ).first()
    if row is not None:
        answer.hindrances.append(
            _("The address returned our mail (%(reason)s): none goes to it since %(when)s.")
            % {"reason": row.get_reason_display(), "when": moment(row.suppressed_at)}
        )


def _habits(answer: Answer, member) -> None:
    habits = MailHabits.objects.filter(member=member).first()
    minutes = habits.bundle_minutes if habits else MailHabits._meta.get_field("bundle_minutes").default
    answer.habits.append(
        ngettext(
            "What they want bundled is gathered for %(count)d minute.",
            "What they want bundled is gathered for %(count)d minutes.",
            minutes,
        )
        % {"count": minutes}
    )
    if habits and habits.quiet_from is not None:
        answer.habits.append(
            _(
                "Quiet from %(begins)02d:00 until %(ends)02d:00 in %(zone)s: what can wait goes out afterwards."
            )
            % {"begins": habits.quiet_from, "ends": habits.quiet_until, "zone": member.time_zone}
        )
    if habits and habits.paused_until:
        if timezone.now() < midnight(habits.paused_until, zone_named(member.time_zone)):
            answer.hindrances.append(
                _(
                    "They have paused mail until %(day)s: what came meanwhile is not sent, but for what is needed."
                )
                % {"day": date_format(habits.paused_until, "j F Y")}
            )
        else:
            answer.habits.append(
                _("They had paused mail until %(day)s.") % {"day": date_format(habits.paused_until, "j F Y")}
            )
    bundle = (
        OutgoingMail.objects.waiting()
        .filter(kind=BUNDLE, member=member)
        .annotate(pieces=Count("bundled", filter=Q(bundled__state=MailState.WAITING)))
        .first()
    )
    if bundle is not None:
        answer.habits.append(
            ngettext(
                "%(count)d piece of news waits in a bundle that goes out on %(when)s.",
                "%(count)d pieces of news wait in a bundle that goes out on %(when)s.",
                bundle.pieces,
            )
            % {"count": bundle.pieces, "when": moment(bundle.next_try_at)}
        )


def _choices(answer: Answer, chosen: dict[str, str], off_site: set[str], *, is_member: bool) -> None:
    for key, how in chosen.items():
        usual = how == usual_how(key, is_member=is_member) and key not in off_site
        on_site = key not in off_site if is_member and CATEGORIES[key].on_site else None
        comes = key == "digest" and how != MailChoice.How.NEVER  # by a rhythm of its own, never at once
        told = _("as often as they chose") if comes else MailChoice.How(how).label
        answer.choices.append((CATEGORIES[key].label, told, on_site, usual))


def _mails(answer: Answer, rows) -> None:
    for row in rows.select_related("lead").order_by("-pk")[:SHOWN]:
        try:
            label = get_kind(row.kind).label
        except LookupError:
            label = row.kind
        answer.mails.append(Told(row, label, words_of(row)))


def words_of(row: OutgoingMail) -> str:
    """What became of it."""
    if row.state == MailState.SENT:
        if row.lead_id:
            return _("Told in a bundle, which went out on %(when)s.") % {"when": moment(row.sent_at)}
        return _("Went out on %(when)s.") % {"when": moment(row.sent_at)}
    if row.state == MailState.WITHHELD:
        return _("Not sent: %(reason)s.") % {"reason": row.reason}
    if row.state == MailState.FAILED:
        return _("Given up: %(reason)s") % {"reason": row.reason}
    if row.lead_id:
        return _("Waits in a bundle that goes out on %(when)s.") % {"when": moment(row.lead.next_try_at)}
    if row.reason:
        return _("Is tried again on %(when)s: %(reason)s") % {
            "when": moment(row.next_try_at),
            "reason": row.reason,
        }
    if row.next_try_at > timezone.now():
        return _("Waits until %(when)s.") % {"when": moment(row.next_try_at)}
    return _("Is about to go out.")


def moment(at) -> str:
    return date_format(timezone.localtime(at), "j F Y, H:i")
