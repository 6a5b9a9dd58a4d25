"""What this app forgets by itself. (Guests who never proved their address go sooner: see tasks.sweep_promotions.)"""

from kmnet.core.retention import Job, register

from .services.leaving import forget_access_needs, forget_guests, old_access_needs, old_guests

register(
    Job(
        "guest_registrations",
        "names and addresses of guests at past events",
        lambda before: old_guests(before).count(),
        forget_guests,
    )
)
register(
    Job(
        "access_needs",
        "what people need in order to take part, after the event",
        lambda before: old_access_needs(before).count(),
        forget_access_needs,
    )
)
