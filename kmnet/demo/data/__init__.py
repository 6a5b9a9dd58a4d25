"""What the demo is made of, as people would write it down."""

from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


def read(name: str):
    """One of the YAML files beside this one."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
