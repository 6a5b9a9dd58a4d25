"""`/feeds/`: addresses that calendar programs fetch by themselves."""

from django.urls import path

from .views import feeds

app_name = "feeds"
urlpatterns = [
    path("events.ics", feeds.public, name="public"),
    path("own/<str:token>/events.ics", feeds.own, name="own"),
    path("own/<str:token>/groups/<int:pk>.ics", feeds.group, name="group"),
]
