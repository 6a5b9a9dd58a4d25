"""/dev/mail/: the demo's mailbox."""

from django.urls import path

from . import views_mailbox

app_name = "mailbox"

urlpatterns = [
    path("", views_mailbox.mailbox, name="index"),
    path("<int:pk>/", views_mailbox.message, name="message"),
    path("<int:pk>/reply/", views_mailbox.reply, name="reply"),
    path("<int:pk>/html/", views_mailbox.html_part, name="html"),
    path("<int:pk>/attachments/<int:number>/", views_mailbox.attachment, name="attachment"),
]
