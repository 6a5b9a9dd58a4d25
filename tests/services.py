"""A plugin (pytest -p): the servers that the tests need, before Django's settings are read.

Only what is not named by DATABASE_URL or REDIS_URL is started, by the first process only: xdist's workers inherit the
two variables. The servers and their data go with the run; a migrated template is kept for the next.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE_MADE = (
    "KMNET_TESTS_TEMPLATE_MADE"  # names a file that tests.databases makes when the template is complete
)
_running = None

# Where no bytecode is kept (containers often say so), each worker would compile all tests anew, a dozen seconds each.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _load_embedded():
    """By its path: importing the package kmnet would import Celery, and read the settings too early."""
    spec = importlib.util.spec_from_file_location("kmnet_embedded", ROOT / "kmnet" / "embedded.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


embedded = _load_embedded()


def _start_missing():
    global _running
    missing = embedded.missing_services()
    if not missing:
        return
    # /tmp of root may be private to it, and Postgres runs as another user there.
    place = Path("/var/tmp" if os.geteuid() == 0 else tempfile.gettempdir())
    _sweep(place)
    state = Path(tempfile.mkdtemp(prefix="kmnet-test-", dir=place))
    if "postgres" in missing and _kept_cluster().exists():
        subprocess.run(["cp", "-a", str(_kept_cluster()), str(state / "pg")], check=True)
    _running = embedded.Services(missing, state=state, durable=False)
    _running.__enter__()
    os.environ.update(_running.addresses())
    if "postgres" in missing:
        os.environ[TEMPLATE_MADE] = str(state / "template-made")


def _sweep(place: Path) -> None:
    """Runs that were killed could not remove their data."""
    for left in place.glob("kmnet-test-*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > 24 * 3600:
                shutil.rmtree(left, ignore_errors=True)


def _kept_cluster() -> Path:
    """The servers' data of an earlier run, with the migrated template, if the same migrations made it."""
    made_of = hashlib.sha256(str(embedded.postgres_programs()).encode())
    for pattern in (
        "*/migrations/*.py",
        "kmnet/*/migrations/*.py",
        "kmnet/core/data/*",
        "kmnet/core/public_changes.py",  # its triggers come after each migration
        "requirements/base.txt",
    ):
        for path in sorted(ROOT.glob(pattern)):
            made_of.update(path.read_bytes())
    return embedded.open_state() / f"tests-{made_of.hexdigest()[:16]}"


def _keep_cluster(state: Path) -> None:
    """It has stopped; if its template is complete, the next run starts from a copy. Only the latest is kept."""
    kept = _kept_cluster()
    if kept.exists() or not Path(os.environ[TEMPLATE_MADE]).exists():
        return
    for old in kept.parent.glob("tests-*"):
        shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(OSError):  # another run was faster
        (state / "pg").rename(kept)


_start_missing()


def pytest_configure(config):
    """After the packages' own plugins, so that our fixtures override theirs."""
    for name in ("tests.databases", "tests.browser_plugin"):
        config.pluginmanager.import_plugin(name)


def pytest_unconfigure(config):
    global _running
    if _running:
        _running.__exit__()
        if "postgres" in _running.wanted:
            _keep_cluster(_running.state)
        shutil.rmtree(_running.state, ignore_errors=True)
        for name in (*_running.addresses(), TEMPLATE_MADE):
            os.environ.pop(name, None)
        _running = None
