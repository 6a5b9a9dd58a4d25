"""What all tests share."""

from tests.mailbox import mailbox

__all__ = ["mailbox"]
