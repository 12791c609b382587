"""What the README and the how-tos tell people to type, typed: block after block, in one folder for each page.

Files that a page takes for granted (`street.mp4`, `best.onnx`, ...) are put there first; the model of commands that name
none is the bundled one, as nothing may be brought from the network here. Blocks that cannot run say why in a comment above
them: see tools/docs/commands.py.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest
from tools.docs.commands import Block, blocks

import sightline
from tests.unit.model_files import field

ROOT = Path(__file__).resolve().parents[2]
DEMO = Path(sightline.__file__).parent / "demo"
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    ROOT / "docs" / "reference" / "python.md",
]
NAMES = "{0: 'car', 1: 'van', 2: 'truck', 3: 'person'}"
SEQUENCE = "uav0000137_00458_v"
DETECTIONS = "".join(f"{frame},-1,{200 + 4 * frame},120,40,30,0.9,4,-1,-1\n" for frame in range(1, 31))
TRUTH = "".join(f"{frame},1,{200 + 4 * frame},120,40,30,1,4,0,0\n" for frame in range(1, 31))


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with all that pages take for granted."""
    folder = tmp_path_factory.mktemp("given")
    short_clip(folder / "street.mp4")
    for name in ("gate-0700", "gate-0715", "north", "south"):
        shutil.copy(folder / "street.mp4", folder / f"{name}.mp4")
    model = (DEMO / "sightline-tiny.onnx").read_bytes()
    exported = {"task": "detect", "names": NAMES, "imgsz": "[384, 640]"}
    metadata = (field(14, field(1, k.encode()) + field(2, v.encode())) for k, v in exported.items())
    (folder / "best.onnx").write_bytes(model + b"".join(metadata))
    (folder / "streets.onnx").write_bytes(model)
    frames = folder / "VisDrone2019-MOT-val" / "sequences" / SEQUENCE
    frames.mkdir(parents=True)
    with av.open(str(folder / "street.mp4")) as video:
        for number, frame in zip(range(1, 31), video.decode(video=0), strict=False):
            frame.to_image().save(frames / f"{number:07}.jpg")
    for name, text in (("detections", DETECTIONS), ("annotations", TRUTH)):
        (folder / name).mkdir()
        (folder / name / f"{SEQUENCE}.txt").write_text(text)
    return folder


def short_clip(path: Path) -> None:
    """The first two seconds of the bundled clip, not encoded again."""
    with av.open(str(DEMO / "street.mp4")) as whole, av.open(str(path), "w") as short:
        stream = short.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is None or packet.pts * packet.time_base >= 2:
                break
            packet.stream = stream
            short.mux(packet)


NEEDS = "curl"
"""What a page may need beside the product."""


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
    homes = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | homes | {"PATH": path, "SIGHTLINE_MODEL": "sightline-tiny"}


def run(block: Block, folder: Path, home: Path) -> None:
    """Run a block, or write the file that it is."""
    what, _, rest = block.note.partition(": ")
    if what == "file":
        (folder / rest).write_text(block.text)
    if block.note or block.language not in ("sh", "python"):
        return
    shell = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*shell, block.text],
        cwd=folder,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"line {block.line}:\n{block.text}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_the_page_works(page, given, tmp_path):
    """In the order of the page."""
    found = blocks(page.read_text())
    if any(NEEDS in block.text for block in found if not block.note) and shutil.which(NEEDS) is None:
        pytest.skip(f"{NEEDS} is not installed: the commands of this page cannot be run")
    shutil.copytree(given, tmp_path / "work")
    (tmp_path / "home").mkdir()

    for block in found:
        run(block, tmp_path / "work", tmp_path / "home")

    assert [block for block in found if block.language in ("sh", "python") and not block.note]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_block_that_does_not_run_says_why(page):
    """Notes are of three kinds."""
    for block in blocks(page.read_text()):
        what, _, rest = block.note.partition(": ")
        assert what in ("", "file", "not run", "fresh clone"), f"line {block.line}: {block.note}"
        assert bool(rest) == (what in ("file", "not run")), f"line {block.line}: {block.note}"
