"""Chunks, sampled rows, times and rates are pure functions of the index."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.types import SourceIndex
from sightline.vision.sampling import chunks, microseconds, rate, sample


def index(ticks, keys=(0,), time_base=Fraction(1, 25), kind="video", counted=False, duration_us=0):
    tick = np.array(ticks, dtype=np.int64)
    key = np.zeros(len(tick), dtype=np.bool_)
    key[list(keys)] = True
    return SourceIndex(
        kind=kind,
        name="clip",
        codec="h264",
        width=640,
        height=360,
        rotation=0,
        stream=0,
        time_base=time_base,
        frame=np.arange(len(tick)),
        tick=tick,
        pts_us=microseconds(tick - tick[0], time_base) if len(tick) else tick,
        key=key,
        counted=counted,
        duration_us=duration_us,
    )


class TestMicroseconds:
    @given(
        st.lists(st.integers(-(2**40), 2**40), max_size=20),
        st.integers(1, 1001),
        st.integers(1000, 10**9),
    )
    def test_a_time_is_the_exact_fraction_rounded_once(self, ticks, up, down):
        """Half goes to even, as `round` does."""
        base = Fraction(up, down)

        found = microseconds(np.array(ticks, dtype=np.int64), base)

        assert found.tolist() == [round(tick * base * 1_000_000) for tick in ticks]

    def test_times_of_a_whole_day_at_a_nanosecond_a_tick(self):
        """Products that do not fit into 64 bits are computed anyway."""
        day = 86_400 * 10**9

        assert microseconds(np.array([day + 1]), Fraction(1, 10**9)).tolist() == [86_400 * 10**6]
        assert microseconds(np.array([86_400 * 99_999_989]), Fraction(1, 99_999_989)).tolist() == [
            86_400 * 10**6
        ]


class TestChunks:
    def test_a_chunk_is_whole_groups_of_at_least_so_many_frames(self):
        """It ends at the first key frame behind the limit."""
        cuts = chunks(index(range(100), keys=range(0, 100, 12)), 32)

        assert [(cut.first, cut.end) for cut in cuts] == [(0, 36), (36, 72), (72, 100)]
        assert [(cut.first_tick, cut.end_tick) for cut in cuts] == [(0, 36), (36, 72), (72, None)]

    def test_a_long_group_is_one_chunk(self):
        """A group is never cut."""
        assert [(cut.first, cut.end) for cut in chunks(index(range(500)), 32)] == [(0, 500)]

    def test_frames_before_the_first_key_frame_belong_to_the_first_chunk(self):
        """A stream may begin in the middle of a group."""
        cuts = chunks(index(range(20), keys=[5, 15]), 4)

        assert [(cut.first, cut.end) for cut in cuts] == [(0, 5), (5, 15), (15, 20)]

    def test_images_are_cut_anywhere(self):
        """Each is decoded alone."""
        cuts = chunks(index(range(10), keys=range(10), kind="images"), 4)

        assert [(cut.first, cut.end) for cut in cuts] == [(0, 4), (4, 8), (8, 10)]

    def test_counted_frames_are_one_chunk_without_ticks(self):
        """Only counting from the start tells them apart."""
        (cut,) = chunks(index(range(100), keys=range(0, 100, 10), counted=True), 10)

        assert (cut.first, cut.end, cut.first_tick, cut.end_tick) == (0, 100, None, None)

    def test_nothing_gives_no_chunk(self):
        """An empty source has nothing to decode."""
        assert chunks(index([], keys=[])) == []

    def test_a_chunk_holds_a_frame(self):
        """Zero would never end."""
        with pytest.raises(ValueError, match="at_least"):
            chunks(index(range(3)), 0)

    @given(st.integers(1, 300), st.sets(st.integers(0, 299)), st.integers(1, 70))
    def test_chunks_cover_every_frame_once(self, total, keys, at_least):
        """They follow each other, begin at key frames and are numbered."""
        source = index(range(0, 3 * total, 3), keys=[key for key in keys if key < total])

        cuts = chunks(source, at_least)

        assert [cut.number for cut in cuts] == list(range(len(cuts)))
        assert [row for cut in cuts for row in range(cut.first, cut.end)] == list(range(total))
        assert all(source.key[cut.first] for cut in cuts[1:])
        assert all(cut.first_tick == source.tick[cut.first] for cut in cuts)
        assert all(cut.end - cut.first >= at_least for cut in cuts[:-1])


class TestSample:
    def test_every_fifth_frame(self):
        """Frames 0, 5, 10: a fifth of them, rounded up."""
        assert sample(index(range(12)), 5).tolist() == [0, 5, 10]

    def test_between_two_times(self):
        """The first frame at or after the start; the end is exclusive."""
        source = index(range(100))

        assert sample(source, 1, 40_000, 120_000).tolist() == [1, 2]
        assert sample(source, 2, 40_001, 240_000).tolist() == [2, 4]
        assert sample(source, 1, start_us=3_960_000).tolist() == [99]

    def test_outside_of_the_video_nothing(self):
        """No frame lies there."""
        assert sample(index(range(10)), 1, start_us=10**9).tolist() == []

    def test_a_stride_is_positive(self):
        """Zero would never end."""
        with pytest.raises(ValueError, match="stride"):
            sample(index(range(3)), 0)


class TestRate:
    @pytest.mark.parametrize(
        ("ticks", "base", "stride", "expected"),
        [
            (range(0, 100_100, 1001), Fraction(1, 30_000), 1, Fraction(30_000, 1001)),
            (range(50), Fraction(1, 25), 5, Fraction(5)),
            ([0, 1, 2, 12], Fraction(1, 10), 1, Fraction(10)),
            ([0, 10], Fraction(1, 5), 1, Fraction(1, 2)),
        ],
    )
    def test_one_over_the_usual_step(self, ticks, base, stride, expected):
        """Exact where steps are equal; a pause is no step."""
        source = index(ticks, time_base=base)

        assert rate(source, sample(source, stride)) == expected

    def test_film_on_a_clock_of_milliseconds(self):
        """24 frames a second at 60 Hz come 33 and 50 ms apart."""
        ticks = [round(1000 * (5 * (number // 2) + 2 * (number % 2)) / 60) for number in range(100)]
        source = index(ticks, time_base=Fraction(1, 1000))

        assert rate(source, sample(source, 1)) == 24

    @pytest.mark.parametrize("pause", [1_000, 600_000, 8 * 3_600_000])
    @pytest.mark.parametrize("frames", [3, 10, 250])
    def test_a_camera_that_sleeps_has_the_rate_that_it_has_awake(self, pause, frames):
        """However long it sleeps, and however short it is awake."""
        ticks = [(40 * frames + pause) * clip + 40 * number for clip in range(6) for number in range(frames)]
        source = index(ticks, time_base=Fraction(1, 1000))

        assert rate(source, sample(source, 1)) == 25

    @given(
        st.integers(5, 400),
        st.sampled_from(["30", "25", "24", "15", "12.5", "7.5", "60"]),
        st.integers(0, 999),
    )
    def test_times_in_milliseconds_give_a_round_rate(self, total, nominal, first):
        """33 and 34 ms are 30 frames a second, however many there are of each."""
        true = Fraction(nominal)
        source = index(
            [round(first + 1000 * number / true) for number in range(total)], time_base=Fraction(1, 1000)
        )

        assert abs(rate(source, sample(source, 1)) / true - 1) < Fraction(1, 40)
        if total > 60:
            assert rate(source, sample(source, 1)) == true

    def test_ntsc_in_milliseconds(self):
        """Matroska's clock."""
        source = index([round(number * 1001 / 30) for number in range(300)], time_base=Fraction(1, 1000))

        assert rate(source, sample(source, 1)) == Fraction(30_000, 1001)

    def test_lost_frames_do_not_lower_it(self):
        """A camera that drops every fourth frame still gives 25 a second while frames come."""
        source = index([number for number in range(400) if number % 4], time_base=Fraction(1, 25))

        assert rate(source, sample(source, 1)) == 25

    @pytest.mark.parametrize("burst", [2, 3, 8])
    @pytest.mark.parametrize("apart", [1, 2])
    def test_frames_in_bursts_have_the_rate_of_the_bursts(self, burst, apart):
        """Clocks that show when a frame came over the network; or repeated times that were made to rise."""
        ticks = [40 * burst * clump + apart * number for clump in range(40) for number in range(burst)]
        source = index(ticks, time_base=Fraction(1, 1000))

        assert rate(source, sample(source, 1)) == 25

    def test_no_camera_gives_more_than_a_thousand(self):
        """Steps that are made up do not count: the mean does."""
        ticks = [1_000_000 * second + number for second in range(10) for number in range(20)]
        source = index(ticks, time_base=Fraction(1, 1_000_000))

        assert 19 < rate(source, sample(source, 1)) < 24

    @given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60))
    def test_it_lies_between_the_shortest_and_the_longest_step(self, steps):
        """Any clock gives a rate, and one that its steps allow."""
        ticks = np.cumsum([0, *steps]).tolist()
        source = index(ticks, time_base=Fraction(1, 10**6))

        found = rate(source, sample(source, 1))

        assert Fraction(10**6, 2 * max(steps)) < found < Fraction(2 * 10**6, min(steps))

    def test_one_frame_has_the_rate_of_its_duration(self):
        """A still of half a second is two frames a second."""
        assert rate(index([7], duration_us=500_000), [0]) == 2

    def test_one_frame_of_unknown_duration(self):
        """30, the default of image folders."""
        assert rate(index([7]), [0]) == 30
        assert rate(index(range(10)), []) == 30
