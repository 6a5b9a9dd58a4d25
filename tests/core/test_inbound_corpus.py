"""Replies as mail programs send them, each beside the words that are to be kept (tests/inbound_corpus)."""

from pathlib import Path

import pytest

from kmnet.core.inbound.automatic import why_automatic
from kmnet.core.inbound.reading import read

CORPUS = sorted((Path(__file__).parent.parent / "inbound_corpus").glob("*.eml"))


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_the_new_words_are_kept_and_no_others(path):
    mail = read(path.read_bytes())

    assert mail.body.words == path.with_suffix(".txt").read_text().strip()
    assert (mail.sender, mail.is_encrypted, mail.attachments) == ("ana@example.org", False, [])
    assert why_automatic(mail, envelope_sender="ana@example.org") == ""


def test_the_corpus_is_large_enough():
    assert len(CORPUS) >= 60
