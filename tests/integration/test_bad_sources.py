"""What `track` does with bad and odd input: the table of docs/reference/bad-input.md, held row by row.

Each input is made, `sightline track` runs on it in a process of its own, and what it says on stderr, its exit code, the
frames of its run and what it leaves are those of the table. A run folder that is there is whole.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests import hostile, media
from tests.integration import bad_files
from tests.integration.track_process import Seen, check_run, look, track

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "bad-input.md"
MODEL = ("--model", "sightline-tiny", "--precision", "f32")
NUMBERS_WITH_GAPS = ("000010.jpg", "000011.jpg", "000014.jpg", "000020.jpg")
# Rows with a test of their own, here and in test_bad_places.py.
ELSEWHERE = {
    "10,000 tiny images",
    "a file that must not be read",
    "a full disk",
    "a limit of file size",
    "a read-only folder",
}

Make = Callable[[Path], Sequence[str | Path]]


def row(name: str) -> Seen:
    """A row of the table; an empty cell of what is said is no line at all."""
    return rows()[name]


def rows() -> dict[str, Seen]:
    """All rows by their input."""
    found = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and cells[2].isdecimal():
            said = re.fullmatch(r"`(.*)`", cells[1])
            found[cells[0]] = Seen(said[1] if said else "", int(cells[2]), cells[3], cells[4])
    return found


def source(make: Callable[[Path], Path], name: str, *words: str) -> Make:
    """One bad file or folder."""
    return lambda folder: [make(folder / name).name, *words, *MODEL]


def beside(make: Callable[[Path], object], *words: str) -> Make:
    """A sound video, and something else that is wrong."""

    def made(folder: Path) -> Sequence[str | Path]:
        make(folder)
        return [bad_files.one_frame(folder / "one.mp4").name, *words]

    return made


def model(make: Callable[[Path], Path], name: str) -> Make:
    """A sound video, and a model that is not."""
    return beside(lambda folder: make(folder / name), "--precision", "f32", "--model", name)


def images(*names: str, sizes: Sequence[tuple[int, int]] = ((160, 96),)) -> Make:
    """A folder of images."""
    return source(lambda folder: bad_files.images(folder, names, sizes), "images")


def cut_matroska(path: Path) -> Path:
    return media.truncate(media.video(path), 0.99)


def one_broken_image(folder: Path) -> Path:
    bad_files.images(folder, ("1.jpg", "2.jpg", "3.jpg"))
    bad_files.text(folder / "2.jpg")
    return folder


def broken_images(folder: Path) -> Path:
    """Their headers are sound, so their size is known."""
    bad_files.images(folder, ("1.jpg", "2.jpg"))
    for image in folder.iterdir():
        media.truncate(image, 0.5)
    return folder


def half_a_model(path: Path) -> Path:
    return media.truncate(Path(shutil.copyfile(bad_files.bundled_model(), path)), 0.5)


def finished_run(folder: Path) -> None:
    done = track(folder, bad_files.one_frame(folder / "one.mp4"), *MODEL, "-o", "out")
    assert done.returncode == 0


CASES: dict[str, Make] = {
    "an empty file": source(bad_files.empty, "empty.mp4"),
    "text named .mp4": source(bad_files.text, "text.mp4"),
    "random bytes named .mp4": source(bad_files.noise_bytes, "bytes.mp4"),
    "a file cut before its index": source(bad_files.cut_before_index, "cut.mp4"),
    "a file cut after its index": source(bad_files.cut_after_index, "cut.mp4"),
    "only the part behind the cut": source(bad_files.cut_after_index, "cut.mp4", "--start", "1.8s"),
    "audio only": source(bad_files.audio_only, "sound.mp4"),
    "zero frames, MP4": source(bad_files.no_frames, "none.mp4"),
    "zero frames, AVI": source(bad_files.no_frames, "none.avi"),
    "encrypted pictures": source(hostile.encrypted, "locked.mp4"),
    "one frame": source(bad_files.one_frame, "one.mp4"),
    "8K frames": source(bad_files.eight_k, "8k.mov"),
    "pictures of noise": source(bad_files.noise_pictures, "noise.mp4"),
    "one packet of garbage": source(bad_files.garbage_packet, "garbage.mp4"),
    "recordings joined byte by byte": source(bad_files.joined_recordings, "joined.ts"),
    "a raw stream": source(bad_files.raw_stream, "raw.mjpeg"),
    "a raw stream and its rate": source(bad_files.raw_stream, "raw.mjpeg", "--fps", "10"),
    "a file cut in its last packet": source(cut_matroska, "cut.mkv"),
    "images named by the clock": images("20240517120059.jpg", "20240517120100.jpg", "20240517130000.jpg"),
    "pictures that change their size": source(media.size_change, "sizes.ts"),
    "a missing file": lambda folder: ["missing.mp4", *MODEL],
    "a pattern without a match": lambda folder: ["*.mkv", *MODEL],
    "one missing of two": beside(lambda folder: None, "missing.mp4", *MODEL),
    "a folder without images": images(),
    "images with gaps in their numbers": images(*NUMBERS_WITH_GAPS),
    "the same, followed by bytetrack": source(
        lambda folder: bad_files.images(folder, NUMBERS_WITH_GAPS), "images", "--tracker", "bytetrack"
    ),
    "images of mixed sizes": images("1.jpg", "2.jpg", "3.jpg", sizes=((160, 96), (320, 240))),
    "a broken image among others": source(one_broken_image, "images"),
    "broken images only": source(broken_images, "images"),
    "text that is no detections": source(bad_files.text, "notes.txt"),
    "a live source": lambda folder: ["rtsp://camera/1", *MODEL],
    "a part behind the end": source(bad_files.one_frame, "one.mp4", "--start", "10s"),
    "a frame rate for a video": source(bad_files.one_frame, "one.mp4", "--fps", "30"),
    "text named .onnx": model(bad_files.text, "text.onnx"),
    "an empty model file": model(bad_files.empty, "empty.onnx"),
    "half a model file": model(half_a_model, "half.onnx"),
    "a network that is no detector": model(bad_files.no_detector, "same.onnx"),
    "a model without its file of weights": model(bad_files.model_without_weights, "street.onnx"),
    "a model for batches of eight": model(lambda path: bad_files.car_model(path, batch=8), "batch.onnx"),
    "a model whose labels cannot be told": model(
        lambda path: bad_files.car_model(path, names="None"), "names.onnx"
    ),
    "a model with boxes in 0..1": model(
        lambda path: bad_files.car_model(path, box=(0.5, 0.5, 0.2, 0.2)), "unit.onnx"
    ),
    "a model that puts out NaN": model(lambda path: bad_files.car_model(path, score=np.nan), "nan.onnx"),
    "a model with other labels": model(bad_files.model_with_other_labels, "other.onnx"),
    "a model that is not there": beside(lambda folder: None, "--model", "yolox-nano"),
    "a folder below a file": beside(lambda folder: bad_files.text(folder / "out"), *MODEL),
    "a folder with another run": beside(finished_run, *MODEL, "--conf", "0.3"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_answered_as_the_table_says(name, tmp_path):
    """One clear line, the exit code, whole results or none; nothing else on stderr, so no traceback."""
    words = CASES[name](tmp_path)

    done = track(tmp_path, *words, "-o", "out")

    assert look(tmp_path / "out", done) == row(name)


def test_the_table_has_a_row_for_each_case_and_no_other():
    """What is written there was seen."""
    assert set(rows()) == set(CASES) | ELSEWHERE


def test_a_single_line_says_what_is_wrong():
    """Where nothing was done there is one line that begins with `error:`."""
    for name, seen in rows().items():
        if seen.exit in (1, 2, 3, 5):
            assert seen.said.startswith("error: "), name


def test_json_names_the_source_that_could_not_be_read(tmp_path):
    """By the name that was given, with the code of the error."""
    bad_files.one_frame(tmp_path / "one.mp4")

    done = track(tmp_path, "one.mp4", "missing.mp4", *MODEL, "-o", "out", "--json")

    found = [
        (run["video_id"], run["state"], run.get("error", {}).get("code"))
        for run in json.loads(done.stdout)["runs"]
    ]
    assert found == [("one", "done", None), ("missing.mp4", "failed", "not_found")]


def test_frames_behind_a_cut_are_failed_and_those_before_it_are_not(tmp_path):
    """The ledger says which; the frames that the file lost are not forgotten."""
    bad_files.cut_after_index(tmp_path / "cut.mp4")

    track(tmp_path, "cut.mp4", *MODEL, "-o", "out")

    frames = check_run(tmp_path / "out" / "cut")["frames"]
    assert (frames["total"], frames["reasons"]) == (60, {"truncated": frames["failed"]})
    assert [each["frame"] for each in frames["not_ok"]] == list(range(60 - frames["failed"], 60))


def test_images_keep_their_numbers_and_their_time_over_a_gap(tmp_path):
    """Frame = number - first number; the numbers that are missing are in run.json."""
    bad_files.images(tmp_path / "images", NUMBERS_WITH_GAPS)

    track(tmp_path, "images", *MODEL, "--fps", "10", "-o", "out")

    value = check_run(tmp_path / "out" / "images")
    assert value["source"]["gaps"] == [[12, 13], [15, 19]]
    assert value["source"]["duration_us"] == 1_100_000
    assert value["frames"]["total"] == 4


def test_ten_thousand_tiny_images_take_no_more_memory_than_a_hundred(tmp_path):
    """Frames wait in the store and not in memory."""
    bad_files.tiny_images(tmp_path / "many", 10_000)
    bad_files.tiny_images(tmp_path / "few", 100)
    words = (*MODEL, "--imgsz", "32", "-o")

    few = track(tmp_path, "few", *words, "out-few")
    many = track(tmp_path, "many", *words, "out")

    assert few.returncode == 0
    assert look(tmp_path / "out", many) == row("10,000 tiny images")
    peaks = [
        json.loads((tmp_path / out / "timing.json").read_bytes())["peak_rss_bytes"]
        for out in ("out-few/few", "out/many")
    ]
    assert peaks[1] - peaks[0] < 64 * 2**20
