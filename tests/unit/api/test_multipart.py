"""Forms piece by piece: however they are cut, they say the same."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.api.form import read_form
from sightline.api.multipart import End, Multipart, Part
from sightline.api.problems import Problem
from sightline.api.settings import ApiSettings
from sightline.api.sink import HashSink
from sightline.ports import Stat

HEAD = b"\0\0\0\x20ftypisom"


def body_of(blob: bytes, bucket: bytes) -> bytes:
    return (
        b'preamble\r\n--b\r\nContent-Disposition: form-data; name="bucket"\r\n\r\n%s\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="v"\r\n\r\n%s\r\n--b--\r\nepilogue'
    )[10:] % (bucket, blob)


def cut(body: bytes, places: list[int]) -> list[bytes]:
    at = sorted({min(place, len(body)) for place in places} | {0, len(body)})
    return [body[low:high] for low, high in itertools.pairwise(at)]


def joined(events):
    whole = []
    for event in events:
        if isinstance(event, bytes) and whole and isinstance(whole[-1], bytes):
            whole[-1] += event
        else:
            whole.append(event)
    return whole


@given(blob=st.binary(max_size=400), places=st.lists(st.integers(0, 700), max_size=12))
def test_cuts_change_nothing(blob, places):
    """Events are the same, whichever way the body comes; data may hold line ends and hyphens."""
    if b"\r\n--b" in b"\r\n" + blob:
        return
    parser = Multipart(b"b", 10)
    events = [event for piece in cut(body_of(blob, b"videos"), places) for event in parser.feed(piece)]
    parser.finish()

    data = [blob] if blob else []
    assert joined(events) == [Part("bucket", None), b"videos", End(), Part("file", "v"), *data, End()]


@given(
    blob=st.binary(max_size=1200), places=st.lists(st.integers(0, 1500), max_size=8), end=st.integers(0, 1400)
)
def test_a_form_is_whole_or_refused(blob, places, end):
    """A form that is cut off is a problem of the sender's, never an error of ours."""
    blob = HEAD + blob.replace(b"--b", b"")
    body = body_of(blob, b"videos")
    whole = end >= body.rindex(b"--b--") + len("--b--")  # what follows the closing boundary is nobody's

    async def chunks():
        for piece in cut(body[:end], places):
            yield piece

    async def open_sink(fields):
        assert fields == {"bucket": "videos"}
        return HashSink()

    made = asyncio.run(outcome(read_form(chunks(), b"b", ApiSettings(), open_sink)))
    assert made == (("video", Stat.of([blob])) if whole else 400) or (made == 422 and not whole)


async def outcome(form):
    """Kind and size, or the status of the refusal."""
    try:
        read = await form
    except Problem as problem:
        return problem.status
    return read.kind, read.stat


@given(st.binary(max_size=300))
def test_noise_is_refused(noise):
    """No other error comes out."""
    parser = Multipart(b"b", 3)
    with pytest.raises(Problem) as refused:
        feed_all(parser, noise)
    assert refused.value.status == 400


def feed_all(parser, noise):
    parser.feed(noise)
    parser.finish()
