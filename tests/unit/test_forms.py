"""What a release left behind is read by the next one: docs/reference/versions.md, held to the code and to golden files."""

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from sightline.errors import InvalidFile, SightlineError
from sightline.runs.doubtful import doubtful_in
from sightline.runs.folders import Folder
from sightline.runs.load import read_run_json
from sightline.runs.place import in_folder
from tests.data.forms.make import COMMAND_OF, FOLDER, FORMS, KEY, begin_root, newer_json
from tests.data.tracker.make import name_of
from tests.laws.tracker_scenes import BYTETRACK, EVIDENCE, QUALITY

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "crash" / "golden"
ELSEWHERE = {
    *(f"tests/data/tracker/{name_of(mode, 2)}.bin" for mode in (BYTETRACK, QUALITY, EVIDENCE)),
    *(
        f"tests/crash/golden/{path.name}"
        for kind in ("partial-*.xz", "tally-*.bin")
        for path in GOLDEN.glob(kind)
    ),
    "deploy/init.sql",
}
"""Read by tests/unit/vision/test_tracker_state.py, tests/crash/test_golden.py and tests/conformance/test_postgres_versions.py."""


class Row(NamedTuple):
    form: str
    number: str
    now: str
    newer: str
    older: str
    golden: list[str]


def rows():
    page = (ROOT / "docs" / "reference" / "versions.md").read_text("utf-8")
    for line in re.findall(r"^\| (.+) \|$", page, re.MULTILINE):
        *cells, golden = (cell.strip() for cell in line.split(" |"))
        if golden.startswith("`"):
            yield Row(*cells, re.findall(r"`([^`]+)`", golden))


ROWS = list(rows())
CODES = {name: row.newer.strip("`") for row in ROWS for name in (Path(path).name for path in row.golden)}
READ = [name for name, form in FORMS.items() if form.again]
REFUSED = [name for name, form in FORMS.items() if form.newer]


def today(name):
    """Whether a golden file is of the number that is written today."""
    row = next(row for row in ROWS if name in {Path(path).name for path in row.golden})
    return re.search(r"-v(\d+)", name) is None or f"-v{row.now}" in name


@pytest.mark.parametrize("row", [row for row in ROWS if row.now], ids=lambda row: row.form)
def test_the_number_of_a_form_is_the_codes(row):
    """Where it stands, and what it is now; migrations are counted."""
    module, _, name = row.number.strip("`").rpartition(".")
    found = getattr(import_module(module), name)

    assert (len(found) if isinstance(found, tuple) else found) == int(row.now)


def test_every_golden_file_is_listed_and_there():
    """No file that nobody reads, no row without one."""
    listed = {path for row in ROWS for path in row.golden}
    there = {path.name for path in FOLDER.iterdir() if path.suffix not in (".py", "")}

    assert [path for path in sorted(listed) if not (ROOT / path).is_file()] == []
    assert listed == {f"tests/data/forms/{name}" for name in FORMS} | ELSEWHERE
    assert there == FORMS.keys()


@pytest.mark.parametrize("name", [name for name in FORMS if today(name)])
def test_todays_program_writes_the_golden_bytes(name):
    """A writer that changes a byte changes what older programs read: it needs another number."""
    assert FORMS[name].written() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", READ)
def test_todays_program_reads_the_golden_bytes(name):
    """Nothing is lost: what was read is written as it was."""
    blob = (FOLDER / name).read_bytes()

    assert FORMS[name].again(blob) == blob


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_newer_program_wrote_is_refused(name):
    """The message names both numbers and says what to do, the code is the table's; nothing is guessed."""
    form = FORMS[name]

    with pytest.raises(SightlineError, match=r"version 2.*\b1\b|version 3.*\b2\b") as refused:
        form.again(form.newer((FOLDER / name).read_bytes()))

    assert refused.value.code == CODES[name]
    assert re.search(r"use (a|the) newer|update it", refused.value.message)


@pytest.mark.parametrize("kind", ["copy", "verdict", "purge", "partial"])
def test_each_note_refuses_a_newer_number(kind):
    """Also where all others are known."""
    form, blob = FORMS["notes-v1.json"], (FOLDER / "notes-v1.json").read_bytes()
    before, mine, after = blob.partition(f'"{kind}": {{'.encode())
    number = re.sub(rb'"v": 1', b'"v": 2', after, count=1)

    with pytest.raises(SightlineError, match="version 2") as refused:
        form.again(before + mine + number)

    assert refused.value.code == "file_version"


def test_a_run_json_with_other_fields_is_of_a_newer_program_and_not_damaged():
    """Its number is looked at first: what it holds may be of other types."""
    newer = newer_json((FOLDER / "run-v1.json").read_bytes()).replace(b'"bytes": 123', b'"bytes": "123"')

    with pytest.raises(SightlineError, match="version 2") as refused:
        FORMS["run-v1.json"].again(newer)

    assert refused.value.code == "file_version"


def test_a_run_of_a_newer_program_is_refused_by_commands(tmp_path):
    """By what reads its `run.json`, and by what reads its `summary.json`."""
    (tmp_path / "run.json").write_bytes(newer_json((FOLDER / "run-v1.json").read_bytes()))
    (tmp_path / "summary.json").write_bytes(newer_json((FOLDER / "summary-v1.json").read_bytes()))
    with pytest.raises(InvalidFile, match=r"run\.json: version 2, .* reads 1; use a newer") as run:
        read_run_json(in_folder(tmp_path))
    (tmp_path / "run.json").write_bytes((FOLDER / "run-v1.json").read_bytes())
    with pytest.raises(InvalidFile, match=r"summary\.json: version 2, .* reads 1; use a newer") as counted:
        doubtful_in(in_folder(tmp_path))

    assert run.value.code == counted.value.code == "file_version"


def test_a_file_of_the_first_version_has_the_tables_of_today_once_it_was_opened():
    """Those of a new file; what is in it is led forward too: tests/conformance/test_sqlite_versions.py."""
    first, now = ((FOLDER / f"sqlite-v{version}.sql").read_bytes() for version in (1, 2))

    assert FORMS["sqlite-v1.sql"].written() == first
    assert FORMS["sqlite-v2.sql"].again(first) == now


@pytest.mark.parametrize("version", [1, 3])
def test_an_unfinished_run_of_another_version_is_begun_anew(tmp_path, version):
    """Its parts are those of another program; no result is lost, there is none yet."""
    blob = (FOLDER / "begun-v2.json").read_bytes().replace(b'"v": 2', b'"v": %d' % version)
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "begun.json").write_bytes(blob)

    assert Folder(tmp_path).state(KEY, overwrite=False) == "new"


def test_a_folder_of_the_first_version_is_found_again(tmp_path):
    """Its note had the run keys of all sources; one of a newer program says nothing to this one."""
    (tmp_path / ".command.json").write_text(f'{{"v": 1, "run_keys": {{"street": "{KEY}"}}}}\n')
    assert begin_root(tmp_path, COMMAND_OF)

    (tmp_path / ".command.json").write_bytes(newer_json((FOLDER / "command-v2.json").read_bytes()))
    assert begin_root(tmp_path, COMMAND_OF)
    assert (tmp_path / ".command.json").read_bytes() == (FOLDER / "command-v2.json").read_bytes()
