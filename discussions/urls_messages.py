"""`/messages/`: private conversations."""

from django.urls import path

from .views import messages

app_name = "messages"
urlpatterns = [
    path("", messages.inbox, name="inbox"),
    path("new/", messages.new, name="new"),
    path("people/", messages.people, name="people"),
    path("<int:pk>/", messages.conversation, name="conversation"),
    path("<int:pk>/add/", messages.add, name="add"),
    path("<int:pk>/mute/", messages.mute, name="mute"),
    path("<int:pk>/leave/", messages.leave, name="leave"),
]
