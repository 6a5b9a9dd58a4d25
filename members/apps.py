from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")

    def ready(self):
        from . import (
            hooks,  # noqa: F401  registers with core
            hooks_ties,  # noqa: F401
            personal,  # noqa: F401  what is held about people
            receivers,  # noqa: F401  answers allauth
            retention,  # noqa: F401  what is forgotten
            tasks,  # noqa: F401  its periodic work
        )
