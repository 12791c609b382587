"""MongoDB's errors become ours, by what to do about them. Their code decides, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from bson.errors import InvalidBSON, InvalidDocument
from pymongo import errors as theirs

from sightline.errors import Corrupt, Fenced, ServiceMisconfigured, SightlineError, TooLarge, Unavailable

__all__ = ["error_of", "translated"]

_Kind = tuple[type[SightlineError], str, str]

_DOWN: _Kind = (Unavailable, "database_down", "the database does not answer")
_NO_WRITES: _Kind = (Unavailable, "database_down", "the database takes no writes now")
_BUSY: _Kind = (Unavailable, "database_busy", "the database is busy; perhaps it was written")
_LOGIN: _Kind = (
    ServiceMisconfigured,
    "database_login",
    "the database refuses this login; check user, password and authSource",
)
_RIGHTS: _Kind = (
    ServiceMisconfigured,
    "database_rights",
    "the user may not do this; give it the role readWrite on both databases",
)
_ADDRESS: _Kind = (
    ServiceMisconfigured,
    "database_address",
    "the server cannot be used in this way; check the options of the address",
)
_OTHER_OWNER: _Kind = (Fenced, "fenced", "another owner was first")
_LARGE: _Kind = (TooLarge, "too_large", "a value is larger than MongoDB can hold")

_CODES: dict[int, _Kind] = {
    6: _DOWN,  # HostUnreachable
    7: _DOWN,  # HostNotFound
    13: _RIGHTS,  # Unauthorized
    18: _LOGIN,  # AuthenticationFailed
    24: _BUSY,  # LockTimeout
    50: _BUSY,  # MaxTimeMSExpired
    64: _BUSY,  # WriteConcernFailed
    79: _ADDRESS,  # UnknownReplWriteConcern
    89: _DOWN,  # NetworkTimeout
    91: _DOWN,  # ShutdownInProgress
    100: _BUSY,  # UnsatisfiableWriteConcern: too few members are up
    112: _BUSY,  # WriteConflict
    189: _NO_WRITES,  # PrimarySteppedDown
    262: _BUSY,  # ExceededTimeLimit
    334: _LOGIN,  # MechanismUnavailable
    8000: _LOGIN,  # of a hosted service
    9001: _DOWN,  # SocketException
    10058: _NO_WRITES,  # LegacyNotPrimary
    10107: _NO_WRITES,  # NotWritablePrimary
    10334: _LARGE,  # BSONObjectTooLarge
    11000: _OTHER_OWNER,  # DuplicateKey
    11600: _DOWN,  # InterruptedAtShutdown
    11602: _NO_WRITES,  # InterruptedDueToReplStateChange
    13435: _NO_WRITES,  # NotPrimaryNoSecondaryOk
    13436: _NO_WRITES,  # NotPrimaryOrSecondary
    14031: (Unavailable, "disk_full", "the disk of the database is full; free space there"),
    17280: _LARGE,  # KeyTooLong
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors about the database `name` into ours; mistakes of our own rise as they are."""
    try:
        yield
    except (msgspec.DecodeError, InvalidBSON) as error:
        raise Corrupt(
            f"{name}: a document cannot be decoded; the database is damaged ({error})", code="damaged"
        ) from error
    except (theirs.PyMongoError, InvalidDocument) as error:
        ours = error_of(name, error)
        if ours is None:
            raise
        raise ours from error


def error_of(name: str, error: Exception) -> SightlineError | None:
    """What an error means; None for one that only a mistake of ours can bring."""
    found = _kind(error)
    if found is None:
        return None
    kind, code, advice = found
    return kind(f"{name}: {advice} ({_said(error)})", code=code)


def _kind(error: Exception) -> _Kind | None:
    if isinstance(error, theirs.DocumentTooLarge):
        return _LARGE
    if isinstance(error, theirs.ServerSelectionTimeoutError) and "certificate verify failed" in str(error):
        return _ADDRESS
    if isinstance(error, theirs.NotPrimaryError):
        return _NO_WRITES
    if isinstance(error, theirs.ConnectionFailure):  # no server, none that is primary, a broken connection
        return _DOWN
    if isinstance(error, theirs.ConfigurationError):  # a server too old, a certificate file that is missing
        return _ADDRESS
    if isinstance(error, theirs.DuplicateKeyError):
        return _OTHER_OWNER
    if isinstance(error, theirs.OperationFailure):
        code = _code(error)
        if code in _CODES:
            return _CODES[code]
        return _BUSY if error.has_error_label("RetryableWriteError") or error.timeout else None
    return _BUSY if isinstance(error, theirs.PyMongoError) and error.timeout else None


def _code(error: theirs.OperationFailure) -> int:
    """The number of an error, also of the first one within a bulk."""
    if error.code == 65 and error.details:  # MultipleErrorsOccurred: PyMongo's, around those of a bulk
        inner = error.details.get("writeErrors") or error.details.get("writeConcernErrors") or [{}]
        return int(inner[0].get("code", 65))
    return error.code or 0


def _said(error: Exception) -> str:
    """The beginning of what the client says: it goes on with all it knows of the servers."""
    if isinstance(error, theirs.OperationFailure):
        details = error.details or {}
        said = str(details.get("errmsg") or str(error).split(", full error", 1)[0])
    else:
        said = str(error).split(" (configured timeouts", 1)[0].split(", Timeout: ", 1)[0]
    return said[:300] or type(error).__name__
