"""The folder store keeps the contract of `ObjectStore`, and flushes before it names."""

import os

import pytest

from sightline.adapters.objects import FolderObjects
from tests.conformance.suite_objects import ObjectStoreSuite


class TestFolder(ObjectStoreSuite):
    @pytest.fixture
    def objects(self, tmp_path):
        return FolderObjects(tmp_path / "objects")

    def test_no_part_is_left_behind(self, objects, tmp_path):
        """Half-written objects are never seen, and their remains go."""

        def broken():
            yield b"half"
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            objects.put_new("a/k", broken())

        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    @pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a\0b"])
    def test_a_key_never_leaves_the_folder(self, objects, key):
        """Keys are checked, whoever made them."""
        with pytest.raises(ValueError, match="key"):
            objects.put_new(key, [b"x"])

    def test_the_bytes_are_flushed_before_they_get_their_name(self, tmp_path):
        """A power cut leaves the whole object or none."""
        seen: list[list[str]] = []

        def sync(handle: int) -> None:
            seen.append(sorted(path.name for path in tmp_path.iterdir()))
            os.fsync(handle)

        FolderObjects(tmp_path, sync=sync).put_new("k", [b"x"])

        assert len(seen) == 1
        assert "k" not in seen[0]
