"""In which language a text is written, told by its letters and its smallest words. No model, no download.

Letters of their own tell Arabic, Greek, Hindi, Japanese and others at once. Among the languages in Latin letters that
our members write most, the one wins whose small words (“the”, “und”, “que”) are clearly the most frequent. Where that is
not clear, as in a short text, it is the language that the caller expects.
"""

import re
from collections import Counter

FEWEST_LETTERS = 20
FEWEST_WORDS = 6
CLEARLY = 1.5  # times as many small words as the next language

SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),  # before Chinese: Japanese has its characters, too
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh-hans", re.compile(r"[\u4e00-\u9fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
UKRAINIAN = re.compile(r"[іїєґ]", re.IGNORECASE)

SMALL_WORDS = {
    "en": "the of and to in is that for it with as was on are this be at by from have or an not but they you we which "
    "what how do does there their would can my your our has had were been if about when who will more",
    "fr": "le la les de des du un une et est dans que qui pour pas sur avec ce cette ces nous vous ils elle sont plus par "
    "au aux ne se ou mais comme être avoir fait leur nos je il on y a été",
    "es": "el la los las de del que y en un una es por con para no se su sus lo como más pero al este esta estos son ha "
    "han hay nos muy ya también entre cuando donde fue ser o le me mi",
    "pt": "o a os as de do da dos das que e em um uma é por com para não se seu sua ao mais mas como no na nos nas foi "
    "são ser está isto esta este também já muito eu nós você ou há pelo pela",
    "de": "der die das und ist in den von zu mit sich auf für nicht ein eine einen dem des im es ich wir sie er auch als "
    "an werden aus bei oder wie haben hat sind war nach wird um noch nur über aber wenn dass kann",
    "nl": "de het een van en in is dat op te voor met zijn niet aan er die als ook bij door maar om naar dan nog wel wij "
    "we ik je hun heeft hebben was wordt kan of uit over deze dit meer geen",
    "it": "il lo la i gli le di del della dei delle che e è in un una per con non si da dal al alla sono come più ma anche "
    "questo questa ha hanno nel nella ci mi ti se o essere stato",
    "sw": "na ya wa kwa ni za la katika cha kuwa hii hiyo huu kama pia au si lakini sana watu wetu yetu hii kutoka baada "
    "vya bila hivyo huo nini gani sisi wao mimi",
}
WORDS = {code: frozenset(words.split()) for code, words in SMALL_WORDS.items()}
NOT_WORDS = re.compile(
    r"```.*?```|`[^`]*`|^>[^\n]*$|https?://\S+|\]\([^)]*\)|@[\w-]+", re.DOTALL | re.MULTILINE
)


def language_of(text: str, *, expected: str) -> str:
    """The code of the language that the Markdown `text` is written in; quotes, code and addresses do not count."""
    text = NOT_WORDS.sub(" ", text[:20_000])
    letters = sum(1 for char in text if char.isalpha())
    if not letters:
        return expected
    for code, script in SCRIPTS:
        found = len(script.findall(text))
        if found * 3 > letters or (code in ("ja", "ko", "zh-hans") and found * 6 > letters):
            return code
    if len(CYRILLIC.findall(text)) * 2 > letters:
        return "uk" if UKRAINIAN.search(text) else "ru"
    words = re.findall(r"[^\W\d_]+", text.lower())
    if letters < FEWEST_LETTERS or len(words) < FEWEST_WORDS:
        return expected
    counts = Counter({code: sum(word in small for word in words) for code, small in WORDS.items()})
    (first, most), (_second, next_most) = counts.most_common(2)
    if most * 8 < len(words) or most < next_most * CLEARLY:
        return expected
    return first
