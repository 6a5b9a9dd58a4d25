"""What this app forgets by itself. (Guests who never proved their address go sooner: see tasks.sweep_promotions.)"""

from kmnet.core.retention import Job, register

from .services.leaving import forget_guests, old_guests

register(
    Job(
        "guest_registrations",
        "names and addresses of guests at past events",
        lambda before: old_guests(before).count(),
        forget_guests,
    )
)
