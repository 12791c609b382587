"""The page of the topics and their schemas, of the pipeline files, the topology and the codecs."""

import json
from dataclasses import replace

from sightline import pipeline
from sightline.events import (
    Detected,
    DialectA,
    DialectB,
    End,
    JobContext,
    JobEvent,
    Native,
    OutboxEvents,
    Sampled,
    Totals,
    Tracked,
    part_of,
)
from sightline.events.schemas import schemas
from sightline.jobs.topology import FOLDS
from sightline.pipeline.dialects import form_of
from sightline.types import Detections, Tracks, TrackTable

JOB = "3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e"
CREATED = 1_779_019_200_000_000
ABOUT = JobContext(
    JOB, "uav0000086_00000_v", CREATED, ("pedestrian", "people", "car", "van"), 1, 464, "videos"
)
BOX = [[100.5, 200.25, 300, 400.75]]
FRAME = Sampled(
    JOB, "frames:main", 5, 5, 166_667, row=5, tick=5, chunk=0, first=0, end=32, first_tick=0, end_tick=32
)
FOUND = Detected(JOB, "detections:cars", 5, 5, 166_667, detections=Detections(BOX, [0.87], [2]))
BIRTHS = TrackTable([4], [7], [2], [[99.5, 200, 299, 400]], [0.81], [2])
TRACKED = Tracked(JOB, "tracks:cars", 5, 5, 166_667, tracks=Tracks(BOX, [0.87], [2], [7], [0]), births=BIRTHS)
TOTALS = Totals(JOB, "totals:cars", 5, 5, 166_667, unique=3, raw_ids=7)
EVENT = JobEvent(JOB, "street.mp4", "detect", "videos", f"input/{JOB}.mp4", "video", CREATED)
EVERY_FIFTH = replace(ABOUT, stride=5)
SECOND = {"seq": 1, "frame": 5}

EXAMPLES = {
    "native-jobs": Native().encode(EVENT),
    "native-frames": Native().encode(FRAME),
    "native-detections": Native().encode(FOUND),
    "native-tracks": Native().encode(TRACKED),
    "native-totals": Native().encode(TOTALS),
    "a-frames": DialectA("frames:cars").encode(
        replace(FRAME, path="/data/sequences/uav0000086_00000_v/0000006.jpg"), ABOUT
    ),
    "a-detections": DialectA("detections:cars").encode(FOUND, ABOUT),
    "a-tracks": DialectA("tracks:cars").encode(TRACKED, ABOUT),
    "b-jobs": OutboxEvents().encode(EVENT),
    "b-frames": DialectB("frames:main").encode(
        replace(FRAME, **SECOND, path=f"videos/input/{JOB}.mp4#chunk=0"), EVERY_FIFTH
    ),
    "b-detections": DialectB("detections:objects").encode(
        replace(FOUND, **SECOND, stream="detections:objects"), EVERY_FIFTH
    ),
}
ENDS = {
    "native": Native().encode(End(JOB, "detections:cars", 464)),
    "a": DialectA("detections:cars").encode(End(JOB, "detections:cars", 464)),
    "b": DialectB("detections:objects").encode(End(JOB, "detections:objects", 93)),
}
# What programs of other systems write, as their documents have it.
ANSWERS = {
    "a-detections-answer": b'{"frame_id":"frame_00005","video_id":"uav0000086_00000_v","timestamp":"2026-05-17T12:00:00.166667+00:00",'
    b'"detections":[{"label":"car","confidence":0.87,"bbox":[100.5,200.25,300.0,400.75]}]}',
    "a-tracks-answer": b'{"frame_id":"frame_00005","video_id":"uav0000086_00000_v","timestamp":"2026-05-17T12:00:00.166667+00:00",'
    b'"tracks":[{"track_id":7,"label":"car","bbox":[100.5,200.25,300.0,400.75],"confidence":0.87}]}',
    "b-detections-answer": b'{"event_id":"%s","frame_id":5,"bucket":"videos","prediction":'
    b'{"frame":5,"objects":[{"class":"car","box":[100,200,300,400],"conf":0.87}]}}' % JOB.encode(),
}

INTRO = """\
What a broker carries, topic by topic. A value is one JSON object, UTF-8; the key is the id of the job. Which dialect a topic
speaks follows from the [pipeline file](pipelines.md): `native` is our own form, `a` that of kafka-ml-ucu, `b` that of the
Microservices Video Detection System. Within one process everything is native."""

NATIVE = """\
A record is called by `job_id`, `stream` and `seq`, the number of the sampled frame in its job, from 0; the first one of a name
counts, later ones are passed over. `frame` is the number in the source, `pts_us` its presentation time in microseconds; both
may be left out for frame 0, as may `outcome` where it is `ok`. Boxes are `x1, y1, x2, y2` in pixels of the source. A stream ends
with a record of its own, which may overtake frames; `seq` is then the number of frames."""

A = """\
`frame_id` is `frame_%05d` and begins anew with each video, `timestamp` is the time at which the job was accepted plus `pts_us`,
`bbox` has fractions. `car-frames` and `person-frames` hold the same records. Frames without objects are records with an empty
list. `origin` says of each track how its box was found, `births` are rows of seq, track, class, corners and confidence: boxes of
tracks that were unconfirmed before. The end of a stream is a record without `frame_id`."""

B = """\
`event_id` is the job, `frame_id` the number of the frame in the source: of every fifth one. `path` says where the picture is
found; `frame_data`, with `inline_frames`, is the picture itself, blurred and with contrast, as JPEG of quality 95 in base64: such a
record has at most 960 KiB, and a frame that needs more is `failed(too_large)`; any other record, 512 KiB. `objects` fall by `conf`, `box` is truncated to
integers, `xyxy` is exact; `order`, where it is there, says at which place each object stood before."""

OTHERS = """\
A detector or a tracker of one of those systems may answer in the place of ours. It writes the documented fields alone, without
`v`; other fields are passed over. Such a record

- names its job: in dialect `b` by `event_id`, in `a` by `job_id` or by its key, the one of the frame that it answers. For a job that
  does not run it is a dead letter (`unknown_job`);
- names a frame that is sampled; `seq` and time follow from it;
- has labels of the job's model: an unknown one fails the frame (`failed(invalid)`), one of another group is left out. A track without
  `label` has `class_id`, the index of its label;
- may be left out for a frame whose own record says `outcome`: there is nothing to see, and nothing that is said of it counts;
- may be left out too for a picture that cannot be decoded. With `frame_store` (dialect `a`) and `inline_frames` (`b`) that is known before the
  frame is named. Without them `feed` decodes what is on its way when nobody has released a frame of the job for a minute, and answers for
  what has no picture. Any other frame is waited for: `lag` says how many records;
- may come repeated, in any order and on any partition: it is carried to the one where its job gathers. No end of the stream is
  needed: the job knows how many frames it has.

A record with `v` is one of ours, and every field of it is checked."""


def page(title) -> str:
    """`topics.md`."""
    parts = [
        INTRO,
        "## Topics of the bundled pipelines",
        _table(),
        "Stages are those of [the map](../architecture.md). Records that nobody can read lie on `<topic>.dlq`, as they came, with the reason in their headers.",
    ]
    for dialect, name, said in (("native", "Native", NATIVE), ("a", "Dialect a", A), ("b", "Dialect b", B)):
        parts += [f"## {name}", said]
        parts += [_example(key) for key in EXAMPLES if key.startswith(f"{dialect}-")]
        parts.append(f"The end of a stream:\n\n{_block(ENDS[dialect])}")
    parts += ["## Answers of other programs", OTHERS]
    parts += [_example(key) for key in ANSWERS]
    return title("Topics", *parts)


def files() -> dict[str, str]:
    """A file for each schema, by its name."""
    return {f"{name}.json": json.dumps(made, indent=1) + "\n" for name, made in schemas().items()}


def _table() -> str:
    rows: dict[str, list[str]] = {}
    for name in pipeline.BUNDLED:
        loaded = pipeline.load(name)
        for stream in ("jobs", *loaded.streams()):
            kind = part_of(stream)[0]
            if kind in ("tracks", "totals") and loaded.tracker.mode == "none":
                continue
            topic = pipeline.topic_of(loaded, stream)
            dialect = form_of(loaded, stream)[0]
            stages = _readers(kind, tracked=loaded.tracker.mode != "none")
            reads = ", ".join(
                f"{stage} (`{pipeline.consumer_of(loaded, stage, stream)}`)" for stage in stages
            )
            form = f"{dialect}-{kind}"
            rows.setdefault(
                topic,
                [
                    f"`{topic}`",
                    "all" if kind == "jobs" else name,
                    _writer(kind),
                    reads,
                    f"[{form}](topics/{form}.json)",
                ],
            )
    head = "| topic | pipeline | written by | read by (consumer group) | schema |\n|---|---|---|---|---|\n"
    return head + "\n".join(f"| {' | '.join(row)} |" for row in rows.values())


def _writer(kind) -> str:
    first = {"jobs": "whoever accepts a job", "frames": "feed", "detections": "detect"}
    return first.get(kind) or next(stage.name for stage in FOLDS if stage.emits == kind)


def _readers(kind, *, tracked) -> list[str]:
    first = {"jobs": ["feed"], "frames": ["detect"]}
    folds = [stage.name for stage in FOLDS if kind in stage.reads and (tracked or stage.emits is None)]
    return first.get(kind) or folds


def _example(key) -> str:
    value = EXAMPLES.get(key) or ANSWERS[key]
    return f"[`{key}`](topics/{key}.json)\n\n{_block(value)}"


def _block(value) -> str:
    return f"```json\n{value.decode()}\n```"
