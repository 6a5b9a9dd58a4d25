"""What this app announces; the apps above answer in their receivers, in the same transaction.

Each signal is sent with `member`.
"""

from django.dispatch import Signal

member_suspended = Signal()  # out of everything at once
member_erased = Signal()  # the account is deleted: nothing personal may stay
