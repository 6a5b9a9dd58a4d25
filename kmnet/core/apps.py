from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "kmnet.core"
    label = "core"
    verbose_name = "Community"

    def ready(self):
        from . import (
            free_tags,  # noqa: F401  what the vocabulary may have missed
            personal,  # noqa: F401  what is held about people
            public_changes,
            retention_jobs,  # noqa: F401  and what is forgotten
            returned,  # noqa: F401  mail that comes back
            tasks,  # noqa: F401  its periodic work
        )
        from .inbound import mails  # noqa: F401  what is answered to mail that came in

        post_migrate.connect(public_changes.note_all_tables, sender=self)
