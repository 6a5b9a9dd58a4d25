"""Links in mails. Opening one changes nothing; the button on its page acts."""

from django.urls import path

from . import views_mail
from .views import introductions

app_name = "members_mail"
urlpatterns = [
    path("introduction/<str:token>/", introductions.from_mail, name="introduction"),
    path("here/<str:token>/", views_mail.still_here, name="still_here"),
    path("less-often/<str:token>/", views_mail.less_often, name="less_often"),
    path("pause/<str:token>/", views_mail.pause, name="pause"),
    path("wish/<str:token>/", views_mail.renew_wish, name="renew_wish"),
]
