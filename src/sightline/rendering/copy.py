"""A copy of a stored source that every browser plays, whose frames have the times of its index: `pts_us`, from 0.

Where the packets suit they go into another container as they are; else pictures are encoded anew, those that cannot be
decoded are left out, and nothing is put in their place. A confined process reads the source either way: of packets this
one knows the length and the time, and what was made of them is read back by a confined process too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from sightline.adapters.drawing.video import write
from sightline.arrays import ByteArray, IntArray
from sightline.disk import disk_errors
from sightline.errors import InvalidVideo
from sightline.formats import mp4
from sightline.jobs.copies import How
from sightline.jobs.requests import SourceRef
from sightline.rendering.stored import decoded
from sightline.sources.stored import Places, index_of, index_of_file, open_packets, open_pictures
from sightline.types import SourceIndex

__all__ = ["KEY_US", "copy", "encode", "remux"]

KEY_US = 500_000
"""Distance of key frames: whoever seeks decodes half a second at most, and a little more at low rates."""
FARTHEST_US = 2**31
"""Between two frames: an MP4 of microseconds says no more, half an hour."""
GROWS = 2  # lengths in the place of start codes take a byte more each
# What a player would show otherwise than the picture that boxes were found in.
_TURNED = frozenset({"pixel_aspect", "mirrored", "size_change"})
At = Callable[[int, int, How], None]


def copy(places: Places, source: SourceRef, out: Path, at: At) -> How:
    """Write a source as H.264 in MP4; how.

    Args:
        places, source: what it is a copy of.
        out: the file; what is made on the way lies beside it.
        at: hears how many frames of the source are behind it, of how many, and how; what it raises ends the work.

    Raises:
        InvalidVideo: no frame can be decoded, or the source is gone or another one.
        Unavailable: the disk is full.
    """
    if remux(places, source, out, at):
        return "remux"
    encode(places, source, out, at)
    return "encode"


def remux(places: Places, source: SourceRef, out: Path, at: At) -> bool:
    """The packets as they are, in an MP4; whether they suit. Read back it has every frame at its time, or there is none."""
    index = index_of(places.objects, source)
    if not _suits(index):
        return False
    rows = {tick: row for row, tick in enumerate(index.tick.tolist())}
    order: list[int] = []
    sizes: list[int] = []
    body = out.with_name(f"{out.name}.packets")
    most = GROWS * source.bytes + len(index)
    with open_packets(places, source) as (record, packets), disk_errors("copy"), body.open("wb") as file:
        for tick, content in packets if record else ():
            row = None if tick is None else rows.pop(tick, None)
            if (
                row is None or file.tell() > most
            ):  # a packet that shows no frame, or what no packets of it can be
                return False
            at(len(order), len(index), "remux")
            order.append(row)
            sizes.append(len(content))
            file.write(content)
    if rows or not order:
        return False
    pts_us = index.pts_us[order]
    keys = np.flatnonzero(index.key[order]).tolist()
    if keys[:1] != [0] or int(np.abs(pts_us - index.pts_us).max()) >= FARTHEST_US:
        return False
    if not _are_closed(np.array(order), keys):
        return False
    size = index.width, index.height
    head = mp4.head(record, size, sizes, pts_us.tolist(), keys, index.duration_us)
    with disk_errors("copy"), out.open("wb") as whole, body.open("rb") as file:
        whole.write(head)
        shutil.copyfileobj(file, whole, 2**20)
    body.unlink()
    return _reads_back(out, index)


def _are_closed(order: IntArray, keys: list[int]) -> bool:
    """Whether no frame is shown before the key frame that its packet follows: browsers cannot go to such frames.

    Args:
        order: rows of the index in the order of their packets.
        keys: places in it at which decoding can begin.

    >>> _are_closed(np.array([0, 2, 1, 3]), [0, 3]), _are_closed(np.array([0, 3, 1, 2]), [0, 1])
    (True, False)
    """
    earliest = np.minimum.accumulate(order[::-1])[::-1]
    return bool((earliest[keys] == order[keys]).all())


def _suits(index: SourceIndex) -> bool:
    """Whether every frame has a packet of its own whose time is sound, and is shown as it is stored."""
    sound = not (index.counted or index.parts or index.failed or index.rotation)
    turned = _TURNED & {caveat.code for caveat in index.caveats}
    return index.kind == "video" and index.codec == "h264" and sound and not turned and _is_close(index)


def _is_close(index: SourceIndex) -> bool:
    return len(index) < 2 or int(np.diff(index.pts_us).max()) < FARTHEST_US


def _reads_back(path: Path, index: SourceIndex) -> bool:
    try:
        found = index_of_file(path, "copy")
    except InvalidVideo:
        return False
    same = np.array_equal(found.pts_us, index.pts_us) and not (found.failed or found.counted)
    return same and found.media_start_us == 0 and (found.width, found.height) == (index.width, index.height)


def encode(places: Places, source: SourceRef, out: Path, at: At) -> int:
    """Pictures encoded anew, whole or not at all; the number of frames. See `copy`."""
    with closing(open_pictures(places, source)) as reader:
        index = reader.index()
        if not _is_close(index):
            raise InvalidVideo(
                source.name, reason="its frames lie more than half an hour apart", code="limit"
            )

        def frames() -> Iterator[tuple[ByteArray, int]]:
            for row, image in decoded(reader, index, np.arange(len(index))):
                at(row, len(index), "encode")
                yield image, int(index.pts_us[row])

        written = write(frames(), out, KEY_US)
    if not written:
        raise InvalidVideo(source.name, reason="no frame of it can be decoded", code="no_frame")
    return written
