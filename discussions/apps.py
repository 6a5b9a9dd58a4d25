from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DiscussionsConfig(AppConfig):
    name = "discussions"
    verbose_name = _("Discussions")

    def ready(self):
        from . import (
            hanging,  # noqa: F401  what the pages of posts load
            hooks,  # noqa: F401  registers with core
            inbound,  # noqa: F401  what can be written by mail
            personal,  # noqa: F401  what is held about people
            receivers,  # noqa: F401  answers the members app
            retention,  # noqa: F401  what is forgotten
            tasks,  # noqa: F401  its periodic work
        )
