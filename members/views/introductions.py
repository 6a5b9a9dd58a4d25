"""/members/introductions/ and …/introduce/: bringing two members together. The page of one also opens from a mail."""

from contextlib import suppress

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kmnet.core import activity, kept_text, presence, tokens
from kmnet.core.mail_pages import mail_page
from kmnet.core.ratelimit import limited

from .. import services
from ..forms.introductions import IntroductionForm
from ..introduction_mails import INTRODUCTION
from ..models import Introduction, IntroductionState, Member, has_blocked
from ..permissions import can_view_introduction, can_write, is_full_member
from ..visibility import Shown
from .profile import find_member

SHOWN = 50
reads_and_writes = require_http_methods(["GET", "HEAD", "POST"])


@reads_and_writes
@limited("introduce", "60/h")
def propose(request, handle):
    """Whom should they meet, and why. Finding somebody is a POST as well, so that nothing written is lost by it."""
    one = find_member(request.user, handle.replace("\x00", "")[:80])
    if one is None or one.pk == request.user.pk or not is_full_member(one):
        raise Http404
    if not can_write(request.user):
        raise PermissionDenied
    finding = request.method == "POST" and "find" in request.POST
    if finding or request.method != "POST":
        said = request.POST.dict() if finding else {**request.GET.dict(), **(kept_text.take(request) or {})}
        form = IntroductionForm(initial=said, proposer=request.user, one=one)
        return render(
            request, "members/introduce.html", {"form": form, "one": one, "asked": said.get("q", "")}
        )
    form = IntroductionForm(request.POST, proposer=request.user, one=one)
    if form.is_valid():
        try:
            introduction = services.propose_introduction(
                proposer=request.user,
                one=one,
                other=form.chosen_member(),
                reason=form.cleaned_data["reason"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            kept_text.forget(request)
            messages.success(request, _("Both are asked. You hear from us when both have said yes."))
            return redirect(introduction)
    context = {"form": form, "one": one, "asked": request.POST.get("q", "")}
    return render(request, "members/introduce.html", context, status=422)


@require_safe
def mine(request):
    """What this member proposed, and what was put before them; the newest first."""
    introductions = (
        Introduction.objects.visible_to(request.user)
        .select_related("first", "second", "proposer")
        .order_by("-created_at", "-pk")[:SHOWN]
    )
    rows = [Told(introduction, request.user) for introduction in introductions]
    return render(request, "members/introductions.html", {"rows": rows})


class Told:
    """An introduction as one of the three may know it: who said no, or nothing, is told to nobody."""

    def __init__(self, introduction: Introduction, reader: Member):
        self.introduction, self.reader = introduction, reader
        self.is_asked = reader.pk in introduction.pair
        self.other = introduction.other_than(reader) if self.is_asked else None
        self.answer = introduction.answer_of(reader) if self.is_asked else ""
        self.is_made = introduction.state == IntroductionState.MADE
        self.waits = introduction.is_open()
        self.may_answer = self.is_asked and self.waits and not self.answer
        self.is_over = not self.is_made and not self.waits

    @property
    def other_address(self) -> str:
        """Only once both have said yes, and only while they are there and do not block the reader."""
        if not (self.is_made and self.is_asked and is_full_member(self.other)):
            return ""
        return "" if has_blocked(self.other, self.reader) else self.other.email


def answer_posted(request, introduction: Introduction, member: Member) -> None:
    """The buttons. What came too late, or twice, changes nothing: the page then says what is the case."""
    answer = request.POST.get("answer")
    if answer in ("yes", "no"):
        with suppress(services.IntroductionOver):
            services.answer_introduction(introduction=introduction, member=member, yes=answer == "yes")


def show(request, introduction: Introduction, reader: Member, **context):
    told = Told(introduction, reader)
    if told.other is not None:
        other = Member.objects.with_card(reader).get(pk=told.other.pk)
        context["shown"] = Shown.to(reader, other.profile)
    return render(
        request, "members/introduction.html", {"told": told, "introduction": introduction, **context}
    )


def with_people():
    return Introduction.objects.select_related("first", "second", "proposer")


@reads_and_writes
def detail(request, pk):
    seen = with_people().filter(pk__in=Introduction.objects.visible_to(request.user).values("pk"))
    introduction = get_object_or_404(seen, pk=pk)
    if request.method == "POST":
        if request.user.pk not in introduction.pair:
            raise PermissionDenied
        answer_posted(request, introduction, request.user)
        return redirect(introduction)
    activity.mark_read(member=request.user, targets=[introduction])
    return show(request, introduction, request.user)


@mail_page
@reads_and_writes
def from_mail(request, token):
    """The page behind the link in a mail, for the one to whom it went; inert until a button is pressed."""
    try:
        data = tokens.read(INTRODUCTION, token)
    except tokens.ExpiredToken as error:
        data = error.data  # the page says that it is over
    except tokens.BadToken:
        return render(request, "core/mail_link_dead.html", status=404)
    introduction = with_people().filter(pk=data.get("introduction")).first()
    reader = Member.objects.filter(pk=data.get("member")).first()
    if introduction is None or reader is None or reader.pk not in introduction.pair:
        return render(request, "core/mail_link_dead.html", status=404)
    if not is_full_member(reader) or not can_view_introduction(reader, introduction):
        return render(request, "core/mail_link_dead.html", status=404)
    if request.method == "POST":
        presence.note(reader.pk)
        answer_posted(request, introduction, reader)
        introduction = with_people().get(pk=introduction.pk)
    return show(request, introduction, reader, by_mail=True)
