"""Links in mails. Opening one changes nothing; the button on its page acts."""

from django.urls import path

from . import views_mail

app_name = "events_mail"
urlpatterns = [
    path("offer/<str:token>/", views_mail.offer, name="offer"),
    path("cancel/<str:token>/", views_mail.cancel, name="cancel"),
    path("place/<str:token>/", views_mail.place, name="place"),
    path("reconfirm/<str:token>/", views_mail.reconfirm, name="reconfirm"),
    path("claim/<str:token>/", views_mail.claim, name="claim"),
    path("invited/<str:token>/", views_mail.invited, name="invited"),
    path("prove/<str:token>/", views_mail.prove, name="prove"),
    path("join/<str:token>/", views_mail.join, name="join"),
]
