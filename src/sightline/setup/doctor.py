"""What a run needs of its machine, tried out."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import NamedTuple

from sightline.errors import SightlineError, Words, as_keyword

__all__ = ["CHECKS", "Finding", "Unfit", "check"]


# What to do where a part of the confinement is missing.
_ADVICE = {
    "rlimits": "raise the hard limits of the service (ulimit -H)",
    "seccomp": "take uploads on loopback only, or run on x86-64 or ARM64 with a kernel that has CONFIG_SECCOMP_FILTER, "
    "in a container runtime that lets prctl through",
    "landlock": "uploads are confined by seccomp alone; Linux 5.13 or later has it, where it is in lsm= of the kernel's "
    "command line and the container runtime allows it",
    "process": "reinstall Sightline",
}


class Finding(NamedTuple):
    """What a check found; an optional part that is absent is fine."""

    name: str
    ok: bool
    detail: str


class Unfit(Exception):
    """A dependency is there and does not do; the message says what to do."""


def check(name: str, run: Callable[[], str], words: Words = as_keyword) -> Finding:
    """Run one check; `words` says settings that it names."""
    try:
        return Finding(name, True, run())
    except ImportError as error:
        return Finding(name, False, f"cannot be imported: {error}; pip install --force-reinstall sightline")
    except SightlineError as error:
        return Finding(name, False, error.phrased(words))
    except (Unfit, OSError) as error:
        return Finding(name, False, str(error))


def _package(name: str, module: str | None = None) -> Callable[[], str]:
    def run() -> str:
        import_module(module or name)
        return version(name)

    return run


def _video() -> str:
    import av

    missing = [name for name in ("h264", "hevc", "mpeg4", "mjpeg", "vp9") if name not in av.codecs_available]
    if missing:
        raise Unfit(f"av {av.__version__} cannot decode {', '.join(missing)}: install the wheel of PyAV")
    encoder = "" if "libx264" in av.codecs_available else ", no H.264 encoder: no annotated video"
    return f"{av.__version__}{encoder}"


def _sqlite() -> str:
    import apsw

    from sightline.adapters.sqlite.file import check_sqlite_version

    found: str = apsw.sqlite_lib_version()
    check_sqlite_version(found)
    return f"{apsw.apsw_version()} (SQLite {found})"


def _engine() -> str:
    from sightline import models
    from sightline.adapters.engines.choice import choose_engine, open_detector
    from sightline.vision.heads import Wanted

    model = models.resolve(models.BUNDLED)
    wanted = Wanted.of(
        {"all": tuple(range(len(model.card.labels)))}, tracked=False, conf=0.5, iou=0.5, max_det=9
    )
    engine = choose_engine(model.path)
    detector = open_detector(model.path, model.profile, wanted, engine=engine, precision="f32")
    try:
        slot = detector.slot()
        slot.image[:] = 0
        slot.start()
        slot.result()
        return f"{detector.info.engine} {detector.info.version} runs the bundled model"
    finally:
        detector.close()


def _models() -> str:
    from sightline import models

    here = [model.name for model in models.list_models() if model.path is not None]
    missing = [model.name for model in models.list_models() if model.path is None]
    brought = f"; not here yet: sightline models get {missing[0]}" if missing else ""
    return f"{', '.join(here)}{brought}"


def _temporary() -> str:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    return tempfile.gettempdir()


def _confinement() -> str:
    """What confines a decoder of uploads. Own files are read without, so nothing of it has to be there."""
    if platform.system() != "Linux":
        return "none, Linux only: take uploads on loopback only"
    from sightline.adapters.confined.levels import levels

    level = levels()
    advice = [f"no {name} ({why}): {_ADVICE[name]}" for name, why in sorted(level.missing.items())]
    return "; ".join([str(level), *advice])


def _optional(package: str, extra: str) -> Callable[[], str]:
    def run() -> str:
        from sightline.adapters.engines import quiet

        try:
            quiet.load(package)
        except ImportError:
            return f'not installed, optional: pip install "sightline[{extra}]"'
        return version(package)

    return run


CHECKS: Mapping[str, Callable[[], str]] = {
    "python": platform.python_version,
    "numpy": _package("numpy"),
    "scipy": _package("scipy", "scipy.optimize"),
    "msgspec": _package("msgspec"),
    "pydantic": _package("pydantic"),
    "pillow": _package("pillow", "PIL.ImageFont"),
    "video (av)": _video,
    "store (apsw)": _sqlite,
    "engine": _engine,
    "models": _models,
    "temporary files": _temporary,
    "confinement": _confinement,
    "onnxruntime": _optional("onnxruntime", "onnx"),
    "pyarrow": _optional("pyarrow", "parquet"),
}
