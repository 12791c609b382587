"""System B's calls and the health of the service as the OpenAPI document has them: their bodies are its, not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.api.documented import JOB, problems

__all__ = [
    "CHECKOUT",
    "CLEANUP",
    "HEALTH",
    "READY",
    "REQUEST",
    "RESULT",
    "STATUS",
    "UPLOAD",
    "Operation",
    "health",
]

Operation = Mapping[str, Any]
TEXT = {"type": "string"}
PIPELINES = {"type": "string", "description": "`detect` where it is left out."}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    "description": "A request that is repeated with the same key makes no second job.",
}
LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "schema": TEXT,
    "description": "`en` for English; Russian otherwise.",
}
BUCKET = {"name": "bucket", "in": "query", "schema": TEXT, "description": "`videos` where it is left out."}


def _json(schema: Mapping[str, Any], example: Any, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


ACCEPTED = _json(
    _object(status={"const": "ok"}, event_id=TEXT), {"status": "ok", "event_id": JOB}, "It became a job."
)
UPLOAD: Operation = {
    "operation_id": "upload_video",
    "summary": "Send a video",
    "description": "System B's call: `pipeline` is `detect` where it is left out. The video was looked into: it has frames.",
    "responses": {200: ACCEPTED, **problems(408, 409, 413, 415, 422, 429, 507)},
    "openapi_extra": {
        "parameters": [BUCKET, KEY],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            "bucket": TEXT,
                            "media_type": {"enum": ["video", "image"]},
                            "pipeline": PIPELINES,
                        },
                    }
                }
            },
        },
    },
}
REQUEST: Operation = {
    "operation_id": "request_object",
    "summary": "Process an object that is stored already",
    "description": "System B's call. The object stays when its job goes.",
    "responses": {200: ACCEPTED, **problems(404, 408, 409, 413, 415, 422, 507)},
    "openapi_extra": {
        "parameters": [KEY],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["object"],
                        "properties": {
                            "bucket": TEXT,
                            "object": TEXT,
                            "media_type": {"enum": ["video", "image"]},
                            "pipeline": PIPELINES,
                        },
                    },
                    "example": {"bucket": "videos", "object": "street.mp4", "media_type": "video"},
                }
            },
        },
    },
}
STATUS: Operation = {
    "operation_id": "status_all",
    "summary": "Where every job stands",
    "description": "System B's call: all jobs, newest first, or with `limit` or `cursor` a page of them. States and texts are its.",
    "responses": {
        200: _json(
            {
                "type": "object",
                "required": ["operations", "total"],
                "properties": {
                    "operations": {
                        "type": "array",
                        "items": _object(video_id=TEXT, status_code=TEXT, status_description=TEXT),
                    },
                    "total": {"type": "integer"},
                    "next": {"type": "string", "description": "With `limit` or `cursor` alone."},
                },
            },
            {
                "operations": [
                    {
                        "video_id": JOB,
                        "status_code": "ready",
                        "status_description": "Результат сохранён в S3 и готов к забору",
                    }
                ],
                "total": 1,
            },
            "Newest first; all, or a page of them.",
        ),
        **problems(422),
    },
    "openapi_extra": {
        "parameters": [
            {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}},
            {"name": "cursor", "in": "query", "schema": TEXT},
            LANGUAGE,
        ]
    },
}
RESULT: Operation = {
    "operation_id": "result_video",
    "summary": "The result of a job, once it is ready",
    "description": "System B's call: what was found in each frame, or where the job stands.",
    "responses": {
        200: _json(
            {
                "type": "object",
                "required": ["status", "event_id"],
                "properties": {
                    "status": TEXT,
                    "event_id": TEXT,
                    "prediction": {"type": "array", "items": {"type": "object"}},
                    "message": TEXT,
                    "ready": {"type": "boolean"},
                    "code": TEXT,
                },
            },
            {
                "status": "ready",
                "event_id": JOB,
                "prediction": [
                    {"frame": 0, "objects": [{"class": "cat", "box": [100, 200, 300, 400], "conf": 0.87}]}
                ],
            },
            "`prediction` once it is ready, `message` before.",
        ),
        304: {"description": "It is as the client has it."},
        **problems(),
        404: _json(_object(detail=TEXT), {"detail": "Event not found."}, "There is no job of this id."),
    },
    "openapi_extra": {"parameters": [BUCKET, LANGUAGE]},
}
CLEANUP: Operation = {
    "operation_id": "cleanup_all",
    "summary": "Stop and remove all jobs, with everything that was written for them",
    "description": "System B's call. Nothing that somebody else stored is touched.",
    "responses": {
        200: _json(
            _object(status=TEXT, message=TEXT, results={"type": "object"}),
            {
                "status": "ok",
                "message": "Cleanup completed",
                "results": {
                    "mongodb": {"outbox_deleted": 1, "runner_predictions_deleted": 1},
                    "minio": {
                        "objects_deleted": 12,
                        "buckets_cleaned": ["videos", "frames"],
                        "errors": [],
                    },
                },
            },
            "What was removed.",
        ),
        **problems(401, 422),
    },
    "openapi_extra": {"parameters": [BUCKET]},
}


def health(name: str, summary: str, description: str) -> Operation:
    """A call that says how the service is; 503 says the same of one that is not well."""
    said = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": TEXT,
            "service": TEXT,
            "missing": {"type": "array", "items": TEXT},
            "awaits": {"type": "array", "items": TEXT},
        },
    }
    return {
        "operation_id": name,
        "summary": summary,
        "description": description,
        "responses": {
            **problems(),
            200: _json(said, {"status": "ok"}, "It is well."),
            503: _json(said, {"status": "unavailable"}, "It is not."),
        },
    }


CHECKOUT = health(
    "api_health", "Whether requests can be served, as system B says it", "503 where anything is missing."
)
HEALTH = health(
    "health",
    "Whether work goes on",
    "503 where work waits and nothing moves. `awaits` has the codes of services that do not answer.",
)
READY = health(
    "ready",
    "Whether requests can be served",
    "`missing` names what is not there, `awaits` what the work waits for.",
)
