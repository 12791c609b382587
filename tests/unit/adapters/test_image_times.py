"""Clock times in names of images: which forms are believed, and which are not."""

import pytest

from sightline.adapters.images.times import name_times, odd_one

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("stems", "steps"),
    [
        (["20240517120059", "20240517120100", "20240517120130"], [1, 30]),
        (["20240517_235959", "20240518_000001"], [2]),
        (["20240517T120059", "20240517T120101"], [2]),
        (["2024-05-17_12-00-59", "2024-05-17_12-01-59"], [60]),
        (["2024-05-17 12.00.59", "2024-05-17 12.01.00"], [1]),
        (["Photo 2024-05-17 at 12.00.59", "Photo 2024-05-17 at 13.00.59"], [3600]),
        (["2024_05_17-12_00_59-cam1", "2024_05_17-12_01_00-cam1"], [1]),
        (["IMG_20240228_235959_500", "IMG_20240229_000000_250"], [0.75]),
        (["cam2-20240517-120059.123456", "cam2-20240517-120100.123456"], [1]),
        (["20240517120059123", "20240517120100456"], [1.333]),
        (["2024-05-17T12:00:59Z", "2024-05-17T12:01:00Z"], [1]),
        (["202405171200", "202405171205"], [300]),
        (["20240517", "20240518", "20240601"], [86_400, 14 * 86_400]),
        (["2024-12-31", "2025-01-01"], [86_400]),
        (["1715947259", "1715947260", "1715950860"], [1, 3600]),
        (["1715947259123", "1715947260456"], [1.333]),
        (["1715947259.123456", "1715947260.123457"], [1.000001]),
        (["1715947259123456789", "1715947260123456789"], [1]),
        (["frame_1715947259123", "frame_1715947260123"], [1]),
        (["1715947259.1008472", "1715947259.5", "1715947260.0"], [0.399153, 0.5]),
        (["2024-05-17T12:00:59", "2024-05-17T12:01:00.25"], [1.25]),
        (["17-05-2024_12-00-59", "01-06-2024_12-00-59"], [15 * 86_400]),
        (["240517120058", "240517120101"], [3]),
    ],
)
def test_a_clock_is_read(stems, steps):
    """To the microsecond, over midnight, months and leap days."""
    found = name_times(stems)

    assert found is not None
    times = [0]
    for step in steps:
        times.append(times[-1] + round(step * SECOND))
    assert list(found.pts_us) == times
    assert found.shared == 0


@pytest.mark.parametrize(
    "stems",
    [
        ["000001", "000002", "000003"],
        ["0000000001", "0000000002"],
        ["img2", "img10"],
        ["20241399120000", "20241399120001"],
        ["20240517120059", "20240517120100", "other"],
        ["20240517120059", "x20240517120100"],
        ["20240517120059"],
        ["IMG_20240517_0001", "IMG_20240517_0002"],
        ["20240517_120059_0001", "20240517_120059_0002"],
        ["20240517_120059_001", "20240517_120059_002", "20240517_120059_003"],
        ["20240517_120059_000001", "20240517_120059_000002", "20240517_120159_000001"],
        ["99999998", "99999999"],
        ["5000000000", "5000000001"],
        [],
    ],
)
def test_no_clock_is_read_into_other_names(stems):
    """Frame numbers, counters behind a date, days that do not exist, names that do not agree."""
    assert name_times(stems) is None


def test_images_are_ordered_by_time():
    """Whatever stands before it."""
    found = name_times(["a-20240517120100", "b-20240517120059"])

    assert found is not None
    assert found.order == (1, 0)


def test_the_first_and_last_second_need_not_be_whole():
    """At 25 a second, from the 20th image of a second on: steps stay 40 ms; so they do before and behind a pause."""
    counts = {0: 5, 1: 25, 2: 25, 3: 12, 600: 9, 601: 25, 602: 3}
    stems = [
        f"202405171{2 + at // 3600}{at // 60 % 60:02d}{at % 60:02d}-{n}"
        for at, count in counts.items()
        for n in range(count)
    ]

    found = name_times(stems)

    assert found is not None
    steps = [b - a for a, b in zip(found.pts_us, found.pts_us[1:], strict=False)]
    assert steps.count(40_000) == len(steps) - 1
    assert found.shared == len(stems)
    assert found.unit == "second"


def test_two_images_at_one_microsecond_are_told_apart():
    """No two frames share a time."""
    found = name_times(["20240517120059.000001-a", "20240517120059.000001-b", "20240517120101.000000-a"])

    assert found is not None
    assert found.pts_us == (0, 1, 1_999_999)


def test_decimals_of_any_length_are_one_clock():
    """As `str(time.time())` drops its last zeros; the order is that of the times."""
    found = name_times(["1715947259.2", "1715947259.1008472", "1715947260.0"])

    assert found is not None
    assert (found.order, found.pts_us) == ((1, 0, 2), (0, 99_153, 899_153))


def test_one_name_without_a_time_among_many_is_found():
    """A thumbnail takes all times away, which is worth a word; a folder of other names is none."""
    dated = [f"202405171200{second:02d}" for second in range(20)]

    assert odd_one([*dated, "thumb"]) == 20
    assert odd_one(dated) is None
    assert odd_one(["a", "b", *dated[:4]]) is None
