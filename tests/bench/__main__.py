"""python3 dev.py bench [--members N] [--posts N] [--resources N] [--long N] [--times N] [--seconds N] [--only WORD]
[--digests N] [--keep FOLDER]"""

import argparse
import os
import sys
import time

import django


def main() -> int:
    options = parse()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kmnet.settings")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from discussions.models import Post, Thread
    from kmnet.core.startup import keep_what_is_loaded
    from kmnet.demo.load import load, load_resources
    from members.models import Member
    from resources.models import Resource

    from . import digests, measure, pages  # they import models

    began = time.monotonic()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("demo", verbosity=0)
    if Member.objects.filter(handle__startswith="crowd-").exists():
        made = "as it was kept"
        if not Resource.objects.filter(tags__slug__startswith="load-").exists():
            load_resources(number=options.resources)
    else:
        load(
            members=options.members,
            posts=options.posts,
            long_thread=options.long,
            resources=options.resources,
        )
        made = f"made in {time.monotonic() - began:.0f} s"
    long = Thread.objects.select_related("space").order_by("-last_number").first()
    tell(
        f"{Member.objects.count()} members, {Post.objects.count()} posts, {Resource.objects.count()} resources, "
        f"one thread of {long.last_number}; {made}. "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}."
    )
    people = {
        name: Member.objects.get(email=f"{name}@demo.kmnet.example") for name in ("member", "organiser")
    }
    clients = {"": Client(SERVER_NAME="localhost")}
    cookies = {"": ""}
    for name, person in people.items():
        clients[name] = Client(SERVER_NAME="localhost")
        clients[name].force_login(person)
        cookies[name] = (
            f"{settings.SESSION_COOKIE_NAME}={clients[name].cookies[settings.SESSION_COOKIE_NAME].value}"
        )

    keep_what_is_loaded()  # as the web server does (kmnet/wsgi.py)
    with measure.serving("tests.bench.bare:application", server=measure.GUNICORN) as port:
        bare = measure.cpu_per_request(port, "/", "", seconds=options.seconds)
    tell(f"A bare Django view under gunicorn: {bare:.2f} ms of CPU a request.\n")
    tell(f"{'':26} {'queries':>7} {'p50 ms':>7} {'p95 ms':>7} {'KB':>5} {'CPU ms':>7} {'x bare':>7}")
    failed = False
    with measure.serving("kmnet.wsgi:application", server=measure.GRANIAN) as port:
        for page in pages.main_pages(viewer=people["member"], long=long):
            if options.only not in page.label:
                continue
            try:
                inside = measure.measure_inside(clients[page.by], page.address, times=options.times)
                cpu = measure.cpu_per_request(port, page.address, cookies[page.by], seconds=options.seconds)
            except LookupError as trouble:
                failed = True
                tell(f"{page.label:26} {page.address} {trouble}")
                continue
            tell(line_of(page, inside, cpu, bare))
    if options.only in pages.REPLY.label:
        inside, cpu = measure.measure_posting(
            clients["member"], pages.reply_address(long), times=min(options.times, 40)
        )
        tell(line_of(pages.REPLY, inside, cpu, bare))
        tell("  (posting: CPU of this process and the servers, without the web server’s own)")
    if options.only in "digests":
        tell(told_of(digests.measure_digests(options.digests)))
    return int(failed)


def told_of(made) -> str:
    """PRODUCT.md wants 200 a second and core; a star where there are fewer."""
    rate = 1000 / made.milliseconds
    parts = ", ".join(f"{name} {spent / made.spent.total():.0%}" for name, spent in made.spent.items())
    return (
        f"digests: {made.letters} made, {made.withheld} with nothing new; {rate:.0f} a second and core"
        f"{'*' if rate < 200 else ''} ({made.milliseconds:.2f} ms each: {parts}),"
        f" {made.size / max(1, made.letters) / 1024:.0f} KB each; memory {' '.join(map(str, made.memory))} MB"
    )


def line_of(page, inside, cpu: float, bare: float) -> str:
    """A star marks what PRODUCT.md's numbers do not allow."""
    over = {
        "queries": inside.queries > 12,
        "p95": inside.p95 > 60,
        "bare": page.most_times_bare is not None and cpu / bare > page.most_times_bare,
    }
    star = {name: "*" if is_over else " " for name, is_over in over.items()}
    return (
        f"{page.label:26} {inside.queries:6}{star['queries']} {inside.median:7.1f} {inside.p95:6.1f}{star['p95']} "
        f"{inside.size / 1024:5.0f} {cpu:7.1f} {cpu / bare:6.1f}{star['bare']}"
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=sys.modules["tests.bench"].__doc__)
    parser.add_argument("--members", type=int, default=5_000)
    parser.add_argument("--posts", type=int, default=50_000)
    parser.add_argument("--resources", type=int, default=5_000)
    parser.add_argument("--long", type=int, default=2_000, help="posts of the longest thread")
    parser.add_argument(
        "--times", type=int, default=40, help="requests inside the process, for the percentiles"
    )
    parser.add_argument("--seconds", type=float, default=3, help="how long each page is asked for over HTTP")
    parser.add_argument("--only", default="", help="only pages with this in their names")
    parser.add_argument("--digests", type=int, default=2_000, help="members whose weekly digest is made")
    parser.add_argument("--keep", help="a folder in which the servers’ data stays for the next time")
    return parser.parse_args()


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
