"""Every text format into every other: what comes out can be read, and is the same but for what was said to be lost."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.formats import kitti, mot, visdrone
from sightline.formats.annotations import MAX_FRAME, Annotations
from sightline.formats.convert import Conversion, convert, read
from sightline.formats.registry import READERS
from sightline.formats.sniff import sniff

LABELS = {
    "mot": (*mot.CLASSES, "class 14", "class 999"),
    "visdrone": visdrone.CATEGORIES,
    "kitti": (*kitti.TYPES, "Person_sitting", "фура", "3", "nan"),
}
PAIRS = list(itertools.product(READERS, READERS))


@st.composite
def texts(draw, name, truth):
    """A text of a format as a stranger may have written it, at the ends of every range."""
    n = draw(st.integers(1, 6))
    numbers = {"kitti": st.integers(-1, 3), "visdrone": st.integers(0, 1), "mot": st.just(-1)}[name]
    places = st.sampled_from([-1e7, -3.25, 0.0, 0.001, 1919.999, 1e7])
    sizes = st.sampled_from([0.0, 0.001, 37.5, 1e7])
    lines = set()
    for _ in range(n):
        frame = draw(st.sampled_from([0, 1, 7, MAX_FRAME])) + READERS[name].first_frame
        object_id = draw(st.sampled_from([-1, 0, 1, 2**53]))
        x, y, w, h = draw(places), draw(places), draw(sizes), draw(sizes)
        score = draw(st.sampled_from([0.0001, 0.5, 1.0]))
        considered = draw(st.integers(0, 1))
        state = draw(numbers), draw(st.integers(-1, 2) if name == "visdrone" else numbers)
        label = draw(st.integers(0, len(LABELS[name]) - 1))
        if name == "kitti":
            head = f"{frame} {object_id} {kitti.type_of(LABELS[name][label])} {state[0]} {state[1]} -10"
            tail = "" if truth else f" {score}"
            lines.add(f"{head} {x} {y} {x + w} {y + h} -1 -1 -1 -1000 -1000 -1000 -10{tail}")
        elif name == "visdrone":
            rest = f"{considered},{label},{state[0]},{state[1]}" if truth else f"{score},{label},-1,-1"
            lines.add(f"{frame},{object_id},{x},{y},{w},{h},{rest}")
        else:
            number = label if label < len(mot.CLASSES) else int(LABELS[name][label].split()[1])
            rest = f"{considered},{number},0.25" if truth else f"{score},-1,-1,-1"
            lines.add(f"{frame},{object_id},{x},{y},{w},{h},{rest}")
    return "\n".join(sorted(lines))


@pytest.mark.parametrize("truth", [False, True], ids=["results", "truth"])
@pytest.mark.parametrize(("source", "target"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
@given(data=st.data())
def test_what_is_written_is_read_again_as_it_was(source, target, truth, data):
    """Told by its lines alone; what differs was said to be lost, and nothing was said to be lost that is there."""
    text = data.draw(texts(source, truth))
    rows = read(text, "a.txt", Conversion(source=source, truth=truth))
    said = []

    [(_, content)] = convert(text, "a.txt", target, Conversion(source=source, truth=truth), said.append)
    made = b"".join(content).decode()

    assert sniff(made) == target
    found = read(made, "a.txt", Conversion(truth=truth))
    assert (found.frame == rows.frame).all()
    assert (found.object_id == rows.object_id).all()
    np.testing.assert_allclose(found.xyxy, rows.xyxy, rtol=1e-9, atol=0.0011)
    assert differences(rows, found) == {topic(each) for each in said}


def differences(rows: Annotations, found: Annotations) -> set[str]:
    """Columns that are not what they were."""
    differ = set()
    if not labels_agree(zip(rows.label, found.label, strict=True)):
        differ.add("labels")
    if (abs(found.confidence - rows.confidence) > 1e-4).any():
        differ.add("confidences")
    if (~rows.considered & found.considered).any():
        differ.add("which boxes are not judged")
    if (np.maximum(found.visibility, -1) != rows.visibility).any():
        differ.add("visibility")
    known = (rows.truncation >= 0) | (rows.occlusion >= 0)
    if ((found.truncation != rows.truncation) | (found.occlusion != rows.occlusion))[known].any():
        differ.add("state")
    return differ


def labels_agree(pairs_of_labels):
    areas = {"dontcare", "ignored regions"}
    pairs = {(a.lower(), b.lower()) for a, b in pairs_of_labels}
    return all(a == b or {a, b} <= areas for a, b in pairs)


def topic(said: str) -> str:
    """What a sentence is about, as `differences` calls it."""
    words = said.removeprefix("a.txt: lost: ")
    if words.startswith("labels"):
        return "labels"
    if words.startswith(("truncation", "occlusion")):
        return "state"
    return words.split(":")[0]


def test_an_occlusion_that_kitti_does_not_know_is_unknown_in_visdrone():
    """VisDrone knows 0 to 2; 3 there was text that could not be read."""
    text = "0 1 Car 2 3 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
    said = []

    [(_, content)] = convert(text, "a.txt", "visdrone", Conversion(truth=True), said.append)

    assert b"".join(content).decode() == "1,1,1.000,2.000,2.000,2.000,1,4,1,-1\n"
    assert said == [
        "a.txt: lost: truncation of 1 boxes: visdrone knows 0 to 1, they are written as 1",
        "a.txt: lost: occlusion of 1 boxes: visdrone knows 0 to 2, they are written as -1, unknown",
    ]


def test_areas_that_nobody_judges_stay_such():
    """`DontCare` of KITTI is an ignored region of VisDrone, and back."""
    text = "0 -1 DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10\n"

    [(_, there)] = convert(text, "a.txt", "visdrone", Conversion(truth=True))
    visdrone_text = b"".join(there).decode()
    [(_, back)] = convert(visdrone_text, "a.txt", "kitti", Conversion(truth=True))

    assert visdrone_text.split(",")[6:8] == ["0", "0"]
    assert b"".join(back).decode().split()[2] == "DontCare"
