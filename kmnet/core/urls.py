from django.urls import include, path

from . import views_returned

urlpatterns = [
    path("dev/mail/", include("kmnet.core.urls_mailbox")),
    path("mail/", include("kmnet.core.urls_mail")),
    path("settings/mail/works-again/", views_returned.ask, name="ask_works_again"),
    path("about/", include("kmnet.core.urls_about")),
]
