from django.urls import path

from .views import directory, join, pictures, profile, settings, welcome

app_name = "members"
urlpatterns = [
    path("join/", join.JoinView.as_view(), name="join"),
    path("join/proven/", join.proven, name="proven"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("welcome/<int:number>/", welcome.step, name="welcome_step"),
    path("welcome/later/", welcome.later, name="welcome_later"),
    path("welcome/done/", welcome.done, name="welcome_done"),
    path("welcome/waiting/", welcome.waiting, name="waiting"),
    path("settings/", settings.account, name="settings"),
    path("settings/profile/", settings.profile, name="settings_profile"),
    path("settings/mail/", settings.mails, name="settings_mail"),
    path("members/", directory.directory, name="directory"),
    path("members/<str:handle>/", profile.profile, name="profile"),
    path("members/<str:handle>/contributions/", profile.contributions, name="contributions"),
    path("pictures/<int:pk>/<slug:key>/<int:size>/", pictures.picture, name="picture"),
]
