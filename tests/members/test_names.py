import pytest
from django.core.exceptions import ValidationError

from members.names import clean_handle, clean_name, handle_from, plain


@pytest.mark.parametrize(
    "name",
    [
        "Rosalind Achebe", "Étienne Gagnon-Roy", "王小明", "هدى المصري", "Nguyễn Thị Hồng", "O’Neill", "Wanjiku K.",
        "می\u200cخواهم رضا",  # a joiner between Persian letters is part of the spelling
    ],
)  # fmt: skip
def test_names_of_every_alphabet_are_kept(name):
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Ana\x00Silva", "invisible"), ("Ana\nSilva", "invisible"), ("Ana \u202eavliS", "invisible"),
        ("Ana\u200bSilva", "invisible"), ("Ana\u200dSilva", "invisible"), ("\u3164", "invisible"),
        ("Ana\ufeff", "invisible"), ("Ana\ue000", "invisible"), ("Ana\ufe0f", "invisible"), ("Ana\x85", "invisible"),
        ("", "no_letter"), ("   ", "no_letter"), ("123", "no_letter"), ("🙂", "no_letter"),
        ("Buy at http://x.example", "link"), ("www.x.example", "link"), ("ana@x.example", "link"),
        ("<b>Ana</b>", "link"), ("Z" + "\u0336" * 9, "marks"),
    ],
)  # fmt: skip
def test_names_that_cannot_be_seen_or_advertise_are_refused(name, code):
    with pytest.raises(ValidationError) as refusal:
        clean_name(name)
    assert refusal.value.code == code


def test_spaces_in_names_become_single():
    assert clean_name("  Ana   Silva ") == "Ana Silva"


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Étienne Gagnon-Roy", "etienne-gagnon-roy"), ("Łukasz Żółć", "lukasz-zolc"), ("Søren Ærø", "soren-aero"),
        ("O’Neill", "oneill"), ("王小明", "member"), ("Al", "member"), ("A" * 80, "a" * 32),
    ],
)  # fmt: skip
def test_handle_is_made_from_the_name(name, handle):
    assert handle_from(name) == handle


@pytest.mark.parametrize(
    "handle", ["admin", "Settings", "12345", "ab", "-ana", "ana-", "ana_b", "ana b", "a" * 41]
)
def test_reserved_or_odd_handles_are_refused(handle):
    with pytest.raises(ValidationError):
        clean_handle(handle)


def test_handle_is_stored_in_lower_case():
    assert clean_handle(" Ana-Silva ") == "ana-silva"


def test_plain_key_has_no_accents():
    assert plain("Étienne  ŁUKASZ ß") == "etienne lukasz ss"
