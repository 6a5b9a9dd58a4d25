"""What the floor forgets by itself."""

from . import erasing
from .models import DevMail, MailReturn, Notification, OutgoingMail, ReceivedMail, ReplyAddress
from .models.mail import MailState
from .retention import Job, register


def old_mails(before):
    """Rows that are final. Keys that keep a deed from being told twice are no longer needed by then."""
    return OutgoingMail.objects.exclude(state=MailState.WAITING).filter(created_at__lt=before)


def read_notifications(before):
    return Notification.objects.filter(read_at__lt=before)


def mail_returns(before):
    """What servers said names addresses. What it came to stands with the address, by its hash."""
    return MailReturn.objects.filter(at__lt=before)


def demo_mails(before):
    return DevMail.objects.filter(received_at__lt=before)


def received_mails(before):
    return ReceivedMail.objects.exclude(state=ReceivedMail.State.WAITING).filter(received_at__lt=before)


def reply_addresses(before):
    return ReplyAddress.objects.filter(expires_at__lt=before)


def deleting(found):
    return lambda before: found(before).delete()[0]


def counting(found):
    return lambda before: found(before).count()


register(Job("mails", "rows of the outbox that are final", counting(old_mails), deleting(old_mails)))
register(Job("received_mails", "mails that came in", counting(received_mails), deleting(received_mails)))
register(Job("reply_addresses", "reply addresses", counting(reply_addresses), deleting(reply_addresses)))
register(
    Job(
        "notifications",
        "notifications that were read",
        counting(read_notifications),
        deleting(read_notifications),
    )
)
register(
    Job("mail_returns", "notices of mail that came back", counting(mail_returns), deleting(mail_returns))
)
register(Job("demo_mails", "mails in the demo’s mailbox", counting(demo_mails), deleting(demo_mails)))
register(
    Job(
        "tags",
        "tags that nothing bears any more",
        lambda before: erasing.unused_tags().count(),
        lambda before: erasing.forget_unused_tags(),
    )
)
