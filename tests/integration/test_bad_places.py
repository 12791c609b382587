"""What `track` does where its results have no room or no permission: the last rows of docs/reference/bad-input.md.

A full disk is a small file system in memory, mounted in a namespace of the child alone, so that nothing is left behind;
where the system forbids that, the limit of file size that every user may set stands for it.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.integration import bad_files
from tests.integration.test_bad_sources import row
from tests.integration.track_process import PROGRAM, Seen, digests, environment, look, track

WORDS = ("street.mp4", "--model", "sightline-tiny", "--precision", "f32", "--end", "4s")
NAMESPACES = (("unshare", "--map-root-user", "--mount"), ("unshare", "--mount"))
SIZE = 8 * 2**20

# The command runs when little room is left, and again when there is room.
FULL = f"""
set -e
mkdir disk && mount -t tmpfs -o size={SIZE} none disk
head -c "$1" /dev/zero > disk/filler
shift
for turn in first second; do
    "$@" > $turn.out 2> $turn.err && code=0 || code=$?
    echo $code > $turn.exit
    cp -r disk/out $turn
    rm -f disk/filler
done
"""
# The superuser, whom permissions do not bind, gives up what makes him one.
PLAIN = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the demo's clip."""
    (tmp_path / "street.mp4").symlink_to(bad_files.street())
    return tmp_path


@pytest.fixture
def namespace() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; skips loudly where the system has none for us."""
    for words in NAMESPACES:
        probe = [*words, "sh", "-c", "mount -t tmpfs none /mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("this system lets us mount nothing: full disks cannot be made")


@pytest.fixture
def plainly(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`track` as a user whom permissions bind; skips loudly where the superuser cannot become one."""
    prefix = () if os.getuid() else PLAIN
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("the superuser cannot give up his rights here: what permissions forbid cannot be shown")
    return partial(track, folder, prefix=prefix)


def test_a_full_disk_is_said_and_the_same_command_goes_on(folder, namespace):
    """Exit 5; what is there is no run; with room again the run ends with the bytes of one that was never stopped."""
    command = [*PROGRAM, "track", *WORDS, "--no-progress", "-o", "disk/out"]
    subprocess.run(
        [*namespace, "sh", "-c", FULL, "sh", str(SIZE - 400_000), *command],
        cwd=folder,
        env=environment(folder),
        check=True,
    )
    undisturbed = track(folder, *WORDS, "-o", "undisturbed")

    assert look(folder / "first", ended(folder, "first")) == row("a full disk")
    assert ended(folder, "second").returncode == undisturbed.returncode == 0
    assert digests(folder / "second") == digests(folder / "undisturbed")


def test_a_folder_that_must_not_be_read_is_unreadable(folder, plainly):
    """Also where it is asked for a file inside; the other sources are done."""
    bad_files.images(folder / "secret", ("1.jpg",))
    (folder / "secret").chmod(0)

    done = plainly("secret", "secret/1.jpg", *WORDS, "-o", "out")
    (folder / "secret").chmod(0o700)

    assert look(folder / "out", done) == Seen(
        "error: secret: permission denied: make it readable\n"
        "error: secret/1.jpg: permission denied: make it readable",
        4,
        "100",
        "a finished run",
    )


@pytest.mark.parametrize("free", [0, 4096, 40_000])
def test_a_disk_that_was_full_before_leaves_nothing_in_the_way(folder, namespace, free):
    """Not even the first note may fit; the same command works when there is room."""
    command = [*PROGRAM, "track", *WORDS, "--no-progress", "-o", "disk/out"]
    subprocess.run(
        [*namespace, "sh", "-c", FULL, "sh", str(SIZE - free), *command],
        cwd=folder,
        env=environment(folder),
        check=True,
    )

    first, second = ended(folder, "first"), ended(folder, "second")
    assert (first.returncode, second.returncode) == (5, 0)
    assert re.fullmatch(r"error: .*(No space left on device|the disk).*\n", first.stderr)


def test_a_limit_of_file_size_is_said_and_the_same_command_goes_on(folder):
    """As a full disk: exit 5, no run; without the limit the run ends with the bytes of one that was never stopped."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    stopped = track(folder, *WORDS, "-o", "out", preexec_fn=limited)
    seen = look(folder / "out", stopped)
    again = track(folder, *WORDS, "-o", "out")
    undisturbed = track(folder, *WORDS, "-o", "undisturbed")

    assert seen == row("a limit of file size")
    assert again.returncode == undisturbed.returncode == 0
    assert digests(folder / "out") == digests(folder / "undisturbed")


def test_a_read_only_folder_is_a_usage_error(folder, plainly):
    """Exit 2 before any frame is looked at."""
    (folder / "fixed").mkdir(mode=0o555)

    done = plainly(*WORDS, "-o", "fixed/out")

    assert look(folder / "fixed" / "out", done) == row("a read-only folder")


def test_a_closed_home_holds_nothing(folder, plainly):
    """As a service has it: no settings, no models, no cache, and everything that was named works."""
    home = folder / "closed"
    home.mkdir()
    home.chmod(0)

    kinds = ("CONFIG", "DATA", "CACHE")
    done = plainly(*WORDS, "-o", "out", env={f"XDG_{kind}_HOME": str(home / kind) for kind in kinds})
    home.chmod(0o700)

    assert (done.returncode, look(folder / "out", done).frames) == (0, "100")


def test_a_file_that_must_not_be_read_is_unreadable(folder, plainly):
    """As one that is missing: exit 3 alone, 4 among others, which are done."""
    shutil.copyfile(bad_files.street(), folder / "secret.mp4")
    (folder / "secret.mp4").chmod(0)

    alone = plainly("secret.mp4", *WORDS[1:], "-o", "out")
    seen = look(folder / "out", alone)
    among = plainly("secret.mp4", *WORDS, "-o", "out")

    assert seen == row("a file that must not be read")
    assert (among.returncode, look(folder / "out", among).frames) == (4, "100")


def ended(folder: Path, turn: str) -> subprocess.CompletedProcess[str]:
    """What a call in the namespace said."""
    texts = [(folder / f"{turn}.{part}").read_text() for part in ("exit", "out", "err")]
    return subprocess.CompletedProcess([], int(texts[0]), texts[1], texts[2])
