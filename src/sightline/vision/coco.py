"""Labels of COCO, by class id: 80 in a row, as YOLO has them, or by COCO's own category ids, as DETRs have them."""

from __future__ import annotations

__all__ = ["COCO", "COCO_91", "NAMED_LABELS", "UNUSED", "labels_words"]

_COCO_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,"
    "suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
)
COCO = tuple(_COCO_NAMES.split(","))

UNUSED = "unused"
_UNUSED_IDS = frozenset({0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
_ids = iter(COCO)
# COCO's category ids are 1 to 90 with gaps; 0 and the gaps are never found.
COCO_91 = tuple(UNUSED if number in _UNUSED_IDS else next(_ids) for number in range(91))

# What `labels` of a card may say instead of a list.
NAMED_LABELS = {"coco": COCO, "coco-91": COCO_91}


def labels_words(labels: tuple[str, ...]) -> str:
    """What a card says for these labels, shortened where they are many.

    >>> labels_words(("car", "person")), labels_words(COCO), labels_words(COCO[:20])
    ('["car", "person"]', '"coco"', '["person", "bicycle", ... all 20]')
    """
    named = [name for name, known in NAMED_LABELS.items() if known == labels]
    if named:
        return f'"{named[0]}"'
    quoted = [f'"{label}"' for label in labels]
    return f"[{', '.join(quoted if len(quoted) <= 6 else [*quoted[:2], f'... all {len(quoted)}'])}]"
