"""Making and changing an event."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import BooleanField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from kmnet.core import kept_text
from kmnet.core.text import clean_text, render_markdown
from members.models import Group, groups_of
from members.permissions import is_full_member

from .. import services
from ..forms import (
    EventForm,
    ProgrammeFormSet,
    QuestionFormSet,
    programme_initial,
    programme_kept,
    questions_initial,
    questions_kept,
    words_offered,
)
from ..models import Event
from ..permissions import can_create_event
from .common import get_own_event

LONGEST = 20_000


@dataclass
class Forms:
    """The three parts of the page: the event, its programme, and what it asks."""

    form: EventForm
    programme: ProgrammeFormSet
    questions: QuestionFormSet

    @classmethod
    def sent(cls, request, event: Event | None = None) -> "Forms":
        return cls(
            EventForm(request.POST, request.FILES, event=event, member=request.user),
            ProgrammeFormSet(
                request.POST, prefix="programme", initial=programme_initial(event) if event else []
            ),
            QuestionFormSet(
                request.POST, prefix="questions", initial=questions_initial(event) if event else []
            ),
        )

    @classmethod
    def fresh(cls, request, event: Event | None = None, initial=None) -> "Forms":
        """With what was typed into an expired login, where something was."""
        return cls.unsent(request, event, kept_text.take(request), initial)

    @classmethod
    def unsent(cls, request, event: Event | None, kept: dict, initial=None) -> "Forms":
        """As it was typed, without judging it."""
        lines = programme_kept(kept) or (programme_initial(event) if event else [])
        asked = questions_kept(kept) or (questions_initial(event) if event else [])
        if kept:  # a box without a tick is not sent at all
            boxes = (name for name, field in EventForm.base_fields.items() if isinstance(field, BooleanField))
            initial = (initial or {}) | dict.fromkeys(boxes, False)
        form = EventForm(event=event, initial=(initial or {}) | kept, member=request.user)
        return cls(
            form,
            ProgrammeFormSet(prefix="programme", initial=lines),
            QuestionFormSet(prefix="questions", initial=asked),
        )

    def are_valid(self) -> bool:
        """All three are asked, so that all errors stand on the page at once."""
        form_is_good, questions_are_good = self.form.is_valid(), self._questions_are_good()
        return form_is_good and self.programme.is_valid_for(self.form) and questions_are_good

    def _questions_are_good(self) -> bool:
        """A form that was kept from before there were questions has none."""
        return not self.has_questions or self.questions.is_valid()

    @property
    def has_questions(self) -> bool:
        return "questions-TOTAL_FORMS" in self.questions.data

    def service_fields(self) -> dict:
        fields = self.form.service_fields() | {"sessions": self.programme.items(self.form)}
        return fields | ({"questions": self.questions.items()} if self.has_questions else {})

    def context(self) -> dict:
        """The forms by name, and all that there is to fix, in the order of the page."""
        parts = [self.form, *self.programme.forms, *self.questions.forms]
        bad = [part for part in parts if part.is_bound and part.errors]
        return {"form": self.form, "programme": self.programme, "questions": self.questions, "bad_forms": bad}


def may_convene_for(request) -> Group | None:
    """`?group=`: an event for a group that the organiser is in."""
    number = request.GET.get("group", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Group.objects.open().filter(pk=number, pk__in=groups_of(request.user)).first()


def _initial(request, original: Event | None) -> dict:
    initial = {"time_zone": request.user.time_zone}
    if original is not None:
        initial |= {
            "title": _("Rehearsal: %(title)s") % {"title": original.title},
            "kind": original.kind,
            "time_zone": original.time_zone,
            "asks_reconfirmation": False,
            "offers_recording": False,
        }
    group = may_convene_for(request)
    return initial | ({"visibility": f"group-{group.pk}"} if group is not None else {})


@require_http_methods(["GET", "HEAD", "POST"])
def create(request):
    """A draft; nobody else sees it until it is published. `?rehearsal_of=` plans the rehearsal of one's own event."""
    if not can_create_event(request.user):
        raise PermissionDenied
    original = None
    of = request.GET.get("rehearsal_of", "")
    if of.isascii() and of.isdigit() and len(of) < 19:
        original = get_own_event(request, int(of))
    if request.method != "POST":
        return _page(request, Forms.fresh(request, initial=_initial(request, original)), original=original)
    if _only_looks(request):
        return _page(request, Forms.unsent(request, None, request.POST.dict()), original=original)
    forms = Forms.sent(request)
    if not forms.are_valid():
        return _page(request, forms, original=original, status=422)
    with transaction.atomic():
        event = services.create_event(actor=request.user, rehearsal_of=original, **forms.service_fields())
        _picture_and_order(request, event, forms.form)
    kept_text.forget(request)
    messages.success(
        request,
        _("This is a draft, seen by its organisers alone. Look at it, and publish it when it is ready."),
    )
    return redirect("events:organise", pk=event.pk, slug=event.slug)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request, pk, slug):
    event = get_own_event(request, pk)
    if request.method != "POST":
        return _page(request, Forms.fresh(request, event), event=event)
    if _only_looks(request):
        return _page(request, Forms.unsent(request, event, request.POST.dict()), event=event)
    forms = Forms.sent(request, event)
    if forms.are_valid() and _save(request, event, forms):
        kept_text.forget(request)
        messages.success(request, _("Saved."))
        event.refresh_from_db(fields=["slug"])
        return redirect("events:organise", pk=event.pk, slug=event.slug)
    return _page(request, forms, event=get_own_event(request, pk), status=422)


def _save(request, event: Event, forms: Forms) -> bool:
    """All of it or nothing; what stands against it is said at its field."""
    form = forms.form
    fields = forms.service_fields()
    if event.picture_key and not form.cleaned_data.get("no_picture"):
        fields["picture_alt"] = form.cleaned_data["picture_alt"]
    try:
        with transaction.atomic():
            event = services.update_event(event=event, actor=request.user, **fields)
            _picture_and_order(request, event, form)
    except services.EventOver:
        form.add_error("starts", _("The time of this event cannot be changed any more."))
    except (services.OrderFixed, services.NotOverYet):
        form.add_error(None, _("Registration has been open: the order of the queue is fixed."))
    except services.ListsTaken as error:
        words = ngettext(
            "%(count)d person is registered: the event cannot become hybrid now, nor stop being it.",
            "%(count)d people are registered: the event cannot become hybrid now, nor stop being it.",
            error.count,
        )
        form.add_error("kind", words % {"count": error.count})
    except services.AudienceTooNarrow as error:
        words = ngettext(
            "%(count)d person who has or awaits a place is not in this group.",
            "%(count)d people who have or await a place are not in this group.",
            error.outside,
        )
        form.add_error("visibility", words % {"count": error.outside})
    return not form.errors


def _picture_and_order(request, event: Event, form: EventForm) -> None:
    """What has services of its own. Within the caller's transaction."""
    if form.cleaned_data.get("picture"):
        services.set_picture(
            event=event,
            actor=request.user,
            drawn=form.cleaned_data["picture"],
            alt=form.cleaned_data["picture_alt"],
        )
    elif form.cleaned_data.get("no_picture"):
        services.remove_picture(event=event, actor=request.user)
    if "priority_from" in form.fields and form.earlier != event.priority_from:
        services.set_priority_from(event=event, earlier=form.earlier, by=request.user)


def _only_looks(request) -> bool:
    """“Preview” without scripts: the text as it will look, with the form as it was typed, and no errors yet."""
    return request.POST.get("view") == "preview"


def _page(request, forms: Forms, *, status=200, **more):
    context = {**forms.context(), "view": "write", "vocabulary": words_offered(), **more}
    if _only_looks(request):
        typed = clean_text(request.POST.get("description", ""))[:LONGEST]
        context |= {"view": "preview", "preview_html": render_markdown(typed)}
    return render(request, "events/event_form.html", context, status=status)


@login_not_required  # 401 for who is signed out meanwhile: a script asks, and must not lead away from the text
@require_POST
def preview(request):
    """What an event's text, or a letter, will look like; for the composer's scripts."""
    if not is_full_member(request.user):
        return HttpResponse(status=401)
    typed = clean_text(request.POST.get("text", ""))[:LONGEST]
    return render(request, "events/_preview.html", {"preview_html": render_markdown(typed)})
