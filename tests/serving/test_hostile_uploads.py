"""Uploads that are broken, odd or meant to harm, through the whole service: refused by name, or processed as what they are.

Numbers are those of the list of bad inputs that the service answers for; each file is sent beside a good one.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import hostile, media
from tests.integration import bad_files
from tests.media import MJPEG, video
from tests.serving.service import Service

Make = Callable[[Path], Path]


def of(make: Callable[..., Path], *more: object, **named: object) -> Make:
    """A maker with all but its path given."""
    return lambda path: make(path, *more, **named)


def garbage(path: Path, head: bytes, count: int = 50_000) -> Path:
    """The beginning of a container, and noise."""
    bad_files.noise_bytes(path, count)
    path.write_bytes(head + path.read_bytes())
    return path


FTYP = b"\0\0\0\x18ftypisom\0\0\0\0isomiso2"
EBML = b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe\x42\x82\x88matroska\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe"

# number and name, file, status and code
REFUSED: dict[str, tuple[str, Make, int, str]] = {
    "31 no index": ("a.mp4", bad_files.cut_before_index, 422, "unreadable"),
    "34 boxes in boxes": ("a.mp4", hostile.deep, 422, "unreadable"),
    "35 table of sizes": ("a.mp4", of(hostile.huge_table, b"stsz"), 422, "unreadable"),
    "35 table of times": ("a.mp4", of(hostile.huge_table, b"stts"), 422, "unreadable"),
    "35 table of chunks": ("a.mp4", of(hostile.huge_table, b"stsc"), 422, "unreadable"),
    "38 a long strip": ("a.mp4", of(hostile.bomb, (1, 65_535)), 422, "limit"),
    "38 a large picture": ("a.mp4", of(hostile.bomb, (8_200, 4_300)), 422, "limit"),
    "40 no frame": ("a.mp4", media.frameless, 422, "no_video"),
    "40 sound": ("a.mp4", media.sound_only, 422, "no_video"),
    "40 a cover": ("a.mp4", media.cover_only, 422, "no_video"),
    "40 two hundred streams": ("a.mp4", hostile.hundreds_of_streams, 422, "limit"),
    "43 a pixel bomb": ("a.mp4", hostile.bomb, 422, "no_frame"),
    "43 a pixel bomb in small clothes": ("a.mp4", of(hostile.bomb, claimed=(160, 96)), 422, "no_frame"),
    "44 moving GIF": ("a.mp4", of(hostile.animated, "GIF"), 415, "media_type"),
    "44 moving PNG": ("a.mp4", of(hostile.animated, "PNG"), 415, "media_type"),
    "44 moving WebP": ("a.mp4", of(hostile.animated, "WEBP"), 415, "media_type"),
    "44 PNG in MOV": ("a.mov", of(video, 5, codec="png", pix_fmt="rgb24"), 422, "unreadable"),
    "45 encrypted": ("a.mp4", hostile.encrypted, 422, "encrypted"),
    "47 hostile Matroska": ("a.mkv", of(garbage, EBML), 422, "unreadable"),
    "49 noise behind a head": ("a.mp4", of(garbage, FTYP), 422, "unreadable"),
    "56 pictures elsewhere": ("a.mp4", hostile.external, 422, "unreadable"),
}

LISTS = {
    "50 a playlist to an address": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "51 a playlist to a file": "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "52 a playlist with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:{port}/k"\n#EXTINF:1,\na.ts\n',
    "52 a part of a file": "#EXTM3U\n#EXTINF:1,\nsubfile,,start,0,end,99,,:/etc/passwd\n#EXTINF:1,\nconcat:/etc/passwd|/etc/hosts\n",
    "53 ffconcat": "ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp4\n",
    "54 DASH with an entity": '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/e">]>'
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>&x;</BaseURL></MPD>',
    "55 a session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}

# number and name, file, frames in its result, and those of them that are said to have failed
READY: dict[str, tuple[str, Make, int, int]] = {
    "33 index behind": ("a.mp4", video, 12, 0),
    "33 length of 64 bits": ("a.mp4", hostile.large_mdat, 12, 0),
    "33 no length": ("a.mp4", hostile.open_mdat, 12, 0),
    "32 cut at 60 %": ("a.mp4", bad_files.cut_after_index, 12, 5),
    "36 absurd duration": ("a.mp4", hostile.absurd_duration, 12, 0),
    "36 absurd time scale": ("a.mp4", hostile.absurd_time_scale, 12, 0),
    "37 repeated times": ("a.mkv", of(video, edit=media.repeat_pts), 12, 0),
    "37 falling times": ("a.mkv", of(video, edit=media.swap_pts), 12, 0),
    "37 hidden frames": ("a.webm", of(video, edit=media.hide_vp9, **media.VP9), 12, 0),
    "38 one pixel": ("a.avi", of(video, 10, size=(2, 2), **MJPEG), 2, 0),
    "38 odd sizes": ("a.mp4", of(video, 10, size=(161, 97), pix_fmt="yuv444p"), 2, 0),
    "39 another size": ("a.ts", media.size_change, 8, 0),
    "40 one frame": ("a.mp4", bad_files.one_frame, 1, 0),
    "41 turned": ("a.mp4", of(video, rotation=90), 12, 0),
    "41 ten bits": ("a.mp4", of(video, pix_fmt="yuv420p10le"), 12, 0),
    "41 full colour": ("a.mp4", of(video, pix_fmt="yuv444p"), 12, 0),
    "41 grey": ("a.mp4", of(video, pix_fmt="gray"), 12, 0),
    "41 see-through": ("a.webm", hostile.alpha, 12, 0),
    "41 interlaced": ("a.ts", media.paff, 5, 0),
    "42 noise for packets": ("a.mp4", of(hostile.noisy, (15, 20, 35)), 12, 3),
    "46 an edit list": ("a.mp4", of(video, edit=media.shift(-10)), 10, 0),
    "48 a page inside": ("a.mp4", hostile.page_inside, 12, 0),
    "57 attachments": ("a.mkv", hostile.attached, 12, 0),
}

IMAGES = {"44 a JPEG": "JPEG", "44 a PNG": "PNG"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("hostile") / "data").start()
    yield service
    service.kill()


@pytest.fixture(scope="module")
def good(service, tmp_path_factory):
    """A neighbour, and its result while nobody else was there."""
    path = video(tmp_path_factory.mktemp("good") / "good.mp4")
    return path, service.result(service.upload(path)[1]["event_id"])["prediction"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_a_code_and_leaves_nothing(service, good, tmp_path, name):
    """And whoever sent a good video at the same time has the result that it has alone."""
    file, make, status, code = REFUSED[name]
    path = make(tmp_path / file)
    neighbour = service.upload(good[0])[1]["event_id"]
    jobs = service.json("/api/status/all?limit=1")["total"]

    answered, said = service.upload(path)

    assert (answered, said.get("code")) == (status, code)
    assert "/" not in said["detail"].replace("JPEG/PNG", "")
    assert service.json("/api/status/all?limit=1")["total"] == jobs
    assert service.result(neighbour)["prediction"] == good[1]


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_other_places_are_refused_and_nothing_is_asked(service, tmp_path, name):
    """By the first bytes alone: no file is opened and no address is called."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        path = hostile.listed(tmp_path / "a.mp4", LISTS[name], trap.getsockname()[1])

        status, said = service.upload(path)

        assert (status, said["code"]) == (415, "media_type")
        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.parametrize("name", READY)
def test_what_is_odd_is_processed_as_what_it_is(service, tmp_path, name):
    """An item for every fifth frame; those that cannot be decoded say so, none is invented."""
    file, make, frames, failed = READY[name]
    path = make(tmp_path / file)

    status, said = service.upload(path)

    assert status == 200, said
    result = service.result(said["event_id"])
    assert result["status"] == "ready", result
    items = result["prediction"]
    assert [item["frame"] for item in items] == list(range(0, 5 * frames, 5))
    assert sum(item.get("outcome") == "failed" for item in items) == failed


@pytest.mark.parametrize("name", IMAGES)
def test_a_picture_is_a_video_of_one_frame(service, tmp_path, name):
    """Where it says that it is a picture."""
    path = hostile.still(tmp_path / "a.mp4", IMAGES[name])

    status, said = service.upload(path, media_type="image")

    assert status == 200, said
    assert [item["frame"] for item in service.result(said["event_id"])["prediction"]] == [0]


def test_the_worker_that_looked_into_all_of_it_is_the_first_one(service):
    """Whatever a file did, it did it to a child."""
    assert json.loads(service.get("/ready")[1])["status"] == "ready"
