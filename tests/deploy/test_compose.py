"""docker-compose.yaml: what compose makes of it."""

import re

import pytest

from tests.deploy.native import FILE, IMAGE, ROOT, load, ports_of
from tests.deploy.needs import need
from tests.servers.programs import Compose

# Host ports of the founding documents, by service; of system A's five, those that its source publishes.
SYSTEM_A = {
    "data_generator": 5001,
    "car_detector": 5003,
    "person_detector": 5004,
    "car_tracker": 5005,
    "person_tracker": 5006,
    "stats_generator": 5007,
    "redpanda": 9092,
    "postgres": 5432,
}
SYSTEM_B = {
    "api_checkout": 8080,
    "runner": 8002,
    "inference": 8003,
    "outbox_worker": None,
    "outbox_s3_worker": None,
    "redpanda": 9092,  # also called kafka
    "mongo": 27017,
    "minio": 9000,
}
VARIABLES_A = {
    "SERVICE_NAME": None,
    "DATASET_ROOT_DIR": "/app/VisDrone_data",
    "KAFKA_BROKER": "redpanda:29092",
    "FRAME_RATE": "30",
    "POSTGRES_DB": "frames_db",
    "POSTGRES_USER": "user",
    "POSTGRES_PASSWORD": "password",
}
VARIABLES_B = {
    "KAFKA_BROKER": "kafka:9092",
    "MONGO_URI": "mongodb://admin:password@mongo:27017/",
    "RUNNER_MONGO_URI": "mongodb://admin:password@mongo:27017/",
    "MINIO_ENDPOINT": "minio:9000",
    "MINIO_ACCESS_KEY": "minioadmin",
    "MINIO_SECRET_KEY": "minioadmin",
}
ONCE = {"prepare_a", "prepare_b", "buckets"}


@pytest.fixture(scope="module", autouse=True)
def compose():
    """Compose's own loader."""
    need(Compose().install)


def test_without_a_profile_one_service_has_all_the_documented_ports():
    """`docker compose up`: the profile is the one that `.env` names."""
    services = load()

    assert list(services) == ["sightline"]
    assert set(ports_of(services["sightline"]).values()) == {8080, 5001, 8002, 8003}
    assert (ROOT / ".env").read_text().splitlines()[-1] == "COMPOSE_PROFILES=embedded"


def test_on_a_card_it_is_the_same_service_of_another_image():
    """With the packages of the other lock, and one card for it."""
    plain, card = load("embedded")["sightline"], load("gpu")["sightline_gpu"]

    different = {key for key in plain | card if plain.get(key) != card.get(key)}
    assert different == {"profiles", "image", "build", "command", "deploy"}
    assert card["build"]["args"] == {"LOCK": "requirements-cuda.lock"}
    assert card["command"] == ["serve", "--device", "cuda:0"]
    (device,) = card["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "onnxruntime-gpu==" in (ROOT / "requirements-cuda.lock").read_text()


@pytest.mark.parametrize(
    ("profile", "wanted", "variables"),
    [("system-a", SYSTEM_A, VARIABLES_A), ("system-b", SYSTEM_B, VARIABLES_B)],
)
def test_a_founding_set_has_its_services_ports_and_variables(profile, wanted, variables):
    """By the names of the founding documents."""
    services = load(profile)

    assert set(services) - ONCE == set(wanted)
    for name, port in wanted.items():
        published = set(ports_of(services[name]).values())
        assert published == set() if port is None else port in published, name
    for name, service in services.items():
        if service["image"] == IMAGE:
            for variable, value in variables.items():
                found = (service["environment"] or {}).get(variable, None if name in ONCE else "")
                assert found == value or value is None, (name, variable)


def test_the_broker_answers_by_both_of_its_names():
    """Inside by the ports that each system knows, and from the host."""
    (broker,) = (load(profile)["redpanda"] for profile in ("system-a",))
    said = broker["environment"]

    assert set(broker["networks"]["default"]["aliases"]) == {"redpanda", "kafka"}
    assert said["KAFKA_ADVERTISED_LISTENERS"].split(",") == [
        "A://redpanda:29092",
        "B://kafka:9092",
        "HOST://localhost:9092",
    ]
    assert ports_of(broker) == {19092: 9092}


def test_nothing_is_published_beyond_this_machine_and_nobody_has_rights_to_spare():
    """Passwords of the example never leave it; our containers cannot write to their own file system."""
    for profile in ("embedded", "gpu", "system-a", "system-b", "obs"):
        for name, service in load(profile).items():
            for port in service.get("ports") or ():
                assert port["host_ip"] == "127.0.0.1", name
            ours = service["image"] in (IMAGE, "sightline:cuda")
            assert re.search(r":[^:]*\d", service["image"]) or ours, name
            if ours:
                assert service["read_only"], name
                assert service["cap_drop"] == ["ALL"], name
                assert "no-new-privileges:true" in service["security_opt"], name


def test_whoever_waits_for_another_waits_until_it_is_healthy():
    """Or until it has ended well."""
    for profile in ("system-a", "system-b"):
        services = load(profile)
        for name, service in services.items():
            for other, how in (service.get("depends_on") or {}).items():
                good = "service_completed_successfully" if other in ONCE else "service_healthy"
                assert how["condition"] == good, (name, other)
                assert other in ONCE or services[other]["healthcheck"]["test"], other


def test_what_is_mounted_is_there():
    """Files of the repository, not folders that the engine makes where a name is wrong."""
    text = FILE.read_text()
    for path in re.findall(r"- (\./deploy/[^:]+):", text):
        assert (ROOT / path).exists(), path
