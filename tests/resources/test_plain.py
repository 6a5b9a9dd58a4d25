import pytest

from resources import plain
from resources.plain import look_over, sentences_of, unexplained


def words(count: int) -> str:
    return " ".join(["word"] * count).capitalize() + "."


@pytest.mark.parametrize(("count", "told"), [(20, 0), (21, 1)])
def test_a_sentence_of_more_than_twenty_words_is_told(count, told):
    advice = look_over(words(count))
    assert len(advice.long_sentences) == told
    assert [number for _sentence, number in advice.long_sentences] == [count] * told


@pytest.mark.parametrize(("count", "told"), [(3, 0), (4, 1)])
def test_a_paragraph_of_more_than_three_sentences_is_told(count, told):
    advice = look_over(" ".join(["We met."] * count))
    assert len(advice.long_paragraphs) == told
    assert advice.is_plain == (not told)


def test_points_of_a_list_and_paragraphs_count_by_themselves():
    text = "One. Two. Three.\n\nFour. Five.\n- Six. Seven.\n- Eight. Nine. Ten.\n2. Eleven."
    assert look_over(text).is_plain


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The NHS asked.", ["NHS"]),
        ("The National Health Service (NHS) asked. The NHS went.", []),
        ("NHS (National Health Service) asked.", []),
        ("PPIE means involving people.", []),
        ("ARCs and PPIE, i-PARIHS and COM-B and R&D.", ["ARC", "PPIE", "i-PARIHS", "COM-B", "R&D"]),
        ("The UK and a PDF, COVID-19.", []),
        ("READ THIS FIRST\n\nThen go on.", []),
        ("A plan I had. In A and E.", []),
        ("Two NHS, and NHS again", ["NHS"]),
    ],
)
def test_letters_that_nothing_explains(text, found):
    assert unexplained(text) == found


def test_full_stops_that_end_nothing():
    assert sentences_of("Use it, e.g. on Fridays. Dr. Smith and J. Doe did.") == [
        "Use it, e.g. on Fridays.",
        "Dr. Smith and J. Doe did.",
    ]


def test_markdown_and_addresses_are_not_words():
    text = "# Title\n\n**Read** [the whole of it](https://example.org/NHS/PPIE) at https://example.org/ABC."
    assert look_over(text).is_plain


@pytest.mark.parametrize("text", ["", "   \n", "...", "(" * 5000, "A" * 20_000, "a. " * 7000, "[](" * 4000])
def test_odd_texts_give_an_answer(text):
    assert look_over(text).words >= 0


def test_a_long_line_is_not_read_anew_for_each_abbreviation(monkeypatch):
    """It is asked of the web while somebody types: 20,000 characters of capitals took seconds."""
    text, words, read = "AB " * 2000, plain._WORD, []

    class Reading:
        def findall(self, part):
            read.append(len(part))
            return words.findall(part)

        search = words.search

    monkeypatch.setattr(plain, "_WORD", Reading())
    look_over(text)
    assert sum(read) <= 3 * len(text)
