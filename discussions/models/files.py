"""Pictures and files that people put into posts."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .post import Post


def stored_name(instance, filename: str) -> str:
    """Random: the name somebody gave to a file may tell more than they meant."""
    return f"posts/{uuid.uuid4().hex}"


class PostFile(models.Model):
    """One picture or file. Without a post it belongs to a draft, and its uploader alone sees it."""

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)  # in its address
    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, null=True, blank=True, related_name="files", verbose_name=_("post")
    )
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    file = models.FileField(upload_to=stored_name)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64, editable=False)
    width = models.PositiveIntegerField(null=True, blank=True)  # of a picture
    height = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        verbose_name = _("file in a post")
        verbose_name_plural = _("files in posts")
        indexes = [
            models.Index(
                fields=["created_at"], name="files_without_post", condition=models.Q(post__isnull=True)
            )
        ]

    def __str__(self):
        return f"file {self.pk}"
