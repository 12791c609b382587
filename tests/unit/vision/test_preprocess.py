"""Blur and contrast equal OpenCV bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.vision.preprocess import Preprocess, blur3, contrast_table

pytestmark = pytest.mark.contract

DETECT = Preprocess(blur=3, contrast=1.3, brightness=5)


def blurred_slowly(image):
    """The definition: kernel [1 2 1] / 4 both ways, reflect-101, one rounding at the end."""
    height, width = image.shape[:2]
    rows = [abs(y) if y < height else 2 * height - 2 - y for y in range(-1, height + 1)]
    columns = [abs(x) if x < width else 2 * width - 2 - x for x in range(-1, width + 1)]
    padded = image[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)].astype(np.int64)
    down = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return ((down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:] + 8) >> 4).astype(np.uint8)


class TestContrast:
    def test_all_values_are_those_of_float32(self):
        """`clip(rint(f32(1.3) * x + f32(5)), 0, 255)`, half to even."""
        expected = [
            min(255, int(np.rint(np.float32(1.3) * np.float32(value) + np.float32(5))))
            for value in range(256)
        ]

        assert contrast_table(1.3, 5).tolist() == expected

    def test_four_values_differ_from_float64(self):
        """45, 85, 165 and 185 lie on a half only where 1.3 is exact enough."""
        exact = np.clip(np.rint(1.3 * np.arange(256) + 5), 0, 255).astype(np.uint8)

        differ = np.flatnonzero(contrast_table(1.3, 5) != exact)

        assert differ.tolist() == [45, 85, 165, 185]
        assert contrast_table(1.3, 5)[differ].tolist() == [63, 115, 219, 245]

    def test_values_end_at_black_and_white(self):
        """Nothing wraps around."""
        assert contrast_table(2, -100)[[0, 50, 255]].tolist() == [0, 0, 255]


class TestBlur:
    @given(st.integers(1, 70), st.integers(1, 9), st.integers(0, 2**32 - 1))
    def test_every_size_equals_the_definition(self, height, width, seed):
        """Borders, strips and single rows or columns too."""
        image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)

        np.testing.assert_array_equal(blur3(image), blurred_slowly(image))

    def test_known_values(self):
        """A white dot: 255 * 4 / 16 = 63.75 in the middle, half and quarter of it around."""
        image = np.zeros((5, 5, 1), np.uint8)
        image[2, 2] = 255

        assert blur3(image)[:, :, 0].tolist() == [
            [0, 0, 0, 0, 0],
            [0, 16, 32, 16, 0],
            [0, 32, 64, 32, 0],
            [0, 16, 32, 16, 0],
            [0, 0, 0, 0, 0],
        ]

    def test_a_border_pixel_sees_its_inner_neighbour_twice(self):
        """Reflect-101: the edge itself is not repeated."""
        image = np.zeros((1, 4, 1), np.uint8)
        image[0, 1] = 100

        assert blur3(image)[0, :, 0].tolist() == [50, 50, 25, 0]


class TestPreprocess:
    def test_contrast_follows_the_blur(self):
        """The order of the founding system."""
        image = np.random.default_rng(1).integers(0, 256, (50, 40, 3), dtype=np.uint8)

        np.testing.assert_array_equal(DETECT(image), contrast_table(1.3, 5)[blurred_slowly(image)])

    def test_nothing_to_do_changes_nothing(self):
        """The default leaves a frame as it is."""
        image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)

        np.testing.assert_array_equal(Preprocess()(image), image)

    def test_other_kernels_are_refused(self):
        """Only size 3 is exact."""
        with pytest.raises(ValueError, match="blur"):
            Preprocess(blur=5)
