"""The same bytes for the same input and result settings, however the machine was used.

Every file of a run folder but `timing.json` and `log.ndjson` is compared.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import pytest

from tests import media
from tests.integration import bad_files
from tests.integration.track_process import digests, track

F32 = ("--engine", "openvino", "--precision", "f32")
TINY = ("--model", "sightline-tiny", *F32)
EVERY = tuple(word for name in ("mot", "csv", "csv-a", "json-b") for word in ("--format", name))
WAYS = {
    "run again": ((), "0"),
    "one worker, chunks of 32 frames": (("--workers", "1", "--chunk-frames", "32"), "1"),
    "two workers, chunks of 64 frames": (("--workers", "2", "--chunk-frames", "64"), "2"),
    "four workers, chunks of 200 frames": (("--workers", "4", "--chunk-frames", "200"), "3"),
    "four workers, chunks of 1 frame": (("--workers", "4", "--chunk-frames", "1"), "random"),
}


def run(folder: Path, out: str, *words: str | Path, seed: str = "0") -> dict[str, str]:
    """Digests of a run's files."""
    done = track(folder, *words, "-o", out, env={"PYTHONHASHSEED": seed})
    assert done.returncode in (0, 4), done.stderr
    return digests(folder / out)


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Runs that others are compared with, by name."""
    return {}


@pytest.mark.parametrize("way", WAYS)
def test_the_demo_clip_gives_the_same_bytes(way, once, tmp_path):
    """Its first four seconds with the bundled model, in 32-bit floats."""
    words = (bad_files.street(), *TINY, *EVERY, "--end", "4s")
    if "street" not in once:
        once["street"] = run(tmp_path, "once", *words)

    more, seed = WAYS[way]
    found = run(tmp_path, "out", *words, *more, seed=seed)

    assert found == once["street"]
    assert len(found) > 20


@pytest.mark.parametrize("way", WAYS)
def test_a_real_video_gives_the_same_bytes(way, once, shared, tmp_path):
    """Six seconds with cuts and B-frames, and a detector for photographs."""
    network = shared / "data" / "models" / "yolox_nano_416.onnx"
    words = (shared / "data" / "real" / "video" / "bikes.mp4", "--model", network, *F32, "--end", "6s")
    if "bikes" not in once:
        once["bikes"] = run(tmp_path, "once", *words)

    more, seed = WAYS[way]
    found = run(tmp_path, "out", *words, *more, seed=seed)

    assert found == once["bikes"]


def test_a_damaged_video_gives_the_same_bytes(tmp_path):
    """Damage is concealed or told in the same way wherever a chunk begins."""
    clip = Path(shutil.copyfile(bad_files.street(), tmp_path / "damaged.mp4"))
    media.damage(clip, (10, 61, 77))
    words = (clip, *TINY, "--end", "4s")

    found = [run(tmp_path, str(out), *words, *WAYS[way][0]) for out, way in enumerate(list(WAYS)[1::3])]

    assert found[0] == found[1]


def test_sources_at_once_give_the_bytes_of_one_by_one(tmp_path):
    """A video and a folder of images that share the machine do not share a result."""
    images = frames_of(bad_files.street(), tmp_path / "images", 50)
    words = (*TINY, "--end", "2s")

    together = run(tmp_path, "together", bad_files.street(), images, *words, "--workers", "4")
    alone = run(tmp_path, "alone", bad_files.street(), *words)
    alone |= run(tmp_path, "alone", images, *words)

    assert together == alone
    assert {name.partition("/")[0] for name in together} == {"street", "images"}


def test_files_do_not_depend_on_the_formats_that_were_asked_for(tmp_path):
    """Of the files that both have only `run.json` differs: it lists the others."""
    words = (bad_files.street(), *TINY, "--end", "1s")

    some = run(tmp_path, "some", *words, "--format", "csv")
    more = run(tmp_path, "more", *words, "--format", "csv", "--format", "mot", "--format", "json-b")

    both = {name for name in some if name in more and not name.endswith("run.json")}
    assert {name: some[name] for name in both} == {name: more[name] for name in both}
    assert set(some) < set(more)


def frames_of(clip: Path, folder: Path, count: int) -> Path:
    """The first frames of a clip as images."""
    folder.mkdir()
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == count:
                break
            frame.to_image().save(folder / f"{number:06}.jpg", quality=95)
    return folder
