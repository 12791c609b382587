"""Consumers of both founding systems, written from their documents alone: plain JSON, nothing of ours.

A record without the list, or the number, that a consumer looks for is passed over: a control record.
"""

import json
from datetime import datetime


def moment(text: str) -> datetime:
    """ISO 8601, UTC, microseconds, `+00:00`."""
    assert len(text) == len("2026-05-17T12:00:00.450000+00:00")
    assert text.endswith("+00:00")
    return datetime.fromisoformat(text)


class SystemA:
    """car_detector, car_tracker and stats_generator of kafka-ml-ucu: what each takes of a record."""

    @staticmethod
    def frames(values: list[bytes]) -> list[tuple[str, str, datetime]]:
        read = [json.loads(value) for value in values]
        return [
            (each["frame_id"], each["video_id"], moment(each["timestamp"]))
            for each in read
            if "frame_id" in each
        ]

    @staticmethod
    def detections(values: list[bytes]) -> list[list]:
        """Rows of `car_detections.csv`."""
        rows = []
        for value in values:
            record = json.loads(value)
            for found in record.get("detections", ()):
                x1, y1, x2, y2 = found["bbox"]
                assert all(isinstance(side, float) for side in found["bbox"])
                assert isinstance(found["confidence"], float)
                moment(record["timestamp"])
                head = [record["frame_id"], record["video_id"], record["timestamp"]]
                rows.append([*head, found["label"], found["confidence"], int(x1), int(y1), int(x2), int(y2)])
        return rows

    @staticmethod
    def tracks(values: list[bytes]) -> list[list]:
        """Rows of `car_tracks.csv`."""
        rows = []
        for value in values:
            record = json.loads(value)
            for track in record.get("tracks", ()):
                assert isinstance(track["track_id"], int)
                box = [int(side) for side in track["bbox"]]
                head = [record["frame_id"], record["video_id"], record["timestamp"], track["track_id"]]
                rows.append([*head, *box, track["confidence"], track["class_id"]])
        return rows


class SystemB:
    """inference and the result collector of the Microservices Video Detection System: what each takes of a record."""

    @staticmethod
    def tasks(values: list[bytes]) -> list[tuple[str, int, str]]:
        read = [json.loads(value) for value in values]
        for each in read:
            assert each.get("media_type", "frame") == "frame"
        return [(each["event_id"], each["frame_id"], each["bucket"]) for each in read if "frame_id" in each]

    @staticmethod
    def results(values: list[bytes], event_id: str = "j1") -> list[dict]:
        """The array `prediction` of a video, where nothing else is on the topic."""
        found = {}
        for value in values:
            record = json.loads(value)
            if "prediction" not in record:
                continue
            assert isinstance(record["frame_id"], int)
            assert record["event_id"] == event_id
            assert record["bucket"] == "videos"
            objects = [
                {name: each[name] for name in ("class", "box", "conf")}
                for each in record["prediction"]["objects"]
            ]
            assert all(isinstance(side, int) for each in objects for side in each["box"])
            assert [each["conf"] for each in objects] == sorted(
                (each["conf"] for each in objects), reverse=True
            )
            found[record["prediction"]["frame"]] = objects
        return [{"frame": frame, "objects": found[frame]} for frame in sorted(found)]

    @staticmethod
    def event(value: bytes) -> tuple[str, dict, datetime]:
        record = json.loads(value)
        return record["_id"], record["payload"], datetime.strptime(record["created_at"], "%Y-%m-%dT%H:%M:%SZ")
