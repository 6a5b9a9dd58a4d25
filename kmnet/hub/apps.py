from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "kmnet.hub"
    label = "hub"

    def ready(self):
        from . import (
            hooks,  # noqa: F401  registers the kinds of mail
            personal,  # noqa: F401  what is held about people
            tasks,  # noqa: F401  its periodic work
        )
