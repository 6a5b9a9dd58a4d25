"""Signed links: for one purpose, until their time, by us alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing

from kmnet.core import tokens


def test_token_gives_back_what_was_put_in():
    token = tokens.make("offer", registration=7, note="Zoë")

    assert tokens.read("offer", token) == {"registration": 7, "note": "Zoë"}


def test_token_of_one_purpose_is_worth_nothing_for_another():
    token = tokens.make("offer", registration=7)

    with pytest.raises(tokens.BadToken):
        tokens.read("cancel", token)


def test_every_changed_character_is_noticed():
    token = tokens.make("offer", lifetime=timedelta(days=1), registration=7)
    for at, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        # The last character of a base64 part holds spare bits; a change there may decode to the same bytes.
        if at + 1 == len(token) or token[at + 1] == ":":
            continue
        with pytest.raises(tokens.BadToken):
            tokens.read("offer", token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("token", ["", "x", "a:b", "a:b:c", "é", "\x00", "A" * 5000])
def test_nonsense_is_a_bad_token_and_no_error(token):
    with pytest.raises(tokens.BadToken):
        tokens.read("offer", token)


def test_token_cut_on_its_way_is_bad():
    with pytest.raises(tokens.BadToken):
        tokens.read("offer", tokens.make("offer")[:-5])


def test_what_we_signed_for_other_ends_is_no_token():
    with pytest.raises(tokens.BadToken):
        tokens.read("offer", signing.dumps(["not", "ours"], salt="kmnet.token.offer"))


def test_signature_has_256_bits():
    signature = tokens.make("offer").rsplit(":", 1)[1]

    assert len(signing.b64_decode(signature.encode())) * 8 == 256


def test_token_ends_at_its_time(time_machine):
    time_machine.move_to(datetime(2026, 11, 20, tzinfo=UTC), tick=False)
    token = tokens.make("unsubscribe", lifetime=tokens.TWO_YEARS, m=1)
    endless = tokens.make("unsubscribe", m=1)

    time_machine.move_to(datetime(2028, 11, 18, 23, 59, 59, tzinfo=UTC), tick=False)
    assert tokens.read("unsubscribe", token) == {"m": 1}

    time_machine.move_to(datetime(2028, 11, 19, tzinfo=UTC), tick=False)
    with pytest.raises(tokens.ExpiredToken) as expired:
        tokens.read("unsubscribe", token)
    assert expired.value.data == {"m": 1}
    assert tokens.read("unsubscribe", endless) == {"m": 1}


def test_token_outlives_a_change_of_the_secret_key(settings):
    token = tokens.make("offer", registration=7)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-that-is-long-enough-0123456789"

    settings.SECRET_KEY_FALLBACKS = [old]
    assert tokens.read("offer", token) == {"registration": 7}
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(tokens.BadToken):
        tokens.read("offer", token)


def test_hidden_tokens_are_worthless():
    with tokens.hidden():
        token = tokens.make("offer", registration=7)

    with pytest.raises(tokens.BadToken):
        tokens.read("offer", token)
    assert tokens.read("offer", tokens.make("offer")) == {}
