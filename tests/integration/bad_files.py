"""Files that are bad or odd in one way each, as users really have them; see docs/reference/bad-input.md."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.media import MJPEG, Clip, encode, mux, picture, sound_only, truncate, video
from tests.unit.model_files import FIXED, external, onnx_file
from tests.unit.onnx_graphs import Table, network

__all__ = [
    "audio_only",
    "bundled_model",
    "car_model",
    "cut_after_index",
    "cut_before_index",
    "eight_k",
    "empty",
    "garbage_packet",
    "images",
    "joined_recordings",
    "model_with_other_labels",
    "model_without_weights",
    "no_detector",
    "no_frames",
    "noise_bytes",
    "noise_pictures",
    "one_frame",
    "raw_stream",
    "street",
    "text",
    "tiny_images",
]

Size = tuple[int, int]
LABELS = "{0: 'car', 1: 'person'}"


def empty(path: Path) -> Path:
    """No byte."""
    path.write_bytes(b"")
    return path


def text(path: Path) -> Path:
    """A page of text, whatever the name says."""
    path.write_text("This is no video, and no model either: it is a page of text.\n" * 40)
    return path


def noise_bytes(path: Path, count: int = 100_000) -> Path:
    """Random bytes, always the same."""
    path.write_bytes(np.random.default_rng(1).bytes(count))
    return path


def noise_pictures(path: Path, count: int = 20) -> Path:
    """A sound video whose pictures are noise."""
    generator = np.random.default_rng(2)
    return mux(path, encode(generator.integers(0, 256, (96, 160, 3)).astype(np.uint8) for _ in range(count)))


def cut_before_index(path: Path) -> Path:
    """The first half of an MP4 whose index stood at its end, as a recorder leaves it that lost its power."""
    return truncate(video(path), 0.5)


def cut_after_index(path: Path) -> Path:
    """The first 60 % of an MP4 whose index stands at its beginning, as a download leaves it that broke off."""
    return truncate(video(path, mux_options={"movflags": "faststart"}), 0.6)


def joined_recordings(path: Path) -> Path:
    """Two recordings of 30 frames joined with `cat`: the clock of each begins at the same time."""
    for name, first in (("first.ts", 0), ("second.ts", 30)):
        pictures = (picture(number) for number in range(first, first + 30))
        mux(path.with_name(name), encode(pictures, b_frames=2, header=False))
    path.write_bytes(path.with_name("first.ts").read_bytes() + path.with_name("second.ts").read_bytes())
    return path


def raw_stream(path: Path) -> Path:
    """40 pictures of motion JPEG behind each other, without a container."""
    return video(path, 40, **MJPEG)


def garbage_packet(path: Path) -> Path:
    """A sound video but for the last packet of a group, which is noise behind its length."""

    def edit(clip: Clip) -> None:
        content, *rest = clip.packets[23]
        noise = np.random.default_rng(3).bytes(len(content) - 4)
        clip.packets[23] = (content[:4] + noise, *rest)

    return video(path, edit=edit)


def audio_only(path: Path) -> Path:
    """Sound without pictures."""
    return sound_only(path)


def no_frames(path: Path) -> Path:
    """A container with a video stream in which there is no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        container.start_encoding()
    return path


def one_frame(path: Path) -> Path:
    """A video of a single picture."""
    return video(path, 1)


def eight_k(path: Path) -> Path:
    """Two pictures of 7680 x 4320."""
    large = (picture(number, 240, 135).repeat(32, axis=0).repeat(32, axis=1) for number in range(2))
    return mux(path, encode(large, rate=1, **MJPEG))


def images(folder: Path, names: Iterable[str], sizes: Sequence[Size] = ((160, 96),)) -> Path:
    """A folder of numbered pictures; sizes take turns."""
    folder.mkdir()
    for number, name in enumerate(names):
        width, height = sizes[number % len(sizes)]
        Image.fromarray(picture(number, width, height)).save(folder / name, quality=90)
    return folder


def tiny_images(folder: Path, count: int = 10_000) -> Path:
    """JPEG pictures of 8 x 8 pixels, in eight greys."""
    folder.mkdir()
    contents = []
    for grey in range(16, 256, 32):
        out = io.BytesIO()
        Image.new("RGB", (8, 8), (grey, grey, grey)).save(out, "JPEG")
        contents.append(out.getvalue())
    for number in range(count):
        (folder / f"{number:06}.jpg").write_bytes(contents[number % len(contents)])
    return folder


def street() -> Path:
    """The demo's clip."""
    return Path(str(resources.files("sightline") / "demo" / "street.mp4"))


def bundled_model() -> Path:
    """The demo's model."""
    return Path(str(resources.files("sightline") / "demo" / "sightline-tiny.onnx"))


def model_with_other_labels(path: Path) -> Path:
    """The demo's network with a card that calls its four classes cat, dog, cow and hen."""
    shutil.copyfile(bundled_model(), path)
    path.with_suffix(".card.toml").write_text(
        f'name = "{path.stem}"\nfile = "{path.name}"\nhead = "yolov8"\nimgsz = [640, 384]\n'
        'labels = ["cat", "dog", "cow", "hen"]\n'
    )
    return path


def no_detector(path: Path) -> Path:
    """A sound ONNX network that gives its picture back: no detector."""
    shape = b"".join(_field(1, _number(1, side)) for side in (1, 3, 64, 64))
    picture_type = _field(2, _field(1, _number(1, 1) + _field(2, shape)))  # float32 of that shape
    node = _field(1, b"x") + _field(2, b"y") + _field(4, b"Identity")
    graph = _field(1, node) + _field(2, b"same")
    graph += _field(11, _field(1, b"x") + picture_type) + _field(12, _field(1, b"y") + picture_type)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, _number(2, 13)))
    return path


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes, a message or text."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    """A protobuf field of a whole number."""
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def car_model(
    path: Path, box=(48, 32, 20, 16), score: float = 0.9, batch: int = 1, names: str = LABELS
) -> Path:
    """A network that sees one car in every picture."""
    table = np.zeros((batch, 6, 126), np.float32)
    table[:, :4, 5], table[:, 4, 5] = box, score
    return network(path, {"output0": Table(table)}, image=(batch, 3, 64, 96), names=names, task="detect")


def model_without_weights(path: Path) -> Path:
    """Its weights lie in a file that was not copied along."""
    weights = [external("w", f"{path.name}.data", 0, 4)]
    return onnx_file(path, FIXED, (1, 84, 8400), weights=weights)
