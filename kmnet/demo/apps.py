from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "kmnet.demo"
    label = "demo"
