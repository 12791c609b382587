"""Jobs over `/api/v1`: created in four ways, listed, looked at, renamed, cancelled, run again, removed."""

import msgspec
import pytest

from sightline.errors import InvalidVideo, Unavailable, setting
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.requests import FILES, input_key
from sightline.ports import Commit, Saved
from sightline.sources.roots import Roots
from sightline.testing import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from tests.contract.serving import MP4, PNG, World, is_problem

pytestmark = pytest.mark.contract

KEY = {"Idempotency-Key": "k"}
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
CLOCK = "2026-11-21T08:00:00+01:00"


def create(client, blob=MP4, **options):
    """A job of a raw body."""
    headers = {"Content-Type": "video/mp4", **options.pop("headers", {})}
    return client.ask("POST", "/api/v1/jobs", content=blob, headers=headers, **options)


def made(client, **options):
    answer = create(client, **options)
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


# --- create


def test_a_form(client, world):
    """202, where it is, and the job; the pipeline is `traffic` where none is named."""
    answer = client.ask("POST", "/api/v1/jobs", files={"file": ("street.mp4", MP4)}, data={"name": "north"})

    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/jobs/{job['job_id']}"
    assert (job["name"], job["state"], job["pipeline"]) == ("north", "sent", "traffic")
    assert job["source"]["name"] == "street.mp4"
    assert (job["source"]["bytes"], job["source"]["frames"], job["source"]["width"]) == (len(MP4), 10, 64)
    assert world.contents()[input_key("videos", job["job_id"])] == MP4


@pytest.mark.parametrize("kind", ["video/mp4", "video/x-matroska", "application/octet-stream"])
def test_a_body_that_is_the_file(client, world, kind):
    """Its name comes with it; what it is asked for stands in the query."""
    headers = {"Content-Type": kind, "Content-Disposition": 'attachment; filename="a b.mp4"'}
    answer = create(client, headers=headers, params={"pipeline": "detect", "clock_start": CLOCK})

    job = answer.json()
    assert (answer.status_code, job["name"], job["pipeline"]) == (202, "a b.mp4", "detect")
    assert job["clock_start"] == CLOCK
    assert world.contents()[input_key("videos", job["job_id"])] == MP4


def test_an_image_as_it_is(client):
    """With the media type that says so."""
    answer = create(client, PNG, headers={"Content-Type": "image/png"}, params={"media_type": "image"})

    assert (answer.status_code, answer.json()["source"]["kind"]) == (202, "images")


def test_an_object_that_is_stored(client, world):
    """It stays when the job goes."""
    world.objects.put_new("videos/street.mp4", [MP4])
    body = {"source": {"bucket": "videos", "object": "street.mp4"}, "clock_start": CLOCK}
    answer = client.ask("POST", "/api/v1/jobs", json=body)

    job = answer.json()
    assert (answer.status_code, job["name"], job["clock_start"]) == (202, "street.mp4", CLOCK)
    assert client.ask("DELETE", f"/api/v1/jobs/{job['job_id']}").status_code == 204
    assert world.stored() == ["videos/street.mp4"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.source"),
        ({"source": {}}, "body.source."),
        ({"source": {"object": "a"}, "pipelin": "detect"}, "body.pipelin"),
        ({"source": {"object": "a"}, "pipeline": "x"}, "pipeline"),
        ({"source": {"object": "a"}, "clock_start": "8 o'clock"}, "clock_start"),
        ({"source": {"object": "a"}, "clock_start": "2026-11-21T08:00:00"}, "clock_start"),
        ({"source": {"object": "a", "bucket": "../x"}}, "bucket"),
        ({"source": {"object": 5}}, "body.source."),
        ({"source": {"object": "a", "path": "b"}}, "body.source."),
        ([], "body"),
    ],
)
def test_json_that_says_something_else(client, world, body, field):
    """The field is named; nothing is stored."""
    answer = client.ask("POST", "/api/v1/jobs", json=body)

    is_problem(answer, 422, "invalid")
    assert all(error["field"].startswith(field) for error in answer.json()["errors"])
    assert world.stored() == []


def test_a_path_of_the_server_itself(tmp_path):
    """Below the folder that was named for it, and nowhere else; the file stays when the job goes."""
    (tmp_path / "cam").mkdir()
    (tmp_path / "cam" / "street.mp4").write_bytes(MP4)
    world = World(roots=Roots({FILES: tmp_path}))
    client = world.client()

    def ask(path, headers=None):
        return client.ask("POST", "/api/v1/jobs", json={"source": {"path": path}}, headers=headers)

    job, again = ask("cam/street.mp4", KEY), ask("cam/street.mp4", KEY)
    for path in ("../street.mp4", "/etc/passwd", "cam/none.mp4", "cam/../../x", "a\0b", "cam//street.mp4"):
        is_problem(ask(path), 404, "not_found")

    assert (job.status_code, job.json()["name"]) == (202, "street.mp4")
    assert again.json()["job_id"] == job.json()["job_id"]
    is_problem(ask("cam", KEY), 422, "key_reused")
    assert client.ask("DELETE", f"/api/v1/jobs/{job.json()['job_id']}").status_code == 204
    assert (tmp_path / "cam" / "street.mp4").read_bytes() == MP4


def test_a_service_without_a_folder_for_paths(client):
    """There is nothing."""
    is_problem(client.ask("POST", "/api/v1/jobs", json={"source": {"path": "a.mp4"}}), 404, "not_found")


def test_an_unknown_object_and_no_json_at_all(client):
    """Each in its own words."""
    answer = client.ask("POST", "/api/v1/jobs", json={"source": {"object": "x.mp4"}})
    is_problem(answer, 404, "not_found")
    broken = client.ask("POST", "/api/v1/jobs", content=b"{", headers={"Content-Type": "application/json"})
    is_problem(broken, 422, "invalid")


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
def test_a_body_of_another_type(client, headers):
    """Row 15: also one without a type."""
    answer = client.ask("POST", "/api/v1/jobs", content=MP4, headers=headers)

    is_problem(answer, 415, "content_type")


@pytest.mark.parametrize(
    ("blob", "status", "code"), [(b"", 422, "invalid"), (b"x", 415, "media_type"), (PNG, 415, "media_type")]
)
def test_a_raw_body_that_is_no_video(client, world, blob, status, code):
    """Rows 3 and 4, and an image that was not announced."""
    is_problem(create(client, blob), status, code)
    assert world.stored() == []


def test_a_field_that_nobody_knows(client, world):
    """Better than to ignore what somebody has asked for."""
    answer = client.ask("POST", "/api/v1/jobs", files={"file": ("v.mp4", MP4)}, data={"pipelin": "detect"})

    is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["field"] == "pipelin"
    assert world.stored() == []


def test_a_source_that_is_refused(client, world):
    """What looked into it says why; nothing stays."""
    world.refuses = InvalidVideo("v", reason="it has no frame", code="no_frame")

    is_problem(create(client), 422, "no_frame")
    assert world.stored() == []
    assert world.store.list().jobs == ()


# --- the same request again


def test_the_same_key_is_the_same_job(client):
    """The first answer again; another file, name or clock is another request."""
    first = create(client, headers=KEY, params={"name": "north"})
    again = create(client, headers=KEY, params={"name": "north"})

    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    is_problem(create(client, MP4 + b"x", headers=KEY, params={"name": "north"}), 422, "key_reused")
    is_problem(create(client, headers=KEY, params={"name": "south"}), 422, "key_reused")
    other = {"name": "north", "clock_start": CLOCK}
    is_problem(create(client, headers=KEY, params=other), 422, "key_reused")
    assert len(client.get("/api/v1/jobs").json()["items"]) == 1


def test_a_key_of_another_route_is_another_key(client):
    """Row 63."""
    old = client.upload(headers=KEY).json()["event_id"]

    assert made(client, headers=KEY) != old


# --- list


def test_a_list_newest_first_in_pages(client):
    """`next` and `Link` lead on; jobs that come meanwhile make none appear twice."""
    ids = [made(client) for _ in range(5)]

    first = client.get("/api/v1/jobs?limit=2")
    made(client)
    second = client.get(f"/api/v1/jobs?limit=2&cursor={first.json()['next']}")
    link = second.headers["link"]
    third = client.get(link[1 : link.index(">")])

    listed = [job["job_id"] for page in (first, second, third) for job in page.json()["items"]]
    assert listed == ids[::-1]
    assert third.json()["next"] is None
    assert "link" not in third.headers


def test_filters(client, world):
    """By state, repeated, and by a part of the name, as it is now."""
    north, south, west = (made(client, params={"name": name}) for name in ("North 1", "South", "north 2"))
    world.store.advance(south, "cancelled")
    client.ask("PATCH", f"/api/v1/jobs/{west}", json={"name": "west"})

    def ids(query):
        return {job["job_id"] for job in client.get(f"/api/v1/jobs?{query}").json()["items"]}

    assert ids("state=cancelled&state=ready") == {south}
    assert ids("state=sent") == {north, west}
    assert ids("name=NORTH") == {north}
    assert ids("name=west&state=sent") == {west}
    assert ids("name=west&state=ready") == set()


def test_a_job_whose_changes_are_damaged_harms_no_other(client, world, caplog):
    """The list has it as it was; the log names it."""
    broken, good = client.job(name="broken.mp4"), client.job(name="good.mp4")
    world.notes.put("job", broken, {"name": 7}, 0)

    names = [item["name"] for item in client.get("/api/v1/jobs").json()["items"]]

    assert names == ["good.mp4", "broken.mp4"]
    assert broken in caplog.text
    assert client.get(f"/api/v1/jobs/{good}").status_code == 200


def test_a_manifest_that_is_damaged_is_a_warning(client, world):
    """The job can be looked at all the same, and says what is wrong with its result."""
    job_id = client.job()
    world.objects.put_new("jobs/x/run.json", [b"{"])
    for state in ("processing", "ready"):
        facts = (
            {"result": {"key": "jobs/x/run.json", "bytes": 1, "sha256": "0" * 64}} if state == "ready" else {}
        )
        world.store.advance(job_id, state, **facts)

    said = client.get(f"/api/v1/jobs/{job_id}").json()

    assert (said["state"], said["counts"]) == ("ready", None)
    assert [each["code"] for each in said["warnings"]] == ["corrupt"]


def test_a_search_by_name_that_finds_nothing_at_first_leads_on(client, monkeypatch):
    """A request looks at so many jobs, and says where to go on."""
    monkeypatch.setattr("sightline.api.v1.jobs.MOST", 4)
    wanted = made(client, params={"name": "needle"})
    for _ in range(5):
        made(client, params={"name": "hay"})

    first = client.get("/api/v1/jobs?name=needle&limit=2").json()
    second = client.get(f"/api/v1/jobs?name=needle&limit=2&cursor={first['next']}").json()

    assert first["items"] == []
    assert [job["job_id"] for job in second["items"]] == [wanted]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "state=done"])
def test_a_list_that_cannot_be(client, query):
    """Never another one than was asked for."""
    is_problem(client.get(f"/api/v1/jobs?{query}"), 422, "invalid")


def test_a_cursor_that_is_none(client):
    """It begins nowhere."""
    is_problem(client.get("/api/v1/jobs?cursor=zzz"), 400, "cursor")


# --- look


@pytest.mark.parametrize("job_id", [UNKNOWN, "1", "' OR 1=1", '{"$gt":""}', "a" * 300, "%2e%2e%2fetc"])
@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry")]
)
def test_a_job_that_is_not_there(client, job_id, method, tail):
    """Row 29: whatever its shape."""
    answer = client.ask(method, f"/api/v1/jobs/{job_id}{tail}")

    assert answer.status_code == 404, answer.text
    is_problem(answer, 404, "not_found")


def test_a_tag_that_changes_with_the_job(client, world):
    """304 as long as nothing has happened."""
    path = f"/api/v1/jobs/{made(client)}"
    tag = client.get(path).headers["etag"]

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    world.store.advance(path[-36:], "cancelled")
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def begun(world, job_id, frames=90):
    """Feed has found what a job is."""
    recipe = scripted_recipe(job_id, frames, tracker=TrackerSettings(), prefix=requests.job_prefix(job_id))
    world.store.advance(job_id, "processing", facts=recipes.encode(recipe))
    return recipe


PARTS = ("groups", "tracked", "streams", "sampled", "media_start_us")


def test_a_job_says_what_it_consists_of_once_it_was_begun(client, world):
    """Groups with their classes, streams of boxes, how many frames are looked at."""
    job_id = made(client)
    before = client.get(f"/api/v1/jobs/{job_id}").json()
    recipe = scripted_recipe(job_id, 90, tracker=TrackerSettings(), prefix=requests.job_prefix(job_id))
    source = msgspec.structs.replace(recipe.source, media_start_us=1_400_000)
    recipe = msgspec.structs.replace(recipe, source=source)
    world.store.advance(job_id, "processing", facts=recipes.encode(recipe))

    after = client.get(f"/api/v1/jobs/{job_id}").json()

    kinds, groups = ("detections", "tracks", "totals"), ("cars", "people")
    assert [before[name] for name in PARTS] == [[], False, [], 0, 0]
    assert [after[name] for name in PARTS[1:]] == [
        True,
        [
            *(f"{kind}:{group}" for group in groups for kind in kinds),
            *(f"published:{group}" for group in groups),
        ],
        90,
        1_400_000,
    ]
    assert after["groups"] == [
        {"name": "cars", "labels": [{"class_id": 0, "label": "car"}]},
        {"name": "people", "labels": [{"class_id": 1, "label": "person"}]},
    ]


def test_progress_of_each_stage(client, world):
    """From what is committed."""
    job_id = made(client)
    begun(world, job_id)

    job = client.get(f"/api/v1/jobs/{job_id}").json()

    assert job["state"] == "processing"
    assert [*job["progress"]] == ["feed", "detect", "track", "stats", "collect", "publish"]
    assert job["progress"]["feed"] == {"done": 0, "total": 90}
    assert [*job["times"]] == ["sent", "processing"]


def test_a_failed_job_says_why(client, world):
    """Code and reason."""
    job_id = made(client)
    world.store.advance(job_id, "failed", code="no_frame", reason="no frame decodes")

    job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert (job["state"], job["code"], job["reason"]) == ("failed", "no_frame", "no frame decodes")


def test_a_reason_names_settings_in_words(client, world):
    """They are marked in what is stored: the command line says them as flags. Alone, in a list, and as an event."""
    job_id = made(client)
    reason = f"it is not quantised: {setting('precision', 'f32')}"
    world.store.advance(job_id, "failed", code="precision", reason=reason)

    shown = client.get(f"/api/v1/jobs/{job_id}").json()["reason"]
    [listed] = client.get("/api/v1/jobs").json()["items"]
    assert shown == listed["reason"] == "it is not quantised: precision=f32"
    assert '"reason":"it is not quantised: precision=f32"' in client.get(f"/api/v1/jobs/{job_id}/events").text


# --- rename


def test_name_and_clock_can_be_changed(client, world):
    """What is left out stays, null takes the clock away; the row stays as it was."""
    job_id = made(client, params={"name": "north"})
    path = f"/api/v1/jobs/{job_id}"

    named = client.ask("PATCH", path, json={"name": "south", "clock_start": CLOCK}).json()
    cleared = client.ask("PATCH", path, json={"clock_start": None}).json()

    assert (named["name"], named["clock_start"]) == ("south", CLOCK)
    assert (cleared["name"], cleared["clock_start"]) == ("south", None)
    assert client.get(path).json() == cleared
    assert client.ask("PATCH", path, json={}).json() == cleared
    assert world.store.get(job_id).video_id == "north"
    client.ask("DELETE", path)
    assert world.notes.list("job") == []


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": None}, {"name": "\r\n"}, {"clock_start": "now"}, {"state": "ready"}, [], "x"],
)
def test_a_change_that_cannot_be(client, body):
    """It is said which field."""
    path = f"/api/v1/jobs/{made(client)}"

    is_problem(client.ask("PATCH", path, json=body), 422, "invalid")
    assert client.get(path).json()["name"] != ""


def test_a_change_of_the_job_that_was_meant(client):
    """Row 20: a tag that is not the job's, or none at all, changes nothing."""
    path = f"/api/v1/jobs/{made(client)}"
    tag = client.get(path).headers["etag"]

    changed = client.ask("PATCH", path, json={"name": "b"}, headers={"If-Match": tag})
    late = client.ask("PATCH", path, json={"name": "c"}, headers={"If-Match": tag})
    garbage = client.ask("PATCH", path, json={"name": "d"}, headers={"If-Match": b"\xff, W/"})

    assert changed.status_code == 200
    is_problem(late, 412, "changed")
    is_problem(garbage, 412, "changed")
    assert client.get(path).json()["name"] == "b"
    tag = changed.headers["etag"]
    assert client.ask("PATCH", path, json={"name": "e"}, headers={"If-Match": tag}).status_code == 200


# --- cancel, remove


def test_a_job_is_cancelled_once_and_says_so_again(client, world):
    """Row 64: repeating gives the same answer."""
    job_id = made(client)

    first = client.ask("POST", f"/api/v1/jobs/{job_id}/cancel")
    again = client.ask("POST", f"/api/v1/jobs/{job_id}/cancel")

    assert first.status_code == again.status_code == 202
    assert first.json() == again.json() == {"job_id": job_id, "state": "cancelled", "cancelled": True}
    assert world.store.get(job_id).state == "cancelled"


def test_a_job_that_had_ended_has_won(client, world):
    """It stays as it is."""
    job_id = made(client)
    world.store.advance(job_id, "failed", code="crashed")

    answer = client.ask("POST", f"/api/v1/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["cancelled"]) == (202, False)
    assert answer.json()["state"] == "failed"


def test_a_job_is_removed_with_everything_and_it_may_be_said_twice(client, world):
    """Also while it runs. Whoever lost the answer asks again."""
    job_id = made(client)
    begun(world, job_id)

    answers = [client.ask("DELETE", f"/api/v1/jobs/{job_id}").status_code for _ in range(2)]

    assert answers == [204, 204]
    assert world.stored() == []
    is_problem(client.get(f"/api/v1/jobs/{job_id}"), 404, "not_found")
    assert client.get("/api/v1/jobs").json()["items"] == []


def test_no_method_is_another_in_disguise(client):
    """Row 60."""
    job_id = made(client)
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}

    assert client.get(f"/api/v1/jobs/{job_id}?_method=DELETE", headers=headers).status_code == 200
    is_problem(client.ask("POST", f"/api/v1/jobs/{job_id}", headers=headers), 405, "method")
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 200


# --- run again


def ended(client, world, **options):
    job_id = made(client, **options)
    world.store.advance(job_id, "failed", code="crashed")
    return job_id


def test_a_job_that_ended_is_run_again_as_its_child(client, world):
    """The same source, pipeline, name and clock, as they are now; each knows the other."""
    job_id = ended(client, world, params={"pipeline": "visdrone"})
    client.ask("PATCH", f"/api/v1/jobs/{job_id}", json={"name": "north", "clock_start": CLOCK})

    answer = client.ask("POST", f"/api/v1/jobs/{job_id}/retry")
    child, parent = answer.json(), client.get(f"/api/v1/jobs/{job_id}").json()

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/jobs/{child['job_id']}"
    assert (child["state"], child["parent_id"], parent["child_id"]) == ("sent", job_id, child["job_id"])
    assert (child["name"], child["clock_start"], child["pipeline"]) == ("north", CLOCK, "visdrone")
    assert child["source"] == parent["source"]


def test_a_job_that_runs_is_not_run_again(client):
    """Nobody knows yet what comes of it."""
    is_problem(client.ask("POST", f"/api/v1/jobs/{made(client)}/retry"), 409, "not_ended")


def test_a_key_makes_one_child(client, world):
    """And one of each job."""
    one, two = ended(client, world), ended(client, world)

    def child(job_id):
        return client.ask("POST", f"/api/v1/jobs/{job_id}/retry", headers=KEY).json()["job_id"]

    assert child(one) == child(one) != child(two)


@pytest.mark.parametrize("order", ["parent first", "child first", "child between"])
def test_the_source_goes_with_the_last_job_that_works_on_it(client, world, order):
    """A family of three: whoever goes, the others keep their source; at the end nothing is left."""
    parent = ended(client, world)
    child = client.ask("POST", f"/api/v1/jobs/{parent}/retry").json()["job_id"]
    world.store.advance(child, "failed", code="crashed")
    grandchild = client.ask("POST", f"/api/v1/jobs/{child}/retry").json()["job_id"]
    key = input_key("videos", parent)
    goes = {
        "parent first": [parent, child, grandchild],
        "child first": [grandchild, child, parent],
        "child between": [child, parent, grandchild],
    }[order]

    for job_id in goes:
        assert key in world.stored(), job_id
        assert client.ask("DELETE", f"/api/v1/jobs/{job_id}").status_code == 204

    assert world.stored() == []
    assert world.notes.list("source") == []


def test_a_child_of_a_child_whose_parents_are_gone(client, world):
    """The source has had three owners."""
    parent = ended(client, world)
    child = client.ask("POST", f"/api/v1/jobs/{parent}/retry").json()["job_id"]
    client.ask("DELETE", f"/api/v1/jobs/{parent}")
    world.store.advance(child, "failed", code="crashed")

    grandchild = client.ask("POST", f"/api/v1/jobs/{child}/retry").json()["job_id"]
    client.ask("DELETE", f"/api/v1/jobs/{child}")

    assert input_key("videos", parent) in world.stored()
    client.ask("DELETE", f"/api/v1/jobs/{grandchild}")
    assert world.stored() == []


def test_a_child_that_never_came_to_be_holds_nothing(client, world):
    """The worker was away; the parent's source still goes with the parent."""
    parent = ended(client, world)
    world.refuses = Unavailable("no", code="worker_down")

    is_problem(client.ask("POST", f"/api/v1/jobs/{parent}/retry"), 503, "worker_down")
    assert world.notes.list("source") == []
    client.ask("DELETE", f"/api/v1/jobs/{parent}")
    assert world.stored() == []


def test_a_job_that_is_removed_while_it_is_run_again(client, world):
    """Either there is a child that has its source, or there is none."""
    parent = ended(client, world)
    world.before_probe = lambda: World.backend(world).cancel_and_purge(parent)

    answer = client.ask("POST", f"/api/v1/jobs/{parent}/retry")

    assert answer.status_code == 201
    assert input_key("videos", parent) in world.stored()
    client.ask("DELETE", f"/api/v1/jobs/{answer.json()['job_id']}")
    assert world.stored() == []
    assert world.notes.list("source") == []


def test_a_job_of_a_foreign_object_is_run_again(client, world):
    """Nobody's upload: it stays whoever goes."""
    world.objects.put_new("videos/street.mp4", [MP4])
    parent = client.ask("POST", "/api/v1/jobs", json={"source": {"object": "street.mp4"}}).json()["job_id"]
    world.store.advance(parent, "failed", code="crashed")
    child = client.ask("POST", f"/api/v1/jobs/{parent}/retry").json()["job_id"]

    for job_id in (parent, child):
        client.ask("DELETE", f"/api/v1/jobs/{job_id}")
    assert world.stored() == ["videos/street.mp4"]


# --- replay


def found(client, world, frames=11, **options):
    """A job that has failed when so many frames of its detections were stored, the end among them."""
    job_id = made(client, **options)
    recipe = scripted_recipe(job_id, 10, tracker=TrackerSettings(), prefix=requests.job_prefix(job_id))
    world.store.advance(job_id, "processing", facts=recipes.encode(recipe))
    at = world.store.claim("collect", "found", 0)
    for stream in ("detections:cars", "detections:people"):
        at, _ = world.store.commit(Commit(at, at.low_water + 1, job_id, stream, Saved(frames, b"")))
    world.store.advance(job_id, "failed", code="crashed")
    return job_id


def replay(client, job_id, body=None, **options):
    return client.ask("POST", f"/api/v1/jobs/{job_id}/replay", json=body or {"from": "track"}, **options)


def test_a_job_is_run_again_on_what_it_has_stored(client, world):
    """As its child, with the name and the clock that it has now; nobody looks into the source."""
    job_id = found(client, world)
    client.ask("PATCH", f"/api/v1/jobs/{job_id}", json={"name": "north", "clock_start": CLOCK})
    looks = len(world.probed)

    answer = replay(client, job_id)

    child, parent = answer.json(), client.get(f"/api/v1/jobs/{job_id}").json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/jobs/{child['job_id']}"
    assert (child["state"], child["parent_id"], parent["child_id"]) == ("sent", job_id, child["job_id"])
    assert (child["name"], child["clock_start"], child["source"]) == ("north", CLOCK, parent["source"])
    assert len(world.probed) == looks
    assert world.notes.list("upload") == []


def test_settings_of_the_tracker_come_with_a_replay(client, world):
    """Those that are named; the rest is the job's."""
    job_id = found(client, world)
    body = {"from": "track", "tracker": {"mode": "bytetrack", "track_buffer": 60}}

    child = replay(client, job_id, body).json()["job_id"]

    asked = requests.decode(world.store.get(child).request).replay
    was = recipes.decode(world.store.get(job_id).facts).settings.tracker
    assert asked.tracker | {"version": 0} == was | {"mode": "bytetrack", "track_buffer": 60.0, "version": 0}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.from"),
        ({"from": "stats"}, "body.from"),
        ({"from": "track", "tracker": {"match_thresh": 2}}, "body.tracker.match_thresh"),
        ({"from": "track", "tracker": {"buffer": 2}}, "body.tracker.buffer"),
        ({"from": "track", "tracker": {"track_low_thresh": 0.9}}, "body"),
        ({"from": "detect", "refine": False}, "body"),
    ],
)
def test_a_replay_that_makes_no_sense(client, world, body, field):
    """The field is named, and there is no job."""
    job_id = found(client, world)
    answer = client.ask("POST", f"/api/v1/jobs/{job_id}/replay", json=body)

    is_problem(answer, 422, "invalid")
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert client.get(f"/api/v1/jobs/{job_id}").json()["child_id"] is None


def test_what_is_not_stored_is_not_replayed(client, world):
    """The answer says what is missing, and what can be done."""
    is_problem(replay(client, UNKNOWN), 404, "not_found")
    is_problem(replay(client, made(client)), 409, "not_ended")
    is_problem(replay(client, ended(client, world)), 409, "nothing_stored")
    part = replay(client, found(client, world, frames=7))
    is_problem(part, 409, "nothing_stored")
    assert "7 of its 10 frames" in part.json()["detail"]
    assert world.notes.list("source") == []


def test_a_key_makes_one_replay(client, world):
    """And stands for what was asked with it."""
    job_id = found(client, world)
    first = replay(client, job_id, headers=KEY)

    assert replay(client, job_id, headers=KEY).json()["job_id"] == first.json()["job_id"]
    for body in ({"from": "detect"}, {"from": "track", "tracker": {"track_buffer": 60}}):
        is_problem(replay(client, job_id, body, headers=KEY), 422, "key_reused")


def test_the_source_goes_with_the_last_of_a_job_and_its_replay(client, world):
    """As with a job that is run again from the beginning."""
    job_id = found(client, world)
    child = replay(client, job_id).json()["job_id"]

    client.ask("DELETE", f"/api/v1/jobs/{job_id}")
    assert input_key("videos", job_id) in world.stored()
    client.ask("DELETE", f"/api/v1/jobs/{child}")

    assert world.stored() == []
    assert world.notes.list("source") == []
