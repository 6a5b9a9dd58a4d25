"""`/settings/following/`: what a member follows or has muted. All of it stands on the page of what we tell them."""

from django.urls import path

from .views import following

app_name = "following"
urlpatterns = [
    path("", following.levels, name="levels"),
    path("spaces/<int:pk>/", following.space, name="space"),
    path("tags/<int:pk>/", following.tag, name="tag"),
]
