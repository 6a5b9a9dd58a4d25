"""Every address of the site. They are stable: links in mails must work for years."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("members.urls_account")),  # our own joining and proof of the address, before allauth's
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("members.urls")),  # /join/, /welcome/, /members/, /settings/
    path("settings/following/", include("discussions.urls_following")),
    path("groups/", include("members.urls_groups")),
    path("discussions/", include("discussions.urls")),
    path("messages/", include("discussions.urls_messages")),
    path("events/", include("events.urls")),
    path("feeds/", include("events.urls_feeds")),
    path("feeds/", include("resources.urls_feeds")),
    path("settings/calendar/", include("events.urls_settings")),
    path("mail/", include("events.urls_mail")),
    path("mail/", include("discussions.urls_mail")),
    path("mail/", include("members.urls_mail")),
    path("library/", include("resources.urls")),
    path("", include("kmnet.core.urls")),  # /about/, /mail/, /dev/mail/
    path("", include("kmnet.hub.urls")),  # /, /search/, /notifications/, /moderation/
]

handler400 = "kmnet.core.views.bad_request"
handler403 = "kmnet.core.views.forbidden"
handler404 = "kmnet.core.views.not_found"
handler429 = "kmnet.core.views.too_many"  # django-allauth looks for it
handler500 = "kmnet.core.views.server_error"
