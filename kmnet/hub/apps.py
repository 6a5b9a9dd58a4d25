from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "kmnet.hub"
    label = "hub"
