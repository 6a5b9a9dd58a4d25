"""What this app registers with core."""

from kmnet.core import activity

activity.register(activity.ActivityType("resources.added", "resources/activity/_added.html"))
