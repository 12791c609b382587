"""What every `FrameReader` must do. A backend's test class gives `open_reader` and `missing_reader`."""

import zlib

import numpy as np
import pytest

from sightline.errors import NotFound
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks

SPEC = ImageSpec(64, 48, "rgb")


class FrameReaderSuite:
    """Fixtures: `open_reader()` gives a new reader of the same source, at least 40 frames long, for `SPEC`;
    `missing_reader` reads a source that does not exist, or is None where there is no such thing.
    """

    at_least = 8

    @staticmethod
    def buffer() -> np.ndarray:
        return np.zeros(SPEC.shape(), np.uint8)

    def read(self, reader, chunk, rows):
        """Row, outcome, reason and checksum of each frame."""
        ticks = reader.index().tick[list(rows)].tolist()
        return [
            (
                found.row,
                found.outcome,
                found.reason,
                None if found.buffer is None else zlib.crc32(found.buffer),
            )
            for found in reader.read(chunk, list(rows), ticks, self.buffer)
        ]

    def whole(self, open_reader):
        """The source read from start to end by one reader, and its chunks."""
        reader = open_reader()
        cuts = chunks(reader.index(), self.at_least)
        found = [frame for chunk in cuts for frame in self.read(reader, chunk, range(chunk.first, chunk.end))]
        reader.close()
        return cuts, found

    def test_the_index_is_the_same_each_time(self, open_reader):
        """The same bytes give the same index, whoever reads them."""
        first, second = open_reader().index(), open_reader().index()

        assert first.name == second.name
        assert (first.width, first.height, first.rotation) == (second.width, second.height, second.rotation)
        for name in ("frame", "tick", "pts_us", "key"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))

    def test_frames_and_times_rise_from_zero(self, open_reader):
        """The clock starts at the first frame; no two frames share a number or a time."""
        index = open_reader().index()

        assert len(index) >= 40
        assert (index.frame[0], index.pts_us[0]) == (0, 0)
        assert (np.diff(index.frame) > 0).all()
        assert (np.diff(index.tick) > 0).all()
        assert (np.diff(index.pts_us) > 0).all()
        assert index.duration_us > index.pts_us[-1]

    def test_every_frame_comes_once_in_order(self, open_reader):
        """Nothing is lost, nothing invented."""
        _, found = self.whole(open_reader)

        assert [row for row, *_ in found] == list(range(len(open_reader().index())))
        assert {outcome for _, outcome, *_ in found} <= {"ok", "failed"}

    def test_a_chunk_alone_equals_the_chunk_in_its_place(self, open_reader):
        """Where reading begins never changes a pixel."""
        cuts, expected = self.whole(open_reader)

        for chunk in reversed(cuts):
            reader = open_reader()
            assert (
                self.read(reader, chunk, range(chunk.first, chunk.end)) == expected[chunk.first : chunk.end]
            )
            reader.close()

    def test_chunks_in_any_order_by_one_reader(self, open_reader):
        """A reader goes back and forth, and reads a chunk twice."""
        cuts, expected = self.whole(open_reader)
        reader = open_reader()

        for chunk in [*cuts[1::2], *reversed(cuts), cuts[0], cuts[0]]:
            assert (
                self.read(reader, chunk, range(chunk.first, chunk.end)) == expected[chunk.first : chunk.end]
            )

    @pytest.mark.parametrize("stride", [2, 5, 7])
    def test_exactly_the_rows_asked_for(self, open_reader, stride):
        """Sampling decodes the same frames and gives fewer of them."""
        cuts, expected = self.whole(open_reader)
        reader = open_reader()

        for chunk in cuts:
            rows = range(chunk.first, chunk.end, stride)
            assert self.read(reader, chunk, rows) == [expected[row] for row in rows]

    def test_a_chunk_in_parts(self, open_reader):
        """A long group of pictures may be read piece by piece."""
        cuts, expected = self.whole(open_reader)
        reader = open_reader()

        for chunk in cuts:
            for first in range(chunk.first, chunk.end, 3):
                rows = range(first, min(first + 3, chunk.end))
                assert self.read(reader, chunk, rows) == [expected[row] for row in rows]

    def test_the_caller_may_stop_early(self, open_reader):
        """What was not taken is read again the next time."""
        cuts, expected = self.whole(open_reader)
        reader, chunk = open_reader(), cuts[0]
        rows = list(range(chunk.first, chunk.end))
        found = reader.read(chunk, rows, reader.index().tick[rows].tolist(), self.buffer)

        next(found)
        next(found)
        found.close()

        assert self.read(reader, chunk, rows) == expected[chunk.first : chunk.end]
        assert self.read(reader, chunk, rows[1:]) == expected[chunk.first + 1 : chunk.end]

    def test_a_buffer_is_asked_for_once_a_frame(self, open_reader):
        """Just before it is written, and it comes back with the frame."""
        reader = open_reader()
        chunk = chunks(reader.index(), self.at_least)[0]
        rows = list(range(chunk.first, chunk.end))
        given: list[np.ndarray] = []

        def buffer():
            given.append(self.buffer())
            return given[-1]

        ok = []
        for frame in reader.read(chunk, rows, reader.index().tick[rows].tolist(), buffer):
            if frame.outcome == "ok":
                ok.append(frame.buffer)
                assert len(given) == len(ok)

        assert all(taken is made for taken, made in zip(ok, given, strict=True))

    def test_no_rows_no_frames(self, open_reader):
        """Nothing is asked, nothing comes."""
        reader = open_reader()
        chunk = chunks(reader.index(), self.at_least)[0]

        assert list(reader.read(chunk, [], [], self.buffer)) == []

    def test_closing_twice_is_harmless(self, open_reader):
        """Closing releases; repeating does nothing."""
        reader = open_reader()
        reader.index()

        reader.close()
        reader.close()

    def test_a_missing_source_is_not_found(self, missing_reader):
        """The caller learns which error it is."""
        if missing_reader is None:
            return

        with pytest.raises(NotFound):
            missing_reader.index()
