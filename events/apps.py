from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "events"
    verbose_name = _("Events")

    def ready(self):
        from . import (
            hooks,  # noqa: F401  registers with core
            inbound,  # noqa: F401  what can be answered by mail
            personal,  # noqa: F401  what is held about people
            receivers,  # noqa: F401  answers the members app
            retention,  # noqa: F401  what is forgotten
            tasks,  # noqa: F401  its periodic work
        )
