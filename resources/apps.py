from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ResourcesConfig(AppConfig):
    name = "resources"
    verbose_name = _("Library")

    def ready(self):
        from . import (
            hooks,  # noqa: F401  registers with core
            hooks_care,  # noqa: F401  looking after records
            hooks_creators,  # noqa: F401
            hooks_stories,  # noqa: F401  registers stories, versions and derivatives
            personal,  # noqa: F401  what is held about people
            receivers,  # noqa: F401  answers the members app
            tasks,  # noqa: F401  its periodic work
            tasks_care,  # noqa: F401  looking after records, again and again
        )
