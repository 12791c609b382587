"""Real servers for the tests, on loopback, without a container engine.

    python -m tests.servers install [NAME...]           put the server into the cache, start nothing
    python -m tests.servers start [NAME...] --dir DIR   start (or find running), wait until it answers
    python -m tests.servers ready [NAME...] --dir DIR   exit 0 when every one answers a client
    python -m tests.servers stop [NAME...] --dir DIR    end them, by process id; --kill: SIGKILL at once

NAME is kafka, postgres, s3, seaweed or mongo; `compose`, `kubernetes` and `prometheus`, which read files for those, can be installed. Each answer is one JSON object on standard output. Exit code 3: the machine lacks a tool
(Java, Go, ...) and the message says which; 1: anything else.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.servers.programs import PROGRAMS, SERVERS, Missing, ServiceError
from tests.servers.services import load, ready, start, stop


def install(name: str) -> dict:
    began = time.monotonic()
    PROGRAMS[name]().install()
    return {"seconds": round(time.monotonic() - began, 2)}


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("command", choices=["install", "start", "ready", "stop"])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(SERVERS)}; all when none is named"
    )
    parser.add_argument("--dir", help="where the servers keep everything")
    parser.add_argument("--kill", action="store_true", help="stop: SIGKILL, as in a crash")
    options = parser.parse_args()
    names = options.names or list(SERVERS)
    known = PROGRAMS if options.command == "install" else SERVERS
    if set(names) - set(known) or (options.command != "install" and not options.dir):
        parser.error(f"it is one of {', '.join(known)}, and all but install need --dir")
    if options.command in ("ready", "stop") and not options.names:
        names = [name for name in SERVERS if load(Path(options.dir) / name)]
    act = {
        "install": install,
        "start": lambda name: start(name, options.dir),
        "ready": lambda name: ready(name, options.dir),
        "stop": lambda name: stop(name, options.dir, options.kill),
    }[options.command]
    try:
        answer = {name: act(name) for name in names}
    except ServiceError as problem:
        print(f"services: {problem}", file=sys.stderr)
        return 3 if isinstance(problem, Missing) else 1
    print(json.dumps(answer, indent=1))
    return 0 if options.command == "stop" or all(answer.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
