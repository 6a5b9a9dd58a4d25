"""What the hub holds about people: their part of the copy. All of it goes with the account."""

from django.utils.translation import gettext_lazy as _

from kmnet.core.personal_data import PersonalData, register, rows

from .models import DigestRun, DigestSchedule


def digests(member):
    yield from rows(
        DigestSchedule.objects.filter(member=member),
        *(
            "frequency",
            "weekday",
            "hour",
            "days",
            "time_zone",
            "paused_until",
            "next_due_at",
            "covered_until",
        ),
    )
    yield from rows(
        DigestRun.objects.filter(member=member).order_by("pk"),
        *("period", "since", "until", "due_at", "created_at", "read_at"),
    )


register(
    PersonalData("digests", _("Digests"), digests, covers=("hub.DigestSchedule", "hub.DigestRun"), order=74)
)
