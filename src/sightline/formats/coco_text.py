"""COCO JSON in: a dataset (`images`, `categories`, `annotations`) or a list of results, of one video.

A dataset gives its pictures by id; `frame_id` or `frame_index` of a picture is the number of its frame, from 1 as our own
`coco-dataset` has it, else pictures are frames by rank of id. A list of results has `image_id` alone: the frame's number.

An id of an object is `track_id` or `instance_id`, of the annotation or of its `attributes`. A box with `iscrowd` is not
considered. Results have no names of categories: they are called `category 3`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from sightline.errors import InvalidFile, setting
from sightline.formats.annotations import MAX_FRAME, NO_ID, Annotations
from sightline.formats.text import EXACT

__all__ = ["Pictures", "pictures", "read"]

FRAME_KEYS = ("frame_id", "frame_index")
ID_KEYS = ("track_id", "instance_id")
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a dataset says of its pictures.

    Attributes:
        frames: number of frames up to the last picture, 0 in a list of results.
        width, height: pixels, 0 where they are unknown or differ.
        sizes: every width and height that is stated.
        named: pictures have file names.
    """

    frames: int = 0
    width: int = 0
    height: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    named: bool = False


def read(text: str, name: str, *, first_frame: int = 1) -> Annotations:
    """Boxes of a dataset, or of a list of results.

    Raises:
        InvalidFile: not COCO, several videos, or a box that is none; names the entry.

    >>> found = read('[{"image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], "score": 0.5}]', "r.json")
    >>> found.xyxy.tolist(), found.label
    ([[10.0, 20.0, 40.0, 60.0]], ('category 3',))
    """
    value = _parsed(text, name)
    places = _places(value, name, first_frame)
    found = value if isinstance(value, list) else _list(value, "annotations", name)
    what = "result" if isinstance(value, list) else "annotation"
    names = {} if isinstance(value, list) else _categories(value, name)
    boxes = [_Box.of(item, f"{what} {number}", name) for number, item in enumerate(found, start=1)]
    frames = [_frame(box, places, name, first_frame) for box in boxes]
    unnamed = sorted({box.category for box in boxes} - names.keys())
    if unnamed and names:
        raise InvalidFile(name, reason=f"category_id {unnamed[0]} is not in its categories")
    names = names or {number: f"category {number}" for number in unnamed}
    number_of = {category: number for number, category in enumerate(names)}
    xywh = np.array([box.xywh for box in boxes], np.float64).reshape(-1, 4)
    return Annotations.of(
        frames,
        [box.object_id for box in boxes],
        np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]),
        confidence=[box.score for box in boxes],
        class_id=[number_of[box.category] for box in boxes],
        labels=tuple(names.values()) or ("objects",),
        considered=[not box.crowd for box in boxes],
    )


def pictures(text: str, name: str, first_frame: int = 1) -> Pictures:
    """Number and size of the pictures of a dataset.

    Raises:
        InvalidFile: not COCO, or several videos.
    """
    value = _parsed(text, name)
    if isinstance(value, list):
        return Pictures()
    places = _places(value, name, first_frame)
    stated = [(item.get("width"), item.get("height")) for item in _list(value, "images", name)]
    sizes = tuple(dict.fromkeys(size for size in stated if all(isinstance(n, int) and n > 0 for n in size)))
    named = any(item.get("file_name") for item in _list(value, "images", name))
    width, height = sizes[0] if len(sizes) == 1 and len(set(stated)) == 1 else (0, 0)
    return Pictures(max(places.values(), default=-1) + 1, width, height, sizes, named)


@dataclass(frozen=True, slots=True)
class _Box:
    where: str
    image_id: Any
    category: int
    xywh: tuple[float, ...]
    score: float
    object_id: int
    crowd: bool

    @classmethod
    def of(cls, item: Any, where: str, name: str) -> _Box:
        if not isinstance(item, dict) or not {"image_id", "category_id", "bbox"} <= item.keys():
            raise InvalidFile(name, reason=f"{where} is not an object with image_id, category_id and bbox")
        box = item["bbox"]
        if not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))):
            raise InvalidFile(name, reason=f"{where}: bbox is {box!r:.60}, expected [x, y, width, height]")
        if box[2] < 0 or box[3] < 0:
            raise InvalidFile(
                name, reason=f"{where}: bbox is {box!r:.60}, expected width and height of 0 or more"
            )
        score = item.get("score", 1.0)
        if not _is_number(score):
            raise InvalidFile(name, reason=f"{where}: score is {score!r:.60}, expected a number")
        category = _whole(item["category_id"], f"{where}: category_id", name, EXACT)
        extra = item.get("attributes")
        given = next(
            (part[key] for part in (item, extra) if isinstance(part, dict) for key in ID_KEYS if key in part),
            None,
        )
        object_id = NO_ID if given is None else _whole(given, f"{where}: track_id", name, EXACT, NO_ID)
        return cls(
            where,
            item["image_id"],
            category,
            tuple(box),
            float(score),
            object_id,
            bool(item.get("iscrowd", 0)),
        )


def _parsed(text: str, name: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidFile(name, reason=f"not JSON: {error}") from error
    if isinstance(value, list) or (isinstance(value, dict) and "annotations" in value and "images" in value):
        return value
    raise InvalidFile(
        name, reason="JSON, but not COCO: expected images, categories and annotations, or a list of results"
    )


def _list(value: Item, key: str, name: str) -> Sequence[Any]:
    found = value.get(key, [])
    if not isinstance(found, list) or not (
        key == "annotations" or all(isinstance(item, dict) for item in found)
    ):
        raise InvalidFile(name, reason=f"{key} is no list of objects")
    return found


def _places(value: Any, name: str, first_frame: int) -> dict[int, int]:
    """Frame from 0 of each picture id; empty for a list of results."""
    if isinstance(value, list):
        return {}
    images = _list(value, "images", name)
    _require_one_video(value, images, name)
    ids = [
        _whole(item.get("id"), f"image {place}: id", name, EXACT)
        for place, item in enumerate(images, start=1)
    ]
    if len(set(ids)) < len(ids):
        raise InvalidFile(name, reason="two images have one id")
    for key in FRAME_KEYS:
        if images and all(key in item for item in images):
            limit = MAX_FRAME + first_frame
            numbers = [
                _whole(item[key], f"image {i}: {key}", name, limit)
                for i, item in zip(ids, images, strict=True)
            ]
            if min(numbers) < first_frame:
                raise InvalidFile(name, reason=_too_low(key, min(numbers), first_frame))
            return {i: number - first_frame for i, number in zip(ids, numbers, strict=True)}
    return {image_id: rank for rank, image_id in enumerate(sorted(ids))}


def _require_one_video(value: Item, images: Sequence[Item], name: str) -> None:
    videos = {item["video_id"] for item in images if isinstance(item.get("video_id"), int | str)}
    if len(videos) > 1:
        titles = {each.get("id"): each.get("name") for each in _list(value, "videos", name)}
        listed = ", ".join(str(titles.get(video, video)) for video in sorted(videos, key=str)[:5])
        raise InvalidFile(
            name, reason=f"it holds {len(videos)} videos ({listed} ...): split it, a file a video"
        )


def _categories(value: Item, name: str) -> dict[int, str]:
    found = {}
    for place, item in enumerate(_list(value, "categories", name), start=1):
        number = _whole(item.get("id"), f"category {place}: id", name, EXACT)
        found[number] = str(item.get("name", f"category {number}"))
    return found


def _frame(box: _Box, places: Mapping[int, int], name: str, first_frame: int) -> int:
    if places:
        if not isinstance(box.image_id, int) or box.image_id not in places:
            raise InvalidFile(name, reason=f"{box.where}: image_id {box.image_id!r:.60} is not in its images")
        return places[box.image_id]
    number = _whole(box.image_id, f"{box.where}: image_id", name, MAX_FRAME + first_frame)
    if number < first_frame:
        raise InvalidFile(name, reason=_too_low(f"{box.where}: image_id", number, first_frame))
    return number - first_frame


def _too_low(what: str, number: int, first_frame: int) -> str:
    return f"{what} {number}, expected {first_frame} or more: name the first frame ({setting('first_frame', '0')}) if it is another"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any, what: str, name: str, high: float, low: int = 0) -> int:
    if not _is_number(value) or value != int(value) or not low <= value <= high:
        raise InvalidFile(
            name, reason=f"{what} is {value!r:.60}, expected a whole number from {low} to {high:g}"
        )
    return int(value)
