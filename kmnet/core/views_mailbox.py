"""/dev/mail/: what the demo has mailed, as its receivers would see it, so that newcomers can follow the links."""

import email
import email.policy
from email.utils import make_msgid
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from .forms import POST_LENGTH
from .inbound import is_reply_address
from .inbound.reading import address_in
from .inbound.receiving import store
from .inbound.refusals import REFUSALS
from .inbound.working import work_on_received
from .keyset import paginate
from .mail_pages import framed_mail
from .models import DevMail, ReceivedMail
from .ratelimit import limited
from .text import clean_text


def demo_only(view):
    """Public in the demo, where it is the only way to read a mail; elsewhere it does not exist."""

    @login_not_required
    @wraps(view)
    def page(request, *args, **kwargs):
        if not settings.KMNET_DEMO or settings.EMAIL_URL:
            raise Http404
        return view(request, *args, **kwargs)

    return page


def parsed(pk: int) -> tuple[DevMail, email.message.EmailMessage]:
    row = get_object_or_404(DevMail, pk=pk)
    return row, email.message_from_bytes(bytes(row.raw), policy=email.policy.default)


@demo_only
def mailbox(request):
    rows, to = DevMail.objects.defer("raw"), request.GET.get("to", "").replace("\x00", "").strip()
    if to:
        rows = rows.filter(recipient__icontains=to)
    context = {"page": paginate(rows, request.GET, order=["-id"], size=30), "to": to}
    return render(request, "core/mailbox.html", context)


@demo_only
def message(request, pk):
    row, mail = parsed(pk)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    context = {
        "row": row,
        "subject": mail["Subject"],
        "sender": mail["From"],
        "text": text.get_content() if text else "",
        "has_html": html is not None,
        "headers": mail.items(),
        "takes_reply": is_reply_address(address_in(str(mail["Reply-To"] or ""))),
        **what_became(request),
        "attachments": [
            {
                "number": number,
                "name": part.get_filename() or f"part-{number}",
                "type": part.get_content_type(),
            }
            for number, part in enumerate(mail.iter_attachments())
        ],
    }
    return render(request, "core/mailbox_message.html", context)


@demo_only
@limited("dev-reply", "120/h")
@require_POST
def reply(request, pk):
    """An answer as the receiver's mail program would send it, by the same way in as all mail."""
    row, mail = parsed(pk)
    to = address_in(str(mail["Reply-To"] or ""))
    if not is_reply_address(to):
        raise Http404
    answer = email.message.EmailMessage()
    answer["From"], answer["To"] = row.recipient, to
    answer["Subject"] = f"Re: {mail['Subject']}"[:300]
    answer["Message-ID"] = make_msgid(domain="mailbox.example")
    answer["In-Reply-To"] = mail["Message-ID"]
    text = mail.get_body(("plain",))
    quoted = "".join(f"> {line}\n" for line in text.get_content().splitlines()) if text else ""
    words = clean_text(request.POST.get("words", ""))[:POST_LENGTH]
    answer.set_content(f"{words}\n\nOn {mail['Date']}, {mail['From']} wrote:\n{quoted}")
    received = store(answer.as_bytes(), recipient=to, via="demo", envelope_sender=row.recipient)
    work_on_received()
    with transaction.atomic():  # should a worker have taken it, it is done once the row is free
        ReceivedMail.objects.select_for_update().get(pk=received.pk)
    return redirect(f"{reverse('mailbox:message', args=[pk])}?answered={received.pk}")


def what_became(request) -> dict:
    """Of the answer that was just sent: its state, and the reason where it was refused."""
    number = request.GET.get("answered", "")
    if not (number.isascii() and number.isdigit() and len(number) < 12):
        return {}
    received = ReceivedMail.objects.defer("raw").filter(pk=number, via="demo").first()
    return {"received": received, "refusal": REFUSALS.get(received.reason) if received else None}


@demo_only
def html_part(request, pk):
    html = parsed(pk)[1].get_body(("html",))
    if html is None:
        raise Http404
    return framed_mail(html.get_content())


@demo_only
def attachment(request, pk, number):
    parts = list(parsed(pk)[1].iter_attachments())
    if number >= len(parts):
        raise Http404
    part = parts[number]
    response = HttpResponse(part.get_payload(decode=True), content_type=part.get_content_type())
    name = part.get_filename() or f"part-{number}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
