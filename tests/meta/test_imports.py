"""What is imported when: `import sightline` and `--help` stay quick, layers hold, public names exist."""

import re
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
