"""Home, search, notifications, moderation, and what the digest's links lead to."""

from django.urls import path

from .views import digest, home, joining, moderation, notifications, replies, search, welcome

app_name = "hub"
urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/bell/", notifications.bell, name="bell"),  # kmnet.core.frame.BELL_PATH
    path("notifications/read/", notifications.mark_read, name="notifications_read"),
    path("moderation/", moderation.queue, name="moderation"),
    path("moderation/settled/", moderation.settled, name="moderation_settled"),
    path("moderation/joining/", joining.queue, name="joining"),
    path("moderation/joining/<int:pk>/decide/", joining.decide, name="joining_decide"),
    path("hosts/hello/", joining.hello, name="hello"),
    path("hosts/hello/<int:pk>/", joining.said_hello, name="said_hello"),
    path("hosts/replies/", replies.replies, name="replies"),
    path("welcome/done/", welcome.done, name="welcome_done"),
    path("welcome/introduction/", welcome.introduce, name="introduce"),
    path("moderation/<str:kind>/<int:pk>/", moderation.case, name="moderation_case"),
    path("moderation/<str:kind>/<int:pk>/decide/", moderation.decide, name="moderation_decide"),
    path("moderation/again/<str:kind>/<int:pk>/", moderation.again, name="ask_again"),
    path("moderation/report/<str:kind>/<int:pk>/", moderation.report, name="report"),
    path("mail/digest-read/<str:token>/", digest.digest_read, name="digest_read"),
]
