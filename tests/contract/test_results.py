"""Results over HTTP: what comes from the store, what the worker is asked for, and what is refused before it is."""

import hashlib
import json

import pytest

from sightline.errors import Misconfigured, NotFound, Rejected, TooLarge, Unavailable
from sightline.formats import run_folder
from sightline.formats.segments import Segment, encode
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.files import CAMERA_BIN
from sightline.jobs.purge import purge
from sightline.jobs.requests import SourceRef, job_prefix
from sightline.ports import Job
from sightline.testing.recipes import scripted_recipe
from sightline.types import FrameTable, TrackTable
from sightline.vision.bytetrack import TrackerSettings
from tests.contract.serving import MP4, OPEN, World, is_problem
from tests.contract.test_access import bearer, token

pytestmark = pytest.mark.contract

ID = "00000000-0000-4000-8000-00000000000a"
OTHER = "00000000-0000-4000-8000-00000000000b"
NOBODY = "00000000-0000-4000-8000-00000000000c"
FRAMES = 300
FILES = {
    "tracks.csv": b"video_id,frame\n",
    "detections.csv": b"video_id,frame\n",
    "result.json": b"[]",
    "mot/cars/street.txt": b"1,1,0,0,1,1,1,-1,-1,-1\n",
    "mot/people/street.txt": b"",
    "counts.csv": b"video_id\n",
    "summary.json": b"{}",
}
CAMERA = b"SLCAMERA and where it looked"
LINE = {"name": "north", "a": [0.1, 0.5], "b": [0.9, 0.5]}
ZONE = {"name": "yard", "points": [[0, 0], [1, 0], [1, 1]]}
SHA = hashlib.sha256(MP4).hexdigest()


def url(path, job_id=ID):
    return f"/api/v1/jobs/{job_id}/{path}"


def put(client, method, path, body, **headers):
    """Send JSON in ASCII, so that it may hold what no text can."""
    headers = {"Content-Type": "application/json", **headers}
    return client.ask(method, path, content=json.dumps(body).encode(), headers=headers)


def stored(world, job_id, state="ready", source=MP4, moves=True):
    """A job, as it stands in the store when it is in a state; its camera moves, or is not known to."""
    prefix, key = job_prefix(job_id), f"videos/input/{job_id}.mp4"
    recipe = scripted_recipe(job_id, FRAMES, tracker=TrackerSettings(), prefix=prefix)
    ref = SourceRef(
        kind="video",
        name="street 1.mp4",
        key=key,
        index_key=prefix + "index.bin",
        bytes=len(source),
        sha256=hashlib.sha256(source).hexdigest(),
    )
    request = requests.encode(requests.Request(pipeline="traffic", source=ref))
    world.objects.put_new(key, [source])
    world.store.create(Job(job_id, ref.name, 0, "sent", request=request), [])
    if state in ("sent", "failed"):
        if state == "failed":
            world.store.advance(job_id, "failed", code="no_frame", reason="nothing decodes")
        return recipe
    world.store.advance(job_id, "processing", facts=recipes.encode(recipe))
    world.objects.put_new(f"{prefix}segments/tracks-cars/000000000000.seg", [segment()])
    if state == "ready":
        for path, blob in FILES.items():
            world.objects.put_new(prefix + path, [blob])
        if moves:
            world.objects.put_new(prefix + CAMERA_BIN, [CAMERA])
        manifest = manifest_of(recipe, moves)
        world.objects.put_new(f"{prefix}run.json", [manifest])
        pointer = {
            "key": f"{prefix}run.json",
            "bytes": len(manifest),
            "sha256": hashlib.sha256(manifest).hexdigest(),
        }
        world.store.advance(job_id, "ready", result=pointer)
    return recipe


def segment():
    frames = FrameTable(range(128), range(0, 128_000, 1000), ("ok",) * 128, ("",) * 128)
    return encode(Segment("tracks", 0, frames, TrackTable.empty()))


def manifest_of(recipe, moves):
    listed = {
        path: run_folder.FileEntry(len(blob), hashlib.sha256(blob).hexdigest())
        for path, blob in FILES.items()
    }
    listed["segments/tracks-cars/000000000000.seg"] = run_folder.FileEntry(1, "0" * 64)
    if moves:
        listed[CAMERA_BIN] = run_folder.FileEntry(len(CAMERA), hashlib.sha256(CAMERA).hexdigest())
    return run_folder.encode(
        run_folder.RunFile(
            run_key="k",
            job_id=recipe.job_id,
            video_id="street",
            versions={},
            pipeline="traffic",
            settings={},
            model=run_folder.Model("m", "0", ()),
            engine=run_folder.Engine("e", "1", "fp32", (1, 1)),
            source=run_folder.Source("v", 1, "0", "video", "h264", 1, 1, 0, 0, 1, "25", False, None, ()),
            frames=run_folder.Frames(0, 0, 0, 0, 0, {}, ()),
            warnings=(),
            files=listed,
        )
    )


@pytest.fixture
def ready(world, client):
    """A client of a service in which one job is ready."""
    stored(world, ID)
    return client


@pytest.fixture(scope="module")
def standing():
    """One client for all that is refused before anything happens; a job is ready."""
    world = World()
    stored(world, ID)
    client = world.client()
    OPEN.remove(client.runner)
    client.world = world
    yield client
    client.runner.close()


ROUTES = [
    "results",
    "results/csv",
    "results/tracks.csv",
    "tracks",
    "detections",
    "counts",
    "movements",
    "speeds",
    "overview",
    "verdicts",
    "verify",
    "camera",
    "frames/0.jpg?annotated=1",
    "clip.mp4?end=1&annotated=1",
]
EVERY = [*ROUTES, "video", "index", "segments/tracks:cars/0", "geometry", "frames/0.jpg", "clip.mp4?end=1"]
BODIES = [
    ("counts", "POST", {}),
    ("movements", "POST", {}),
    ("speeds", "POST", {}),
    ("verdicts", "POST", {"verdict": "accept", "event": "0" * 32}),
]


@pytest.mark.parametrize("route", EVERY)
@pytest.mark.parametrize("job_id", [NOBODY, "1", "A" * 36, "x%00y"])
def test_a_job_that_is_not_there_is_404(standing, route, job_id):
    """Whatever the id looks like."""
    is_problem(standing.get(url(route, job_id)), 404, "not_found")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("state", ["sent", "processing", "failed"])
def test_a_job_without_results_is_409(world, client, route, state):
    """Still at work, or for ever; the worker is not asked."""
    stored(world, ID, state)

    is_problem(client.get(url(route)), 409, "not_ready")
    assert world.asked == []


@pytest.mark.parametrize(("route", "method", "body"), BODIES)
def test_bodies_for_such_a_job_are_409(world, client, route, method, body):
    """They are judged, and go no further."""
    stored(world, ID, "processing")

    is_problem(client.ask(method, url(route), json=body), 409, "not_ready")


@pytest.mark.parametrize("route", EVERY)
def test_head_is_beside_every_get(world, ready, route):
    """The same without a body."""
    head = {"type": "application/json", "bytes": 2}
    asked = "index verify records export count overview movements speeds audit frame clip"
    world.answers = dict.fromkeys(asked.split(), (head, [b"{}"]))

    got, asked = ready.get(url(route)), ready.ask("HEAD", url(route))

    assert (got.status_code, asked.status_code, asked.content) == (200, 200, b"")
    kept = ("content-type", "etag", "content-length", "content-disposition", "cache-control")
    assert {name: asked.headers.get(name) for name in kept} == {name: got.headers.get(name) for name in kept}


@pytest.fixture
def stranger(world, ready):
    """A client with a token of its own: the job is somebody else's."""
    headers = bearer(token(world, "anna"))
    ask = ready.aask

    async def as_anna(method, path, port=None, **options):
        return await ask(
            method, path, port, **{**options, "headers": {**options.get("headers", {}), **headers}}
        )

    ready.aask = as_anna
    return ready


@pytest.mark.parametrize("route", EVERY)
def test_another_s_job_is_not_there(world, stranger, route):
    """The same 404 as for one that is not."""
    nobody = stranger.get(url(route, NOBODY)).json()

    got = stranger.get(url(route))

    is_problem(got, 404, "not_found")
    assert {**got.json(), "instance": ""} == {**nobody, "instance": ""}
    assert world.asked == []


def test_another_s_lines_are_not_copied(world, stranger):
    """Nor judged, nor counted at."""
    mine = Job(OTHER, "mine", 0, "sent", request={}, owner="anna")
    world.store.create(mine, [])
    is_problem(draw(stranger, {"from": ID}, OTHER), 404, "not_found")
    for route, method, body in BODIES:
        is_problem(stranger.ask(method, url(route), json=body), 404, "not_found")
    is_problem(draw(stranger, {"lines": [LINE]}), 404, "not_found")


# --- files


def test_files_and_formats_are_listed(ready):
    """Each with size, hash, type and where it is; segments are elsewhere."""
    listed = ready.get(url("results")).json()

    files = {each["path"]: each for each in listed["files"]}
    assert files.keys() == FILES.keys() | {"run.json"}
    tracks = files["tracks.csv"]
    assert tracks["sha256"] == hashlib.sha256(FILES["tracks.csv"]).hexdigest()
    assert (tracks["bytes"], tracks["format"], tracks["type"]) == (15, "csv", "text/csv; charset=utf-8")
    assert files["summary.json"]["format"] is None
    formats = {each["format"]: each for each in listed["formats"]}
    assert formats["mot"]["files"] == ["mot/cars/street.txt", "mot/people/street.txt"]
    assert formats["coco"]["files"] == []
    for each in files.values():
        assert ready.get(each["link"]).status_code == 200
        assert each["use"]


def test_a_published_file_comes_from_the_store(world, ready):
    """By its path, or by its format where it is the only one; with a range, and once."""
    whole = ready.get(url("results/tracks.csv"))
    part = ready.get(url("results/tracks.csv"), headers={"Range": "bytes=2-4"})
    again = ready.get(url("results/tracks.csv"), headers={"If-None-Match": whole.headers["etag"]})

    assert whole.content == FILES["tracks.csv"]
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    assert whole.headers["content-type"] == "text/csv; charset=utf-8"
    assert whole.headers["content-disposition"] == 'attachment; filename="street-1-tracks.csv"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert (part.status_code, part.content) == (206, b"deo")
    assert (again.status_code, again.content) == (304, b"")
    assert ready.get(url("results/json-b")).content == b"[]"
    assert ready.get(url("results/mot/cars/street.txt")).content == FILES["mot/cars/street.txt"]
    assert world.asked == []


def test_what_was_not_published_is_made_by_the_worker(world, ready):
    """It is asked once: the tag follows from what it is made of."""
    world.answers["export"] = {"type": "", "bytes": 4, "path": "coco.json"}, [b"[]", b"\n\n"]

    first = ready.get(url("results/coco"))
    again = ready.get(url("results/coco"), headers={"If-None-Match": first.headers["etag"]})

    assert (first.content, first.headers["content-type"]) == (b"[]\n\n", "application/json")
    assert first.headers["content-disposition"] == 'attachment; filename="street-1-coco.json"'
    assert first.headers["content-length"] == "4"
    assert again.status_code == 304
    assert world.asked == [("export", {"job_id": ID, "target": "coco", "frame": None})]


def test_boxes_seen_from_one_frame_are_made_though_the_format_was_published(world, ready):
    """Those that were published lie on the pictures of their own frames."""
    world.answers["export"] = {"type": "", "bytes": 2, "path": "tracks.csv"}, [b"x\n"]

    got, other = (ready.get(url(f"results/csv?seen_from={frame}")) for frame in (30, 31))

    assert got.content == b"x\n"
    assert got.headers["etag"] != other.headers["etag"]
    assert world.asked[0] == ("export", {"job_id": ID, "target": "csv", "frame": 30})


def test_a_format_of_several_files_is_one_archive(world, ready):
    """Though each of them was published."""
    world.answers["export"] = {"type": "application/zip", "bytes": 2, "path": "mot.zip"}, [b"PK"]

    got = ready.get(url("results/mot"))

    assert (got.content, got.headers["content-type"]) == (b"PK", "application/zip")


@pytest.mark.parametrize(
    "name", ["avi", "../run.json", "segments/tracks-cars/000000000000.seg", "a" * 300, "%2e%2e"]
)
def test_what_is_no_file_and_no_format_is_404(standing, name):
    """The formats are named; nothing is looked for."""
    got = standing.get(url(f"results/{name}"))

    is_problem(got, 404, "not_found")
    assert standing.world.asked == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Misconfigured('pip install "sightline[parquet]"', code="missing_extra"), 422, "missing_extra"),
        (Rejected("nothing in it that format csv-a can hold", code="invalid_file"), 422, "invalid_file"),
        (TooLarge("a clip may last 60 s"), 413, "too_large"),
        (NotFound("there is no frame"), 404, "not_found"),
        (Unavailable("nobody", code="worker_down"), 503, "worker_down"),
    ],
    ids=lambda value: value.code if isinstance(value, Exception) else str(value),
)
def test_what_the_worker_refuses_is_a_problem(world, ready, error, status, code):
    """In its words, where the request is to blame."""
    world.answers["export"] = error

    got = ready.get(url("results/parquet"))

    is_problem(got, status, code)
    assert status >= 500 or str(error) in got.json()["detail"]


# --- the camera


def test_the_path_of_a_camera_that_moved_comes_from_the_store(world, ready):
    """As it lies there, with a tag, and a part of it; it is none of the files to download."""
    whole = ready.get(url("camera"))
    part = ready.get(url("camera"), headers={"Range": "bytes=2-4"})
    again = ready.get(url("camera"), headers={"If-None-Match": whole.headers["etag"]})

    assert (whole.content, whole.headers["content-type"]) == (CAMERA, "application/octet-stream")
    assert whole.headers["etag"] == f'"{hashlib.sha256(CAMERA).hexdigest()}"'
    assert (part.status_code, part.content) == (206, CAMERA[2:5])
    assert (again.status_code, again.content) == (304, b"")
    is_problem(ready.get(url(f"results/{CAMERA_BIN}")), 404, "not_found")
    assert world.asked == []


def test_a_camera_that_is_not_known_to_have_moved_has_no_path(world, client):
    """204; what is asked is the manifest, so that a path that was lost is no camera that stood still."""
    stored(world, ID, moves=False)
    stored(world, OTHER)
    world.objects.delete(job_prefix(OTHER) + CAMERA_BIN)

    still = client.get(url("camera"))

    assert (still.status_code, still.content) == (204, b"")
    is_problem(client.get(url("camera", OTHER)), 404, "not_found")


# --- the source, and segments


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (MP4, "video/mp4"),
        (b"\x1a\x45\xdf\xa3\x01\x42\x82\x84webm" + bytes(600), "video/webm"),
        (b"\x1a\x45\xdf\xa3\x01\x42\x82\x88matroska" + bytes(600), "video/x-matroska"),
        (b"RIFF....AVI " + bytes(600), "video/x-msvideo"),
        (b"<html><script>alert(1)</script>" + bytes(600), "application/octet-stream"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_source_is_named_by_its_bytes(world, client, head, kind):
    """Never shown as a page, whatever else it may be: a download of a type that nobody guesses."""
    stored(world, ID, "processing", source=head)

    got = client.get(url("video"))
    part = client.get(url("video"), headers={"Range": "bytes=0-3"})

    assert (got.content, got.headers["content-type"]) == (head, kind)
    assert got.headers["content-disposition"].startswith('attachment; filename="street-1-source.')
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'self'"
    assert (part.status_code, part.content) == (206, head[:4])
    assert got.headers["etag"] == f'"{hashlib.sha256(head).hexdigest()}"'


def test_a_source_that_is_gone_is_404(world, ready):
    """The job may live on without it."""
    world.objects.delete(f"videos/input/{ID}.mp4")

    is_problem(ready.get(url("video")), 404, "source_gone")


@pytest.mark.parametrize("state", ["processing", "ready"])
def test_a_segment_never_changes(world, client, state):
    """Also while the job runs."""
    stored(world, ID, state)

    got = client.get(url("segments/tracks:cars/0"))

    assert got.content == segment()
    assert got.headers["etag"] == f'"{hashlib.sha256(segment()).hexdigest()}"'
    assert got.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert client.get(url("segments/tracks:cars/0"), headers={"If-None-Match": "*"}).status_code == 304


@pytest.mark.parametrize(
    ("state", "status", "code"), [("processing", 409, "not_ready"), ("ready", 404, "not_found")]
)
def test_a_segment_that_is_not_there_yet_is_409(world, client, state, status, code):
    """Where the job has ended it is not there."""
    stored(world, ID, state)

    is_problem(client.get(url("segments/tracks:cars/128")), status, code)


@pytest.mark.parametrize(
    "path", ["tracks:cars/1", "tracks:cars/384", "tracks:dogs/0", "..%2f..%2frun.json/0", "a/0"]
)
def test_what_can_be_no_segment_is_404(standing, path):
    """The streams are named."""
    is_problem(standing.get(url(f"segments/{path}")), 404, "not_found")


def test_before_anything_was_found_there_are_no_segments(world, client):
    """Not yet."""
    stored(world, ID, "sent")

    is_problem(client.get(url("segments/tracks:cars/0")), 409, "not_ready")


@pytest.mark.parametrize("state", ["processing", "ready"])
def test_the_frames_of_the_source_never_change(world, client, state):
    """Also while the job runs."""
    stored(world, ID, state)
    world.answers["index"] = {"type": "application/octet-stream", "bytes": 3}, [b"abc"]

    got = client.get(url("index"))
    again = client.get(url("index"), headers={"If-None-Match": got.headers["etag"]})

    assert (got.content, again.status_code, again.content) == (b"abc", 304, b"")
    assert got.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert world.asked == [("index", {"job_id": ID})]


def test_frames_are_not_known_before_a_job_was_begun(world, client):
    """Nor which of them are sampled."""
    stored(world, ID, "sent")

    is_problem(client.get(url("index")), 409, "not_ready")
    assert world.asked == []


# --- what the worker is asked


def test_records_are_passed_on_as_they_come(world, ready):
    """A span in microseconds, and groups."""
    world.answers["records"] = {"type": "application/x-ndjson"}, [b"{}\n", b"{}\n"]

    got = ready.get(url("tracks?start=1.5&end=2&group=cars&group=people"))
    ready.get(url("detections"))

    assert (got.content, got.headers["content-type"]) == (b"{}\n{}\n", "application/x-ndjson")
    assert world.asked == [
        (
            "records",
            {
                "job_id": ID,
                "kind": "tracks",
                "start_us": 1_500_000,
                "end_us": 2_000_000,
                "groups": ["cars", "people"],
            },
        ),
        ("records", {"job_id": ID, "kind": "detections", "start_us": 0, "end_us": None, "groups": []}),
    ]


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EVERYTHING = {"classes": [], "min_confidence": 0.0, "min_hits": None}


@pytest.mark.parametrize(
    ("query", "accept", "form", "saved"),
    [
        ("", "*/*", "json", None),
        ("", "text/csv", "csv", 'attachment; filename="street-1-movements.csv"'),
        ("", XLSX, "xlsx", 'attachment; filename="street-1-movements.xlsx"'),
        ("", f"application/json, {XLSX};q=0.5", "json", None),
        ("", f"text/csv;q=0.4, {XLSX};q=0.5", "xlsx", 'attachment; filename="street-1-movements.xlsx"'),
        ("?format=csv", XLSX, "csv", 'attachment; filename="street-1-movements.csv"'),
        ("?format=json", "text/csv", "json", None),
    ],
)
def test_movements_come_in_the_form_that_is_wanted(world, ready, query, accept, form, saved):
    """By `format`, else by `Accept`; a table is a download."""
    world.answers["movements"] = {"type": "x/y", "bytes": 1}, [b"a"]

    got = ready.get(url(f"movements{query}"), headers={"Accept": accept})
    put(ready, "POST", url(f"movements{query}"), {}, Accept=accept)

    assert (got.status_code, got.headers["vary"], got.headers.get("content-disposition")) == (
        200,
        "Accept",
        saved,
    )
    assert [asked["form"] for _, asked in world.asked] == [form, form]


def test_movements_have_lines_heavy_vehicles_and_the_filter_of_counts(world, ready):
    """The stored lines or those of the body."""
    world.answers["movements"] = {"type": "application/json", "bytes": 2}, [b"{}"]
    body = {"lines": [LINE], "bins": "1h", "heavy": ["van"], "classes": ["car"], "min_hits": 9}

    got = [ready.get(url("movements?lines=north,south&heavy=truck&min_confidence=0.5&bins=5m"))]
    got += [ready.get(url("movements")), put(ready, "POST", url("movements"), body)]

    assert [each.status_code for each in got] == [200, 200, 200]
    named, stored_lines, given = (asked for _, asked in world.asked)
    assert named == {
        "job_id": ID,
        "geometry": None,
        "bins": "5m",
        "which": {**EVERYTHING, "min_confidence": 0.5},
        "heavy": ["truck"],
        "form": "json",
        "names": ["north", "south"],
    }
    assert (stored_lines["heavy"], stored_lines["bins"], stored_lines["names"]) == (
        ["truck", "bus"],
        "15m",
        None,
    )
    assert json.loads(given["geometry"])["lines"][0]["name"] == "north"
    assert (given["bins"], given["heavy"]) == ("1h", ["van"])
    assert given["which"] == {**EVERYTHING, "classes": ["car"], "min_hits": 9}


@pytest.mark.parametrize(
    "body",
    [
        {"bins": "x"},
        {"bins": None},
        {"heavy": "truck"},
        {"zones": [ZONE]},
        {"lines": [{**LINE, "a": [9, 9], "b": [8, 9]}]},
    ],
)
def test_movements_that_cannot_be_asked_for_are_refused(standing, body):
    """The field is named; zones have none."""
    is_problem(put(standing, "POST", url("movements"), body), 422, "invalid")


PLANE = {"points": [[0.1, 0.4], [0.9, 0.4], [0.9, 0.6], [0.1, 0.6]], "sides": [58, 10.5, 58, 10.5]}


def test_speeds_have_a_plane_lines_and_the_filter_of_counts(world, ready):
    """The stored lines or those of the body; a table is a download."""
    world.answers["speeds"] = {"type": "application/json", "bytes": 2}, [b"{}"]
    body = {"lines": [LINE], "plane": PLANE, "drawn_on": 7, "objects": False, "classes": ["car"]}

    headings = ready.get(url("speeds?drawn_on=5&min_confidence=0.5&objects=0"))
    speeds = put(ready, "POST", url("speeds"), body, Accept="text/csv")

    assert [each.status_code for each in (headings, speeds)] == [200, 200]
    assert speeds.headers["content-disposition"] == 'attachment; filename="street-1-speeds.csv"'
    (_, plain), (_, given) = world.asked
    assert plain == {
        "job_id": ID,
        "geometry": None,
        "plane": None,
        "which": {**EVERYTHING, "min_confidence": 0.5},
        "frame": 5,
        "objects": False,
        "form": "json",
    }
    assert json.loads(given["geometry"])["lines"][0]["name"] == "north"
    assert json.loads(given["plane"]) == PLANE | {"unit": "norm", "error_px": 2.0}
    assert (given["which"], given["frame"], given["form"]) == ({**EVERYTHING, "classes": ["car"]}, 7, "csv")


@pytest.mark.parametrize(
    ("plane", "reason"),
    [
        ({**PLANE, "sides": None}, "either metres"),
        ({**PLANE, "metres": PLANE["points"]}, "either metres"),
        ({**PLANE, "sides": [58, 10.5, 57, 10.5]}, "measure the diagonal"),
        ({**PLANE, "points": [[0, 0], [1, 1], [1, 0], [0, 1]]}, "without a dent"),
        ({**PLANE, "points": [[0, 0], [0.5, 0.5], [1, 1], [0, 1]]}, "lie in a line"),
        ({**PLANE, "sides": [58, 0, 58, 0]}, "greater than 0"),
        ({**PLANE, "points": [[0, 0]]}, "at least 4"),
        ({**PLANE, "colour": 1}, "Extra inputs"),
    ],
)
def test_a_plane_that_is_none_is_refused(standing, plane, reason):
    """In the words that files hear."""
    refused = put(standing, "POST", url("speeds"), {"plane": plane})

    is_problem(refused, 422, "invalid")
    assert reason in refused.text


def test_an_audit_comes_by_bins_where_they_are_asked_for(world, ready):
    """As counts do."""
    world.answers["audit"] = {"type": "application/json", "bytes": 2}, [b"{}"]

    got = [ready.get(url("verdicts")), ready.get(url("verdicts?bins=15m"))]

    assert [each.status_code for each in got] == [200, 200]
    assert world.asked == [("audit", {"job_id": ID}), ("audit", {"job_id": ID, "bins": "15m"})]


def test_an_overview_follows_from_the_result_and_the_question(world, ready):
    """It has the filter of counts, and is not asked for twice."""
    world.answers["overview"] = {"type": "application/json", "bytes": 2}, [b"{}"]
    paths = ["overview", "overview?bins=10", "overview?classes=car,people&min_confidence=0.5&min_hits=9"]

    got = [ready.get(url(path)) for path in paths]
    again = ready.get(url(paths[1]), headers={"If-None-Match": got[1].headers["etag"]})

    assert len({each.headers["etag"] for each in got}) == 3
    assert again.status_code == 304
    some = {"classes": ["car", "people"], "min_confidence": 0.5, "min_hits": 9}
    assert [asked for _, asked in world.asked] == [
        {"job_id": ID, "bins": 600, "which": EVERYTHING},
        {"job_id": ID, "bins": 10, "which": EVERYTHING},
        {"job_id": ID, "bins": 600, "which": some},
    ]


def test_pictures_say_what_they_are_and_are_made_once(world, ready):
    """The tag follows from source, frame and width; with boxes from the result too."""
    world.answers["frame"] = {"type": "image/jpeg", "bytes": 3}, [b"\xff\xd8\xff"]
    paths = ["frames/7.jpg", "frames/8.jpg", "frames/7.jpg?width=320", "frames/7.jpg?annotated=1"]

    got = [ready.get(url(path)) for path in paths]
    again = ready.get(url(paths[0]), headers={"If-None-Match": got[0].headers["etag"]})

    assert {each.headers["content-type"] for each in got} == {"image/jpeg"}
    assert len({each.headers["etag"] for each in got}) == 4
    assert again.status_code == 304
    assert len(world.asked) == 4
    assert world.asked[2] == ("frame", {"job_id": ID, "frame": 7, "annotated": False, "width": 320})


def test_pictures_of_two_files_below_a_root_are_two(world, client):
    """Such a source has no hash before its job begins: what it is called and when it was changed tells them apart."""
    world.answers["frame"] = {"type": "image/jpeg", "bytes": 1}, [b"a"]
    for job_id, key, times in ((ID, "a.mp4", "1"), (OTHER, "b.mp4", "1"), (NOBODY, "a.mp4", "2")):
        ref = SourceRef(kind="video", name=key, key=key, index_key="i", root="cameras", times=times)
        request = requests.encode(requests.Request(pipeline="traffic", source=ref))
        world.store.create(Job(job_id, key, 0, "sent", request=request), [])

    tags = {client.get(url("frames/0.jpg", job_id)).headers["etag"] for job_id in (ID, OTHER, NOBODY)}

    assert len(tags) == 3


def test_a_clip_says_where_it_begins(world, ready):
    """Its own first frame is at 0."""
    world.answers["clip"] = {"type": "video/mp4", "bytes": 1, "begins_us": 1_520_000}, [b"m"]

    got = ready.get(url("clip.mp4?start=1.5&end=4"))

    assert got.headers["sightline-begins-us"] == "1520000"
    assert got.headers["content-disposition"] == 'attachment; filename="street-1-clip.mp4"'
    assert world.asked[0][1] == {"job_id": ID, "start_us": 1_500_000, "end_us": 4_000_000, "annotated": False}


@pytest.mark.parametrize(
    "path",
    [
        "tracks?start=-1",
        "tracks?start=nan",
        "tracks?start=inf",
        "tracks?start=1e300",
        "tracks?start=9223372036854775808",
        "tracks?end=x",
        "detections?start=2&end=1",
        "movements?bins=0",
        "verdicts?bins=0",
        "movements?format=pdf",
        "speeds?format=xlsx",
        "speeds?drawn_on=-1",
        "speeds?objects=maybe",
        "results/csv?seen_from=-1",
        "overview?bins=0",
        "overview?bins=5001",
        "overview?min_confidence=2",
        "segments/tracks:cars/-128",
        "segments/tracks:cars/1.5",
        "segments/tracks:cars/9223372036854775808",
        "frames/-1.jpg",
        "frames/1.5.jpg",
        "frames/9223372036854775808.jpg",
        "frames/nan.jpg",
        "frames/1.jpg?width=0",
        "frames/1.jpg?width=1e9",
        "frames/1.jpg?annotated=perhaps",
        "clip.mp4",
        "clip.mp4?start=1&end=1",
        "clip.mp4?start=2&end=1",
        "clip.mp4?end=nan",
        "counts?bins=0s",
        "counts?bins=15",
        "counts?bins=99999999999999999999999h&min_hits=0",
        "counts?min_confidence=1.01",
        "counts?min_confidence=nan",
        "counts?min_hits=-1",
        "counts?min_hits=9223372036854775808",
        "counts?table=all",
        "counts?evidence=maybe",
        "counts?bins=99999999999h",
        "counts?classes=" + "x," * 101,
        "counts?classes=" + "x" * 101,
        "counts?lines=" + "y," * 101,
    ],
)
def test_numbers_that_make_no_sense_are_refused(standing, path):
    """The field is named, the worker is not asked."""
    is_problem(standing.get(url(path)), 422, "invalid")
    assert standing.world.asked == []


# --- counts


def answered(world):
    world.answers["count"] = {"type": "application/json", "bytes": 2}, [b"{}"]


def test_counts_at_the_lines_of_the_job(world, ready):
    """Names, bins and filters are passed on."""
    answered(world)

    got = ready.get(url("counts?bins=15m&lines=north, south&classes=car&min_confidence=0.4&min_hits=9"))

    assert (got.status_code, got.headers["vary"]) == (200, "Accept")
    assert world.asked == [
        (
            "count",
            {
                "job_id": ID,
                "geometry": None,
                "bins": "15m",
                "which": {"classes": ["car"], "min_confidence": 0.4, "min_hits": 9},
                "table": "json",
                "names": ["north", "south"],
                "with_evidence": True,
            },
        )
    ]


def test_counts_with_other_lines(world, ready):
    """They go to the worker in their own unit: it counts as `sightline count` does."""
    answered(world)
    pixels = {"name": "px", "a": [1, 2], "b": [300, 200], "unit": "px"}

    got = ready.ask("POST", url("counts"), json={"lines": [LINE, pixels], "zones": [ZONE], "min_hits": 9})

    assert got.status_code == 200, got.text
    (_, asked) = world.asked[0]
    sent = json.loads(asked["geometry"])
    assert [(line["name"], line["unit"], line["a"]) for line in sent["lines"]] == [
        ("north", "norm", [0.1, 0.5]),
        ("px", "px", [1, 2]),
    ]
    assert sent["zones"][0]["points"] == ZONE["points"]
    assert asked["which"] == {"classes": [], "min_confidence": 0.0, "min_hits": 9}
    ready.ask("POST", url("counts"), json={})
    assert world.asked[1][1]["geometry"] is None
    ready.ask("POST", url("counts?evidence=false"), json={})
    assert [asked["with_evidence"] for _, asked in world.asked] == [True, True, False]


@pytest.mark.parametrize(
    ("accept", "table"),
    [
        ("text/csv", "counts"),
        ("text/csv;q=0.9, application/json;q=0.5", "counts"),
        ("application/json, text/csv", "json"),
        ("*/*", "json"),
        ("text/csv;q=x", "json"),
        ("", "json"),
    ],
)
def test_a_table_for_who_asks_for_one(world, ready, accept, table):
    """Of counts, or of events."""
    answered(world)

    ready.get(url("counts"), headers={"Accept": accept})
    ready.get(url("counts?table=events"), headers={"Accept": accept})

    assert [asked["table"] for _, asked in world.asked] == [table, "events" if table == "counts" else "json"]


FAR = [[number / 300, (number % 2) / 2] for number in range(300)]
BAD_SHAPES = [
    {"lines": [{**LINE, "a": [0.1, 0.5, 0.5]}]},
    {"lines": [{**LINE, "a": ["0.1", 0.5]}]},
    {"lines": [{**LINE, "a": LINE["b"]}]},
    {"lines": [{**LINE, "a": [5, 5], "b": [6, 6]}]},
    {"lines": [{**LINE, "a": [-1, 700], "b": [600, 700], "unit": "px"}]},
    {"lines": [{**LINE, "name": ""}]},
    {"lines": [{**LINE, "name": "n" * 101}]},
    {"lines": [{**LINE, "name": "\ud800"}]},
    {"lines": [{**LINE, "in": "\ud800"}]},
    {"lines": [{**LINE, "a": [1e308, 0.5]}]},
    {"lines": [{**LINE, "a": [True, 0.5]}]},
    {"lines": [{**LINE, "in": "x", "out": "x"}]},
    {"lines": [{**LINE, "colour": "red"}]},
    {"lines": [LINE, LINE]},
    {"lines": [{**LINE, "name": str(number)} for number in range(101)]},
    {"lines": {"name": "n"}},
    {"zones": [{**ZONE, "points": [[0, 0], [1, 1]]}]},
    {"zones": [{**ZONE, "points": [[0, 0], [0.5, 0.5], [1, 1]]}]},
    {"zones": [{**ZONE, "points": FAR}]},
    {"zones": [{**ZONE, "name": str(number), "points": FAR[:150]} for number in range(7)]},
    {"zones": [{**ZONE, "unit": "mm"}]},
    {"lanes": []},
    [],
    "lines",
]


@pytest.mark.parametrize("body", BAD_SHAPES, ids=lambda body: json.dumps(body)[:60])
@pytest.mark.parametrize(("method", "route"), [("POST", "counts"), ("PUT", "geometry")])
def test_lines_that_are_none_are_refused(standing, method, route, body):
    """The field is named; nothing is counted, nothing is stored."""
    is_problem(put(standing, method, url(route), body), 422, "invalid")
    assert standing.world.asked == []
    assert standing.get(url("geometry")).json()["revision"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"lines":[{"name":"n","a":[NaN,0],"b":[1,1]}]}',
        b'{"min_hits":1e999}',
        b'{"min_confidence":Infinity}',
    ],
)
def test_a_body_that_is_no_json_is_refused(standing, body):
    """Numbers that are none too."""
    got = standing.ask("POST", url("counts"), content=body, headers={"Content-Type": "application/json"})

    is_problem(got, 422, "invalid")
    assert standing.world.asked == []


def test_a_body_is_not_read_for_ever(ready):
    """64 KiB."""
    body = json.dumps({"bins": "15m", "classes": ["x" * 70_000]}).encode()

    got = ready.ask("PUT", url("geometry"), content=body, headers={"Content-Type": "application/json"})

    is_problem(got, 413, "too_large")


# --- geometry


def draw(client, body, job_id=ID, **headers):
    return put(client, "PUT", url("geometry", job_id), body, **headers)


def test_lines_are_drawn_and_read(world, client):
    """Before the job is ready too; in 0..1, whatever they were drawn in, and the revision is the tag."""
    stored(world, ID, "processing")
    pixels = {"name": "px", "a": [64, 36], "b": [640, 360], "unit": "px", "in": "up"}
    empty = client.get(url("geometry"))

    put = draw(client, {"lines": [LINE, pixels], "zones": [ZONE]})
    got = client.get(url("geometry"))

    assert empty.json() == {"lines": [], "zones": [], "revision": 0}
    assert (put.status_code, put.json()) == (200, got.json())
    assert got.json()["lines"][1] == {"name": "px", "a": [0.1, 0.1], "b": [1.0, 1.0], "in": "up"}
    assert got.headers["etag"] == f'"{got.json()["revision"]}"'
    again = client.get(url("geometry"), headers={"If-None-Match": got.headers["etag"]})
    assert again.status_code == 304


def test_lines_and_zones_say_on_which_frame_they_were_drawn(world, ready):
    """Where they were drawn on another one than the first; it comes back, and goes on to the worker."""
    line, zone = {**LINE, "frame": 120}, {**ZONE, "frame": 0}
    world.answers["count"] = {"type": "application/json", "bytes": 2}, [b"{}"]

    put_ = draw(ready, {"lines": [line, {**LINE, "name": "first"}], "zones": [zone]})
    put(ready, "POST", url("counts"), {"lines": [line]})

    assert put_.json()["lines"] == [line, {**LINE, "name": "first"}]
    assert put_.json()["zones"] == [{**ZONE, "points": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], "frame": 0}]
    assert ready.get(url("geometry")).json() == put_.json()
    ((_, asked),) = world.asked
    assert json.loads(asked["geometry"])["lines"][0]["frame"] == 120


@pytest.mark.parametrize("frame", [-1, 1.5, "120", True, 2**63])
def test_what_is_no_number_of_a_frame_is_refused(standing, frame):
    """422, for lines and for zones."""
    is_problem(draw(standing, {"lines": [{**LINE, "frame": frame}]}), 422, "invalid")
    is_problem(draw(standing, {"zones": [{**ZONE, "frame": frame}]}), 422, "invalid")


def test_who_has_not_seen_the_last_lines_gets_412(ready):
    """By the header or by the field; nothing changes."""
    first = draw(ready, {"lines": [LINE]}).json()["revision"]
    second = draw(ready, {"zones": [ZONE], "revision": first})
    seen = second.headers["etag"]

    stale = [
        draw(ready, {"lines": []}),
        draw(ready, {"lines": [], "revision": first}),
        draw(ready, {"lines": []}, **{"If-Match": f'"{first}"'}),
        draw(ready, {"lines": []}, **{"If-Match": "garbage"}),
        draw(ready, {"lines": [], "revision": first}, **{"If-Match": seen}),
    ]

    assert second.status_code == 200
    for answer in stale:
        is_problem(answer, 412, "changed")
    assert ready.get(url("geometry")).json() == second.json()
    assert draw(ready, {"lines": []}, **{"If-Match": seen}).status_code == 200


def test_lines_are_copied_from_another_job(world, ready):
    """Of the same camera; the copy is its own."""
    stored(world, OTHER)
    draw(ready, {"lines": [LINE]}, OTHER)

    copied = draw(ready, {"from": OTHER})
    draw(ready, {"lines": [], "revision": ready.get(url("geometry", OTHER)).json()["revision"]}, OTHER)

    assert copied.json()["lines"] == [LINE]
    assert ready.get(url("geometry")).json() == copied.json()
    is_problem(draw(ready, {"from": NOBODY, "revision": copied.json()["revision"]}), 404, "not_found")
    is_problem(
        draw(ready, {"from": OTHER, "lines": [], "revision": copied.json()["revision"]}), 422, "invalid"
    )
    is_problem(draw(ready, {"revision": copied.json()["revision"]}), 422, "invalid")


def test_before_its_picture_is_known_nothing_can_be_drawn(world, client):
    """Pixels of what."""
    stored(world, ID, "sent")

    is_problem(draw(client, {"lines": [LINE]}), 409, "not_ready")


# --- verdicts

EVENT = {
    "id": "0f4c1a5e0b7c4f3d9a6e2b8d1c5f7a90",
    "shape": "9" * 32,
    "kind": "line",
    "name": "north",
    "direction": "in",
    "group": "cars",
    "label": "car",
    "track_id": 1,
    "frame": 7,
    "pts_us": 280_000,
    "time": "00:00:00.280000",
    "x": 1.0,
    "y": 2.0,
}
MISSED = {"verdict": "missed", "name": "north", "direction": "in", "label": "car", "frame": 9}


@pytest.fixture
def audited(world, ready):
    """One event was counted at one line."""
    draw(ready, {"lines": [LINE]})
    said = {"revision": 1, "events": [{**EVENT, "said": None}], "missed": [], "stale": [], "counts": []}
    world.answers["audit"] = {"type": "application/json"}, [json.dumps(said).encode()]
    return ready


def judge(client, **body):
    return put(client, "POST", url("verdicts"), body)


def test_a_verdict_is_kept_with_who_and_when(world, audited):
    """The last one on an event holds, until it is taken back."""
    for word in ("accept", "reject"):
        assert judge(audited, verdict=word, event=EVENT["id"]).status_code == 200

    (key, note), *others = world.notes.list("verdict")
    assert (key, others) == (f"{ID}/{EVENT['id']}", [])
    assert note.value["said"] == "rejected"
    assert (note.value["by"], note.value["at"]) == ("", "2023-11-14T22:13:20.000000Z")
    assert note.value["event"] == {name: value for name, value in EVENT.items() if name != "id"}
    judge(audited, verdict="withdraw", event=EVENT["id"])
    assert world.notes.list("verdict") == []


def removed_before(world, method):
    """The job is removed just before a note of it is written."""

    class Racing:
        def __init__(self, notes):
            self.notes = notes

        def __getattr__(self, name):
            def call(*args):
                if name == method and args[0] in ("geometry", "verdict", "job"):
                    purge(ID, world.store, world.objects, self.notes, world.now_us)
                return getattr(self.notes, name)(*args)

            return call

    world.notes = Racing(world.notes)


@pytest.mark.parametrize("what", ["geometry", "verdicts", "job"])
def test_what_is_written_for_a_job_that_is_just_removed_goes_with_it(world, what):
    """404, and nothing stays behind: nobody would ever delete it."""
    stored(world, ID)
    said = {"revision": 1, "events": [{**EVENT, "said": None}], "missed": [], "stale": [], "counts": []}
    world.answers["audit"] = {"type": "application/json"}, [json.dumps(said).encode()]
    notes = world.notes
    removed_before(world, "put")
    client = world.client()

    answer = {
        "geometry": lambda: draw(client, {"lines": [LINE]}),
        "verdicts": lambda: judge(client, verdict="accept", event=EVENT["id"]),
        "job": lambda: put(client, "PATCH", f"/api/v1/jobs/{ID}", {"name": "b"}),
    }[what]()

    is_problem(answer, 404, "not_found")
    assert [note for kind in ("geometry", "verdict", "job") for note in notes.list(kind)] == []


def test_a_missed_event_is_added_once(world, audited):
    """Where, who and when; said twice it is one."""
    for _ in range(2):
        assert judge(audited, **MISSED, x=3, y=4.5).status_code == 200

    ((_, note),) = world.notes.list("verdict")
    assert note.value["said"] == "missed"
    assert note.value["event"] | {"shape": ""} == {
        "shape": "",
        "kind": "line",
        "name": "north",
        "direction": "in",
        "group": "cars",
        "label": "car",
        "frame": 9,
        "x": 3.0,
        "y": 4.5,
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "perhaps", "event": EVENT["id"]},
        {"verdict": "accept"},
        {"verdict": "accept", "event": "x"},
        {"verdict": "accept", "event": {"$gt": ""}},
        {**MISSED, "name": "south"},
        {**MISSED, "kind": "zone_enter"},
        {**MISSED, "direction": "up"},
        {**MISSED, "label": "dog"},
        {**MISSED, "frame": None},
        {**MISSED, "frame": FRAMES},
        {**MISSED, "frame": -1},
        {**MISSED, "frame": 2**63},
        {**MISSED, "frame": 1.5},
        {**MISSED, "more": 1},
        {**MISSED, "direction": "\ud800"},
        {**MISSED, "x": "1"},
    ],
    ids=json.dumps,
)
def test_a_verdict_on_nothing_is_refused(world, audited, body):
    """Nothing is stored."""
    is_problem(judge(audited, **body), 422, "invalid")
    assert world.notes.list("verdict") == []


def test_an_event_that_is_not_there_is_404(world, audited):
    """Of other lines, perhaps."""
    is_problem(judge(audited, verdict="accept", event="f" * 32), 404, "no_event")
    assert world.notes.list("verdict") == []
