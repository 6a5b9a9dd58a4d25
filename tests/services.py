"""A plugin (pytest -p): embedded Postgres and Redis for this run, before Django's settings are read.

Only the first process starts them; pytest-xdist's workers inherit the environment."""

import importlib.util, os, shutil, tempfile
from pathlib import Path

_services = None


def _start():
    global _services
    spec = importlib.util.spec_from_file_location(
        "kmnet_embedded", Path(__file__).parent.parent / "kmnet" / "embedded.py"
    )
    embedded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(embedded)
    state = Path(tempfile.mkdtemp(prefix="kmnet-test-", dir="/var/tmp" if os.geteuid() == 0 else None))
    _services = embedded.Services(state, durable=False)
    _services.__enter__()
    os.environ.update(_services.env)


if "DATABASE_URL" not in os.environ:
    _start()


def pytest_unconfigure(config):
    global _services
    if _services and not hasattr(config, "workerinput"):
        _services.__exit__()
        shutil.rmtree(_services.state, ignore_errors=True)
        _services = None
