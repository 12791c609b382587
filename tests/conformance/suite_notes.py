"""What every `Notes` must do. A backend's test class gives the fixture `notes`.

Switch `ORDERED`: ids are compared as Python compares text; else only that pages follow each other is promised.
"""

import threading

import pytest

from sightline.errors import Conflict, NotFound, TooLarge
from sightline.ports import MAX_NOTE_BYTES, Note, Notes

SHAPE = {"lines": [{"name": "Straße", "from": [0.5, -1e-9], "to": [1, 2]}], "on": True, "none": None}


class NotesSuite:
    ORDERED = True

    def test_a_note_comes_back_as_it_was_written(self, notes: Notes):
        """Any JSON value, with the revision that the write gave."""
        for number, value in enumerate([SHAPE, [], {}, "", 0, 2**53, 1.5, None, True]):
            revision = notes.put("geometry", f"g{number}", value)

            assert notes.get("geometry", f"g{number}") == Note(value, revision)
            assert revision > 0

    def test_kinds_and_ids_are_apart(self, notes: Notes):
        """Any text names a note."""
        names = [("a", "b"), ("b", "a"), ("a", "B"), ("a", ""), ("", "b"), ("a", "b/c"), ("a", "ü \n%_'\"")]
        for number, (kind, note_id) in enumerate(names):
            notes.put(kind, note_id, number)

        assert [notes.get(*name).value for name in names] == [*range(len(names))]

    def test_an_unknown_note_is_not_found(self, notes: Notes):
        """A named error, not None."""
        notes.put("geometry", "a", 1)

        for name in (("geometry", "b"), ("verdict", "a")):
            with pytest.raises(NotFound):
                notes.get(*name)

    def test_a_note_is_written_by_who_has_read_it(self, notes: Notes):
        """With another revision, or as a new one though there is one, nothing is written."""
        first = notes.put("geometry", "a", 1)
        second = notes.put("geometry", "a", 2, first)
        assert second > first

        for stale in (0, first, second + 1):
            with pytest.raises(Conflict) as conflict:
                notes.put("geometry", "a", 3, stale)
            assert conflict.value.code == "conflict"

        assert notes.get("geometry", "a") == Note(2, second)

    def test_what_is_not_there_is_no_note_of_any_revision(self, notes: Notes):
        """It was deleted meanwhile, or never was."""
        with pytest.raises(Conflict):
            notes.put("geometry", "a", 1, 7)

        with pytest.raises(NotFound):
            notes.get("geometry", "a")

    def test_a_note_is_deleted_by_who_has_read_it(self, notes: Notes):
        """One that is gone already is not an error."""
        first = notes.put("geometry", "a", 1)
        second = notes.put("geometry", "a", 2, first)
        with pytest.raises(Conflict):
            notes.delete("geometry", "a", first)
        assert notes.get("geometry", "a").value == 2

        notes.delete("geometry", "a", second)
        notes.delete("geometry", "a", second)

        with pytest.raises(NotFound):
            notes.get("geometry", "a")

    def test_a_note_that_is_made_again_repeats_no_revision(self, notes: Notes):
        """Who read the old one cannot take the new one for it."""
        old = notes.put("geometry", "a", 1)
        notes.delete("geometry", "a", old)

        assert notes.put("geometry", "a", 2) > old

        with pytest.raises(Conflict):
            notes.put("geometry", "a", 3, old)

    def test_notes_of_a_kind_are_listed_by_id(self, notes: Notes):
        """Pages follow each other, also where the note at the seam is gone."""
        ids = ["b", "a", "ü", "B", "a/b", "10", "9", "\U0001f600", "z"]
        revisions = {note_id: notes.put("geometry", note_id, note_id) for note_id in ids}
        notes.put("verdict", "a", 1)

        found = notes.list("geometry")
        assert {note_id: note.revision for note_id, note in found} == revisions
        assert all(note.value == note_id for note_id, note in found)
        listed = [note_id for note_id, _ in found]
        assert listed == sorted(ids) or not self.ORDERED

        first = notes.list("geometry", limit=4)
        notes.delete("geometry", listed[3], revisions[listed[3]])
        rest = notes.list("geometry", after=first[-1][0])
        assert [note_id for note_id, _ in (*first, *rest)] == listed
        assert notes.list("nothing") == []

    def test_a_note_is_small(self, notes: Notes):
        """256 KiB of JSON are taken, one byte more is not."""
        largest = "x" * (MAX_NOTE_BYTES - 2)
        revision = notes.put("geometry", "a", largest)

        with pytest.raises(TooLarge):
            notes.put("geometry", "a", largest + "x", revision)

        assert notes.get("geometry", "a") == Note(largest, revision)

    @pytest.mark.parametrize("value", [float("nan"), [float("inf")], {1: 2}, (1, 2), {"a": b"x"}, object()])
    def test_what_would_come_back_changed_is_refused(self, notes: Notes, value):
        """A mistake of the caller, and nothing is written."""
        with pytest.raises(ValueError, match="JSON"):
            notes.put("geometry", "a", value)

        assert notes.list("geometry") == []

    def test_of_many_who_write_at_once_one_wins_each_time(self, notes: Notes):
        """Nobody's write is lost without a word."""
        notes.put("counter", "a", 0)

        def count() -> None:
            done = 0
            while done < 10:
                read = notes.get("counter", "a")
                try:
                    notes.put("counter", "a", read.value + 1, read.revision)
                    done += 1
                except Conflict:
                    continue

        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert notes.get("counter", "a").value == 30
