"""The template tags that all apps share, and moments in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django import forms
from django.template import Context, Template
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from kmnet.core import moments
from kmnet.core.search import SearchText
from kmnet.core.templatetags import kmnet as tags

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday


@pytest.fixture(autouse=True)
def _in_london():
    with timezone.override(ZoneInfo("Europe/London")), time_machine.travel(NOW, tick=False):
        yield


def show(source: str, **context) -> str:
    return Template("{% load kmnet %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=40), "40 minutes ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(hours=10), "10 hours ago"),  # last night, but not half a day ago
        (timedelta(hours=20), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=14), "10 November"),
        (timedelta(days=400), "20 October 2025"),
        (-timedelta(days=1), "tomorrow, 09:00"),
    ],
)
def test_how_long_ago(before, words):
    assert moments.ago(NOW - before) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW, "today, 09:00"),
        (NOW - timedelta(days=1), "yesterday, 09:00"),
        (NOW - timedelta(days=4), "Friday, 09:00"),
        (NOW - timedelta(days=8), "Monday 16 November, 09:00"),
        (NOW + timedelta(days=9, hours=4), "Thursday 3 December, 13:00"),
        (NOW + timedelta(days=60), "Saturday 23 January 2027, 09:00"),
    ],
)
def test_a_moment_by_day_and_hour(moment, words):
    assert moments.in_words(moment) == words


def test_a_time_is_the_readers_own():
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        html = show("{% localtime_tag at %}", at=NOW - timedelta(days=8))
    assert html == (
        '<time datetime="2026-11-16T18:00+09:00" title="Monday 16 November 2026, 18:00">Monday 16 November, 18:00</time>'
    )


def test_guests_read_a_moment_in_three_places():
    late = datetime(2026, 12, 3, 22, 30, tzinfo=UTC)
    assert moments.world_clock(late) == [
        "Thursday 3 December, 22:30 London",
        "17:30 Toronto",
        "Friday, 01:30 Nairobi",
    ]


def test_a_hit_is_marked_and_all_else_escaped():
    assert tags.highlight("a <b>\ue000broker\ue001</b>") == "a &lt;b&gt;<mark>broker</mark>&lt;/b&gt;"
    assert tags.highlight("cut \ue000in the middle") == "cut in the middle"


@pytest.mark.django_db
def test_words_that_were_sought_are_marked_in_their_forms():
    marked = tags.highlight("Mobilising <knowledge> again", SearchText("mobilisation"))
    assert marked == "<mark>Mobilising</mark> &lt;knowledge&gt; again"


def test_a_facet_is_put_in_and_taken_out_from_page_one(rf):
    request = rf.get("/library/?kind=tool&kind=guide&q=falls&after=x9")
    assert tags.toggled({"request": request}, "kind", "paper") == "?kind=tool&kind=guide&kind=paper&q=falls"
    assert tags.toggled({"request": request}, "kind", "tool") == "?kind=guide&q=falls"


def test_names_are_joined_and_escaped():
    assert tags.join_names(["Ada", "Ben", "<Chi>"]) == "Ada, Ben and &lt;Chi&gt;"
    assert tags.join_names(["Ada"]) == "Ada"


def test_an_avatar_stands_for_nobody_too():
    assert tags.avatar(None) == '<span class="avatar tint-1" aria-hidden="true">·</span>'


def test_a_browser_is_named_in_words():
    firefox = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
    assert tags.browser_in_words(firefox) == "Firefox on Android"
    assert tags.browser_in_words("curl") == "A browser that does not say its name"


class Form(forms.Form):
    name = forms.CharField(help_text="As you would like to be greeted.")
    hello = forms.CharField(widget=forms.Textarea, required=False)
    can = forms.MultipleChoiceField(
        choices=[("a", "searching"), ("b", "boards")],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "picks"}),
    )
    agree = forms.BooleanField(label="I agree", help_text="To this")
    why = forms.CharField(label="Why?")


def test_a_form_ties_label_hint_error_and_control():
    html = str(Form({"hello": "I was <here>"}))
    assert '<label for="id_hello">Hello <span class="hint">(optional)</span></label>' in html
    assert '<div class="hint" id="id_name_helptext">As you would like to be greeted.</div>' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert "<legend>Can</legend>" in html
    assert 'class="pick"' in html
    assert "I was &lt;here&gt;</textarea>" in html
    assert '<a href="#id_can_0">Can: this is needed</a>' in html
    assert '<a href="#id_why">Why? This is needed</a>' in html
    assert html.index("error-summary") < html.index('id="id_name"')


def test_a_form_without_errors_has_no_summary():
    assert "error-summary" not in str(Form({"name": "Iris", "can": ["a"], "agree": "on", "why": "So"}))


def test_a_captured_block_is_used_twice():
    assert show("{% capture as x %} once {% endcapture %}{{ x }}, {{ x }}") == "once, once"


def test_the_title_tells_of_errors_without_waking_what_is_lazy():
    form = Form({"name": ""})
    form.is_valid()

    def wake():
        raise AssertionError("woken")

    assert tags.page_has_errors(Context({"csrf_token": SimpleLazyObject(wake), "form": form})) is True
    assert tags.page_has_errors(Context({"form": Form()})) is False
