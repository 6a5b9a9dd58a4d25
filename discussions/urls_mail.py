"""What links in our mails lead to; they need no session."""

from django.urls import path

from .views import from_mail

app_name = "discussions_mail"
urlpatterns = [path("mute/<str:token>/", from_mail.mute, name="mute")]
