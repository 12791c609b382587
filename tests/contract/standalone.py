"""The API over memory, in a process of its own; says its port. Its argument: how long requests may go on when it stops."""

import socket
import sys

from sightline.api.app import build
from sightline.api.server import serve
from sightline.api.settings import ApiSettings
from tests.contract.serving import World


def main() -> None:
    world = World(ApiSettings(stop_s=float(sys.argv[1])))
    line = socket.create_server(("127.0.0.1", 0))
    print(line.getsockname()[1], flush=True)
    serve(build(world.backend(), world.settings), [line], world.settings)


if __name__ == "__main__":
    main()
