"""What every `Detector` must do. A backend's test class gives the fixtures `detector`, `threaded` and `pictures`.

`threaded` is the same model opened for two requests at a time; `pictures` fills an image: pairwise different ones in
which something is found.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np


def look(slot, picture) -> tuple[bytes, bytes, bytes]:
    """Detections of one picture, as bytes."""
    slot.image[...] = picture
    slot.start()
    return as_bytes(slot.result())


def as_bytes(found) -> tuple[bytes, bytes, bytes]:
    return found.xyxy.tobytes(), found.confidence.tobytes(), found.class_id.tobytes()


class DetectorSuite:
    def test_a_slot_has_the_picture_that_was_announced(self, detector):
        """Bytes of the shape of `info.image`, to be written."""
        image = detector.slot().image

        assert image.shape == detector.info.image.shape()
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert image.flags.writeable

    def test_what_decides_the_output_is_known(self, detector):
        """Everything of the run key has a value."""
        info = detector.info

        assert info.name
        assert len(info.sha256) == 64
        assert info.labels
        assert info.engine
        assert info.version
        assert info.precision in ("f32", "bf16", "int8")

    def test_detections_come_by_falling_confidence(self, detector, pictures):
        """Boxes have an area, confidences lie in (0, 1], classes have a label."""
        slot = detector.slot()
        slot.image[...] = pictures[0]
        slot.start()

        found = slot.result()

        assert len(found)
        assert (np.diff(found.confidence) <= 0).all()
        assert found.confidence.min() > 0
        assert found.confidence.max() <= 1
        assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all()
        assert set(found.class_id) <= set(range(len(detector.info.labels)))

    def test_the_pictures_of_this_suite_differ(self, detector, pictures):
        """Else the facts below would say nothing."""
        slot = detector.slot()

        assert len({look(slot, picture) for picture in pictures}) == len(pictures) > 1

    def test_a_picture_gives_the_same_bytes_again(self, detector, pictures):
        """Whatever the slot saw in between."""
        slot = detector.slot()

        first = look(slot, pictures[0])
        look(slot, pictures[1])

        assert look(slot, pictures[0]) == first

    def test_a_result_belongs_to_the_picture_of_its_slot(self, detector, pictures):
        """All slots in flight at once, results taken in another order than they were started."""
        expected = [look(detector.slot(), picture) for picture in pictures]
        slots = [detector.slot() for _ in range(4)]

        for number, slot in enumerate(slots):
            slot.image[...] = pictures[number % len(pictures)]
            slot.start()
        found = {number: as_bytes(slots[number].result()) for number in (2, 0, 3, 1)}

        assert found == {number: expected[number % len(pictures)] for number in range(4)}

    def test_two_threads_give_the_bytes_of_one(self, detector, threaded, pictures):
        """Machine settings never change a byte."""
        expected = [look(detector.slot(), picture) for picture in pictures]

        def all_of_them(_):
            slot = threaded.slot()
            return [look(slot, picture) for picture in pictures]

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(all_of_them, range(2)))

        assert found == [expected, expected]

    def test_asking_again_gives_the_result_again(self, detector, pictures):
        """A result is not consumed."""
        slot = detector.slot()
        first = look(slot, pictures[0])

        assert as_bytes(slot.result()) == first

    def test_closing_is_safe_to_repeat(self, detector):
        """Also where nothing was ever looked at."""
        detector.close()
        detector.close()
