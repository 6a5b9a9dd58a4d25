"""What this app registers with core."""

from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kmnet.core import (
    about,
    activity,
    contributions,
    frame,
    free_tags,
    group_contents,
    mail,
    mail_settings,
    moderation,
    search,
    sitemap,
)
from members.permissions import is_full_member

from . import about as talk
from . import audiences, contributing, in_private, mails, of_group, reporting, searching, services
from .chosen_levels import all_levels
from .models import Post, Readers, TagLevel, Thread, grace

about.register_talk(talk.find)
contributions.register(contributing.ANSWERS)
contributions.register(contributing.THREADS)
activity.register_filter("discussions.masks", audiences.those_who_hear)
activity.register(
    activity.ActivityType(
        "discussions.mentioned",
        "discussions/activity/_mentioned.html",
        audiences.of_mention,
        "discussions.mentioned",
        mail_due_at=lambda deed: deed.at + grace(),
    )
)
activity.register(
    activity.ActivityType(
        "discussions.asked",
        "discussions/activity/_asked.html",
        audiences.of_new_thread,
        "discussions.started",
        mail_due_at=lambda deed: deed.at + grace(),
    )
)
activity.register(
    activity.ActivityType(
        "discussions.replied",
        "discussions/activity/_replied.html",
        audiences.of_reply,
        mail_kinds=audiences.mail_kinds,
        mail_due_at=lambda deed: deed.at + grace(),  # an edit in these minutes is what the mail then says
    )
)
activity.register(
    activity.ActivityType(
        "discussions.accepted",
        "discussions/activity/_accepted.html",
        audiences.of_accepted_answer,
        "discussions.accepted",
    )
)
activity.register(activity.ActivityType("discussions.kept", "discussions/activity/_kept.html"))
activity.register(
    activity.ActivityType(
        "discussions.helped",
        "discussions/activity/_helped.html",
        audiences.of_thanks,
        "discussions.helped",
    )
)
activity.register(
    activity.ActivityType("discussions.reacted", "discussions/activity/_reacted.html", audiences.of_reactions)
)
activity.register(
    activity.ActivityType(
        "discussions.could_answer",
        "discussions/activity/_could_answer.html",
        audiences.of_asked,
        "discussions.could_answer",
    )
)
activity.register(
    activity.ActivityType(
        "discussions.owed", "discussions/activity/_owed.html", audiences.of_asked, "discussions.owed"
    )
)

activity.register(
    activity.ActivityType(
        "discussions.messaged",
        "messages/activity/_messaged.html",
        audiences.of_message,
        "discussions.message",
        mail_due_at=lambda deed: deed.at + grace(),
    )
)
activity.register(
    activity.ActivityType(
        "discussions.brought_in",
        "messages/activity/_brought_in.html",
        audiences.of_bringing_in,
        category="messages",
    )
)
frame.register_menu_item(frame.MenuItem(_("Messages"), "/messages/", is_full_member, order=10))
frame.register_menu_item(frame.MenuItem(_("Drafts"), "/discussions/drafts/", is_full_member, order=14))

mail.register(
    mail.MailKind(
        "discussions.message",
        _("A private message"),
        "messages/email/message",
        mails.compose_message,
        category="messages",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.could_answer",
        _("A question that you could answer"),
        "discussions/email/could_answer",
        mails.compose_asking,
        category="could_answer",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.owed",
        _("A reply is owed"),
        "discussions/email/owed",
        mails.compose_asking,
        category="could_answer",
        bundles=True,
        why=_("You get this because you are a host, and it is your turn."),
    )
)
activity.register(
    activity.ActivityType(
        "discussions.held_long",
        "discussions/activity/_held_long.html",
        audiences.of_long_held,
        "discussions.held_long",
        official=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.held_long",
        _("Posts wait for a moderator"),
        "discussions/email/held_long",
        mails.compose_held_long,
        why=_("You get this because you are a host or a moderator."),
    )
)
mail.register(
    mail.MailKind(
        "discussions.reply",
        _("Somebody replied"),
        "discussions/email/reply",
        mails.compose_reply,
        category="reply",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.mentioned",
        _("Somebody mentioned you"),
        "discussions/email/mentioned",
        mails.compose_mentioned,
        category="mention",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.watched",
        _("A reply in what you follow"),
        "discussions/email/reply",
        mails.compose_reply,
        category="watched",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.post",
        _("A reply in a space or tag that you follow"),
        "discussions/email/reply",
        mails.compose_reply,
        category="every_post",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.started",
        _("A new thread in what you follow"),
        "discussions/email/started",
        mails.compose_started,
        category="every_post",
        bundles=True,
    )
)
mail.register(
    mail.MailKind(
        "discussions.accepted",
        _("Your answer was chosen"),
        "discussions/email/accepted",
        mails.compose_accepted,
        category="accepted",
        bundles=True,
    )
)

mail.register(
    mail.MailKind(
        "discussions.kept",
        _("Something you keep for later"),
        "discussions/email/kept",
        mails.compose_kept,
        category="kept",
        why=_("You get this because you asked to be reminded."),
    )
)
mail.register(
    mail.MailKind(
        "discussions.helped",
        _("How many people you helped"),
        "discussions/email/helped",
        mails.compose_helped,
        category="thanks",
        why=_(
            "You get this because members said that what you wrote helped them. It comes once a month at most."
        ),
    )
)
frame.register_menu_item(
    frame.MenuItem(_("Kept for later"), "/discussions/bookmarks/", is_full_member, order=40)
)

search.register(search.SearchSource("discussions", _("Discussions"), 10, searching.search))

moderation.register(
    moderation.Moderated(
        model=Post,
        label=_("post"),
        card_template="discussions/_moderated.html",
        title=lambda post: post.thread.title or gettext("A private conversation"),
        url=lambda post: post.get_absolute_url(),
        author_id=lambda post: post.author_id,
        told_id=audiences.writer_of,
        hide=lambda *, target, actor, reason: services.hide_post(post=target, actor=actor, reason=reason),
        restore=lambda *, target, actor, reason: services.restore_post(
            post=target, actor=actor, reason=reason
        ),
        release=lambda *, target, actor, reason: services.release_post(
            post=target, actor=actor, reason=reason
        ),
        visible_to=lambda user: Post.objects.readable_by(user).select_related("thread__space"),
        held=lambda: Post.objects.filter(state=Post.State.HELD),
        around=in_private.around,
        after=in_private.after,
        is_private=in_private.is_private,
        hide_at=reporting.hide_at,
        counted=reporting.counted,
        hides_alone=reporting.hides_alone,
        version_at=reporting.version_at,
        hide_by_reports=lambda *, target, reason, flags: services.hide_reported_post(
            post=target, reason=reason, flags=flags
        ),
        edit_url=lambda post: reverse("discussions:edit", args=[post.pk]),
        changes_since=reporting.changes_since,
        place_url=reporting.place_url,
    )
)

group_contents.register(
    group_contents.GroupContents(
        key="discussions",
        label=_("Between meetings"),
        order=20,
        template="discussions/_group_threads.html",
        find=of_group.find,
    )
)

mail_settings.register_part(mail_settings.Part("following", "discussions/_levels.html", all_levels, order=10))


def open_to_guests():
    threads = Thread.objects.visible_to(AnonymousUser()).select_related("space")
    return threads.only("pk", "slug", "kind", "last_post_at", "space__slug")


sitemap.register(sitemap.Mapped("discussions", open_to_guests, "last_post_at"))


# --- free tags that many use -------------------------------------------------------------------------------------------
def tags_that_members_meet():
    """Of threads in spaces of everybody and of all members."""
    closed = (Readers.GROUP, Readers.PEOPLE)
    met = Thread.objects.shown().filter(merged_into__isnull=True).exclude(space__readable_by__in=closed)
    tagged = Thread.tags.through.objects.filter(content_type=ContentType.objects.get_for_model(Thread))
    return tagged.filter(object_id__in=met.values("pk")).values_list("tag_id", flat=True)


def merge_tag(tag, term, named) -> int:
    """Threads bear the tag that is called like the term; who followed the one follows the other."""
    if tag.pk != named.pk:
        there = TagLevel.objects.filter(tag=named).values("member")
        TagLevel.objects.filter(tag=tag).exclude(member__in=there).update(tag=named)
    return free_tags.retag(Thread, tag, named)


free_tags.register(free_tags.TagBearer("discussions", tags_that_members_meet, merge_tag))
