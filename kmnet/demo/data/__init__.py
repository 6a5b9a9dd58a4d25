"""What the demo is made of, as people would write it down."""

from pathlib import Path

import yaml

FOLDER = Path(__file__).parent
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # as in kmnet.core.vocabulary


def read(name: str):
    """One of the YAML files beside this one."""
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=LOADER)
