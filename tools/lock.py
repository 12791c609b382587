"""Write the locks, also those of the image and of what lists its parts: names, versions and hashes, no addresses.

usage: python tools/lock.py        (on the oldest supported Python, so that every newer one has wheels too)
"""

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("pip-tools>=7.5",)
BUILD = ("hatchling", "editables", "pathspec", "pluggy", "trove-classifiers")
CUDA = ("gpu", "kafka", "mongo", "otel", "parquet", "postgres", "s3")  # `all`, with another ONNX Runtime
PARTS = ("cyclonedx-bom>=7", "pip-licenses>=5")  # say what is in the image


def compile_lock(python: Path, extras: tuple[str, ...], out: Path, constraint: Path | None) -> None:
    project = [f"--extra={extra}" for extra in extras] + [str(ROOT / "pyproject.toml")]
    compile_these(python, BUILD, project, out, constraint)


def compile_these(
    python: Path, names: tuple[str, ...], more: list[str], out: Path, constraint: Path | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "requirements.in")
        wanted.write_text("\n".join(names) + (f"\n-c {constraint}\n" if constraint else "\n"))
        command = [str(python), "-m", "piptools", "compile", "--quiet", "--generate-hashes", "--allow-unsafe"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-trusted-host"]
        command += ["--strip-extras", "--no-emit-options", "--output-file", str(Path(folder, "out"))]
        command += [str(wanted), *more]
        subprocess.run(command, check=True, cwd=folder)
        lines = Path(folder, "out").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not re.match(r"\s*(#|sightline\b|-[cr] )", line))
    if "://" in text:
        raise SystemExit(f"{out.name}: an address slipped in")
    out.write_text(text)
    sys.stdout.write(
        f"{out.relative_to(ROOT)}: {len(re.findall(r'^[a-z0-9]', text, re.M | re.I))} packages\n"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *TOOLS], check=True)
        run = ROOT / "requirements.lock"
        compile_lock(python, (), run, None)
        compile_lock(python, ("dev",), ROOT / "requirements-dev.lock", run)
        compile_lock(python, ("all",), ROOT / "requirements-image.lock", ROOT / "requirements-dev.lock")
        compile_lock(python, CUDA, ROOT / "requirements-cuda.lock", ROOT / "requirements-image.lock")
        compile_these(python, PARTS, [], ROOT / "tools" / "image" / "requirements.lock", None)


if __name__ == "__main__":
    main()
