"""`/feeds/`: what is new in the library, for feed readers."""

from django.urls import path

from .views import feeds

app_name = "library_feeds"
urlpatterns = [
    path("library.atom", feeds.newest, name="newest"),
    path("library/collections/<int:pk>.atom", feeds.collection, name="collection"),
]
