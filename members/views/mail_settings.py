"""/settings/mail/ and the same page behind the signed link of a mail: what somebody is told, how, and when."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kmnet.core import mail_settings, presence
from kmnet.core.numbers import in_words

from .. import mail_links, services
from ..forms import MailForm
from ..mail_estimate import mails_a_week
from ..models import Boundary, Member, Status
from ..models.profile import DigestRhythm
from ..services.mail_settings import zone_of
from .settings import fresh_member, posted, reads_and_writes


@reads_and_writes
def mails(request):
    member = fresh_member(request)
    form = MailForm(posted(request), member=member)
    if save(form) and not request.htmx:
        messages.success(request, _("Saved."))
        return redirect("members:settings_mail")
    if request.htmx and form.is_bound:
        return said(request, form)
    context = {**told(form), "section": "mail", "parts": mail_settings.parts(request)}
    status = 422 if form.is_bound else 200
    return render(request, "members/settings_mail.html", context, status=status)


def by_link(request, member_id: int):
    """For whoever has the link of a mail: nobody is signed in, and no cookie is set. It leaves out how closely they follow
    what and whom they keep away, since mails are passed on."""
    member = (
        Member.objects.select_related("profile").exclude(status=Status.ERASED).filter(pk=member_id).first()
    )
    if member is None:
        return None
    with translation.override(member.language), timezone.override(zone_of(member)):
        form = MailForm(posted(request), member=member)
        quick = {"less": mail_links.less_often_url(member), "pause": mail_links.pause_url(member)}
        saved = save(form)
        presence.note_post(request, member.pk)
        if request.htmx and form.is_bound:
            return said(request, form, by_link=True, quick=quick)
        if saved:
            form = fresh(form)
        context = {**told(form), "by_link": True, "quick": quick, "is_saved": saved, "member": member}
        status = 422 if form.is_bound else 200
        return render(request, "members/mail/settings.html", context, status=status)


def save(form: MailForm) -> bool:
    """Whether it was sent and has been stored."""
    if not form.is_bound or not form.is_valid():
        return False
    services.change_mails(member=form.member, wanted=form.wanted(), **form.timing())
    form.member.profile.refresh_from_db()
    return True


def fresh(form: MailForm) -> MailForm:
    return MailForm(member=form.member)


def told(form: MailForm) -> dict:
    """What the page says about what is stored."""
    hows = form.hows()
    number = mails_a_week(form.member, hows, form.habits.bundle_minutes)
    no_digest = form.initial["digest"] == DigestRhythm.NEVER
    return {
        "form": form,
        "a_week": round(number),
        "a_week_in_words": in_words(round(number)),
        "seldom": 0 < number < 0.5,
        "pause": form.initial["paused_until"],
        "lost": no_digest and "digest" in hows.values(),
    }


def said(request, form: MailForm, **context):
    """As they go: what their choices mean now. The form itself stays as it is under their hands, unless something in it
    is wrong, or was."""
    if form.errors:
        context |= told(form)
    else:
        context |= {**told(fresh(form)), "is_saved": True}
    whole = bool(form.errors) or "was_wrong" in request.POST
    template = "members/_mail_form.html" if whole else "members/_mail_said.html"
    response = render(request, template, context, status=422 if form.errors else 200)
    if whole:
        response["HX-Retarget"], response["HX-Reswap"] = "#mail-form", "outerHTML"
    return response


PEOPLE_SHOWN = 20


def people_kept_away(request) -> dict:
    """The part of the page about people; all of them stand on a page of their own."""
    people = Boundary.objects.filter(owner=request.user).select_related("other")
    found = (
        list(people.order_by("other__name_key", "pk")[: PEOPLE_SHOWN + 1]) if request.user.keeps_away else []
    )
    return {"people": found[:PEOPLE_SHOWN], "more": len(found) > PEOPLE_SHOWN}
