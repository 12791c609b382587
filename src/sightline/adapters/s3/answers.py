"""What a server's refusal means, in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sightline.adapters.s3.client import AlreadyExistsError, BaseError
from sightline.errors import Corrupt, NotFound, ServiceMisconfigured, Unavailable

__all__ = ["PastTheEnd", "Taken", "Unnamed", "answers"]

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})")
_GONE = frozenset(
    {
        "NoSuchUpload",
        "InvalidPart",
        "ConditionalRequestConflict",
        "OperationAborted",
        "RequestTimeout",
        "ExistingObjectIsDirectory",  # versitygw, also where somebody emptied a folder of its own disk meanwhile
    }
)
_HINTS = {
    "NoSuchBucket": "make the bucket, or correct its name",
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY",
    "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID",
    "XAdminUserNotFound": "correct AWS_ACCESS_KEY_ID",  # versitygw, with status 404
    "ExpiredToken": "renew the keys",
    "InvalidToken": "renew AWS_SESSION_TOKEN, or unset it",
    "RequestTimeTooSkewed": "set the clock of this machine",
    "AuthorizationHeaderMalformed": "correct the region",
    "PermanentRedirect": "correct the region or the endpoint",
    "AccessDenied": "allow these keys to get, put and delete objects, and to list the bucket",
}


class Taken(Exception):
    """A put only where nothing is found something."""


class PastTheEnd(Exception):
    """A range begins behind the last byte."""


class Unnamed(ServiceMisconfigured):
    """Refused, and the answer does not say why."""


@contextmanager
def answers(what: str, place: str) -> Iterator[None]:
    """Turn what the client says while it does something to `what` into our errors.

    The client's own text is left out: it may quote what was signed.

    Raises:
        NotFound: no such key.
        Taken, PastTheEnd: those answers.
        Corrupt: the object was replaced while it was read.
        Unavailable: no answer, too slow, too many requests, or the server is at fault.
        ServiceMisconfigured: the server refuses whatever is asked: keys, bucket, region.
    """
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        raise _meaning(error, what, place) from None


def _meaning(error: Exception, what: str, place: str) -> Exception:
    text = str(error)
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    said = f"{status} {code}".strip() if status else "no answer"
    if status == 404 and code == "NoSuchKey":
        return NotFound(f"no {what}")
    if status == 416:
        return PastTheEnd(what)
    if status == 412:
        create = isinstance(error, AlreadyExistsError)
        return Taken(what) if create else Corrupt(f"{what} was replaced while it was read, in {place}")
    if status == 0 and "certificate" in text.lower():
        return ServiceMisconfigured(
            f"{what}: {place} has a certificate that is not trusted: correct the endpoint"
        )
    if status in (0, 408, 429) or (status >= 500 and status != 501) or code in _GONE:
        return Unavailable(f"{what}: {place}: {said}; it is asked again later", code="objects_down")
    reason = f": {found[1].strip()}" if (found := _MESSAGE.search(text)) else ""
    hint = _HINTS.get(code, "correct endpoint, bucket, region or keys")
    kind = ServiceMisconfigured if code else Unnamed
    return kind(f"{what}: {place} refuses: {said}{reason}; {hint}")
