"""Programs of both founding systems on real servers: plain clients, plain JSON, nothing of ours.

Readers that joined a broker from the first record on, and detectors in the place of ours. What each takes of a record is what
the founding documents say; a record without a `frame_id` is a control record, which they pass over.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient
from PIL import Image

__all__ = [
    "Detector",
    "Found",
    "car_detector",
    "groups",
    "inference",
    "inline",
    "of_object",
    "pictures_of",
    "read",
    "see",
]

Found = dict[str, Any]
Picture = np.ndarray


def read(bootstrap: str, topics: Iterable[str]) -> dict[str, list[Message]]:
    """All that is on some topics, as a consumer group of its own finds it from `earliest` on."""
    names = sorted(topics)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"old-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(timeout=30).topics
    open_ends = {(name, number) for name in names for number in known[name].partitions}
    found: dict[str, list[Message]] = {name: [] for name in names}
    consumer.subscribe(names)
    try:
        while open_ends:
            message = consumer.poll(60)
            assert message is not None, f"nothing more comes of {sorted(open_ends)}"
            if message.error() is None:
                found[message.topic()].append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                open_ends.discard((message.topic(), message.partition()))
            else:
                raise AssertionError(message.error())
    finally:
        consumer.close()
    return found


def groups(bootstrap: str, names: Iterable[str]) -> dict[str, set[str]]:
    """Topics that the members of each consumer group own, as an operator's tool lists them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    described = admin.describe_consumer_groups(sorted(names))
    return {
        name: {
            part.topic for member in answer.result(30).members for part in member.assignment.topic_partitions
        }
        for name, answer in described.items()
    }


# --- detectors


def see(picture: Picture, label: str) -> list[tuple[str, float, list[float]]]:
    """Objects of a picture, by a rule that any other picture breaks: label, confidence, corners; brightest first."""
    height, width = picture.shape[:2]
    halves = {
        (0, 0): picture[: height // 2, : width // 2],
        (width // 2, height // 2): picture[height // 2 :, width // 2 :],
    }
    found = []
    for (left, top), part in halves.items():
        red, green, blue = part.reshape(-1, 3).mean(axis=0)
        score = 0.3 + 0.6 * float(red) / 255
        box = [left + 8.0, top + 8.0, left + 40.0 + float(green) / 4, top + 40.0 + float(blue) / 4]
        found.append((label, score, box))
    return sorted(found, key=lambda each: -each[1])


@dataclass
class Detector:
    """A detector of another system: it consumes tasks, decodes the picture of each and answers with the documented fields.

    It writes the key of the task, as any producer of it does, and leaves the partition to its client. Of a picture that it
    cannot open it says nothing.

    Args:
        bootstrap: brokers.
        group: its consumer group.
        tasks, answers: topics.
        picture: of a task.
        answer: value of the record that says what it saw in the picture of a task.
    """

    bootstrap: str
    group: str
    tasks: str
    answers: str
    picture: Callable[[dict], Picture | None]
    answer: Callable[[dict, Picture], Found]
    said: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    pictures: dict[tuple[str, Any], Picture] = field(default_factory=dict)
    error: BaseException | None = None

    def __enter__(self) -> Detector:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.group)
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._consume()
        except BaseException as error:
            self.error = error

    def _consume(self) -> None:
        server = {"bootstrap.servers": self.bootstrap}
        consumer = Consumer({**server, "group.id": self.group, "auto.offset.reset": "earliest"})
        producer = Producer(server)
        consumer.subscribe([self.tasks])
        try:
            while not self._over.is_set():
                message = consumer.poll(0.1)
                if message is None:
                    continue
                assert message.error() is None, message.error()
                task = json.loads(message.value())
                if "frame_id" not in task:
                    continue
                picture = self.picture(task)
                if picture is None:
                    continue
                said = self.answer(task, picture)
                key = message.key().decode()
                self.said[key].append(said)
                self.pictures[key, task["frame_id"]] = picture
                producer.produce(self.answers, json.dumps(said).encode(), message.key())
                producer.poll(0)
            assert producer.flush(60) == 0
        finally:
            consumer.close()


def car_detector(bootstrap: str, group: str, tasks: str, answers: str, label: str) -> Detector:
    """car_detector or person_detector of system A: the picture is the file at `path`."""

    def picture(task: dict) -> Picture | None:
        try:
            with Image.open(task["path"]) as image:
                return np.asarray(image.convert("RGB"))
        except FileNotFoundError:
            return None

    def answer(task: dict, picture: Picture) -> Found:
        found = [
            {"label": name, "confidence": score, "bbox": box} for name, score, box in see(picture, label)
        ]
        return {name: task[name] for name in ("frame_id", "video_id", "timestamp")} | {"detections": found}

    return Detector(bootstrap, group, tasks, answers, picture, answer)


def of_object(objects: Callable[[str], bytes]) -> Callable[[dict], Picture]:
    """The picture of a task of system B is frame `frame_id` of the object that `path` names.

    Args:
        objects: content of an object by its key.
    """
    videos: dict[str, list[Picture]] = {}

    def picture(task: dict) -> Picture:
        key = task["path"].partition("#")[0]
        if key not in videos:
            videos[key] = pictures_of(objects(key))
        return videos[key][task["frame_id"]]

    return picture


def inline(task: dict) -> Picture | None:
    """The picture of a task of system B is the JPEG that it brings along, base64."""
    if "frame_data" not in task:
        return None
    with Image.open(io.BytesIO(base64.b64decode(task["frame_data"], validate=True))) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


def inference(bootstrap: str, picture: Callable[[dict], Picture | None], label: str) -> Detector:
    """The inference service of system B.

    Args:
        bootstrap: brokers.
        picture: of a task: `inline`, or `of_object`.
        label: of all that it sees.
    """

    def answer(task: dict, picture: Picture) -> Found:
        found = [
            {"class": name, "box": [int(side) for side in box], "conf": score}
            for name, score, box in see(picture, label)
        ]
        head = {name: task[name] for name in ("event_id", "frame_id", "bucket")}
        return {**head, "prediction": {"frame": task["frame_id"], "objects": found}}

    return Detector(bootstrap, "inference-group", "inference_tasks", "inference_results", picture, answer)


def pictures_of(content: bytes) -> list[Picture]:
    """Every frame of a video."""
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
