"""In which language a text is written."""

import pytest

from kmnet.core.language import language_of

TEXTS = {
    "en": "We met the board twice, and each time they asked for numbers that we do not have.",
    "fr": "Nous avons rencontré la direction deux fois, et chaque fois on nous demande des chiffres que nous n’avons pas.",
    "es": "Nos reunimos con la dirección dos veces y cada vez nos piden los números que no tenemos.",
    "pt": "Nós falamos com a direção duas vezes e de cada vez eles pedem os números que não temos.",
    "de": "Wir haben die Leitung zweimal getroffen, und jedes Mal will sie Zahlen, die wir nicht haben.",
    "nl": "Wij hebben het bestuur twee keer gesproken en elke keer vragen ze om cijfers die we niet hebben.",
    "it": "Abbiamo incontrato la direzione due volte, e ogni volta ci chiedono i numeri che non abbiamo.",
    "sw": "Tulikutana na bodi mara mbili, na kila mara wanataka takwimu ambazo hatuna kwa sasa ya kazi yetu.",
    "ar": "كيف نلخّص الأدلة لفرق التمريض في مناوبات الليل؟",
    "hi": "हम रात की पाली के नर्सों के लिए साक्ष्य कैसे संक्षेप करें?",
    "ja": "夜勤の看護師のために根拠をどうまとめますか。",
    "zh-hans": "我们如何为夜班护士团队总结证据？",
    "ru": "Как мы обобщаем данные для ночных смен медсестёр?",
    "uk": "Як ми узагальнюємо дані для нічних змін медсестер і їхніх керівників?",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items(), ids=list(TEXTS))
def test_language_is_told_by_letters_and_small_words(code, text):
    assert language_of(text, expected="mi") == code


@pytest.mark.parametrize(
    "text", ["", "OK!", "Merci @ada", "12:30", "KT KMb EPOC RE-AIM CFIR NPT", "Kia ora koutou katoa"]
)
def test_what_is_short_or_unclear_is_in_the_expected_language(text):
    assert language_of(text, expected="mi") == "mi"


def test_quotes_and_code_and_addresses_do_not_count():
    quoted = "\n".join(f"> {TEXTS['en']}" for _time in range(5))
    assert language_of(f"{quoted}\n\n```\n{TEXTS['es']}\n```\n{TEXTS['fr']}", expected="mi") == "fr"
