"""What the fuzzer of the API (Schemathesis) needs besides the document: ids that are there, and bodies that are bytes.

Named by SCHEMATHESIS_HOOKS; with an argument it is the service that is fuzzed, and says its port.
"""

import hashlib
import socket
import sys

import schemathesis

JOBS = [f"00000000-0000-4000-8000-0000000000{n:02x}" for n in range(0x20, 0x60)]
SOME = 3  # of four ids that are made up, so many are those of a job


@schemathesis.serializer("application/offset+octet-stream", "video/mp4")
def as_bytes(context, value):
    """A body that is bytes goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.check
def no_unstated_error(context, response, case):
    """A 5xx is one that says what is not there, and when to ask again."""
    if response.status_code >= 500:
        stated = response.status_code in (503, 507) and "retry-after" in response.headers
        assert stated, f"{response.status_code}: {response.text[:500]}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Ids are mostly those of jobs that have ended: events of others have no end."""
    if path_parameters:
        for name in ("job_id", "event_id"):
            if name in path_parameters:
                seed = hashlib.sha256(repr(sorted(path_parameters.items())).encode()).digest()
                if seed[0] % 4 < SOME:
                    path_parameters[name] = JOBS[seed[1] % len(JOBS)]
    return path_parameters


def main() -> None:
    from sightline.api.app import build
    from sightline.api.server import serve
    from sightline.api.settings import ApiSettings
    from tests.contract.serving import World
    from tests.contract.test_results import stored

    world = World(ApiSettings(stop_s=1.0, rate=0.0, stall_s=2.0), ids=0x1000)
    for n, job_id in enumerate(JOBS):
        stored(world, job_id, "failed" if n % 4 == 0 else "ready")
    line = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{line.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(build(world.backend(), world.settings), [line], world.settings)


if __name__ == "__main__":
    main()
