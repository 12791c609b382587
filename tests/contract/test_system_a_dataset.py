"""System A's dataset: the script of its document, the layout, the seven names."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sightline.setup.datasets import KNOWN

pytestmark = pytest.mark.contract

SCRIPT = Path(__file__).resolve().parents[2] / "download_visdrone.py"
DOCUMENTED = {
    "uav0000086_00000_v": 464,
    "uav0000117_02622_v": 349,
    "uav0000137_00458_v": 233,
    "uav0000182_00000_v": 363,
    "uav0000268_05773_v": 978,
    "uav0000305_00000_v": 184,
    "uav0000339_00001_v": 275,
}


@pytest.fixture
def archive(tmp_path):
    """The seven names, an image each."""
    path = tmp_path / "VisDrone2019-MOT-val.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name in DOCUMENTED:
            packed.writestr(f"VisDrone2019-MOT-val/sequences/{name}/0000001.jpg", b"x")
            packed.writestr(f"VisDrone2019-MOT-val/annotations/{name}.txt", "")
    return path


def run(folder, *words):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_dataset_script_extracts_where_the_document_says(tmp_path, archive):
    """`python download_visdrone.py` fills `./data/VisDrone_images`."""
    done = run(tmp_path, str(SCRIPT), "--from", archive.name)

    root = tmp_path / "data" / "VisDrone_images"
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (root / "sequences").iterdir()) == sorted(DOCUMENTED)
    assert (root / "sequences" / "uav0000086_00000_v" / "0000001.jpg").read_bytes() == b"x"
    assert (root / "annotations" / "uav0000086_00000_v.txt").exists()
    assert "7 sequences" in done.stdout
    assert "licence" in done.stderr


def test_dataset_script_says_what_is_known_and_what_to_do(tmp_path):
    """There is no licence, and no address from which a program can fetch it: exit 2, nothing made."""
    done = run(tmp_path, str(SCRIPT))

    assert done.returncode == 2
    assert "licence: none is stated" in done.stderr
    assert "--from VisDrone2019-MOT-val.zip" in done.stderr
    assert not (tmp_path / "data" / "VisDrone_images").exists()


def test_dataset_is_not_downloaded_without_consent(tmp_path):
    """Nobody is there to be asked: exit 2, and the address was not called."""
    done = run(tmp_path, str(SCRIPT), "--url", "http://127.0.0.1:9/x.zip")

    assert done.returncode == 2
    assert "(consent)" in done.stderr


def test_dataset_script_is_ten_lines():
    """What it does is the command's."""
    assert len(SCRIPT.read_text().splitlines()) <= 10


def test_dataset_names_and_counts():
    """2846 in all."""
    assert KNOWN["visdrone-mot-val"].frames == DOCUMENTED
    assert sum(DOCUMENTED.values()) == 2846


def test_dataset_counts_are_hints(tmp_path, archive):
    """One image of each is fine; one without any is not."""
    run(tmp_path, str(SCRIPT), "--from", archive.name)
    fine = run(tmp_path, "-m", "sightline", "datasets", "verify", "--json")
    (tmp_path / "data/VisDrone_images/sequences/uav0000086_00000_v/0000001.jpg").unlink()
    broken = run(tmp_path, "-m", "sightline", "datasets", "verify", "--json")

    rows = [json.loads(line) for line in fine.stdout.splitlines()]
    assert (fine.returncode, broken.returncode) == (0, 1)
    assert {row["sequence"]: row["documented"] for row in rows} == DOCUMENTED
    assert {row["frames"] for row in rows} == {1}
    assert '"no image"' in broken.stdout


def test_dataset_archive_is_verified(tmp_path, archive):
    """Every file against its checksum."""
    done = run(tmp_path, "-m", "sightline", "datasets", "verify", archive.name)

    assert done.returncode == 0
    assert "OK, 7 sequences, 14 files" in done.stdout


def test_dataset_list(tmp_path, archive):
    """Whether it is here."""
    before = run(tmp_path, "-m", "sightline", "datasets", "list", "--json")
    run(tmp_path, str(SCRIPT), "--from", archive.name)
    after = run(tmp_path, "-m", "sightline", "datasets", "list", "--json")

    assert [json.loads(done.stdout)["here"] for done in (before, after)] == ["no", "yes"]
