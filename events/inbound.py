"""An offer answered by mail: “yes” takes the place, “no” gives it to the next person."""

import re

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from kmnet.core import inbound
from kmnet.core.inbound import Done, Refused, Reply
from kmnet.core.text import fold
from members import services as members

from . import services
from .models import Registration, Status
from .permissions import can_view_event

MOST_WORDS = 40  # of a first line that is still taken for an answer
# English, French, German, Spanish, Italian, Portuguese, Dutch; folded, as the words are
YES = {
    *(
        "yes",
        "yep",
        "yeah",
        "accept",
        "accepted",
        "i accept",
        "i take it",
        "i will take it",
        "ill take it",
        "take it",
        "ok",
        "okay",
    ),
    *(
        "yes please",
        "oui",
        "jaccepte",
        "j accepte",
        "accepte",
        "daccord",
        "d accord",
        "je prends",
        "ja",
        "ja gerne",
        "gerne",
        "annehmen",
    ),
    *(
        "ich nehme an",
        "nehme ich",
        "zusage",
        "si",
        "acepto",
        "aceptar",
        "la acepto",
        "de acuerdo",
        "accetto",
        "sim",
        "aceito",
    ),
    *(
        "ja graag",
        "graag",
        "akkoord",
        "yes i accept",
        "yes i take it",
        "yes i will take it",
        "ja ich nehme an",
        "oui jaccepte",
    ),
    *("oui j accepte", "si acepto", "si la acepto"),
}
NO = {
    *(
        "no",
        "nope",
        "decline",
        "declined",
        "i decline",
        "no thanks",
        "no thank you",
        "pass it on",
        "i cannot come",
        "i cant come",
    ),
    *(
        "non",
        "non merci",
        "je refuse",
        "refuser",
        "je decline",
        "nein",
        "nein danke",
        "ablehnen",
        "ich lehne ab",
        "absage",
    ),
    *(
        "ich kann nicht",
        "no gracias",
        "rechazo",
        "rechazar",
        "no puedo",
        "la rechazo",
        "no grazie",
        "rifiuto",
        "nao",
    ),
    *(
        "nao obrigado",
        "nao obrigada",
        "recuso",
        "nee",
        "nee bedankt",
        "nee dank je",
        "non je refuse",
        "nein ich kann nicht",
    ),
}

# Behind a yes or no these make it unclear: "no problem, I take it", "yes, but I cannot come".
LIKE_YES = {
    *(
        "take",
        "come",
        "coming",
        "problem",
        "worries",
        "doubt",
        "komme",
        "nehme",
        "viens",
        "prends",
        "probleme",
        "problema",
    ),
    *("voy", "vengo", "problem", "frage", "sure"),
}
LIKE_NO = {
    "not",
    "nicht",
    "pas",
    "cannot",
    "cant",
    "but",
    "aber",
    "mais",
    "pero",
    "unless",
    "if",
    "wenn",
    "unfortunately",
}


def answer_of(text: str) -> bool | None:
    """True for a yes, False for a no, None where it is not clear. The first line counts: as a whole, else by its first
    word, unless the rest of it could mean the opposite."""
    line = next((line for line in text.splitlines() if line.strip() and not line.startswith(">")), "")
    words = re.sub(r"[^\w\s]+", " ", fold(line).replace("'", "").replace("’", "")).split()
    if not words or len(words) > MOST_WORDS:
        return None
    whole = " ".join(words)
    if whole in YES or whole in NO:
        return whole in YES
    said_yes = any(word in YES for word in words)
    said_yes = said_yes or any(word in LIKE_YES for word in words)
    said_no = any(word in NO or word in LIKE_NO for word in words)
    if words[0] in YES and not said_no:
        return True
    if words[0] in NO and not said_yes:
        return False
    return None


def answer_offer(reply: Reply) -> Done:
    """Whoever was offered the place says yes or no."""
    registration = Registration.objects.select_related("event", "member").filter(pk=reply.target.pk).first()
    if registration is None or registration.member_id != reply.member.pk:
        raise Refused("gone")
    answer = answer_of(reply.text)
    if answer is None:
        raise Refused("offer_unclear")
    deed = services.accept_offer if answer else services.decline_offer
    try:
        registration = deed(registration=registration, actor=reply.member)
    except services.OfferOver as over:
        raise Refused("offer_over") from over
    except PermissionDenied as denied:
        raise Refused("gone") from denied
    members.note_presence(member=reply.member)
    if registration.status == Status.CONFIRMED:
        return Done(result=registration)  # the mail with the place goes out by itself
    tell = _("You have passed the place on. Thank you for telling us: somebody else has it now.")
    return Done(result=registration, tell=tell, url=registration.event.get_absolute_url())


def is_theirs(member, registration: Registration) -> bool:
    return registration.member_id == member.pk and can_view_event(member, registration.event)


inbound.register_purpose(inbound.ReplyPurpose("events.offer", answer_offer, may_see=is_theirs))
