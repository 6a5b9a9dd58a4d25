from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "kmnet.core"
    label = "core"
    verbose_name = "Community"
