"""`/messages/`: the list of one's conversations, beginning one, and the page of one. Whoever does not take part: 404."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from kmnet.core import activity, kept_text
from kmnet.core.keyset import paginate
from kmnet.core.ratelimit import limited
from kmnet.core.search import SearchText
from members.models import Member
from members.models.member import name_like
from members.permissions import can_write, is_full_member

from .. import services, talks
from ..forms_messages import MessageForm, StartForm, reachable_by
from ..models import Kind, Participant, Thread, ThreadWatch
from ..permissions import Silence, seats_of, why_silent
from ..rendering import render_post
from ..services.conversations import MOST, talk_of
from .drafts import keep_by_button, offer, sent_with, taken_up
from .reading import in_ranges, number_in
from .taking_back import undo_offers
from .writing import bound, text_is_kept, wants

NEW = "message"  # the key of the draft of a message to somebody new
OFFERED = 8  # people found by a name
TABS = {
    "": gettext_lazy("All"),
    "unread": gettext_lazy("Unread"),
    "left": gettext_lazy("Left"),
}
ORDERS = {"left": ["-left_at", "-pk"]}
LATEST = ["-thread__last_post_at", "-thread__pk"]
SILENCE = {
    Silence.READER: gettext_lazy("You can read here, but not write at the moment."),
    Silence.LEFT: gettext_lazy(
        "You have left this conversation. What was written until then stays readable to you."
    ),
    Silence.ALONE: gettext_lazy("Nobody else is here any more."),
    Silence.APART: gettext_lazy("You cannot write to each other here at the moment."),
}
MUTES = {
    "day": (timedelta(days=1), gettext_lazy("for a day")),
    "week": (timedelta(days=7), gettext_lazy("for a week")),
    "always": (None, gettext_lazy("until I change it")),
}


# --- the list --------------------------------------------------------------------------------------------------------
@require_safe
def inbox(request):
    show = request.GET.get("show", "")
    show = show if show in TABS else ""
    page = paginate(talks.my_seats(request.user, show), request.GET, order=ORDERS.get(show, LATEST), size=30)
    tabs = [
        {
            "href": f"?show={key}" if key else request.path,
            "label": label,
            "current": key == show,
            "count": None,
        }
        for key, label in TABS.items()
    ]
    context = {
        "rows": talks.rows_of(page.items, request.user),
        "page": page,
        "show": show,
        "tabs": tabs,
        "may_write": can_write(request.user),
    }
    return render(request, "messages/inbox.html", context)


# --- beginning one ---------------------------------------------------------------------------------------------------
def found_by(member: Member, asked: str) -> list[Member]:
    """By a part of their name those whom the directory lists; by their handle anybody whose page is open to members."""
    text = SearchText(asked.strip().lstrip("@"))
    if not text.text:
        return []
    people = reachable_by(member)
    by_handle = people.filter(handle__iexact=text.text)
    by_name = people.filter(profile__is_listed=True).filter(name_like(text)).order_by("name_key", "pk")
    return list(dict.fromkeys([*by_handle, *by_name[:OFFERED]]))[:OFFERED]


def chosen_in(member: Member, handles: list[str]) -> list[Member]:
    handles = [handle.replace("\x00", "")[:80].lower() for handle in handles[: MOST * 2]]
    return list(reachable_by(member).filter(handle__in=handles).order_by("name_key", "pk")) if handles else []


def people_context(request: HttpRequest, data) -> dict:
    chosen = chosen_in(request.user, data.getlist("to"))
    asked = data.get("q", "")[:200]
    found = [person for person in found_by(request.user, asked) if person not in chosen]
    return {"chosen": chosen, "found": found, "asked": asked.strip()}


@login_not_required  # nothing for who is signed out meanwhile, or they would be led away from what they write
@require_safe
def people(request):
    """Who is meant; for the field's script. 204, which leaves the page as it is, for who is no full member."""
    if not is_full_member(request.user):
        return HttpResponse(status=204)
    return render(request, "messages/_people.html", people_context(request, request.GET))


@limited("messages-new", "120/h")  # how many may be sent is the service’s rule; this one is about presses
def new(request):
    """To whom, and the first message. Without scripts, Find and Preview are buttons of the same form."""
    if not can_write(request.user) and request.method != "POST":
        raise PermissionDenied
    if request.method != "POST":
        context = people_context(request, request.GET)
        present = present_talk(request.user, context["chosen"])
        if present is not None and "q" not in request.GET:
            return redirect(f"{present.get_absolute_url()}#reply")
        begun = {**taken_up(request, NEW), **kept_text.take(request)}
        form = StartForm(member=request.user, initial=begun)
        draft_at = None if begun else offer(request.user, NEW)
        return show_new(request, form, {**context, "draft_at": draft_at}, present=present)
    if wants(request) == "draft":
        return keep_by_button(request, NEW)
    context = people_context(request, request.POST)
    form = bound(request, lambda data: StartForm(data, member=request.user))
    valid = form.is_valid()
    if not can_write(request.user):
        form.add_error(None, _("You can read here, but not write at the moment. Your text is below."))
        return show_new(request, form, context, status=403)
    looks = wants(request) in ("preview", "attach") and not form.has_error("file")
    if "find" in request.POST or looks:
        shown = StartForm(member=request.user, initial=form.data.dict())
        if "find" not in request.POST:
            context |= {
                "preview_html": render_post(form.cleaned_data.get("body") or "", anchor="preview"),
                "view": "preview",
            }
        return show_new(request, shown, context, present=present_talk(request.user, context["chosen"]))
    if not valid:
        return show_new(request, form, context, status=422)
    try:
        post = services.start_conversation(
            author=request.user,
            people=form.cleaned_data["to"],
            source=form.cleaned_data["body"],
            submit_key=form.cleaned_data["submit_key"],
            sent=sent_with(request, NEW),
        )
    except services.CannotReach as refusal:
        form.add_error("to", not_reached(refusal.people))
        return show_new(request, form, context, status=409)
    except services.LimitReached as limit:
        form.add_error("body", limit.sentence)
        return show_new(request, form, context, status=429)
    except services.CannotWrite as refusal:
        form.add_error(None, SILENCE[refusal.why])
        return show_new(request, form, context, status=409)
    kept_text.forget(request)
    return redirect(post)


def present_talk(member: Member, people: list[Member]) -> Thread | None:
    return talk_of([member.pk, *(person.pk for person in people)]) if people else None


def not_reached(people: list[Member]) -> str:
    """The same sentence whatever the reason: a block, a pause, an account that ends."""
    return _("You cannot write to %(names)s at the moment.") % {"names": talks.names_of(people)}


def show_new(request, form, context: dict, *, present=None, status=200) -> HttpResponse:
    context = {
        "view": "write",
        **context,
        "form": form,
        "present": present,
        "most": MOST,
        "draft_key": NEW,
        "continue_href": reverse("messages:new"),
    }
    return render(request, "messages/new.html", context, status=status)


# --- one conversation ------------------------------------------------------------------------------------------------
def find_talk(request: HttpRequest, pk: int) -> Thread:
    talks_of_theirs = Thread.objects.readable_by(request.user).filter(kind=Kind.CONVERSATION)
    return get_object_or_404(talks.with_marker(talks_of_theirs, request.user), pk=pk)


@limited("messages-write", "600/h")
@text_is_kept
def conversation(request, pk):
    """Reading, and one more message."""
    thread = find_talk(request, pk)
    key = f"reply:{thread.pk}"
    if request.method != "POST":
        begun = {**taken_up(request, key), **kept_text.take(request)}
        draft_at = None if begun else offer(request.user, key)
        return show_talk(request, thread, MessageForm(initial=begun), draft_at=draft_at)
    if wants(request) == "draft":
        return keep_by_button(request, key, thread)
    form = bound(request, MessageForm)
    valid = form.is_valid()
    if wants(request) in ("preview", "attach") and not form.has_error("file"):
        preview = render_post(form.cleaned_data.get("body") or "", anchor="preview")
        shown = MessageForm(initial=form.data.dict())
        return show_talk(request, thread, shown, preview_html=preview, view="preview")
    if not valid:
        return show_talk(request, thread, form, status=422)
    try:
        post = services.send_message(
            author=request.user,
            thread=thread,
            source=form.cleaned_data["body"],
            submit_key=form.cleaned_data["submit_key"],
            sent=sent_with(request, key),
        )
    except services.LimitReached as limit:
        form.add_error("body", limit.sentence)
        return show_talk(request, thread, form, status=429)
    except services.CannotWrite as refusal:
        form.add_error(None, f"{SILENCE[refusal.why]} {_('Your text is below; copy what you need.')}")
        return show_talk(request, thread, form, status=403 if refusal.why == Silence.READER else 409)
    kept_text.forget(request)
    return redirect(post)


def show_talk(request, thread: Thread, form, *, status=200, **more) -> HttpResponse:
    user = request.user
    seats = seats_of(thread)
    seat = next(one for one in seats if one.member_id == user.pk)
    asked = {name: number_in(request, name, thread) for name in ("post", "after", "before")}
    page = talks.stretch(thread, seat, unread=thread.first_unread, **asked)
    for post in page.posts:
        post.thread = thread
    items, closing = talks.items_of(page, seats, user)
    for item in items:
        item.is_new = (
            bool(thread.read_numbers) and item.shown and not in_ranges(item.post.number, thread.read_numbers)
        )
    news = next((item for item in items if item.is_new), None)
    if news:
        news.starts_news = True
    why = why_silent(user, seats)
    here = [one.member for one in seats if not one.has_left]
    watch = ThreadWatch.objects.filter(thread=thread, member=user).first()
    context = {
        "thread": thread,
        "here": thread.get_absolute_url(),
        "title": talks.names_of(talks.others_in(seats, user)),
        "items": items,
        "closing": closing,
        "page": page,
        "form": form,
        "draft_key": f"reply:{thread.pk}",
        "continue_href": thread.get_absolute_url(),
        "people": here,
        "seat": seat,
        "may_write": why is None,
        "silence": SILENCE.get(why, ""),
        "may_add": why is None and len(here) < MOST,
        "muted": watch is not None and talks.is_muted(watch.level, watch.until),
        "undo_offers": undo_offers(request, thread),
        "muted_until": watch.until if watch else None,
        "mutes": [(key, label) for key, (_span, label) in MUTES.items()],
        "view": "write",
        **more,
    }
    mark_seen(request, thread, seat, items)
    return render(request, "messages/conversation.html", context, status=status)


def mark_seen(request: HttpRequest, thread: Thread, seat: Participant, items: list[talks.Item]) -> None:
    """The reader's own marker; nothing is written for a page that is only fetched ahead."""
    if "prefetch" in request.headers.get("Sec-Purpose", ""):
        return
    new = [item.post for item in items if not in_ranges(item.post.number, thread.read_numbers)]
    if new:
        services.mark_posts_read(member=request.user, thread=thread, posts=new)
    if seat.added_by_id:  # that they were brought in is old news now
        activity.mark_read(member=request.user, targets=[thread])


@limited("messages-add", "120/h")
def add(request, pk):
    """Somebody more: found by name, then asked for with a button."""
    thread = find_talk(request, pk)
    seats = seats_of(thread)
    if why_silent(request.user, seats) is not None:
        raise PermissionDenied
    here = [one.member for one in seats if not one.has_left]
    asked, status = request.GET.get("q", "")[:200].strip(), 200
    error = ""
    if request.method == "POST":
        asked = request.POST.get("q", "")[:200].strip()
        [member] = chosen_in(request.user, [request.POST.get("handle", "")]) or [None]
        try:
            if member is None:
                raise services.CannotReach([])
            services.add_person(actor=request.user, thread=thread, member=member)
        except services.CannotReach as refusal:
            error, status = not_added(refusal.people), 409
        except services.LimitReached as limit:
            error, status = limit.sentence, 429
        except services.WrongNumber:
            error, status = _("A conversation has %(most)d people at most.") % {"most": MOST}, 409
        else:
            messages.success(
                request, _("%(name)s reads and writes here from now on.") % {"name": member.name}
            )
            return redirect(thread)
    context = {
        "thread": thread,
        "title": talks.names_of(talks.others_in(seats, request.user)),
        "asked": asked,
        "found": [person for person in found_by(request.user, asked) if person not in here],
        "error": error,
        "is_full": len(here) >= MOST,
        "most": MOST,
    }
    return render(request, "messages/add.html", context, status=status)


def not_added(people: list[Member]) -> str:
    """The same sentence whatever the reason."""
    if not people:
        return _("This person cannot be found any more.")
    return _("%(names)s cannot be brought in.") % {"names": talks.names_of(people)}


@require_POST
def mute(request, pk):
    thread = find_talk(request, pk)
    choice = request.POST.get("mute", "")
    if choice in MUTES:
        span = MUTES[choice][0]
        services.mute_conversation(
            member=request.user, thread=thread, until=timezone.now() + span if span else None
        )
        messages.success(request, _("Muted. What is written here waits for you in the list of messages."))
    else:
        services.unmute_conversation(member=request.user, thread=thread)
        messages.success(request, _("We tell you of new messages here again."))
    return redirect(thread)


def leave(request, pk):
    """A page that says what it means; the button does it."""
    thread = find_talk(request, pk)
    seats = seats_of(thread)
    if all(one.has_left for one in seats if one.member_id == request.user.pk):
        return redirect(thread)
    if request.method == "POST":
        services.leave_conversation(member=request.user, thread=thread)
        messages.success(request, _("You have left. Nobody is told by mail."))
        return redirect("messages:inbox")
    others = [one for one in seats if not one.has_left and one.member_id != request.user.pk]
    context = {
        "thread": thread,
        "title": talks.names_of(talks.others_in(seats, request.user)),
        "is_last": not others,
        "action": reverse("messages:leave", args=[thread.pk]),
    }
    return render(request, "messages/leave.html", context)
