"""Parts made once show what they are given, in the language of the reader, and nothing else."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.engine import Engine
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from kmnet.core.addresses import address
from kmnet.core.pure import KEPT, pure

ROW = Template(
    "{% load i18n %}{% pure who=who n=n %}{{ who }} {{ n }} {% translate 'Search' %} {{ hidden }}{% endpure %}"
)


def row(**values) -> str:
    return ROW.render(Context({"hidden": "unseen", "n": 1, **values}))


def test_each_set_of_values_has_its_own_words():
    assert row(who="Ada") == "Ada 1 Search "
    assert row(who="Ben") == "Ben 1 Search "
    assert row(who="Ada", n=2) == "Ada 2 Search "
    assert row(who="Ada") == "Ada 1 Search "


def test_safe_text_is_not_taken_for_text_nor_one_for_true():
    assert row(who=mark_safe("<b>")) == "<b> 1 Search "
    assert row(who="<b>") == "&lt;b&gt; 1 Search "
    assert row(who="Ada", n=True) == "Ada True Search "
    assert row(who=("Ada", mark_safe("<i>")))[:13] == "(&#x27;Ada&#x"


def test_another_language_is_another_part():
    words = gettext_lazy("Yes")  # Django's own: it has a French one
    template = Template("{% pure words=words %}{{ words }}{% endpure %}")
    said = []
    for language in ("en", "fr", "en"):
        with translation.override(language):
            said.append(template.render(Context({"words": words})))
    assert said == ["Yes", "Oui", "Yes"]


def test_what_has_words_of_the_hour_or_changes_while_equal_is_refused():
    for value in (timezone.now(), object(), ["a", "list"]):
        with pytest.raises(TypeError, match="moment|compared"):
            row(who=value)


def test_a_block_inside_is_refused_and_each_value_has_a_name():
    for source in ("{% pure %}{% block a %}{% endblock %}{% endpure %}", "{% pure who %}{% endpure %}"):
        with pytest.raises(TemplateSyntaxError):
            Template(source)


def test_the_oldest_goes_when_there_are_many():
    template = Template("{% pure n=n %}{{ n }}{% endpure %}")
    for n in range(KEPT + 10):
        assert template.render(Context({"n": n})) == str(n)
    assert len(template.nodelist[0].made) == KEPT


def test_functions_are_asked_once_for_each_language():
    calls = []

    @pure(maxsize=10)
    def greet(name):
        calls.append(name)
        return f"{translation.gettext('Yes')}, {name}"

    with translation.override("fr"):
        assert [greet("Ada"), greet("Ada")] == ["Oui, Ada"] * 2
    assert greet("Ada") == "Yes, Ada"
    assert calls == ["Ada", "Ada"]


def test_addresses_are_those_of_django(settings):
    assert address("members:profile", "ada") == reverse("members:profile", args=["ada"])
    with pytest.raises(NoReverseMatch):
        address("members:profile")
    page = Template(
        "{% url 'members:profile' who %} {% url 'members:profile' handle=who %} {% url 'x:y' as no %}{{ no }}"
    )
    assert page.render(Context({"who": "ada"})) == "/members/ada/ /members/ada/ "


def test_words_with_values_are_translated_as_by_django():
    ours, djangos = Engine.get_default(), Engine(libraries={"i18n": "django.templatetags.i18n"})
    source = (
        "{% load i18n %}{% for n in ns %}"
        "{% blocktranslate count counter=n trimmed %}One 100% day\n of {{ who }}{% plural %}"
        "{{ counter }} days of {{ who }} {{ missing }}{% endblocktranslate %} {% blocktrans %}{{ who }}{% endblocktrans %}"
        "{% blocktranslate with w=who context 'x' asvar said %} {{ w }}{% endblocktranslate %}{{ said }}{% endfor %}"
    )
    for language in ("en", "fr"):
        with translation.override(language):
            said = [
                engine.from_string(source).render(Context({"ns": [1, 2, 1, 5], "who": "<Ada>"}))
                for engine in (ours, djangos)
            ]
            assert said[0] == said[1]
            assert "2 days of &lt;Ada&gt;" in said[0]


def test_constant_words_are_translated_as_by_django():
    ours, djangos = Engine.get_default(), Engine(libraries={"i18n": "django.templatetags.i18n"})
    source = (
        "{% load i18n %}{% translate 'Yes' %} {% trans 'Yes' as word %}{{ word }} {% translate word %} "
        "{% translate 'yes' context 'x' %} {% translate '<b> 100%% %s' %} {% translate 'Yes'|upper %} "
        "{% translate 'Yes' noop %}"
    )
    for language in ("en", "fr", "ar", "fr"):
        with translation.override(language):
            ours_said = ours.from_string(source)
            said = [ours_said.render(Context()) for _ in range(2)]
            assert said == [djangos.from_string(source).render(Context())] * 2
