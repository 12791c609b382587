"""What a server of S3 answers, and what that means: servers that are slow, full, wrong or no servers of S3 at all."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sightline.adapters.s3.cache import CachedFiles
from sightline.adapters.s3.objects import S3Objects
from sightline.adapters.s3.settings import S3Keys, S3Settings
from sightline.errors import Misconfigured, NotFound, Unavailable


def refusal(code: str, message: str = "in words") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message><StringToSign>signed</StringToSign></Error>".encode()


class Liar:
    """A server that answers what a test says; `asked` lists method and path of each request."""

    def __init__(self) -> None:
        self.answer = lambda method, path: (200, {}, b"")
        self.asked: list[tuple[str, str]] = []

        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                liar.asked.append((self.command, self.path))
                status, headers, body = liar.answer(self.command, self.path)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                if headers.get("Content-Length", str(len(body))) != str(len(body)):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        for verb in ("GET", "PUT", "HEAD", "POST", "DELETE"):
            setattr(Handler, f"do_{verb}", Handler.reply)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def liar():
    liar = Liar()
    yield liar
    liar.close()


@pytest.fixture
def objects(liar, tmp_path):
    endpoint = f"http://127.0.0.1:{liar.server.server_port}"
    settings = S3Settings("videos", S3Keys("me", "hidden"), endpoint, timeout=5.0)
    return S3Objects(settings, CachedFiles(tmp_path, 2**20))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, refusal("InternalError")),
        (503, refusal("SlowDown")),
        (503, b""),
        (429, refusal("TooManyRequests")),
        (507, refusal("XMinioStorageFull")),
        (409, refusal("OperationAborted")),
        (409, refusal("ConditionalRequestConflict")),
        (409, refusal("ExistingObjectIsDirectory")),
        (400, refusal("RequestTimeout")),
    ],
)
def test_a_server_that_cannot_now_is_unavailable(liar, objects, status, body):
    """It is asked again later; the answer's number and word are said."""
    liar.answer = lambda method, path: (status, {}, body)

    for call in (lambda: objects.put_new("k", [b"x"]), lambda: list(objects.read("k"))):
        with pytest.raises(Unavailable, match=str(status)):
            call()


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (403, "AccessDenied", "allow these keys"),
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "ExpiredToken", "renew"),
        (400, "AuthorizationHeaderMalformed", "region"),
        (400, "InvalidBucketName", "bucket"),
        (501, "NotImplemented", "correct"),
        (409, "ObjectParentIsFile", "correct"),
    ],
)
def test_a_server_that_will_not_says_what_to_do(liar, objects, status, code, hint):
    """Repeating changes nothing. What was signed is not repeated in the message."""
    liar.answer = lambda method, path: (status, {}, b"" if method == "HEAD" else refusal(code))

    for call in (
        lambda: objects.put_new("k", [b"x"]),
        lambda: list(objects.read("k")),
        lambda: objects.stat("k"),
    ):
        with pytest.raises(Misconfigured, match=code) as refused:
            call()
        assert hint in str(refused.value)
        assert "in words" in str(refused.value)
        assert "signed" not in str(refused.value)
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("body", [b"", b"<html>not here</html>"])
def test_a_404_that_names_nothing_is_no_missing_object(liar, objects, body):
    """A proxy, a page, another service: a source must not be given up for that."""
    liar.answer = lambda method, path: (404, {}, body)

    for call in (lambda: list(objects.read("k")), lambda: objects.stat("k")):
        with pytest.raises(Misconfigured, match="404"):
            call()


def test_a_missing_key_is_asked_for_twice_where_the_first_answer_has_no_body(liar, objects):
    """HEAD says 404 for a key, a bucket and a user alike; GET says which."""
    liar.answer = lambda method, path: (404, {}, b"" if method == "HEAD" else refusal("NoSuchKey"))

    with pytest.raises(NotFound, match="no object k"):
        objects.stat("k")
    assert [method for method, _ in liar.asked] == ["HEAD", "GET"]


def test_deleting_what_is_missing_is_no_error(liar, objects):
    """Where a server answers 404 to that."""
    liar.answer = lambda method, path: (404, {}, refusal("NoSuchKey"))

    objects.delete("k")


def test_an_answer_that_is_cut_is_no_end(liar, objects):
    """The connection closes early: an error, not fewer bytes."""

    def cut(method, path):
        headers = {
            "ETag": '"1"',
            "Content-Length": "10",
            "Content-Range": "bytes 0-9/10",
            "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
        }
        return 206, headers, b"half"

    liar.answer = cut

    with pytest.raises(Unavailable):
        list(objects.read("k"))


def test_an_upload_that_the_server_forgot_is_put_again(liar, objects):
    """As after a crash; and a 200 that holds an error is one."""
    for end in ((404, {}, refusal("NoSuchUpload")), (200, {}, refusal("InternalError"))):

        def forgetful(method, path, end=end):
            if path.endswith("?uploads="):
                return (
                    200,
                    {},
                    b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
                )
            if method == "POST":
                return end
            return 200, {"ETag": '"1"'}, b""

        liar.answer = forgetful

        with pytest.raises(Unavailable):
            objects.put_new("k", [bytes(2**20)] * 10)


def test_a_server_that_writes_over_objects_fails_the_check(liar, objects):
    """One that does not know the condition answers as if all were well."""

    def careless(method, path):
        if path.endswith("?uploads="):
            return (
                200,
                {},
                b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
            )
        if method == "POST":
            return 200, {}, b'<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'
        return 200, {"ETag": '"1"'}, b'<CopyPartResult><ETag>"1"</ETag></CopyPartResult>'

    liar.answer = careless

    with pytest.raises(Misconfigured, match="writes over objects, though a put"):
        objects.check()
    assert [method for method, _ in liar.asked][-2:] == ["DELETE", "DELETE"]


def test_a_server_without_tls_is_no_server_with_it(liar, tmp_path):
    """An address with https for one that speaks http."""
    settings = S3Settings(
        "videos", S3Keys("me", "hidden"), f"https://127.0.0.1:{liar.server.server_port}", timeout=5.0
    )

    with pytest.raises(Unavailable, match="no answer"):
        S3Objects(settings, CachedFiles(tmp_path, 2**20)).stat("k")
