"""How closely a member follows a space or a tag (of a thread see reading.ThreadWatch), and who is mentioned where."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from taggit.models import Tag

from .post import Post
from .reading import Level
from .space import Space


class SpaceLevel(models.Model):
    """How closely a member follows a space, where they said so; `until`: afterwards the space’s default holds again."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="space_levels",
        verbose_name=_("member"),
    )
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="levels", verbose_name=_("space"))
    level = models.CharField(_("level"), max_length=8, choices=Level)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("followed space")
        verbose_name_plural = _("followed spaces")
        constraints = [models.UniqueConstraint(fields=["member", "space"], name="one_level_per_space")]
        indexes = [models.Index(fields=["space", "level"], name="levels_of_space")]

    def __str__(self):
        return f"level {self.pk}"


class TagLevel(models.Model):
    """How closely a member follows a tag, where they said so."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="tag_levels",
        verbose_name=_("member"),
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", verbose_name=_("tag"))
    level = models.CharField(_("level"), max_length=8, choices=Level)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("followed tag")
        verbose_name_plural = _("followed tags")
        constraints = [models.UniqueConstraint(fields=["member", "tag"], name="one_level_per_tag")]
        indexes = [models.Index(fields=["tag", "level"], name="levels_of_tag")]

    def __str__(self):
        return f"level {self.pk}"


class Mention(models.Model):
    """A post names a member: they are told once, however often it is edited."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="mentions", verbose_name=_("post"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions", verbose_name=_("member")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [models.UniqueConstraint(fields=["post", "member"], name="one_mention_per_post")]

    def __str__(self):
        return f"mention {self.pk}"
