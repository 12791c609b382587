"""A worker that answers every question about tracks without an end, in a process of its own; its argument: its socket."""

import sys
import threading
from pathlib import Path

from sightline.serving.rpc import Server


def main() -> None:
    line = b"x" * 1023 + b"\n"
    answer = {"type": "application/x-ndjson"}
    streams = {
        "records": lambda **_: (answer, iter(lambda: line * 64, None)),
        "audit": lambda **_: ({"type": "application/json", "bytes": 2}, iter([b"{}"])),
    }
    server = Server(Path(sys.argv[1]), {}, streams)
    print("ready", flush=True)
    threading.Event().wait()
    server.close()


if __name__ == "__main__":
    main()
