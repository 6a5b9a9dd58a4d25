"""The table of variables in docs/operations.md is the whole truth about kmnet/settings.py."""

import re

from .loading import ROOT

READ = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', (ROOT / "kmnet" / "settings.py").read_text()))


def test_every_variable_is_explained_and_none_is_invented():
    doc = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", doc, re.MULTILINE)) == READ


def test_example_sets_what_is_read():
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) - READ == {"POSTGRES_PASSWORD"}
