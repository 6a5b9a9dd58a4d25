"""python3 dev.py storm [--people N] [--places N] [--leaving N] [--times N] [--threads N] [--plain]"""

import argparse
import os
import sys
import time

import django


def main() -> int:
    options = parse()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kmnet.settings")
    django.setup()
    from django.core.management import call_command

    from tests.bench import measure
    from tests.factories import make_member

    from . import crowd, scene  # they import models

    began = time.monotonic()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    organiser = crowd.sign_in(make_member(password=None, is_organiser=True))
    people = [crowd.sign_in(make_member(password=None)) for _number in range(options.people)]
    tell(
        f"{options.people} people, {options.places} places; made in {time.monotonic() - began:.0f} s. "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}."
    )
    faults = []
    server = measure.GRANIAN.replace("--blocking-threads 4", f"--blocking-threads {options.threads}")
    with measure.serving("kmnet.wsgi:application", server=server) as port:
        for _time in range(options.times):
            faults += scene.play(port, people, organiser, options, tell)
    for fault in faults:
        tell(f"BROKEN: {fault}")
    tell(f"Rules: {'BROKEN' if faults else 'all hold'}.")
    return int(bool(faults))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py storm", description=sys.modules["tests.storm"].__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--places", type=int, default=100)
    parser.add_argument(
        "--leaving", type=int, default=50, help="how many give their place up in the second storm"
    )
    parser.add_argument("--times", type=int, default=1, help="how many storms, each at an event of its own")
    parser.add_argument(
        "--threads", type=int, default=4, help="of each of the two web workers, as in dev.py bench"
    )
    parser.add_argument("--keep", help="a folder in which the servers’ data stays for the next time")
    return parser.parse_args()


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
