"""What every `ObjectStore` must do. A backend's test class gives the fixture `objects`."""

import hashlib

import pytest

from sightline.errors import Corrupt, NotFound


def read(objects, key: str, *args) -> bytes:
    return b"".join(objects.read(key, *args))


class ObjectStoreSuite:
    def test_an_object_comes_back_with_size_and_hash(self, objects):
        """What was put is what is read; the chunks do not matter."""
        stat = objects.put_new("a/b/c.bin", [b"one", b"", b"two"])

        assert read(objects, "a/b/c.bin") == b"onetwo"
        assert (stat.size, stat.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())
        assert objects.stat("a/b/c.bin") == stat

    def test_the_same_bytes_again_are_a_no_op(self, objects):
        """Repeating after a crash is safe."""
        first = objects.put_new("k", [b"x"])

        assert objects.put_new("k", [b"x"]) == first

    def test_other_bytes_are_refused_and_the_first_stay(self, objects):
        """An object never changes."""
        objects.put_new("k", [b"x"])

        with pytest.raises(Corrupt):
            objects.put_new("k", [b"y"])

        assert read(objects, "k") == b"x"

    def test_an_empty_object_is_an_object(self, objects):
        """Nothing stored is not the same as nothing there."""
        objects.put_new("k", [])

        assert read(objects, "k") == b""
        assert objects.stat("k").size == 0

    def test_a_missing_key_is_not_found(self, objects):
        """At the first chunk, or when opened, or when asked about."""
        with pytest.raises(NotFound):
            read(objects, "k")
        with pytest.raises(NotFound):
            objects.stat("k")
        with pytest.raises(NotFound), objects.open_local("k"):
            pass

    @pytest.mark.parametrize(("start", "length"), [(0, 3), (2, None), (2, 100), (6, 1), (100, None), (3, 0)])
    def test_ranges(self, objects, start, length):
        """Bytes from start, length at most; past the end nothing."""
        objects.put_new("k", [b"012345"])

        end = None if length is None else start + length
        assert read(objects, "k", start, length) == b"012345"[start:end]

    def test_a_large_object_is_read_in_small_chunks(self, objects):
        """No chunk is over 1 MiB."""
        blob = bytes(range(256)) * 10_000
        objects.put_new("k", [blob[i : i + 300_000] for i in range(0, len(blob), 300_000)])

        chunks = list(objects.read("k"))

        assert b"".join(chunks) == blob
        assert max(map(len, chunks)) <= 2**20

    def test_an_object_can_be_opened_as_a_file(self, objects):
        """For decoders that want a path."""
        objects.put_new("a/k", [b"video"])

        with objects.open_local("a/k") as path:
            assert path.read_bytes() == b"video"

    def test_a_put_that_fails_half_way_leaves_nothing(self, objects):
        """A source that breaks is not a shorter object."""

        def broken():
            yield b"half"
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            objects.put_new("k", broken())

        with pytest.raises(NotFound):
            read(objects, "k")
        with pytest.raises(NotFound):
            objects.stat("k")
        objects.put_new("k", [b"whole"])
        assert read(objects, "k") == b"whole"

    def test_deleting_is_safe_to_repeat(self, objects):
        """A missing key is not an error."""
        objects.put_new("k", [b"x"])

        objects.delete("k")
        objects.delete("k")
        objects.delete("never/there")

        with pytest.raises(NotFound):
            read(objects, "k")
