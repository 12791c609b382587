"""The folder store keeps the contract of `ObjectStore`, and flushes before it names."""

import errno
import io

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.disk import Disk
from sightline.errors import Unavailable
from sightline.testing import Recorded
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

    def test_a_name_is_given_to_flushed_bytes_and_flushed_itself(self, tmp_path):
        """A power cut leaves the whole object or none, and never takes back what was answered."""
        disk = Recorded(Disk())

        FolderObjects(tmp_path, disk=disk).put_new("a/k", [b"x"])

        assert [name for name, _ in disk.calls] == [
            "make_folder",
            "sync_folder",
            "create",
            "sync",
            "link",
            "sync_folder",
            "remove",
        ]
        assert disk.calls[1][1] == (tmp_path,)
        assert disk.calls[4][1][1] == tmp_path / "a" / "k"
        assert disk.calls[5][1] == (tmp_path / "a",)

    def test_folders_go_with_the_last_object_in_them(self, objects, tmp_path):
        """Else a service that removes its jobs is full of folders one day. What everybody writes to stays."""
        root = tmp_path / "objects"
        for key in ("sightline/jobs/1/mot/cars/a", "sightline/jobs/1/run.json", "videos/input/1.mp4"):
            objects.put_new(key, [b"x"])

        objects.delete("sightline/jobs/1/mot/cars/a")
        assert sorted(path.name for path in (root / "sightline" / "jobs" / "1").iterdir()) == ["run.json"]
        objects.delete("sightline/jobs/1/run.json")
        objects.delete("videos/input/1.mp4")

        folders = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
        assert folders == ["sightline", "sightline/jobs", "videos", "videos/input"]

    def test_a_folder_that_went_meanwhile_is_made_again(self, tmp_path):
        """Another process has removed the last object in it, between the folder and the first byte."""

        class Late(Disk):
            gone = False

            def create(self, path):
                if not self.gone:
                    self.gone = True
                    path.parent.rmdir()
                return super().create(path)

        objects = FolderObjects(tmp_path, disk=Late())

        objects.put_new("a/b/c/k", iter([b"x"]))
        assert b"".join(objects.read("a/b/c/k")) == b"x"

    def test_folders_that_hold_nothing_are_swept(self, objects, tmp_path):
        """Those that an older release left."""
        (tmp_path / "objects" / "sightline" / "jobs" / "1" / "mot" / "cars").mkdir(parents=True)

        objects.sweep()

        assert [path.name for path in (tmp_path / "objects" / "sightline").rglob("*")] == ["jobs"]

    def test_what_a_killed_writer_left_can_be_swept(self, objects, tmp_path):
        """Only half-written files go."""
        objects.put_new("a/.hidden", [b"x"])
        (tmp_path / "objects" / "a" / ".k.1234abcd.part").write_bytes(b"half")
        (tmp_path / "objects" / ".timing.json.part").write_bytes(b"half")

        objects.sweep()

        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".hidden"]

    def test_a_writer_sweeps_behind_those_that_did_the_same(self, tmp_path):
        """While others go on, and it does itself: an API process that was killed leaves no upload half-written."""
        before, other = FolderObjects(tmp_path, writer="api"), FolderObjects(tmp_path, writer="worker")
        me = FolderObjects(tmp_path, writer="api")

        def killed():
            yield b"half"
            raise KeyboardInterrupt

        for name, objects in (("before", before), ("other", other), ("me", me)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Disk, "remove", lambda self, path: None)  # a kill removes nothing
                with pytest.raises(KeyboardInterrupt):
                    objects.put_new(f"a/{name}", killed())

        me.sweep()

        assert sorted(path.name.split(".")[1] for path in tmp_path.rglob("*.part")) == ["me", "other"]

    def test_a_disk_that_is_full_until_the_file_is_closed_is_one_error(self, tmp_path):
        """What Python could not write is tried again at the close; that error is ours too."""

        class Full(io.BytesIO):
            def write(self, chunk):
                raise OSError(errno.ENOSPC, "No space left on device")

            def close(self):
                super().close()
                raise OSError(errno.ENOSPC, "No space left on device")

        class FullDisk(Disk):
            def create(self, path):
                return Full()

        with pytest.raises(Unavailable) as full:
            FolderObjects(tmp_path, disk=FullDisk()).put_new("k", [b"x"])

        assert full.value.code == "disk_full"
