from django.urls import path

from .views import directory, profile, settings, welcome

app_name = "members"
urlpatterns = [
    path("welcome/", welcome.welcome, name="welcome"),
    path("settings/", settings.settings, name="settings"),
    path("members/", directory.directory, name="directory"),
    path("members/<slug:handle>/", profile.profile, name="profile"),
]
