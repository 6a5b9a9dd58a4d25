"""Links in mails. Opening one changes nothing; the button on its page acts."""

from django.urls import path

from . import views_mail

app_name = "members_mail"
urlpatterns = [
    path("wish/<str:token>/", views_mail.renew_wish, name="renew_wish"),
]
