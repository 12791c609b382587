"""The API over memory, in a process of its own; says its port."""

import socket

from sightline.api.app import build
from sightline.api.server import serve
from tests.contract.serving import World


def main() -> None:
    world = World()
    line = socket.create_server(("127.0.0.1", 0))
    print(line.getsockname()[1], flush=True)
    serve(build(world.backend(), world.settings), [line], world.settings)


if __name__ == "__main__":
    main()
