"""The founding documents' commands, unchanged, on the ports that they name."""

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sightline.setup.datasets import KNOWN
from tests.media import picture

pytestmark = pytest.mark.contract

CLONE = Path(__file__).resolve().parents[2]
PORTS = (8080, 8002, 8003, 5001)
NAMES = sorted(KNOWN["visdrone-mot-val"].frames)


@pytest.fixture
def documented_ports():
    """Skips loudly where something else listens on one of them; fails in CI."""
    for port in PORTS:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                line.bind(("127.0.0.1", port))
            except OSError as error:
                message = f"port {port} is the documents' own, and it is taken: {error}"
                if os.environ.get("CI"):
                    pytest.fail(message)
                pytest.skip(message)


@pytest.fixture
def folder(tmp_path):
    """A folder with the dataset's archive: the seven names, three images each."""
    with zipfile.ZipFile(tmp_path / "VisDrone2019-MOT-val.zip", "w") as packed:
        for name in NAMES:
            for number in range(1, 4):
                blob = BytesIO()
                Image.fromarray(picture(number, 320, 192)).save(blob, "JPEG")
                path = f"VisDrone2019-MOT-val/sequences/{name}/{number:07d}.jpg"
                packed.writestr(path, blob.getvalue())
    return tmp_path


def test_dataset_commands_of_system_a(documented_ports, folder):
    """`python download_visdrone.py`, then `curl -X POST http://localhost:5001/start/NAME` for each name."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the commands of the documents cannot be run")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    script = CLONE / "tests" / "serving" / "system_a_commands.sh"

    done = subprocess.run(
        ["sh", str(script), str(CLONE)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    started = [json.loads(line) for line in (folder / "started.txt").read_text().splitlines()]
    assert [answer["status"] for answer in started] == [f"Sent 3 frames from {name}." for name in NAMES]
    assert (folder / "running.txt").read_text() == "data_generator is running!"
    assert (folder / "stats.csv").read_text().splitlines()[0] == "timestamp,num_cars,num_people"
    assert len((folder / "stats.csv").read_text().splitlines()) == 4
