"""What this app registers with core."""

from kmnet.core import activity

from . import audiences

activity.register(activity.ActivityType("discussions.asked", "discussions/activity/_asked.html"))
activity.register(
    activity.ActivityType(
        "discussions.replied", "discussions/activity/_replied.html", audiences.of_reply, "discussions.reply"
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
