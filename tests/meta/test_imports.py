"""What is imported when: `import sightline` and `--help` stay quick, layers hold, public names exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sightline

PACKAGE = Path(sightline.__file__).parent

HEAVY = [
    "scipy",
    "openvino",
    "onnxruntime",
    "av",
    "pyarrow",
    "PIL",
    "pydantic",
    "apsw",
    "psycopg",
    "pymongo",
    "confluent_kafka",
    "pandas",
    "supervision",
]


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a new interpreter after `code`."""
    program = f"{code}\nimport sys\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_sightline_loads_nothing_heavy():
    """No SciPy, no engine, no optional dependency."""
    assert loaded_by("import sightline").isdisjoint([*HEAVY, "numpy"])


@pytest.mark.parametrize(
    "package", ["vision.bytetrack", "vision.refine", "formats.registry", "stages.track", "evaluation"]
)
def test_pure_packages_load_numpy_and_msgspec_only(package):
    """SciPy waits for the first assignment."""
    assert loaded_by(f"import sightline.{package}").isdisjoint(HEAVY)


def test_help_loads_no_engine():
    """A user who asks for help does not wait for one."""
    code = (
        "import sys\nfrom sightline.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    )

    assert loaded_by(code).isdisjoint(["scipy", "openvino", "onnxruntime", "av", "pyarrow"])


def test_the_api_process_loads_no_engine_and_no_decoder():
    """What looks into an upload, or into a database, is handed to it."""
    code = "import sightline.api.app, sightline.api.server"

    assert loaded_by(code) & {*HEAVY, "cyclopts"} == {"pydantic"}  # FastAPI's


def test_engines_are_imported_quietly():
    """A module that imports one loads it without its telemetry first."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if re.search(r"^\s*(import|from) (openvino|onnxruntime|ultralytics)\b", text, re.MULTILINE):
            assert "quiet.load(" in text, path


def test_public_names_are_listed_for_completion_without_loading_anything():
    """`dir(sightline)` is what an editor and a notebook offer."""
    assert [name for name in dir(sightline) if name[0] != "_"] == sorted(
        {*sightline.__all__} - {"__version__"}
    )
    assert loaded_by("import sightline\ndir(sightline)").isdisjoint([*HEAVY, "numpy"])


def test_public_names_are_sorted_and_there():
    """`__all__` says what there is."""
    assert sightline.__all__ == sorted(sightline.__all__)
    for name in sightline.__all__:
        assert getattr(sightline, name) is not None
    with pytest.raises(AttributeError):
        _ = sightline.nothing


WRITERS = re.compile(
    r"os\.(replace|rename|fsync)\(|\.(write_text|write_bytes)\(|\.(rename|replace)\(\w+\)$|\"\.part\""
)


def test_one_module_writes_whole_files():
    """Whoever keeps a file asks `sightline.disk`: a name given before the flush is an empty file after a power cut."""
    places = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "disk.py" and "testing" not in path.parts
        for line in path.read_text().splitlines()
        if WRITERS.search(line)
    ]

    assert places == []


def test_names_of_arrays_are_declared_once():
    """One word for one kind of array, in every module the same."""
    declared = re.compile(r"^\w+Array = NDArray\[np\.(float64|int64|bool_|uint8|intp)\]$", re.MULTILINE)
    homes = {path.name for path in PACKAGE.rglob("*.py") if declared.search(path.read_text())}

    assert homes == {"arrays.py"}


# What would break each contract: a line too many in one module.
PLANTED = {
    "imports only go down": ("vision/boxes.py", "import sightline.stages.collect"),
    "vendors are named by adapters and edges only": ("runtime/detect.py", "import av"),
    "adapters know no stage": ("adapters/files/objects.py", "import sightline.stages.stage"),
    "workers name no concrete class": ("runtime/supervise.py", "import sightline.adapters.sqlite.store"),
    "the API knows ports only": ("api/sink.py", "import sightline.adapters.files.objects"),
    "the API calls no stage": ("api/uploads.py", "import sightline.stages.collect"),
    "the command line composes nothing": ("cli/doctor.py", "import sightline.adapters.engines.choice"),
}
ROOT = Path(__file__).resolve().parents[2]


def broken_contracts(package: Path) -> set[str]:
    """Contracts that `lint-imports` finds broken in a copy of the package, with the project's own settings."""
    program = "from importlinter.cli import lint_imports\nraise SystemExit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=package.parent,
        env={"PYTHONPATH": str(package.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^(.+) BROKEN(?: \(.*\))?$", done.stdout, re.MULTILINE))


@pytest.fixture
def copy(tmp_path):
    """The package and the settings of its contracts, where lines can be planted."""
    shutil.copytree(
        PACKAGE, tmp_path / "sightline", ignore=shutil.ignore_patterns("__pycache__", "*.onnx", "*.mp4")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path / "sightline"


def test_the_house_keeps_its_contracts(copy):
    """As it stands, no contract is broken."""
    assert broken_contracts(copy) == set()


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_its_contract(copy, contract):
    """A contract that nothing can break holds nothing."""
    module, line = PLANTED[contract]
    with (copy / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    assert contract in broken_contracts(copy)


def test_every_contract_has_a_planted_import():
    """A new contract brings the import that breaks it."""
    named = re.findall(r'^name = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)

    assert set(named) - {"sightline"} == PLANTED.keys()


FILE_CALLS = re.compile(
    r"\bopen\(|\.(read|write)_(text|bytes)\(|^import (os|shutil|tempfile)$|\bos\.(stat|listdir)"
)


@pytest.mark.parametrize("package", ["vision", "formats", "evaluation", "stages"])
def test_pure_packages_touch_no_file(package):
    """Text and bytes go in and come out; who reads and writes them is somebody else."""
    places = [
        f"{path.name}: {line.strip()}"
        for path in (PACKAGE / package).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if FILE_CALLS.search(line)
    ]

    assert places == []
