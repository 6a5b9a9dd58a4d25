from django.urls import include, path

urlpatterns = [
    path("dev/mail/", include("kmnet.core.urls_mailbox")),
    path("mail/", include("kmnet.core.urls_mail")),
    path("about/", include("kmnet.core.urls_about")),
]
