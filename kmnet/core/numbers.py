"""Small numbers as people write them in a sentence."""

from django.utils.translation import pgettext_lazy

SMALL_NUMBERS = (
    pgettext_lazy("number", "one"),
    pgettext_lazy("number", "two"),
    pgettext_lazy("number", "three"),
    pgettext_lazy("number", "four"),
    pgettext_lazy("number", "five"),
    pgettext_lazy("number", "six"),
    pgettext_lazy("number", "seven"),
    pgettext_lazy("number", "eight"),
    pgettext_lazy("number", "nine"),
    pgettext_lazy("number", "ten"),
)


def in_words(count: int) -> str:
    """two, 14"""
    return str(SMALL_NUMBERS[count - 1]) if 1 <= count <= len(SMALL_NUMBERS) else str(count)
