"""`sightline convert`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from sightline.cli import values
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.words import value
from sightline.errors import Misconfigured
from sightline.settings.words import frame_rate, image_size

__all__ = ["convert"]

SHOWN = 20


SOURCE = Annotated[
    str,
    Parameter(
        help="A finished run, or text of one video: MOT, VisDrone, KITTI or COCO JSON, gzipped or not.",
        show_default=False,
    ),
]
OUT = Annotated[
    str,
    Parameter(help="Folder or file to write; - is stdout.", show_default=False, allow_leading_hyphen=True),
]
TO = Annotated[
    str,
    Parameter(
        help="Format to write: mot, visdrone, kitti, csv, csv-a, json-b, ndjson, coco, coco-dataset, yolo; of a "
        "run also parquet.",
        show_default=False,
        completer=values.formats,
    ),
]
SOURCE_FORMAT = Annotated[
    str | None,
    Parameter(
        name="--from",
        help="Format of the source. [default: told from its lines]",
        show_default=False,
        completer=values.readable,
    ),
]
TRUTH = Annotated[bool, Parameter(help="The source is ground truth.", negative="", show_default=False)]
DETECTIONS = Annotated[
    bool, Parameter(help="Ids in the source mean nothing.", negative="", show_default=False)
]
FPS = Annotated[str | None, Parameter(help="Frames per second. [default: 30]", show_default=False)]
SIZE = Annotated[
    str | None,
    Parameter(help="Width x height of the video, pixels. [default: unknown]", show_default=False),
]
FIRST_FRAME = Annotated[
    int | None,
    Parameter(help="Number of the source's first frame. [default: the format's]", show_default=False),
]
MOT_ORIGIN = Annotated[
    Literal["0", "1"] | None,
    Parameter(help="Number of the first pixel in MOT text. [default: 0]", show_default=False),
]
SEEN_FROM = Annotated[
    int | None,
    Parameter(
        help="Number of a frame of the run on whose picture all boxes are given, where the objects stood on the ground: csv, mot, "
        "ndjson and parquet. It matters where the camera moves. [default: each on its own frame]",
        show_default=False,
    ),
]
OVERWRITE = Annotated[bool, Parameter(help="Replace files that are there.", negative="", show_default=False)]


@command()
def convert(
    console: Console,
    source: SOURCE,
    out: OUT,
    /,
    *,
    to: TO,
    source_format: SOURCE_FORMAT = None,
    truth: TRUTH = False,
    detections: DETECTIONS = False,
    fps: FPS = None,
    size: SIZE = None,
    first_frame: FIRST_FRAME = None,
    mot_origin: MOT_ORIGIN = None,
    seen_from: SEEN_FROM = None,
    overwrite: OVERWRITE = False,
) -> None:
    """Convert a finished run, detections, tracks or ground truth to another format, without inference.

    The files of a run have the frame numbers, labels and ids that its own would have.
    """
    from sightline.disk import read_text
    from sightline.formats.convert import Conversion
    from sightline.formats.convert import convert as converted
    from sightline.runs.export import export

    if Path(source).is_dir():
        given = {
            "--from": source_format,
            "--truth": truth,
            "--detections": detections,
            "--fps": fps,
            "--size": size,
            "--first-frame": first_frame,
            "--mot-origin": mot_origin,
        }
        _refuse(given, f"{source} is a run, which says that itself")
        files = export(Path(source), to, seen_from, console.warning)
    else:
        text = read_text(Path(source))
        _refuse({"--seen-from": seen_from}, f"{source} is text, which does not say how the camera moved")
        width, height = _size(size)
        how = Conversion(
            source=source_format,
            truth=truth,
            tracked=not detections,
            first_frame=first_frame,
            mot_origin=float(mot_origin or 0),
            rate=Fraction(value("--fps", fps or "30", frame_rate)),
            width=width,
            height=height,
        )
        files = converted(text, Path(source).name, to, how, console.warning)
    if out == "-":
        _to_stdout(console, list(files))
    else:
        _to_files(console, list(files), Path(out), overwrite=overwrite)


def _refuse(given: Mapping[str, object], reason: str) -> None:
    for flag, said in given.items():
        if said is not None and said is not False:
            raise Misconfigured(f"{flag}: {reason}; leave it out", code="usage")


def _size(written: str | None) -> tuple[int, int]:
    if written is None:
        return 0, 0
    size = value("--size", written, image_size)
    if isinstance(size, int):
        raise Misconfigured(f"--size {written}: needs width and height, like 1920x1080", code="usage")
    return size[0], size[1]


def _to_stdout(console: Console, files: list[tuple[str, Iterable[bytes]]]) -> None:
    if len(files) != 1 or console.json:
        names = ", ".join(name for name, _ in files)
        reason = "--json would mix with it" if console.json else f"this format writes several files ({names})"
        raise Misconfigured(f"-: {reason}; name a folder", code="usage")
    for chunk in files[0][1]:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _to_files(
    console: Console, files: list[tuple[str, Iterable[bytes]]], out: Path, *, overwrite: bool
) -> None:
    """One file goes where `out` says, if that has an ending; everything else into the folder `out`."""
    from sightline.disk import make_folder, write_whole

    single = len(files) == 1 and out.suffix != "" and not out.is_dir()
    paths = [out] if single else [out / name for name, _ in files]
    for path in paths:
        if path.exists() and not overwrite:
            raise Misconfigured(f"{path}: there is one already; add --overwrite to replace it", code="usage")
    for path, (_, content) in zip(paths, files, strict=True):
        make_folder(path.parent)
        write_whole(path, content)
    console.object({"files": [str(path) for path in paths]})
    for line in _written(paths, out):
        console.result(line)


def _written(paths: list[Path], out: Path) -> list[str]:
    """Each file, or of very many, such as one a frame, how many are in which folder."""
    if len(paths) <= SHOWN:
        return [str(path) for path in paths]
    folders = Counter(path.parent for path in paths)
    lines = [f"{folder}: {number} files" for folder, number in folders.items()]
    return [*lines[:SHOWN], f"{out}: {len(paths)} files in all"]
