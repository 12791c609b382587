"""The client: requests that are signed, repeated a few times and given up in time.

Nothing is taken from the environment: the library would read an endpoint, keys and much more there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sightline.adapters.s3.settings import S3Settings
from sightline.errors import Misconfigured

try:
    from obstore.exceptions import AlreadyExistsError, BaseError
    from obstore.store import S3Store
except ImportError as error:
    raise Misconfigured('S3 needs obstore: pip install "sightline[s3]"', code="missing_extra") from error

if TYPE_CHECKING:
    from obstore.store import BackoffConfig, S3Credential

__all__ = ["AlreadyExistsError", "BaseError", "S3Store", "connect"]

_RETRIES = 3
_RETRY_SECONDS = 10.0
_BACKOFF: BackoffConfig = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)}


def connect(settings: S3Settings, timeout: float) -> S3Store:
    """A client of the bucket; nothing is asked yet.

    Args:
        settings: where and with which keys.
        timeout: seconds that a request may take, its body included.
    """
    keys = settings.keys

    def credentials() -> S3Credential:
        return {
            "access_key_id": keys.access,
            "secret_access_key": keys.secret,
            "token": keys.token,
            "expires_at": None,
        }

    return S3Store(
        settings.bucket,
        aws_endpoint_url_s3=settings.endpoint or f"https://s3.{settings.region}.amazonaws.com",
        region=settings.region,
        virtual_hosted_style_request=False,
        conditional_put="etag",
        copy_if_not_exists="multipart",
        disable_bulk_delete=True,
        skip_signature=False,
        unsigned_payload=False,
        s3_express=False,
        credential_provider=credentials,
        client_options={
            "allow_http": (settings.endpoint or "").startswith("http:"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=timeout),
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            "backoff": _BACKOFF,
        },
    )
