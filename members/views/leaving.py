"""/settings/your-data/: a copy to take along, and leaving."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kmnet.core import presence, tokens
from kmnet.core.mail_pages import mail_page
from kmnet.core.ratelimit import limited

from .. import services
from ..duties import advice_for, duties_of
from ..forms.leaving import LeaveForm
from ..models import GRACE, DataExport, Leaving, Member, Status
from ..models.leaving import export_storage
from .proof import proven_again
from .settings import posted, reads_and_writes


@require_safe
def your_data(request):
    now = timezone.now()
    mine = DataExport.objects.filter(member=request.user)
    context = {
        "section": "data",
        "waiting": mine.waiting().first(),
        "ready": DataExport.objects.open_to(request.user, now).order_by("-pk").first(),
        "failed": mine.order_by("-pk").filter(state=DataExport.State.FAILED, attempts__gt=0).first(),
        "leaving": Leaving.objects.filter(member=request.user).first(),
        "grace_days": GRACE.days,
    }
    return render(request, "members/your_data.html", context)


@limited("copy", "10/d")
@require_POST
@proven_again
def ask_for_copy(request):
    """Have a copy made. django-allauth keeps the POST while the password is asked for, and goes on with it after."""
    try:
        services.ask_for_copy(member=request.user)
    except services.TooManyCopies:
        messages.error(request, _("You have had three copies made today. Please come back tomorrow."))
    else:
        messages.success(request, _("Your copy is being made. We write to you when it is ready."))
    return redirect("members:your_data")


@require_safe
@proven_again
def take_copy(request, pk):
    """The file itself, for its owner only; the right is asked at every request."""
    export = get_object_or_404(
        DataExport.objects.open_to(request.user, timezone.now()), pk=min(pk, 2**63 - 1)
    )
    try:
        content = export_storage().open(export.stored_name, "rb")
    except OSError as error:  # the row is there and the file is not: a restored backup, say
        raise Http404 from error
    name = f"kmnet-{export.ready_at.date().isoformat()}.zip"
    response = FileResponse(content, as_attachment=True, filename=name, content_type="application/zip")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@reads_and_writes
@proven_again
def leave(request):
    """What happens, what must be handed over, what becomes of one's words; the POST closes the account."""
    if request.user.status == Status.LEAVING:
        return redirect("members:leaving")
    form = LeaveForm(posted(request))
    duties = duties_of(request.user)
    if request.method == "POST" and form.is_valid():
        try:
            services.start_leaving(member=request.user, keep_words=form.cleaned_data["words"] == "keep")
        except services.MustHandOver as error:
            duties = error.duties
        else:
            logout(request)
            return redirect("members:left")
    context = {
        "section": "data",
        "form": form,
        "duties": duties,
        "advice": advice_for(request.user),
        "grace_days": GRACE.days,
    }
    return render(request, "members/leave.html", context, status=422 if form.is_bound else 200)


@login_not_required
@require_safe
def left(request):
    """Where somebody lands who has just left: they are signed out."""
    return render(request, "members/left.html", {"grace_days": GRACE.days})


@require_safe
def leaving(request):
    """Signed in while the two weeks run: what will happen, and the way back."""
    found = Leaving.objects.filter(member=request.user).first()
    if found is None:
        return redirect("members:your_data")
    return render(request, "members/leaving.html", {"leaving": found})


@require_POST
def undo(request):
    services.undo_leaving(member=request.user)
    messages.success(request, _("Welcome back. Everything is as it was, but for places at events."))
    return redirect("members:your_data")


@mail_page
def undo_by_mail(request, token):
    """The link in the mails: a page with a button, without signing in. It brings back the account and opens nothing."""
    try:
        data = tokens.read("undo-leaving", token)
    except tokens.BadToken:
        return render(request, "core/mail_link_dead.html", status=404)
    found = Leaving.objects.filter(pk=data["leaving"], member=data["m"]).first()
    member = Member.objects.filter(pk=data["m"]).exclude(status=Status.ERASED).first()
    if member is None:
        return render(request, "core/mail_link_dead.html", status=404)
    if request.method == "POST" and found is not None:
        try:
            services.undo_leaving(member=member)
        except services.TooLate:
            return render(request, "core/mail_link_dead.html", status=404)
        presence.note(member.pk)
        found = None
    return render(request, "members/leaving_undo.html", {"leaving": found})
