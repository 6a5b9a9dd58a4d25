"""Two moderators at the same report at the same moment: one decides, the other is told so."""

from functools import partial

import pytest

from discussions.models import Post
from kmnet.core import moderation as core
from kmnet.core.models import AuditEntry, Flag, OutgoingMail
from kmnet.hub import moderation as desk
from tests.factories import make_member
from tests.factories.discussions import make_post
from tests.together import at_once, meet_after

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Neither acts before both have seen the thing as it is (or one waits for the lock)."""
    meet_after(monkeypatch, desk, "can_decide")


def two_decide(decisions):
    post = make_post()
    flag = core.report(reporter=make_member(), target=post, reason="unkind")

    def run(decision):
        moderator = make_member(is_moderator=True)
        try:
            desk.decide(
                kind=core.kind_of(Post),
                pk=post.pk,
                actor=moderator,
                decision=decision,
                reason="Because.",
                seen_state="visible",
                seen_flags={flag.pk} if flag else set(),
            )
        except desk.AlreadyDecided:
            return "too late"
        return "decided"

    return sorted(at_once(*[partial(run, decision) for decision in decisions]))


@pytest.mark.parametrize("decisions", [("hide", "leave"), ("hide", "hide"), ("leave", "leave")])
def test_of_two_decisions_at_once_one_counts(both_have_looked, decisions):
    assert two_decide(decisions) == ["decided", "too late"]
    assert Flag.objects.exclude(state="open").count() == 1
    assert AuditEntry.objects.filter(verb__startswith="reports.").count() == 1


def test_of_two_who_hide_what_nobody_reported_one_counts(both_have_looked, monkeypatch):
    monkeypatch.setattr(core, "report", lambda **kwargs: None)
    assert two_decide(("hide", "hide")) == ["decided", "too late"]
    assert AuditEntry.objects.filter(verb="discussions.post_hidden").count() == 1


def test_without_the_lock_both_would_get_to_act(both_have_looked, monkeypatch):
    """The control: both read "open, visible"; a thing that nobody reported is then hidden twice, and told twice."""
    monkeypatch.setattr(desk, "hold_case", lambda kind, pk: None)
    monkeypatch.setattr(core, "report", lambda **kwargs: None)
    assert two_decide(("hide", "hide")) == ["decided", "decided"]


@pytest.fixture
def both_have_told(monkeypatch):
    """Neither is done before both have written their report and counted (or one waits for the lock)."""
    meet_after(monkeypatch, core, "hide_if_enough")


def two_tell():
    post, reporters = make_post(), [make_member(), make_member()]

    at_once(
        *[partial(core.report, reporter=reporter, target=post, reason="unkind") for reporter in reporters]
    )
    return Post.objects.get(pk=post.pk)


def test_two_reports_at_once_hide_once(both_have_told):
    assert two_tell().state == "hidden"
    assert AuditEntry.objects.filter(verb="discussions.post_hidden").count() == 1
    assert OutgoingMail.objects.filter(kind="hub.hidden").count() == 1


def test_without_the_lock_each_would_see_its_own_report_only(both_have_told, monkeypatch):
    monkeypatch.setattr(core, "hold_case", lambda kind, pk: None)
    assert two_tell().state == "visible"
