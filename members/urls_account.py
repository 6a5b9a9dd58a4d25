"""allauth's addresses that have pages of our own; included before allauth's, outside any namespace."""

from django.urls import path, re_path

from .views import join, signin

urlpatterns = [
    path("accounts/signup/", join.JoinView.as_view(), name="account_signup"),
    path("accounts/password/reset/", signin.ResetView.as_view(), name="account_reset_password"),
    path("accounts/2fa/webauthn/login/", signin.PasskeyView.as_view(), name="mfa_login_webauthn"),
    path("accounts/email/", signin.AddressesView.as_view(), name="account_email"),
    re_path(
        r"^accounts/confirm-email/(?P<key>[-:\w]+)/$",
        join.ConfirmAddressView.as_view(),
        name="account_confirm_email",
    ),
]
