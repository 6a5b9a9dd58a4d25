from django.urls import include, path

urlpatterns = [
    path("about/", include("kmnet.core.urls_about")),
]
