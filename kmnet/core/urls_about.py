"""The footer's pages. Each name is the last part of its address."""

from django.urls import path

from . import views

app_name = "about"
urlpatterns = [
    path("", views.about, {"page": "index"}, name="index"),
    *(path(f"{page}/", views.about, {"page": page}, name=page) for page in views.ABOUT_PAGES),
]
