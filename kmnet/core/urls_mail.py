"""/mail/…: links in mails, which must work for years."""

from django.urls import path

from . import views_mail

app_name = "mail"

urlpatterns = [
    path("unsubscribe/<str:token>/", views_mail.unsubscribe, name="unsubscribe"),
    path("settings/<str:token>/", views_mail.settings, name="settings"),
]
