from django.urls import path

from .views import (
    directory,
    invitations,
    join,
    join_other,
    pictures,
    profile,
    settings,
    settings_profile,
    welcome,
)

app_name = "members"
urlpatterns = [
    path("join/", join.JoinView.as_view(), name="join"),
    path("join/code/", join_other.JoinByCodeView.as_view(), name="join_by_code"),
    path("join/passkey/", join_other.JoinByPasskeyView.as_view(), name="join_by_passkey"),
    path("join/proven/", join.proven, name="proven"),
    path("join/invited/<str:token>/", join.accept_invitation, name="invited"),
    path("mail/no-invitations/<str:token>/", join.no_invitations, name="no_invitations"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/new/", invitations.invite, name="invite"),
    path("invitations/link/", invitations.make_link, name="invitation_link"),
    path("invitations/list/", invitations.bring_in, name="bring_in"),
    path("invitations/<int:pk>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("welcome/<int:number>/", welcome.step, name="welcome_step"),
    path("welcome/later/", welcome.later, name="welcome_later"),
    path("welcome/done/", welcome.done, name="welcome_done"),
    path("welcome/waiting/", welcome.waiting, name="waiting"),
    path("settings/", settings.account, name="settings"),
    path("settings/profile/", settings_profile.profile, name="settings_profile"),
    path("settings/profile/picture/", settings_profile.picture, name="settings_picture"),
    path("settings/mail/", settings.mails, name="settings_mail"),
    path("members/", directory.directory, name="directory"),
    path("members/<str:handle>/", profile.profile, name="profile"),
    path("members/<str:handle>/contributions/", profile.contributions, name="contributions"),
    path("pictures/<int:pk>/<slug:key>/<int:size>/", pictures.picture, name="picture"),
]
