"""Why a mail could not be taken, each reason with a name, a sentence for the sender, and what they can do."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Refusal:
    sentence: str | Promise
    advice: str | Promise


REFUSALS = {
    "not_yours": Refusal(
        _("You answered a mail that kmnet sent to somebody else; its reply address works for them only."),
        _(
            "If the account is yours, write from an address that you have proven in your settings. Or answer on the site."
        ),
    ),
    "unknown_sender": Refusal(
        _("We do not know the address that you wrote from."),
        _("Members can write to us from an address that they have proven in their settings."),
    ),
    "address_ended": Refusal(
        _("The address that you answered to no longer works: reply addresses last for 90 days."),
        _("Open the discussion on the site, or answer a newer mail."),
    ),
    "address_unknown": Refusal(
        _("There is nothing at the address that you wrote to."),
        _("Perhaps a part of it was lost. Use the reply button of the mail that you want to answer."),
    ),
    "no_reply": Refusal(
        _(
            "The mail that you answered was only to tell you something; nobody reads what is sent to that address."
        ),
        _("Answer to this mail instead, and a person reads it."),
    ),
    "forged": Refusal(
        _(
            "A mail came in your name, but your mail provider says that it is not from you. We have not used it."
        ),
        _(
            "If you wrote it, perhaps through a mailing list, answer on the site. If not, you need do nothing."
        ),
    ),
    "account": Refusal(
        _("Your account cannot write at the moment."),
        _("Sign in to see how your account stands."),
    ),
    "may_not_write": Refusal(
        _("You can read there, but not write."),
        _("On the site you see why, and whom you can ask."),
    ),
    "gone": Refusal(
        _("What you answered is not there any more, or not for you to see."),
        _("It may have been taken back or hidden, or you have left its group."),
    ),
    "closed": Refusal(
        _("The discussion was closed before your reply came."),
        _("Its last words usually say why. You can start a new one on the site."),
    ),
    "conversation_over": Refusal(
        _("Nothing can be written in this conversation any more."),
        _("Somebody has left it, or does not receive messages at the moment."),
    ),
    "limit": Refusal(
        _("You have written a lot in a short time, and this would have been too much."),
        _("Send it again later."),
    ),
    "said_already": Refusal(
        _("You have sent just these words there already, so they are not posted a second time."),
        _("If they are from your out-of-office assistant, please keep it from answering kmnet."),
    ),
    "empty": Refusal(
        _("We found no words in your mail."),
        _("Write your reply above the mail that you answer, and send it again."),
    ),
    "only_quoted": Refusal(
        _("We found only the mail that you answered, and none of your own words."),
        _("If you wrote within it, your mail program has not marked which lines are yours. Write above it."),
    ),
    "too_long": Refusal(
        _("Your mail is longer than a post can be."),
        _("Send it in parts, or as a file on the site."),
    ),
    "encrypted": Refusal(
        _("Your mail is encrypted, and we cannot read it."),
        _("Send it without encryption, or answer on the site."),
    ),
    "unreadable": Refusal(
        _("Your mail came in a form that we cannot read."),
        _("Send it as plain text, or answer on the site."),
    ),
    "file": Refusal(
        _("A file that came with your mail cannot be taken, so nothing was posted."),
        _("Send it again without the file, or with another one."),
    ),
    "no_subject": Refusal(
        _("Your question has no subject, and the subject becomes its title."),
        _("Send it again with your question in one sentence as the subject."),
    ),
    "no_space": Refusal(
        _("There is no space of that name where you can ask."),
        _("Write to the plain address, or ask on the site."),
    ),
    "offer_unclear": Refusal(
        _("We could not tell whether you take the place or not."),
        _("Answer the mail with one word: “yes” takes the place, “no” gives it to the next person."),
    ),
    "offer_over": Refusal(
        _("The place is not held for you any more: its time was over, or it was answered before."),
        _("The page of the event says how things stand."),
    ),
    "error": Refusal(
        _("Something went wrong with us, several times. It is not your fault."),
        _("Your words are below. Send them again later, or answer on the site."),
    ),
}
