"""/mail/…: links in mails, which must work for years."""

from django.urls import path

from . import views_inbound, views_mail, views_returned

app_name = "mail"

urlpatterns = [
    path("unsubscribe/<str:token>/", views_mail.unsubscribe, name="unsubscribe"),
    path("settings/<str:token>/", views_mail.settings, name="settings"),
    path("works-again/<str:token>/", views_returned.works_again, name="works_again"),
    path("events/<slug:provider>/", views_returned.events, name="events"),
    path("in/<slug:provider>/", views_inbound.take, name="inbound"),
]
