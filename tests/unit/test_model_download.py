"""Downloads of models, from a server on this machine."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sightline import models
from sightline.errors import Corrupt, Misconfigured, Unavailable
from sightline.models import Card
from sightline.models.download import download
from sightline.vision.coco import COCO
from tests.unit.model_files import FIXED, onnx_file


class Shelf:
    """A file server that may break off, ignore ranges, or fail."""

    def __init__(self, content: bytes) -> None:
        self.content, self.asked = content, []
        self.breaks_after: int | None = None
        self.knows_ranges = True
        self.status = 200
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                shelf.answer(self)

            def log_message(self, *args):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/model.onnx"

    def answer(self, request) -> None:
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        self.asked.append(start)
        if not self.knows_ranges:
            start = 0
        if self.status != 200 or start >= len(self.content):
            request.send_error(self.status if self.status != 200 else 416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.breaks_after])

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def shelf(tmp_path):
    content = onnx_file(tmp_path / "source.onnx", FIXED, (1, 84, 8400), filler="x" * 300_000).read_bytes()
    shelf = Shelf(content)
    yield shelf
    shelf.close()


def card_for(shelf: Shelf) -> Card:
    digest = hashlib.sha256(shelf.content).hexdigest()
    return Card(name="net", file="net.onnx", url=shelf.url, sha256=digest, head="yolov8", labels=COCO)


class TestDownload:
    def test_a_model_arrives_with_its_card(self, shelf, tmp_path):
        """Then it has a name."""
        seen = []

        download(card_for(shelf), tmp_path / "kept", lambda done, total: seen.append((done, total)))

        assert models.verify("net", tmp_path / "kept").card == card_for(shelf)
        assert seen[-1] == (len(shelf.content), len(shelf.content))
        assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == ["net.card.toml", "net.onnx"]

    @pytest.mark.parametrize("knows_ranges", [True, False])
    def test_it_goes_on_where_it_broke_off(self, shelf, tmp_path, knows_ranges):
        """Or begins again where the server cannot go on."""
        shelf.breaks_after, shelf.knows_ranges = 100_000, knows_ranges
        with pytest.raises(Unavailable, match="goes on from there"):
            download(card_for(shelf), tmp_path / "kept")
        shelf.breaks_after = None

        path = download(card_for(shelf), tmp_path / "kept")

        assert shelf.asked == [0, 100_000]
        assert path.read_bytes() == shelf.content

    def test_what_is_complete_is_not_fetched_again(self, shelf, tmp_path):
        """The process ended between the last byte and the rename."""
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "net.onnx.part").write_bytes(shelf.content)

        path = download(card_for(shelf), tmp_path / "kept")

        assert path.read_bytes() == shelf.content

    def test_another_file_is_not_kept(self, shelf, tmp_path):
        """Nor a part of it, on which a repeat would build."""
        card = card_for(shelf)
        shelf.content = shelf.content[:-1] + b"?"

        with pytest.raises(Corrupt, match="expected"):
            download(card, tmp_path / "kept")

        assert list((tmp_path / "kept").iterdir()) == []

    def test_a_server_that_fails_is_unavailable(self, shelf, tmp_path):
        """Repeat later."""
        shelf.status = 503

        with pytest.raises(Unavailable, match="503"):
            download(card_for(shelf), tmp_path / "kept")

    def test_a_server_that_is_gone_is_unavailable(self, shelf, tmp_path):
        """Repeat later."""
        card = card_for(shelf)
        shelf.close()

        with pytest.raises(Unavailable, match="goes on from there"):
            download(card, tmp_path / "kept")

    def test_only_known_models_are_got(self, tmp_path):
        """Others are added by hand, with a card."""
        with pytest.raises(Misconfigured, match="did you mean yolox-nano"):
            models.get("yolox-nanp", tmp_path)

    def test_a_known_model_has_address_licence_and_hash(self):
        """Nothing is downloaded that could be another file."""
        for card in models.KNOWN.values():
            assert card.url.startswith("https://")
            assert card.licence
            assert card.sha256
            assert "/main/" not in card.url
