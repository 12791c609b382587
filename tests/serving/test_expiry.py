"""`sightline serve --keep-jobs`: what ended long ago is removed by the service itself, with all its files."""

import pytest

from tests.media import video
from tests.serving.service import Service

pytestmark = pytest.mark.timeout(600)


def test_a_job_goes_when_its_time_is_over(tmp_path):
    """Kept for ever where nobody says for how long."""
    clip = video(tmp_path / "street.mp4", 20, size=(320, 192))
    service = Service(tmp_path / "data").start()
    status, answer = service.upload(clip, pipeline="traffic")
    assert status == 200, answer
    assert service.result(answer["event_id"])["status"] == "ready"
    service.kill()
    kept = {path for path in (tmp_path / "data" / "objects").rglob("*") if path.is_file()}

    service = Service(tmp_path / "data", "--keep-jobs", "1s").start()
    try:
        service.until(lambda: service.get(f"/api/v1/jobs/{answer['event_id']}")[0] == 404)
    finally:
        service.kill()

    assert kept
    assert [path for path in (tmp_path / "data" / "objects").rglob("*") if path.is_file()] == []
