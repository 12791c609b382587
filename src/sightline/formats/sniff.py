"""Which text format is it: MOT, VisDrone, KITTI or COCO.

COCO        JSON: it begins with a brace or bracket.
KITTI       the third field is a word.
VisDrone    all of the first 1000 lines have exactly ten fields, the eighth is a whole number 0..11, and the last two
            are truncation 0/1 and occlusion 0/1/2, or -1 where they are unknown, as in results.
MOT         everything else that begins with six numbers.

MOT results end in -1,-1,-1, so the eighth field tells the two apart. A MOT file in which somebody wrote class numbers
there reads as VisDrone: name the format where that is meant otherwise.
"""

from __future__ import annotations

from itertools import islice
from typing import Literal

from sightline.errors import InvalidFile
from sightline.formats.text import lines, split

__all__ = ["TextFormatName", "sniff"]

TextFormatName = Literal["mot", "visdrone", "kitti", "coco"]
LOOK_AT = 1000


def sniff(text: str, name: str = "text") -> TextFormatName:
    """Name of the format; `mot` for a file without lines.

    Raises:
        InvalidFile: the first line is none of the four.

    >>> sniff("1,-1,10,20,30,40,0.9,-1,-1,-1"), sniff("1,-1,10,20,30,40,0.9,4,-1,-1")
    ('mot', 'visdrone')
    >>> sniff("0 1 Van -1 -1 -1 298.92 162.07 457.11 288.85")
    'kitti'
    """
    if text.lstrip()[:1] in ("{", "["):
        return "coco"
    head = [(number, split(line)) for number, line in islice(lines(text), LOOK_AT)]
    if not head:
        return "mot"
    number, first = head[0]
    if len(first) >= 10 and not _is_number(first[2]) and _is_number(first[0]):
        return "kitti"
    if len(first) < 6 or not all(map(_is_number, first[:6])):
        reason = f"begins with {','.join(first)[:60]!r}, expected a line of MOT, VisDrone or KITTI text, or COCO JSON"
        raise InvalidFile(name, reason=reason, line=number)
    return "visdrone" if all(_is_visdrone(fields) for _, fields in head) else "mot"


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _is_visdrone(fields: list[str]) -> bool:
    if len(fields) != 10 or not all(map(_is_number, fields[7:])):
        return False
    category, truncation, occlusion = map(float, fields[7:])
    return category in range(12) and truncation in (-1, 0, 1) and occlusion in (-1, 0, 1, 2)
