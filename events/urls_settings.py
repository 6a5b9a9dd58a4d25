"""`/settings/calendar/`: a member's own calendar address."""

from django.urls import path

from .views import feeds

app_name = "calendar"
urlpatterns = [
    path("", feeds.address, name="address"),
    path("renew/", feeds.renew, name="renew"),
    path("end/", feeds.end, name="end"),
]
