"""Jobs, ledger, outbox and notes in MongoDB.

Raises:
    ServiceMisconfigured: on import, where PyMongo is missing (code `missing_extra`).
"""

from sightline.errors import ServiceMisconfigured

try:
    import pymongo as pymongo
except ImportError as error:
    raise ServiceMisconfigured(
        f'a MongoDB database needs pymongo: pip install "sightline[mongo]" ({error})',
        code="missing_extra",
    ) from error
