"""Everything that decoding loads late, used once while files may still be opened: modules, codecs, tables.

A confined process cannot import any more. What would be imported at the first picture of a stranger's file is used here
on a clip and on images that are made in memory.
"""

from __future__ import annotations

import io
import os
import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any

import av
import numpy as np
import numpy.ma
from PIL import Image, MpoImagePlugin, TiffImagePlugin

from sightline.adapters.images.folder import ImageFolderReader
from sightline.adapters.opened import OpenedFile
from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks

__all__ = ["late_modules", "warm_up"]

# NumPy loads the first for `unique`, Pillow the others for what a JPEG may hold: several pictures, and EXIF.
_LATE = (numpy.ma, MpoImagePlugin, TiffImagePlugin)
# PyAV loads a module for each kind of stream that it meets, sound and subtitles for two; of these nobody has need.
_NEVER = frozenset({"av.__main__", "av.datasets"})
_ORIENTATION = 0x0112
_SIDE = 64


def warm_up(reader: VideoReader | ImageFolderReader) -> None:
    """Decode something of the kind that `reader` is for; the reader itself is left as it is."""
    for name in late_modules():
        import_module(name)
    if isinstance(reader, ImageFolderReader):
        files = [_in_memory("1.jpg", _image("JPEG")), _in_memory("2.png", _image("PNG"))]
        _read(lambda spec: ImageFolderReader([file for file, _ in files], spec, name="warm"))
    else:
        files = [_in_memory("warm.mkv", _clip())]
        _read(lambda spec: VideoReader(files[0][0], spec))
    for _, descriptor in files:
        os.close(descriptor)


def late_modules() -> list[str]:
    """Every module of PyAV."""
    found = (module.name for module in pkgutil.walk_packages(av.__path__, "av."))
    return [name for name in found if name not in _NEVER]


def _read(make: Callable[[ImageSpec], Any]) -> None:
    for layout in ("rgb", "i420"):
        spec = ImageSpec(_SIDE, _SIDE, layout)
        warm, out = make(spec), np.empty(spec.shape(), np.uint8)
        index = warm.index()
        for chunk in chunks(index):
            rows = range(chunk.first, chunk.end)
            for _ in warm.read(chunk, rows, index.tick.tolist(), lambda out=out: out):
                pass
        warm.close()


def _in_memory(name: str, content: bytes) -> tuple[OpenedFile, int]:
    descriptor = os.memfd_create("warm")
    os.write(descriptor, content)
    return OpenedFile(descriptor, name, len(content)), descriptor


def _clip() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(
                np.full((_SIDE, _SIDE, 3), 50 * number, np.uint8), format="rgb24"
            )
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return out.getvalue()


def _image(form: str) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[_ORIENTATION] = 6
    Image.new("RGB", (_SIDE, _SIDE), (9, 99, 199)).save(out, form, exif=exif)
    return out.getvalue()
