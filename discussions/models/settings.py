from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from kmnet.core.models.one_row import OneRow, between

CACHE_KEY = "discussion-settings"


class DiscussionSettings(OneRow):
    """The one row of what admins decide about discussions."""

    cache_key = CACHE_KEY

    held_posts = models.PositiveSmallIntegerField(
        _("posts of a new member that a moderator looks at first"),
        default=0,
        validators=between(0, 10),
        help_text=_("0: none is held."),
    )
    held_links = models.PositiveSmallIntegerField(
        _("links in a new member’s first post that hold it"),
        default=3,
        validators=between(0, 50),
        help_text=_("To other sites. 0: links hold nothing."),
    )
    revive_months = models.PositiveSmallIntegerField(
        _("months after which whoever replies is asked whether a new thread would fit better"),
        default=12,
        validators=between(0, 120),
        help_text=_("0: never."),
    )
    held_alert_hours = models.PositiveSmallIntegerField(
        _("hours after which hosts hear of posts still held"), default=24, validators=between(1, 168)
    )
    hide_at_reports = models.PositiveSmallIntegerField(
        _("members whose reports hide a post at once"), default=2, validators=between(1, 20)
    )
    new_member_days = models.PositiveSmallIntegerField(
        _("days for which a member counts as new"), default=7, validators=between(0, 90)
    )
    new_threads_per_day = models.PositiveSmallIntegerField(
        _("threads that a new member may start in a day"), default=5, validators=between(1, 100)
    )
    new_posts_per_day = models.PositiveSmallIntegerField(
        _("posts that a new member may write in a day"), default=20, validators=between(1, 500)
    )
    threads_per_day = models.PositiveSmallIntegerField(
        _("threads that a member may start in a day"), default=20, validators=between(1, 500)
    )
    posts_per_day = models.PositiveSmallIntegerField(
        _("posts that a member may write in a day"), default=200, validators=between(1, 2000)
    )
    new_conversations_per_day = models.PositiveSmallIntegerField(
        _("conversations that a new member may begin in a day"), default=3, validators=between(0, 100)
    )
    conversations_per_day = models.PositiveSmallIntegerField(
        _("conversations that a member may begin in a day"), default=20, validators=between(1, 500)
    )
    messages_per_hour = models.PositiveSmallIntegerField(
        _("private messages that a member may write in an hour"), default=60, validators=between(1, 500)
    )
    files_mb_per_member = models.PositiveSmallIntegerField(
        _("megabytes of pictures and files that one member may put into posts"),
        default=200,
        validators=between(0, 10_000),
    )
    promise_ask_hours = models.PositiveSmallIntegerField(
        _("hours until three members are asked for a reply"),
        default=24,
        validators=between(1, 336),
        help_text=_("Monday to Friday, in the asker’s zone."),
    )
    promise_host_hours = models.PositiveSmallIntegerField(
        _("hours until a host is asked"), default=48, validators=between(1, 336)
    )
    promise_rest_days = models.PositiveSmallIntegerField(
        _("days for which nobody is asked again"), default=14, validators=between(0, 180)
    )
    unmaskers = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        limit_choices_to={"is_active": True},
        verbose_name=_("two moderators who may see who asked without their name"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("settings of discussions")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="only_one_settings_of_discussions"),
            models.CheckConstraint(
                condition=models.Q(promise_host_hours__gte=models.F("promise_ask_hours")),
                name="hosts_are_asked_after_members",
            ),
        ]

    def __str__(self):
        return str(_("Discussions"))
