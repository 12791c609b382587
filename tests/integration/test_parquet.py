"""Parquet: the columns of the CSV tables, typed and unrounded."""

import io
import subprocess
import sys

import numpy as np
from hypothesis import given
from pyarrow import parquet

from sightline.adapters.files.parquet import files
from tests.unit.formats.jobs import job, jobs

COLUMNS = {
    "video_id": "string",
    "frame": "int32",
    "seq": "int32",
    "pts_us": "int64",
    "group": "string",
    "track_id": "int32",
    "class_id": "int16",
    "label": "string",
    "x1": "float",
    "y1": "float",
    "x2": "float",
    "y2": "float",
    "confidence": "float",
    "origin": "string",
}


def read(result):
    [(name, content)] = files(result)
    return name, parquet.read_table(io.BytesIO(b"".join(content)))


def test_the_columns_are_those_of_the_contract():
    """Names, order and types; metadata names the columns' version and the run."""
    _, table = read(job())

    assert {field.name: str(field.type) for field in table.schema} == COLUMNS
    assert list(table.schema.names) == list(COLUMNS)
    assert table.schema.metadata[b"sightline.schema"] == b"1"
    assert table.schema.metadata[b"sightline.run"] == job().job_id.encode()


def test_a_tracked_job_gives_its_published_tracks():
    """A row per box, by frame, then group, then id."""
    name, table = read(job())

    assert name == "tracks.parquet"
    assert table.column("frame").to_pylist() == [0, 0, 10, 10]
    assert table.column("group").to_pylist() == ["cars", "cars", "cars", "people"]
    assert table.column("track_id").to_pylist() == [2, 5, 2, 1]
    assert table.column("label").to_pylist() == ["car", "bus", "car", "person"]
    assert table.column("origin").to_pylist() == ["high", "low", "interpolated", "birth"]


def test_a_job_without_a_tracker_gives_its_detections():
    """They have no id and no origin."""
    name, table = read(job(tracked=False))

    assert name == "detections.parquet"
    assert table.num_rows == 4
    assert table.column("track_id").null_count == table.column("origin").null_count == 4


def test_the_compression_is_zstd():
    """Small and fast to read."""
    [(_, content)] = files(job())

    metadata = parquet.read_metadata(io.BytesIO(b"".join(content)))

    assert metadata.row_group(0).column(0).compression == "ZSTD"


@given(jobs())
def test_the_same_job_gives_the_same_bytes(result):
    """No clock and no order of a dict reaches the file; every box arrives, as float32."""
    first = [(name, b"".join(content)) for name, content in files(result)]
    again = [(name, b"".join(content)) for name, content in files(result)]

    assert first == again
    table = parquet.read_table(io.BytesIO(first[0][1]))
    groups = [group.detections if group.tracks is None else group.tracks for group in result.groups]
    assert table.num_rows == sum(map(len, groups))
    wanted = np.sort(np.concatenate([group.xyxy[:, 0] for group in groups]).astype(np.float32))
    assert np.array_equal(np.sort(table.column("x1").to_numpy()), wanted)


def test_without_pyarrow_the_message_says_what_to_install():
    """A missing extra is a wrong setting, not a traceback about an import."""
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from sightline.errors import Misconfigured\n"
        "try:\n    import sightline.adapters.files.parquet\n"
        "except Misconfigured as error:\n    print(error.code, error)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("missing_extra ")
    assert 'pip install "sightline[parquet]"' in done.stdout
