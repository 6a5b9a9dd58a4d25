from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    name = "kmnet.hub"
    label = "hub"
    verbose_name = _("Digest")  # all that it shows in the admin

    def ready(self):
        from . import (
            hooks,  # noqa: F401  registers the kinds of mail
            personal,  # noqa: F401  what is held about people
            tasks,  # noqa: F401  its periodic work
        )
