from django.urls import include, path

urlpatterns = [
    path("mail/", include("kmnet.core.urls_mail")),
    path("about/", include("kmnet.core.urls_about")),
]
