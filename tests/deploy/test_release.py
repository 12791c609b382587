"""A release: its version and its notes, and what `make release` leaves in dist/, the same bytes wherever it is done."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
from tools.release.build import CYCLONEDX
from tools.release.tree import ROOT, files

import sightline

VERSION = sightline.__version__
WHEEL = f"sightline-{VERSION}-py3-none-any.whl"
SDIST = f"sightline-{VERSION}.tar.gz"
CONTEXT = f"sightline-{VERSION}-image.tar.gz"
BILL = f"sightline-{VERSION}.cdx.json"
WHO = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
# Other people's machines: their folders for what is temporary, zones, words and rights of new files.
MACHINES = {
    "one": ({"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}, 0o022),
    "another": ({"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "2"}, 0o077),
}


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, env=os.environ | WHO, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The files as they are now, as one commit."""
    folder = tmp_path_factory.mktemp("repository")
    for name in files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "All")
    return folder


def release(clone, variables=os.environ, umask=-1):
    """`make release` in a clone, with the tools of this one."""
    return subprocess.run(
        [sys.executable, "-m", "tools.release.build", "--cyclonedx", CYCLONEDX],
        cwd=clone,
        env=variables,
        umask=umask,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def made(repository, tmp_path_factory):
    """dist/ of two clones on two machines."""
    if not CYCLONEDX.exists():
        message = "what lists the parts of a release is not there: make .venv/.tools"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    folders = []
    for name, (variables, umask) in MACHINES.items():
        clone = tmp_path_factory.mktemp(name) / name
        git(repository, "clone", "-q", repository, clone)
        for i, path in enumerate(sorted((clone / "src").rglob("*"))):
            os.utime(path, (10**9 + i, 10**9 + i))
        (clone / "src" / "sightline" / "__pycache__").mkdir()
        (clone / "src" / "sightline" / "__pycache__" / f"{name}.pyc").write_text("compiled")
        temporary = tmp_path_factory.mktemp("temporary")
        done = release(clone, os.environ | variables | {"TMPDIR": str(temporary)}, umask)
        assert done.returncode == 0, done.stdout + done.stderr
        folders.append(clone / "dist")
    return folders


def test_two_machines_build_the_same_bytes(made):
    """Whoever builds a commit again can compare its sums with those that were published."""
    one, another = ((folder / "SHA256SUMS").read_text() for folder in made)

    assert one == another
    assert [line.split("  ")[1] for line in one.splitlines()] == sorted([WHEEL, SDIST, CONTEXT, BILL])


def test_the_sums_are_those_of_the_files(made):
    """In the form that `sha256sum --check` reads."""
    for line in (made[0] / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((made[0] / name).read_bytes()).hexdigest() == digest


def test_a_tree_with_changes_is_refused(repository, tmp_path):
    """What is not in the commit would be in nobody's clone; it is named."""
    git(repository, "clone", "-q", repository, tmp_path / "clone")
    (tmp_path / "clone" / "README.md").write_text("other words")
    (tmp_path / "clone" / "new.py").write_text("")

    done = release(tmp_path / "clone")

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [" M README.md", "?? new.py"]
    assert not (tmp_path / "clone" / "dist").exists()


def names_of(path):
    """Names in an archive, below its folder of the version."""
    if path.suffix == ".whl":
        return set(zipfile.ZipFile(path).namelist())
    with tarfile.open(path) as archive:
        return {name.removeprefix(f"sightline-{VERSION}/") for name in archive.getnames()}


def below(names, folder):
    return {name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")}


def test_the_wheel_is_the_package_and_its_licences(made):
    """Page, demo, pipelines, types and notices; six megabytes at most; neither tests nor what tests need."""
    names = names_of(made[0] / WHEEL)
    info = f"sightline-{VERSION}.dist-info"

    assert {name.split("/")[0] for name in names} == {"sightline", info}
    assert names - below(names, info) > {
        "sightline/py.typed",
        "sightline/page/index.html",
        "sightline/page/vendor/uPlot.LICENSE",
        "sightline/demo/street.mp4",
        "sightline/demo/sightline-tiny.onnx",
        "sightline/pipelines/traffic.toml",
        "sightline/adapters/drawing/fonts/LICENSE.txt",
        f"{info}/licenses/LICENSE",
        f"{info}/licenses/NOTICE",
    }
    package = {f"src/{name}" for name in names if name.startswith("sightline/")}
    assert package == {name for name in files() if name.startswith("src/")}
    assert (made[0] / WHEEL).stat().st_size < 6_000_000


def test_the_sdist_builds_the_package_and_explains_it(made):
    """The same package, the docs and the licences; tests need the whole repository and are not there."""
    names = names_of(made[0] / SDIST)

    assert below(names, "src") == {
        name for name in names_of(made[0] / WHEEL) if name.startswith("sightline/")
    }
    assert names > {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "SECURITY.md", "docs/security.md"}
    assert {name.split("/")[0] for name in names}.isdisjoint({"tests", "tools", "benchmarks", "node_modules"})


def test_the_context_of_the_image_is_what_the_dockerfile_copies(made):
    """No more and no less: `docker build - < FILE` needs nothing beside it."""
    names = names_of(made[0] / CONTEXT)
    rest = names - {name for name in names if name.startswith("src/")}

    assert below(names, "src") == below(names_of(made[0] / SDIST), "src")
    assert rest == {
        ".dockerignore",
        "Dockerfile",
        "LICENSE",
        "NOTICE",
        "README.md",
        "pyproject.toml",
        "requirements-cuda.lock",
        "requirements-image.lock",
        "tools/image/requirements.lock",
    }


def test_the_bill_of_materials_is_the_lock(made):
    """Each package of the lock, with its version and its hashes."""
    bill = json.loads((made[0] / BILL).read_text())
    locked = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)

    assert bill["bomFormat"] == "CycloneDX"
    assert sorted((part["name"], part["version"]) for part in bill["components"]) == sorted(locked)
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])


def test_the_version_is_the_same_everywhere(made):
    """The package says it; program, wheel, API and image repeat it."""
    program = subprocess.run(
        [sys.executable, "-m", "sightline", "--version"], capture_output=True, text=True, check=True
    )
    metadata = zipfile.ZipFile(made[0] / WHEEL).read(f"sightline-{VERSION}.dist-info/METADATA").decode()
    api = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
    label = re.findall(r'image\.version="(.+)"', (ROOT / "Dockerfile").read_text())

    assert program.stdout.split() == ["sightline", VERSION]
    assert re.findall(r"^Version: (.+)$", metadata, re.MULTILINE) == [VERSION]
    assert api["info"]["version"] == VERSION
    assert label == [VERSION]


# --- the version and the changelog


@pytest.fixture
def clone(repository, tmp_path):
    """With a note: right behind a release there is none."""
    git(repository, "clone", "-q", repository, tmp_path / "clone")
    (tmp_path / "clone" / "changes").mkdir(exist_ok=True)
    (tmp_path / "clone" / "changes" / "a-note.fixed.md").write_text("Something [old](../README.md).\n")
    committed(tmp_path / "clone")
    return tmp_path / "clone"


def prepare(clone, *words):
    """What a maintainer types before the commit of a release; its exit code and what it said."""
    words = [sys.executable, "-m", "tools.release.prepare", *words]
    done = subprocess.run(words, cwd=clone, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def committed(clone):
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "More")


def test_a_release_takes_its_notes_and_its_version(clone):
    """Notes become the section of the version and go; nothing is committed."""
    notes = {path.name: path.read_text() for path in (clone / "changes").iterdir()}
    before = git(clone, "rev-parse", "HEAD")

    code, said = prepare(clone, "7.1.0", "2031-05-06")

    assert code == 0, said
    page = (clone / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE)[0] == "7.1.0, 2031-05-06"
    assert all(text.splitlines()[0].replace("](../", "](") in page for text in notes.values())
    assert not (clone / "changes").exists() or not list((clone / "changes").iterdir())
    assert '__version__ = "7.1.0"\n' in (clone / "src/sightline/__init__.py").read_text()
    assert 'image.version="7.1.0"' in (clone / "Dockerfile").read_text()
    for image in ("deploy/kubernetes/production/kustomization.yaml", "docs/how-to/kubernetes.md"):
        assert "newTag: 7.1.0}" in (clone / image).read_text()
    assert git(clone, "rev-parse", "HEAD") == before


def test_the_next_release_stands_above_the_one_before(clone):
    """What was released stays as it was written."""
    prepare(clone, "7.1.0", "2031-05-06")
    committed(clone)
    first = (clone / "CHANGELOG.md").read_text().partition("## ")[2]
    (clone / "changes").mkdir(exist_ok=True)
    (clone / "changes" / "new.added.md").write_text("Something [new](../README.md).\n")
    committed(clone)

    code, said = prepare(clone, "7.2.0", "2031-06-07")

    assert code == 0, said
    page = (clone / "CHANGELOG.md").read_text()
    assert "## 7.2.0, 2031-06-07\n\n### Added\n\n- Something [new](README.md).\n\n## 7.1.0" in page
    assert page.endswith("## " + first)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("0.0.9", "2031-05-06"), "0.0.9 is not greater"),
        (("1.0", "2031-05-06"), "'1.0' is no version"),
        (("7.1.0", "yesterday"), "'yesterday' is no date"),
        (("7.1.0",), "VERSION DATE"),
    ],
)
def test_what_is_no_release_is_refused(clone, words, says):
    """And nothing is changed."""
    code, said = prepare(clone, *words)

    assert code == 1
    assert says in said
    assert git(clone, "status", "--porcelain") == ""


def test_a_version_is_released_once_and_with_notes_only(clone):
    """Neither the same again, nor a lower one, nor one without a change; nor over changes that are not committed."""
    prepare(clone, "7.1.0", "2031-05-06")
    assert prepare(clone, "7.2.0", "2031-06-07")[1].startswith("the tree is not clean")
    committed(clone)

    assert "nothing has changed" in prepare(clone, "7.2.0", "2031-06-07")[1]
    for version in ("7.1.0", "7.0.9"):
        assert "not greater than what there is: 7.1.0" in prepare(clone, version, "2031-06-07")[1]
