"""The locks: hashes for everything, and no trace of the machine or the index that they were compiled with."""

import re

import pytest

from .loading import ROOT, dev


def test_locks_hold_packages_and_hashes_only():
    assert dev.faults_of_locks(dev.read_locks()) == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example/simple",
        "--find-links /home/somebody/wheels",
        "thing @ https://files.example/thing.whl \\",
        "thing @ file:///home/somebody/thing.whl",
        "-e ../thing",
        "thing==1.0",
        "# from https://index.example",
    ],
)
def test_line_with_an_address_a_path_or_no_hash_is_found(line):
    assert len(dev.faults_of_locks({"some.txt": f"{line}\n"})) == 1


@pytest.mark.parametrize("name", dev.LOCKS)
def test_everything_asked_for_is_locked(name):
    asked = (ROOT / "requirements" / f"{name}.in").read_text()
    names = {re.match(r"[\w.-]+", line)[0] for line in asked.splitlines() if re.match(r"\w", line)}
    locked = set(
        re.findall(r"^([\w.-]+)(?:\[.*\])?==", dev.read_locks()[f"requirements/{name}.txt"], re.MULTILINE)
    )
    assert names - locked == set()
