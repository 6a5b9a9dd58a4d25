"""Where posts have gone: links to them work for ever."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .post import Post
from .thread import Thread


class MovedPost(models.Model):
    """This number of this thread is now that post, in another thread and under another number."""

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="moved_away", verbose_name=_("thread")
    )
    number = models.PositiveIntegerField(_("number"))
    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="+", verbose_name=_("post"))

    class Meta:
        verbose_name = _("moved post")
        verbose_name_plural = _("moved posts")
        constraints = [models.UniqueConstraint(fields=["thread", "number"], name="one_place_per_moved_post")]

    def __str__(self):
        return f"moved post {self.pk}"
