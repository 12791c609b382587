"""Text of detections, tracks and ground truth, as others write it."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.disk import read_text
from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.formats import kitti, mot, visdrone
from sightline.formats.annotations import Annotations
from sightline.formats.registry import READERS, reader
from sightline.formats.sniff import sniff
from sightline.formats.text import decode

ROW = "1,-1,10,20,30,40,0.5"


@pytest.mark.parametrize(
    "text",
    [
        "1,-1,10,20,30,40,0.5\n2,-1,11,20,30,40,0.5\n",
        "1;-1;10;20;30;40;0.5\r\n2;-1;11;20;30;40;0.5",
        "1\t-1\t10\t20\t30\t40\t0.5\r2\t-1\t11\t20\t30\t40\t0.5",
        "1 -1 10 20 30 40 0.5\n\n2 -1 11 20 30 40 0.5\n\n",
        "1, -1, 10.0, 20, 30, 40, 5e-1,\n2.0,-1,11,20,30,40,0.5,-1,-1,-1,7",
    ],
)
def test_separators_and_line_ends_do_not_matter(text):
    """Comma, semicolon, tab or space; LF, CRLF or CR; blank lines, a trailing comma, more columns."""
    found = mot.read(text, "det.txt")

    assert found.frame.tolist() == [0, 1]
    assert found.xyxy.tolist() == [[10, 20, 40, 60], [11, 20, 41, 60]]
    assert found.confidence.tolist() == [0.5, 0.5]
    assert not found.tracked


@pytest.mark.parametrize("blob", [ROW.encode(), b"\xef\xbb\xbf" + ROW.encode(), gzip.compress(ROW.encode())])
def test_a_byte_order_mark_and_gzip_do_not_matter(blob, tmp_path):
    """Files as Windows programs and download servers leave them."""
    path = tmp_path / "det.txt"
    path.write_bytes(blob)

    assert read_text(path) == ROW


def test_a_missing_confidence_is_1():
    """Six columns, or -1 in the seventh, as some published results have it."""
    assert mot.read("1,7,10,20,30,40\n2,7,10,20,30,40,-1,-1,-1,-1", "a.txt").confidence.tolist() == [1, 1]


def test_rows_are_sorted_by_frame_and_keep_their_order_inside():
    """The order of detections in a frame decides between equal costs in a tracker."""
    found = mot.read("2,1,0,0,1,1\n1,9,0,0,1,1\n2,0,0,0,1,1\n1,3,0,0,1,1", "a.txt")

    assert found.frame.tolist() == [0, 0, 1, 1]
    assert found.object_id.tolist() == [9, 3, 1, 0]
    assert [frame.object_id.tolist() for frame in found.by_frame(3)] == [[9, 3], [1, 0], []]


def test_frame_0_is_an_error_unless_files_begin_there():
    """A file from 0 read as one from 1 would be off by one, so it is refused with the way out."""
    text = "0,1,0,0,1,1"

    with pytest.raises(InvalidFile, match=r"a.txt, line 1: frame 0, expected 1 or more.*first_frame=0"):
        mot.read(text, "a.txt")
    assert mot.read(text, "a.txt", first_frame=0).frame.tolist() == [0]


def test_the_first_pixel_is_not_shifted_unless_asked():
    """The benchmark says 1, its evaluation does not."""
    assert mot.read(ROW, "a.txt").xyxy[0].tolist() == [10, 20, 40, 60]
    assert mot.read(ROW, "a.txt", origin=1).xyxy[0].tolist() == [9, 19, 39, 59]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,-1,10,20,30", "line 1: 5 fields, expected 6 or more"),
        ("frame,id,x,y,w,h", "line 1: field 1 is 'frame', expected a number"),
        (f"{ROW}\n1,-1,10,20,,40", "line 2: field 5 is '', expected a number"),
        (f"{ROW}\n\n1,-1,10,20,nan,40", "line 3: field 5 is 'nan'"),
        ("1,-1,10,20,1e400,40", "line 1: field 5 is '1e400'"),
        ("1_0,-1,10,20,30,40", "line 1: field 1 is '1_0'"),
        ("1.5,-1,10,20,30,40", "line 1: frame 1.5, expected a whole number"),
        ("99999999999,-1,10,20,30,40", "line 1: frame 1e\\+11, expected a whole number from 0 to 1e\\+07"),
        ("1,2.5,10,20,30,40", "line 1: id 2.5"),
        ("1,-2,10,20,30,40", "line 1: id -2"),
        (f"{ROW}\n1,-1,10,20,-3,40", "line 2: width -3, expected 0 or more"),
        (f"{ROW}\n1,-1,10,20,3,-40", "line 2: height -40, expected 0 or more"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text, message):
    """File, line, what was found, what was expected."""
    with pytest.raises(InvalidFile, match=f"^det.txt, {message}"):
        mot.read(text, "det.txt")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """Broken gzip, another encoding, a missing file, a folder."""
    with pytest.raises(InvalidFile, match=r"a.gz: broken gzip"):
        decode(gzip.compress(b"1,2,3")[:-6], "a.gz")
    with pytest.raises(InvalidFile, match=r"a.txt, line 2: not UTF-8"):
        decode(b"1\n\xff", "a.txt")
    with pytest.raises(NotFound, match=r"no such file: a\.txt"):
        read_text(tmp_path / "a.txt")
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_text(tmp_path)


def test_an_empty_file_is_a_video_without_boxes():
    """It is not an error: nothing was found."""
    for text_format in READERS.values():
        found = text_format.read("", "a.txt", first_frame=0)

        assert len(found) == 0
        assert found.frames == 0


def test_ground_truth_of_mot_says_what_is_judged():
    """Considered, class and visibility; ten columns are world coordinates."""
    truth = mot.read_truth("1,1,912,484,97,109,0,7,0.25\n1,2,1,2,3,4,1,1,1", "gt.txt")
    world = mot.read_truth("1,1,88,99,61.08,218.56,1,4.4852,5.5016,0", "gt.txt")
    new = mot.read_truth("1,1,88,99,61.08,218.56,1,15,1", "gt.txt")

    assert truth.considered.tolist() == [False, True]
    assert truth.label == ("static_person", "pedestrian")
    assert truth.visibility.tolist() == [0.25, 1]
    assert world.label == ("objects",)
    assert world.considered.tolist() == [True]
    assert new.label == ("class 15",)


def test_ground_truth_of_visdrone_has_categories_truncation_and_occlusion():
    """Score 0 is ignored; category 0 is an ignored region."""
    truth = visdrone.read_truth("1,0,593,43,174,190,0,0,0,0\n1,2,10,20,30,40,1,4,1,2", "gt.txt")

    assert truth.considered.tolist() == [False, True]
    assert truth.label == ("ignored regions", "car")
    assert truth.truncation.tolist() == [0, 1]
    assert truth.occlusion.tolist() == [0, 2]
    with pytest.raises(InvalidFile, match="line 1: category 12"):
        visdrone.read_truth("1,0,593,43,174,190,0,12,0,0", "gt.txt")


def test_kitti_has_types_corners_and_frames_from_0():
    """`DontCare` is not considered, the score is the last field, a new type is taken as it is."""
    area = "0 -1 DontCare -1 -1 -10.000000 219.310000 188.490000 245.500000 218.560000 -1000 -1000 -1000 -10 -1 -1 -1"
    found = kitti.read(
        f"{area}\n0 3 Van 0.5 1 -1.8 1.5 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10 0.97\n2 4 Robot 0 0 0 1 2 3 4",
        "a.txt",
    )

    assert found.frame.tolist() == [0, 0, 2]
    assert found.label == ("DontCare", "Van", "Robot")
    assert found.considered.tolist() == [False, True, True]
    assert found.xyxy[1].tolist() == [1.5, 2, 3, 4]
    assert found.confidence.tolist() == [1, 0.97, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 1 Car 0 0 0 1 2 3", "line 1: 9 fields, expected 10 or more"),
        ("0 1 Car 0 0 0 5 2 3 4", "line 1: box 5 2 3 4, expected x1 <= x2"),
        ("x 1 Car 0 0 0 1 2 3 4", "line 1: field 1 is 'x'"),
        ("0 1 Car 0 0 0 1 2 inf 4", "line 1: field 9 is 'inf'"),
        ("0 1.5 Car 0 0 0 1 2 3 4", "line 1: field 2 is '1.5', expected a whole number"),
    ],
)
def test_kitti_names_the_line(text, message):
    """As the other readers."""
    with pytest.raises(InvalidFile, match=message):
        kitti.read(text, "a.txt")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "mot"),
        (ROW, "mot"),
        ("1,1,584.6,446.2,87.8,261.9,0.96,-1,-1,-1", "mot"),
        ("1,1,912,484,97,109,0,7,0.000000", "mot"),
        ("1,1,88,99,61.08,218.56,1,4.4852,5.5016,0", "mot"),
        ("1,1,0,0,1,1,0.5,4,-1,-1\n1,2,0,0,1,1,0.5,-1,-1,-1", "mot"),
        ("1,-1,584.6,446.2,87.8,261.9,0.96,4,-1,-1", "visdrone"),
        ("1,0,593,43,174,190,0,0,0,0\n1,2,10,20,30,40,1,4,1,2", "visdrone"),
        ("0 1 Van -1 -1 -1 298.92 162.07 457.11 288.85", "kitti"),
    ],
)
def test_formats_are_told_apart_by_the_documented_rule(text, name):
    """The third field is a word; or the eighth is a category; or it is MOT."""
    assert sniff(text) == name
    assert reader(None, text, "a.txt") is READERS[name]


def test_text_of_another_kind_is_not_guessed():
    """A table with a header, prose, an unknown name."""
    for text in ("frame,id,x,y,w,h", "Dear reader, this is a letter", "1,2,3"):
        with pytest.raises(InvalidFile, match="expected a line of MOT, VisDrone or KITTI text"):
            sniff(text)
    with pytest.raises(Misconfigured, match="no text format 'yolo'; there are mot, visdrone, kitti"):
        reader("yolo", "", "a.txt")


def test_confidences_and_ids_can_be_required():
    """A tracker needs confidences in (0, 1]; an object has one box in a frame."""
    found = mot.read("1,1,0,0,1,1,0.5\n3,1,0,0,1,1,2.5\n4,6,0,0,1,1\n4,6,0,0,1,1", "a.txt")

    with pytest.raises(InvalidFile, match=r"confidence 2\.5 in frame 3, expected more than 0 and at most 1"):
        found.require_confidence("a.txt")
    with pytest.raises(InvalidFile, match="id 6 has two boxes in frame 4"):
        found.require_unique_ids("a.txt")


@st.composite
def annotations(draw, labels):
    """Rows with boxes and confidences that three and four decimals can hold."""
    n = draw(st.integers(0, 8))

    def integers(low, high):
        return draw(hnp.arrays(np.int64, n, elements=st.integers(low, high)))

    corner = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(-10_000, 4_000_000)))
    size = draw(hnp.arrays(np.int64, (n, 2), elements=st.integers(0, 4_000_000)))
    return Annotations.of(
        integers(0, 20),
        integers(-1, 2**40),
        np.hstack([corner, corner + size]) / 1000,
        confidence=integers(1, 10_000) / 10_000,
        class_id=integers(0, len(labels) - 1),
        labels=labels,
        considered=integers(0, 1) == 1,
        visibility=integers(0, 100) / 100,
        truncation=integers(0, 1),
        occlusion=integers(0, 2),
    )


def text_of(content):
    return b"".join(content).decode()


def same(a, b, *columns):
    for column in ("frame", "object_id", *columns):
        assert np.array_equal(getattr(a, column), getattr(b, column)), column
    assert np.allclose(a.xyxy, b.xyxy, rtol=0, atol=0.001)


@given(annotations(("objects",)))
def test_mot_results_come_back_as_they_were_written(rows):
    """Frames, ids, boxes and confidences."""
    same(mot.read(text_of(mot.write(rows)), "a.txt"), rows, "confidence")


@given(annotations(mot.CLASSES), st.sampled_from([0, 1]))
def test_mot_ground_truth_comes_back_as_it_was_written(rows, origin):
    """Considered, class and visibility too; with either origin."""
    text = text_of(mot.write(rows, truth=True, origin=origin))

    same(mot.read_truth(text, "a.txt", origin=origin), rows, "considered", "class_id", "visibility")


@given(annotations(visdrone.CATEGORIES))
def test_visdrone_comes_back_as_it_was_written(rows):
    """Results, and ground truth."""
    truth = visdrone.read_truth(text_of(visdrone.write(rows, truth=True)), "a.txt")
    found = visdrone.read(text_of(visdrone.write(rows)), "a.txt")

    same(truth, rows, "considered", "class_id", "truncation", "occlusion")
    same(found, rows, "confidence", "class_id")


@given(annotations(kitti.TYPES))
def test_kitti_comes_back_as_it_was_written(rows):
    """Results, and ground truth."""
    truth = kitti.read_truth(text_of(kitti.write(rows, truth=True)), "a.txt")
    found = kitti.read(text_of(kitti.write(rows)), "a.txt")

    same(truth, rows, "class_id", "truncation", "occlusion")
    same(found, rows, "class_id", "confidence")


@given(st.sampled_from(sorted(READERS)), annotations(("car", "truck")))
def test_what_is_written_is_recognised(name, rows):
    """Sniffing a file of ours finds its format."""
    if len(rows):
        assert (
            sniff(text_of(READERS[name].write(rows, truth=False, first_frame=READERS[name].first_frame)))
            == name
        )


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("mot17-val-half/*/det*.txt.gz", "mot"),
        ("mot17-val-half/*/gt*.txt.gz", "mot"),
        ("mot15/*/*.txt.gz", "mot"),
        ("dancetrack-val/*/det*.txt.gz", "mot"),
        ("visdrone-val-tracks/*.txt.gz", "mot"),
        ("golden-bytetrack/mot17/*.txt.gz", "mot"),
        ("kitti-tracking-train/*/*.txt.gz", "kitti"),
    ],
)
def test_real_files_are_recognised_and_read(shared, pattern, name):
    """Files that nobody here wrote."""
    paths = sorted((shared / "data" / "real").glob(pattern))
    assert paths

    for path in paths[:4]:
        text = read_text(path)
        found = READERS[name].read(text, path.name, first_frame=READERS[name].first_frame)

        assert sniff(text, path.name) == name
        assert len(found) == text.count("\n") + (not text.endswith("\n"))
