"""Folders of images: order, numbers, times, sizes and what cannot be opened."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from sightline.adapters.images.folder import ImageFolderReader
from sightline.errors import InvalidVideo, NotFound
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks, rate, sample
from tests import media

OWN = ImageSpec(0, 0)


def save(path, number=0, size=(160, 96), **options):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(media.picture(number, *size)).save(path, **options)


def read(reader):
    """Row, outcome, reason and picture of every image."""
    index = reader.index()
    shape = (index.height, index.width, 3)
    return [
        (found.row, found.outcome, found.reason, found.buffer)
        for chunk in chunks(index, 4)
        for found in reader.read(
            chunk,
            range(chunk.first, chunk.end),
            index.tick[chunk.first : chunk.end].tolist(),
            lambda: np.empty(shape, np.uint8),
        )
    ]


def numbers(reader):
    return [media.number_of(image) for _, outcome, _, image in read(reader) if outcome == "ok"]


class TestOrder:
    def test_numbers_are_frames_and_a_missing_one_is_a_gap(self, tmp_path):
        """Time runs on over the gap; no frame is made for it."""
        for number in (5, 6, 8, 11):
            save(tmp_path / f"{number:07d}.png", number)
        reader = ImageFolderReader(tmp_path, OWN, fps=Fraction(25))

        index = reader.index()

        assert index.frame.tolist() == [0, 1, 3, 6]
        assert index.pts_us.tolist() == [0, 40_000, 120_000, 240_000]
        assert index.gaps == ((7, 7), (9, 10))
        assert index.names == ("0000005.png", "0000006.png", "0000008.png", "0000011.png")
        assert index.duration_us == 280_000
        assert numbers(reader) == [5, 6, 8, 11]

    def test_numbers_need_no_leading_zeros(self, tmp_path):
        """9 comes before 10."""
        for number in (10, 9, 11):
            save(tmp_path / f"{number}.png", number)

        assert numbers(ImageFolderReader(tmp_path, OWN)) == [9, 10, 11]

    def test_other_names_count_by_rank(self, tmp_path):
        """Numbers inside names are compared as numbers, gaps mean nothing."""
        for number, name in enumerate(["img2.png", "img10.png", "img10b.png", "other.png"]):
            save(tmp_path / name, number)
        reader = ImageFolderReader(tmp_path, OWN)

        assert numbers(reader) == [0, 1, 2, 3]
        assert reader.index().frame.tolist() == [0, 1, 2, 3]
        assert reader.index().gaps == ()

    @pytest.mark.parametrize("names", [["1.png", "01.png", "2.png"], ["17.png", "17000000333.png"]])
    def test_numbers_that_cannot_be_frames_count_by_rank(self, tmp_path, names):
        """Repeated ones, and those too far apart; the user is told."""
        for name in names:
            save(tmp_path / name)

        index = ImageFolderReader(tmp_path, OWN).index()

        assert index.frame.tolist() == list(range(len(names)))
        assert [caveat.code for caveat in index.caveats] == ["image_numbers"]

    def test_names_that_are_clock_times_give_the_times(self, tmp_path):
        """A camera that sleeps: pauses are in the times and not in the rate, no number is a gap, the user is told."""
        seconds = [0, 1, 2, 3600, 3601, 3602]
        for number, second in enumerate(seconds):
            save(tmp_path / f"20240517{12 + second // 3600}00{second % 3600:02d}.png", number)
        reader = ImageFolderReader(tmp_path, OWN)

        index = reader.index()

        assert index.pts_us.tolist() == [second * 1_000_000 for second in seconds]
        assert index.frame.tolist() == list(range(6))
        assert (index.gaps, index.clock, index.vfr) == ((), "names", True)
        assert index.duration_us == 3603 * 1_000_000
        assert rate(index, sample(index, 1)) == 1
        assert [caveat.code for caveat in index.caveats] == ["image_times"]
        assert numbers(reader) == list(range(6))

    def test_a_given_rate_wins_over_clock_times(self, tmp_path):
        """The images keep their order, and lie one behind the other."""
        for number, name in enumerate(["20240517120059.png", "20240517120100.png", "20240517130000.png"]):
            save(tmp_path / name, number)
        reader = ImageFolderReader(tmp_path, OWN, fps=Fraction(10))

        index = reader.index()

        assert index.pts_us.tolist() == [0, 100_000, 200_000]
        assert (index.clock, index.gaps, index.caveats) == ("rate", (), ())
        assert numbers(reader) == [0, 1, 2]

    def test_images_of_one_second_are_spread_over_it(self, tmp_path):
        """Names to the second, five images in each: 200 ms apart, and said."""
        for number in range(3, 18):
            save(tmp_path / f"IMG_20240517_1200{number // 5:02d} ({number % 5}).png", number)

        index = ImageFolderReader(tmp_path, OWN).index()

        assert index.pts_us.tolist() == [200_000 * number for number in range(15)]
        assert rate(index, sample(index, 1)) == 5
        assert "15 share their second" in index.caveats[0].detail

    def test_only_images_count(self, tmp_path):
        """Other files, hidden files and folders are left out; the ending's case does not matter."""
        save(tmp_path / "a.JPG", 3)
        save(tmp_path / "b.jpeg", 4)
        (tmp_path / "readme.txt").write_text("x")
        (tmp_path / "._a.jpg").write_bytes(b"x")
        (tmp_path / "c.png").mkdir()

        reader = ImageFolderReader(tmp_path, OWN)

        assert numbers(reader) == [3, 4]
        assert reader.index().codec == "jpeg"

    def test_times_are_rounded_once(self, tmp_path):
        """`pts_us = round(frame * 1e6 / fps)`, for any rate."""
        for number in range(4):
            save(tmp_path / f"{number}.png")
        reader = ImageFolderReader(tmp_path, OWN, fps=Fraction(30_000, 1001))

        index = reader.index()

        assert index.pts_us.tolist() == [0, 33_367, 66_733, 100_100]
        assert rate(index, sample(index, 1)) == Fraction(30_000, 1001)

    def test_ten_thousand_images_are_listed_by_one_header(self, tmp_path):
        """Only the first is opened: the others may hold anything."""
        save(tmp_path / "00000.png", size=(20, 10))
        for number in range(1, 10_000):
            (tmp_path / f"{number:05d}.png").touch()

        index = ImageFolderReader(tmp_path, OWN).index()

        assert (len(index), index.width, index.height, dict(index.failed)) == (10_000, 20, 10, {})


class TestPictures:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_orientation_is_applied(self, tmp_path, orientation):
        """Cameras save lying pictures with a note which way is up; viewers and OpenCV follow it."""
        upright = media.picture(5)
        turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 1, 7: 3, 8: 3}
        stored = Image.fromarray(upright)
        if orientation in (2, 4, 5, 7):
            stored = stored.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if orientation == 5:
            stored = stored.rotate(-90, expand=True).rotate(180, expand=True)
        elif orientation == 7:
            stored = stored.rotate(-90, expand=True)
        else:
            stored = stored.rotate(90 * turns[orientation], expand=True)
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(tmp_path / "1.png", exif=exif)
        reader = ImageFolderReader(tmp_path, OWN)

        ((_, _, _, found),) = read(reader)

        assert (reader.index().width, reader.index().height) == (160, 96)
        np.testing.assert_array_equal(found, upright)

    @pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
    def test_every_kind_of_picture_becomes_rgb(self, tmp_path, mode):
        """Grey, palette, transparent, print and 16-bit pictures keep their brightness."""
        grey = np.full((96, 160), 200, np.uint8)
        grey[:, :80] = 20
        if mode == "I;16":
            image = Image.fromarray(grey.astype(np.uint16) * 257)
        else:
            image = Image.fromarray(grey).convert("RGB").convert(mode)
        image.save(tmp_path / ("1.jpg" if mode == "CMYK" else "1.png"))

        ((_, outcome, _, found),) = read(ImageFolderReader(tmp_path, OWN))

        assert outcome == "ok"
        assert found[48, 20].max() < 60
        assert found[48, 140].min() > 190

    def test_a_palette_with_transparency(self, tmp_path):
        """Its colours count, its holes do not."""
        image = Image.fromarray(media.picture(9)).quantize(64)
        image.save(tmp_path / "1.png", transparency=bytes(range(64)))

        assert numbers(ImageFolderReader(tmp_path, OWN)) == [9]

    def test_other_sizes_are_scaled_to_the_first(self, tmp_path):
        """Boxes stay in its pixels, and the user is told."""
        save(tmp_path / "1.png", 1)
        save(tmp_path / "2.png", 2, size=(320, 128))
        reader = ImageFolderReader(tmp_path, OWN)

        found = read(reader)

        assert [media.number_of(image) for *_, image in found] == [1, 2]
        assert found[1][3].shape == (96, 160, 3)
        assert [caveat.code for caveat in reader.caveats] == ["size_change"]


class TestFaults:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "truncated"),
            (b"not a picture", "decode"),
            (b"\xff\xd8\xff\xe0" + bytes(100), "decode"),
            (b"GIF89a" + bytes(50), "decode"),
        ],
    )
    def test_what_cannot_be_opened_is_failed(self, tmp_path, content, reason):
        """The others come."""
        for number in (1, 3):
            save(tmp_path / f"{number}.png", number)
        (tmp_path / "2.png").write_bytes(content)

        found = read(ImageFolderReader(tmp_path, OWN))

        assert [(row, outcome, why) for row, outcome, why, _ in found] == [
            (0, "ok", ""),
            (1, "failed", reason),
            (2, "ok", ""),
        ]

    @pytest.mark.parametrize("name", ["2.jpg", "2.png"])
    @pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
    def test_half_a_picture_is_failed(self, tmp_path, name, share):
        """Grey where pixels are missing would be an invention."""
        save(tmp_path / "1.png", 1)
        save(tmp_path / name, 2)
        media.truncate(tmp_path / name, share)

        (_, (_, outcome, reason, image)) = read(ImageFolderReader(tmp_path, OWN))

        assert (outcome, reason, image) == ("failed", "decode", None)

    def test_damage_anywhere_is_failed_or_a_picture(self, tmp_path):
        """Nothing else: no other error, no other size."""
        save(tmp_path / "0.png", 1)
        whole = {}
        for format in ("PNG", "JPEG"):
            file = io.BytesIO()
            Image.fromarray(media.picture(2)).save(file, format=format)
            whole[format] = file.getvalue()
        random = np.random.default_rng(11)
        for number in range(1, 201):
            content = bytearray(whole["PNG" if number % 2 else "JPEG"])
            for place in random.integers(0, len(content), 3):
                content[place] = random.integers(0, 256)
            (tmp_path / f"{number}.png").write_bytes(content)

        found = read(ImageFolderReader(tmp_path, OWN, max_pixels=10**6))

        assert [row for row, *_ in found] == list(range(201))
        assert {outcome for _, outcome, _, _ in found} == {"ok", "failed"}
        assert {reason for _, outcome, reason, _ in found if outcome == "failed"} <= {"decode", "limit"}

    def test_a_bomb_is_failed_by_its_header(self, tmp_path):
        """Hundreds of megapixels in a few kilobytes are never decoded."""
        save(tmp_path / "1.png", 1)
        Image.new("1", (20_000, 20_000)).save(tmp_path / "2.png")
        save(tmp_path / "3.png", 3, size=(400, 400))

        found = read(ImageFolderReader(tmp_path, OWN, max_pixels=160_000 - 1))

        assert [(outcome, reason) for _, outcome, reason, _ in found] == [
            ("ok", ""),
            ("failed", "limit"),
            ("failed", "limit"),
        ]

    def test_where_each_is_too_large_that_is_said(self, tmp_path):
        """They are JPEG and PNG."""
        save(tmp_path / "1.png", 1, size=(400, 400))

        with pytest.raises(InvalidVideo, match="more than 159999 pixels") as found:
            ImageFolderReader(tmp_path, OWN, max_pixels=160_000 - 1).index()
        assert found.value.code == "limit"

    def test_the_first_picture_that_opens_gives_the_size(self, tmp_path):
        """Those before it are known to fail."""
        (tmp_path / "1.png").write_bytes(b"")
        (tmp_path / "2.png").write_bytes(b"x")
        save(tmp_path / "3.png", 3)

        index = ImageFolderReader(tmp_path, OWN).index()

        assert (index.width, index.height) == (160, 96)
        assert dict(index.failed) == {0: "truncated", 1: "decode"}

    def test_an_image_that_is_gone_is_not_found(self, tmp_path):
        """No frame is lost: the caller may bring it back and read again."""
        for number in (1, 2):
            save(tmp_path / f"{number}.png", number)
        reader = ImageFolderReader(tmp_path, OWN)
        reader.index()
        (tmp_path / "2.png").unlink()

        with pytest.raises(NotFound, match=r"2\.png"):
            read(reader)

    @pytest.mark.parametrize(("content", "code"), [(None, "empty"), (b"x", "no_frame")])
    def test_a_folder_without_pictures_says_so(self, tmp_path, content, code):
        """Empty, or nothing in it opens."""
        if content is not None:
            (tmp_path / "1.png").write_bytes(content)

        with pytest.raises(InvalidVideo) as caught:
            ImageFolderReader(tmp_path, OWN).index()

        assert caught.value.code == code

    def test_too_many_are_refused(self, tmp_path):
        """A limit is a limit."""
        for number in range(3):
            save(tmp_path / f"{number}.png")

        with pytest.raises(InvalidVideo) as caught:
            ImageFolderReader(tmp_path, OWN, max_frames=2).index()

        assert caught.value.code == "limit"

    def test_a_rate_is_positive(self, tmp_path):
        """Time would stand still."""
        with pytest.raises(ValueError, match="fps"):
            ImageFolderReader(tmp_path, OWN, fps=Fraction(0))
