"""What an event consists of: its programme, and what it asks of those who register. Within the caller’s lock."""

from ..models import MOST_QUESTIONS, Event, Question, Session, Speaker


def set_programme(event: Event, sessions) -> None:
    """Replace the programme, within the caller's transaction.

    Each item: kind, title, summary, starts_at, ends_at, speakers (name or name, about). Where an item has a new start
    and says nothing of its end, it lasts as long as before.
    """
    kept = []
    known = {session.pk: session for session in event.sessions.all()}
    for order, item in enumerate(sessions, start=1):
        session = known.get(item.get("pk")) or Session(event=event)
        if "starts_at" in item and "ends_at" not in item:
            session.ends_at = _end_of_moved(session, item["starts_at"])
        for name in ("kind", "title", "summary", "starts_at", "ends_at"):
            if name in item:
                setattr(session, name, item[name])
        session.order = order
        session.save()
        session.speakers.set([_speaker(entry) for entry in item.get("speakers", ())])
        kept.append(session.pk)
    event.sessions.exclude(pk__in=kept).delete()


def _end_of_moved(session: Session, starts_at):
    if not (session.starts_at and session.ends_at and starts_at):
        return None
    return starts_at + (session.ends_at - session.starts_at)


def _speaker(entry) -> Speaker:
    if isinstance(entry, Speaker):
        return entry
    name, about = (entry, "") if isinstance(entry, str) else entry
    speaker = Speaker.objects.filter(name=name, about=about).order_by("pk").first()
    return speaker or Speaker.objects.create(name=name, about=about)


def set_questions(event: Event, items) -> None:
    """Ask these, in this order, and no others; within the caller's transaction, with the event's lock.

    Each item: pk (of one that is asked already), kind, label, choices, is_required. What has answers is kept and no
    longer asked where it is left out; and where its kind changes, since the old answers would say nothing any more.
    """
    known = {question.pk: question for question in event.questions.filter(is_asked=True)}
    answered = set(event.questions.filter(answers__isnull=False).values_list("pk", flat=True))
    kept = set()
    for order, item in enumerate(items[:MOST_QUESTIONS], start=1):
        question = known.get(item.get("pk"))
        if question is None or (question.pk in answered and question.kind != item["kind"]):
            question = Question(event=event)
        for name in ("kind", "label", "choices", "is_required"):
            setattr(question, name, item[name])
        question.order = order
        question.save()
        kept.add(question.pk)
    left_out = event.questions.filter(is_asked=True).exclude(pk__in=kept)
    left_out.filter(pk__in=answered).update(is_asked=False)
    left_out.exclude(pk__in=answered).delete()
