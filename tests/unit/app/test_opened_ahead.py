"""Sources are opened while those before them are worked on, and a command is known before all of them were read."""

import json
import os
import threading

import pytest

from sightline.app import several
from sightline.app.track import track
from sightline.errors import Corrupt, InvalidVideo, Misconfigured
from sightline.runs.roots import COMMAND
from sightline.settings import TrackOptions
from sightline.sources import opening
from sightline.sources.ahead import Ahead
from sightline.sources.named import Source
from sightline.sources.probe import picture_size
from sightline.telemetry import Finished, Planned
from sightline.types import Detections
from tests.media import video
from tests.unit.scene import images

PATIENCE_S = 60.0


def run(sources, *, hook=None, function=lambda pictures: [Detections.empty()], **options):
    more = {} if hook is None else {"hook": hook}
    return track(
        sources, TrackOptions(**{"workers": 1} | options), function=function, labels=["car", "person"], **more
    )


@pytest.fixture
def videos(tmp_path):
    return [video(tmp_path / f"{name}.mp4", 6) for name in "abcdef"]


class Heard:
    """Events, and whether the first video has ended."""

    def __init__(self):
        self.events, self.first_ended = [], threading.Event()

    def emit(self, event):
        self.events.append(event)
        if isinstance(event, Finished):
            self.first_ended.set()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def test_the_first_video_is_done_before_the_last_one_is_read(videos, tmp_path, monkeypatch):
    """A hundred long videos are hours of reading, in which the first ones can be done."""
    heard, probe, waited = Heard(), opening.probe, []

    def late(source, fps):
        if source.video_id == "f":
            waited.append(heard.first_ended.wait(PATIENCE_S))
        return probe(source, fps)

    monkeypatch.setattr(opening, "probe", late)

    reports = run(videos, hook=heard, out=tmp_path / "out")

    assert waited == [True]
    assert [(report.video_id, report.state) for report in reports] == [(name, "done") for name in "abcdef"]


class Idle:
    """A host that is at nothing."""

    def busy(self, world):
        return False


def test_nothing_is_begun_while_those_who_were_told_that_all_is_settled_leave(videos):
    """Else it would be worked on by the threads that had not asked yet, and wait for ever for the others."""
    sources = [Source("video", path, path.stem) for path in videos[:2]]
    heard = Heard()

    def gone(source):
        raise InvalidVideo(source.video_id, reason="no", code="no_frame")

    ahead = Ahead(sources, gone, 2)
    ahead.start()
    course = several._Course(ahead, several._Plan(sources, heard), None, heard, 1, 0)
    course.host = Idle()

    assert course.settled()
    assert not course.tick(PATIENCE_S)
    assert course.settled()
    assert ahead.left == 2

    course.go_on()

    assert course.tick(PATIENCE_S)
    assert ahead.left < 2
    ahead.close()


def test_few_are_held_open(videos):
    """Whatever is to come, memory holds the next ones alone."""
    opened = []
    ahead = Ahead(
        [Source("video", path, path.stem) for path in videos],
        lambda source: opened.append(source.video_id),
        2,
    )

    ahead.start()
    first = ahead.take(PATIENCE_S)
    while len(opened) < 3:
        pass

    assert first == (0, None)
    assert ahead.left == 5
    assert opened == ["a", "b", "c"]
    ahead.close()


def test_what_nobody_is_to_blame_for_ends_the_command(videos, tmp_path, monkeypatch):
    """An error of the program in the thread that opens is heard; the command does not wait for ever."""
    probe = opening.probe

    def broken(source, fps):
        if source.video_id == "c":
            raise ZeroDivisionError("a bug")
        return probe(source, fps)

    monkeypatch.setattr(opening, "probe", broken)

    with pytest.raises(ZeroDivisionError):
        run(videos, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidVideo("c", reason="no", code="no_frame"), "no_frame"),
        (Misconfigured("no", code="usage"), "usage"),
    ],
    ids=["unreadable", "misconfigured"],
)
def test_what_is_wrong_with_one_source_is_its_report(videos, tmp_path, monkeypatch, error, code):
    """Unreadable, or settings that do not fit it: the others are done."""
    probe, heard = opening.probe, Heard()

    def broken(source, fps):
        if source.video_id == "c":
            raise error
        return probe(source, fps)

    monkeypatch.setattr(opening, "probe", broken)

    reports = run(videos, hook=heard, out=tmp_path / "out")

    assert [report.video_id for report in reports if report.state == "done"] == [*"abdef"]
    assert [(report.video_id, report.error.code) for report in reports if report.error] == [("c", code)]
    assert len(heard.of(Finished)) == 6


def test_damage_that_is_no_source_s_ends_the_command(videos, tmp_path, monkeypatch):
    """A model that went bad meanwhile is nothing that the next video would not meet."""
    probe = opening.probe

    def broken(source, fps):
        if source.video_id == "c":
            raise Corrupt("the model")
        return probe(source, fps)

    monkeypatch.setattr(opening, "probe", broken)

    with pytest.raises(Corrupt):
        run(videos, out=tmp_path / "out")


def test_another_run_in_the_folder_of_one_video_is_its_report(videos, tmp_path):
    """Known when its turn comes; it stays as it is."""
    run(videos[2:3], out=tmp_path / "out", conf=0.4)
    before = (tmp_path / "out" / "c" / "run.json").read_bytes()

    reports = run(videos, out=tmp_path / "out")

    assert [report.error and report.error.code for report in reports] == [
        None,
        None,
        "other_run",
        *[None] * 3,
    ]
    assert (tmp_path / "out" / "c" / "run.json").read_bytes() == before


def test_how_many_frames_there_are_is_an_estimate_until_all_are_read(tmp_path):
    """By the bytes of the sources that were not read yet."""
    sources, heard = [video(tmp_path / f"{name}.mp4", 6 + n) for n, name in enumerate("abc")], Heard()

    run(sources, hook=heard, out=tmp_path / "out")

    first, *_, last = heard.of(Planned)
    assert (first.jobs, first.estimated) == (3, True)
    assert first.frames > 6
    assert last == Planned(3, 6 + 7 + 8, estimated=False)


def test_a_source_that_is_not_worked_on_is_in_no_estimate(tmp_path):
    """Once it is known that the last one cannot be read, or is in the hands of somebody else, nothing is left to guess."""
    sources = [video(tmp_path / f"{name}.mp4", 6) for name in "abc"]
    run(sources[1:2], out=tmp_path / "out", conf=0.4)
    sources[2].write_bytes(sources[2].read_bytes()[:-200])
    heard = Heard()

    reports = run(sources, hook=heard, out=tmp_path / "out")

    assert [report.error and report.error.code for report in reports][:2] == [None, "other_run"]
    assert reports[2].error is not None
    assert heard.of(Planned)[-1] == Planned(3, 6, estimated=False)


def test_frames_are_estimated_by_sources_of_the_same_kind(tmp_path):
    """A frame of a text of detections is some bytes, one of a video thousands."""
    (tmp_path / "a.txt").write_text("".join(f"{n},1,10,10,40,60,0.9,-1,-1,-1\n" for n in range(1, 301)))
    sources, heard = [tmp_path / "a.txt", *(images(tmp_path / name, 4) for name in "bcdefg")], Heard()

    run(sources, hook=heard, out=tmp_path / "out")

    assert max(event.frames for event in heard.of(Planned)) <= 300 + 6 * 4 + 2
    assert heard.of(Planned)[-1] == Planned(7, 300 + 6 * 4, estimated=False)


# --- the folder of a command that was not named ----------------------------------------------------------------------


def roots(tmp_path):
    return sorted(path.name for path in (tmp_path / "runs").iterdir())


def test_a_source_that_was_only_touched_is_the_same(videos, tmp_path):
    """It is read to be sure: copying a folder changes the times of files and no byte."""
    run(videos, project=tmp_path / "runs")
    os.utime(videos[3], ns=(1, 1))

    reports = run(videos, project=tmp_path / "runs")

    assert [report.state for report in reports] == ["finished"] * 6
    assert roots(tmp_path) == ["track"]


def test_a_source_with_other_bytes_makes_another_command(tmp_path):
    """Also where it has as many bytes as before."""
    sources = [images(tmp_path / "street", 3), images(tmp_path / "road", 3)]
    run(sources, project=tmp_path / "runs")
    picture = next(sources[1].glob("*.png"), None) or next(sources[1].glob("*.jpg"))
    blob = bytearray(picture.read_bytes())
    blob[-1] ^= 1
    picture.write_bytes(blob)

    reports = run(sources, project=tmp_path / "runs")

    assert [report.state for report in reports] == ["done"] * 2
    assert roots(tmp_path) == ["track", "track2"]


def test_a_source_of_another_length_makes_another_command(videos, tmp_path):
    """Nothing has to be read for that."""
    run(videos, project=tmp_path / "runs")
    video(videos[4], 9)

    run(videos, project=tmp_path / "runs")

    assert roots(tmp_path) == ["track", "track2"]


def test_a_touched_source_that_cannot_be_read_any_more_makes_another_command(tmp_path):
    """Its report says why; the finished runs stay."""
    sources = [video(tmp_path / f"{name}.mp4", 6) for name in "ab"]
    run(sources, project=tmp_path / "runs")
    sources[1].write_bytes(bytes(sources[1].stat().st_size))

    reports = run(sources, project=tmp_path / "runs")

    assert [report.state for report in reports] == ["done", "failed"]
    assert roots(tmp_path) == ["track", "track2"]


def test_the_folder_of_an_older_release_is_found_again(videos, tmp_path):
    """It noted the run keys of all sources."""
    reports = run(videos, project=tmp_path / "runs")
    keys = {
        report.video_id: json.loads((report.path / "run.json").read_bytes())["run_key"] for report in reports
    }
    (tmp_path / "runs" / "track" / COMMAND).write_text(json.dumps({"v": 1, "run_keys": keys}))

    reports = run(videos, project=tmp_path / "runs")

    assert [report.state for report in reports] == ["finished"] * 6
    assert roots(tmp_path) == ["track"]


def test_a_folder_that_was_named_is_found_again_without_its_name(videos, tmp_path):
    """Its runs say whose it is."""
    run(videos, out=tmp_path / "runs" / "track")

    reports = run(videos, project=tmp_path / "runs")

    assert [report.state for report in reports] == ["finished"] * 6
    assert roots(tmp_path) == ["track"]


# --- models ----------------------------------------------------------------------------------------------------------


def test_models_that_nobody_needs_any_more_are_released(tmp_path, monkeypatch):
    """Twenty sizes of pictures are not twenty models in memory."""
    from sightline.sources.detectors import Detectors

    most, keep_only = [], Detectors.keep_only

    def counted(self, sources):
        keep_only(self, sources)
        most.append(len(self._open))

    monkeypatch.setattr(Detectors, "keep_only", counted)
    sources = [video(tmp_path / f"{n}.mp4", 4, size=(64 + 32 * n, 64)) for n in range(7)]

    reports = track(
        sources, TrackOptions(model="sightline-tiny", precision="f32", out=tmp_path / "out", workers=1)
    )

    assert [report.state for report in reports] == ["done"] * 7
    assert max(most) <= 4
    assert most[-1] == 0


@pytest.mark.parametrize("rotation", [None, 90.0, 180.0])
def test_the_size_of_pictures_is_known_by_the_first_frame(tmp_path, rotation):
    """As the index has it, without reading the file: precisions are tried out before anything is at work."""
    source = Source("video", video(tmp_path / "a.mp4", 5, size=(160, 96), rotation=rotation), "a")

    index = opening.probe(source, None).index

    assert picture_size(source) == (index.width, index.height)


def test_the_size_of_what_is_no_video_is_not_known(tmp_path):
    """Opening it says why."""
    (tmp_path / "a.mp4").write_bytes(b"no video")

    assert picture_size(Source("video", tmp_path / "a.mp4", "a")) is None
