from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "kmnet.core"
    label = "core"
    verbose_name = "Community"

    def ready(self):
        from . import (
            personal,  # noqa: F401  what is held about people
            retention_jobs,  # noqa: F401  and what is forgotten
        )
