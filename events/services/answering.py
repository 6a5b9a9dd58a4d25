"""What those who register answer: checked against the questions, written with the registration."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kmnet.core.fixed import fixed
from members.models import Member

from ..models import Answer, Event, Question, QuestionKind, Registration, Status
from . import persons, places
from .refusals import AnswersMissing, TooLate

LONGEST_ANSWER = 1000  # characters

Checked = list[tuple[Question, object]]  # what to store; None: no answer


def check_answers(
    event: Event, answers: dict | None, *, required: bool = True, asked: list[Question] | None = None
) -> Checked:
    """What is to be stored, of the questions that are asked now. Raises AnswersMissing. Reads only.

    `answers`: {question id: value}; what it names and the event does not ask is left alone. With `required` False
    (added by hand) nothing needs to be answered, but what is must fit. `asked`: the questions, where they are read."""
    answers = answers or {}
    checked, errors = [], {}
    for question in asked_by(event=event.pk) if asked is None else asked:
        try:
            value = _read(question, answers.get(question.pk))
        except ValueError as error:
            errors[question.pk] = str(error)
            continue
        if value is None and required and question.is_required:
            errors[question.pk] = _missing(question)
        checked.append((question, value))
    if errors:
        raise AnswersMissing(errors)
    return checked


@fixed
def asked_by(*, event):
    return Question.objects.filter(event=event, is_asked=True)


def _missing(question: Question) -> str:
    if question.kind == QuestionKind.CONSENT:
        return _("To take part, you need to agree to this.")
    return _("Please answer this question.")


def _read(question: Question, value):
    """The answer as it is stored; None for none. ValueError with a sentence for whoever typed it."""
    if question.kind == QuestionKind.CONSENT:
        return True if value is True else None
    if question.kind == QuestionKind.SEVERAL:
        ticked = [value] if isinstance(value, str) and value else list(value or ())
        if set(ticked) - set(question.choices):
            raise ValueError(_("Please choose among the answers that are offered."))
        return [choice for choice in question.choices if choice in ticked] or None
    text = str(value or "").strip()
    if question.kind == QuestionKind.CHOICE and text and text not in question.choices:
        raise ValueError(_("Please choose among the answers that are offered."))
    if len(text) > LONGEST_ANSWER:
        raise ValueError(
            _("At most %(most)d characters, please; these are %(count)d.")
            % {"most": LONGEST_ANSWER, "count": len(text)}
        )
    return text or None


def write_answers(registration: Registration, checked: Checked) -> bool:
    """Store them; whether anything is other than before. Needs the event's lock."""
    if not checked:
        return False
    before = {answer.question_id: answer for answer in registration.answers.all()}
    changed = False
    for question, value in checked:
        answer = before.get(question.pk)
        if value is None:
            if answer is not None:
                answer.delete()
                changed = True
        elif answer is None:
            Answer.objects.create(registration=registration, question=question, value=value)
            changed = True
        elif answer.value != value:
            answer.value = value
            answer.save(update_fields=["value", "changed_at"])
            changed = True
    return changed


@transaction.atomic
def change_answers(
    *, registration: Registration, answers: dict | None, access_needs: str, actor: Member | None = None
) -> Registration:
    """Other answers, other access needs; the same again changes nothing. Locks the event. Only for registrations that
    live (or await the proof of their address), until the event is over.

    Raises AnswersMissing (then nothing is written), TooLate, PermissionDenied."""
    event = places.lock_event(registration.event_id)
    now = timezone.now()
    registration = persons.own(event, registration, actor)
    if event.is_over(now) or registration.status not in Status.unsettled():
        raise TooLate
    changed = write_answers(registration, check_answers(event, answers))
    needs = access_needs.strip()
    if needs != registration.access_needs:
        changed = True
        registration.access_needs = needs
        registration.save(update_fields=["access_needs"])
    if changed:
        places.note(registration, why="changed the answers", actor=actor, at=now)
    return registration
