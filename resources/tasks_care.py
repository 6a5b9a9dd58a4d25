"""Periodic work of looking after records."""

from django.utils.translation import gettext_lazy as _

from kmnet.core import jobs, retention
from kmnet.core.jobs import Job

from .models import LinkCheck
from .services import linkchecks, merging, usage

jobs.register(
    Job("resources.usage", _("What was read and downloaded is written down"), 60, usage.take_events)
)
jobs.register(
    Job("resources.usage-days", _("What was read and downloaded is summed by day"), 3600, usage.sum_days)
)
jobs.register(
    Job("resources.popularity", _("How much each resource is used is worked out"), 86_400, usage.rank)
)
jobs.register(
    Job(
        "resources.links",
        _("Links of resources are looked at, politely"),
        60,
        linkchecks.check_links,
        lambda now: LinkCheck.objects.filter(due_at__lte=now),
        "due_at",
    )
)
jobs.register(
    Job("resources.link-list", _("The list of links is brought up to date"), 900, linkchecks.list_links)
)
jobs.register(
    Job(
        "resources.merged",
        _("What came late to a merged resource is carried over"),
        3600,
        merging.sweep_merged,
    )
)
retention.register(
    retention.Job(
        "usage_events",
        "single uses of resources",
        lambda before: usage.old_events(before).count(),
        lambda before: usage.old_events(before).delete()[0],
    )
)
