"""What this app announces; the apps above answer in their receivers, in the same transaction.

Each signal is sent with `member`. No member row is locked yet when `member_leaving` and `member_erased` are sent, so
receivers may lock what comes before it (events, groups, threads).
"""

from django.dispatch import Signal

member_suspended = Signal()  # out of everything at once
member_leaving = (
    Signal()
)  # asked to be deleted: what others wait for is freed. May raise services.MustHandOver
# The account is deleted: nothing personal may stay. Also with `keep_words` (False: what they wrote goes too) and
# `addresses` (all that they had proven, in lower case).
member_erased = Signal()
# Also with `address`: they have shown that it is theirs. Sent before the member's row is locked, each time anew.
address_proven = Signal()
leaving_group = (
    Signal()
)  # with `group` too: about to leave it, or to be taken out; nothing of it is locked yet
left_group = Signal()  # with `group` too: no longer in it, by whatever way; the group's row is locked
