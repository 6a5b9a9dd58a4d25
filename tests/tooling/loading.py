"""dev.py and the two modules that it loads by their path."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def load(relative: str):
    spec = importlib.util.spec_from_file_location(f"loaded_{Path(relative).stem}", ROOT / relative)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


dev, embedded, supervisor = load("dev.py"), load("kmnet/embedded.py"), load("kmnet/supervisor.py")
