"""Options of `serve`: the section `[serve]` of a settings file."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from sightline.settings.fields import Options, field
from sightline.settings.words import byte_count, frame_rate, hosts, lifetime, origins, without_password, words

__all__ = ["ServeOptions"]

Words = Annotated[tuple[str, ...], BeforeValidator(words)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(hosts)]
Origins = Annotated[tuple[str, ...], BeforeValidator(origins)]
Bytes = Annotated[int, BeforeValidator(byte_count), Field(ge=1)]
Rate = Annotated[Fraction, BeforeValidator(frame_rate)]
OpenAddress = Annotated[str, BeforeValidator(without_password)]
Lifetime = Annotated[
    timedelta,
    BeforeValidator(lifetime),
    Field(gt=timedelta(0)),
    PlainSerializer(lambda time: f"{time.total_seconds():.0f}s", when_used="json"),
]
Port = Annotated[int, Field(ge=0, le=65535)]


class ServeOptions(Options):
    """Options of a service. What is unset here is read at the top of the file where the same key stands there."""

    data: Path = field(
        "machine",
        Path("sightline-data"),
        "Folder that holds everything; with a ledger elsewhere, what this machine needs while it works.",
    )
    model: str | None = field(
        "result",
        None,
        "Model of all jobs: name in the model cache, or a file.",
        "--model",
        "-m",
        says="the pipeline's",
        example="yolox-nano",
    )
    engine: Literal["auto", "openvino", "onnx", "ultralytics"] = field("result", "auto", "Inference engine.")
    device: str = field(
        "result", "auto", "Where the engine runs: auto or cpu, or cuda:0 for a card of NVIDIA's."
    )
    batch: int = field(
        "result", 1, "Pictures that ONNX Runtime takes at a time; more are worth it on cards.", ge=1, le=64
    )
    precision: Literal["f32", "bf16", "int8"] = field(
        "result", "f32", "Arithmetic of the engine, the same on every start."
    )
    workers: int | None = field(
        "machine",
        None,
        "Threads that decode and detect.",
        says="usable cores, at most 8",
        ge=1,
        le=256,
        example=2,
    )
    fps: Rate | None = field(
        "result",
        None,
        "Images per second of folders of images.",
        says="the times of their names, else 30",
        example=30,
    )
    dataset: Path | None = field(
        "machine",
        None,
        "Root of the data set whose sequences and videos may be started by name.",
        says="none",
        example="data/VisDrone_images",
    )
    files: Path | None = field(
        "machine",
        None,
        "Folder below which jobs may name files of this machine.",
        says="none",
        example="videos",
    )
    csv_path: Path | None = field(
        "machine",
        None,
        "Where system A's stats.csv of the newest job lies.",
        says="none",
        example="stats.csv",
    )
    frame_store: Path | None = field(
        "machine",
        None,
        "Folder of JPEG copies of frames, for programs that open the paths of frame records.",
        says="none",
        example="frame_store",
    )
    inline_frames: bool = field(
        "machine",
        False,
        "Send the pictures themselves with system B's tasks, for a detector of others that reads them there.",
    )
    ledger: Literal["sqlite", "postgres", "mongo"] = field(
        "machine",
        "sqlite",
        "Where jobs are kept: one file of this machine, or a database that several machines share, beside Kafka.",
    )
    kafka: str | None = field(
        "machine",
        None,
        "Brokers, host:port of some, comma separated; the password is read from KAFKA_PASSWORD.",
        says="none",
        example="localhost:9092",
    )
    kafka_security: Literal["plaintext", "tls", "sasl_plaintext", "sasl_tls"] = field(
        "machine", "plaintext", "How brokers are reached: tls encrypts, sasl logs in."
    )
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = field(
        "machine", "SCRAM-SHA-512", "Mechanism of the login at the brokers."
    )
    kafka_user: str = field("machine", "", "User name of the login at the brokers.", says="none")
    kafka_ca: Path | None = field(
        "machine",
        None,
        "File of the authority that signed the brokers' certificates.",
        says="the system's",
        example="ca.pem",
    )
    partitions: int = field(
        "machine",
        8,
        "Partitions of each topic: at most so many workers share a stage.",
        ge=1,
        le=1024,
    )
    postgres: OpenAddress | None = field(
        "machine",
        None,
        "Address of the database, without a password, which is read from PGPASSWORD.",
        says="none",
        example="postgresql://sightline@localhost:5432/sightline",
    )
    postgres_schema: str = field("machine", "public", "Schema of the tables.")
    mongo_database: str = field(
        "machine",
        "main_db",
        "Database of jobs and ledger; its address, which holds the password, is read from MONGO_URI.",
    )
    runner_database: str = field(
        "machine",
        "runner_db",
        "Database of runner_predictions; on another server where RUNNER_MONGO_URI is set.",
    )
    objects: Literal["folder", "s3"] = field(
        "machine", "folder", "Where videos and results lie: below the data folder, or in a bucket."
    )
    objects_folder: Path | None = field(
        "machine",
        None,
        "Folder of objects that all machines see, where they are not in a bucket.",
        says="objects in the data folder",
        example="objects",
    )
    s3_bucket: str | None = field(
        "machine", None, "Name of the bucket; it is there already.", says="none", example="sightline"
    )
    s3_endpoint: str | None = field(
        "machine",
        None,
        "Address of the S3 server; keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        says="Amazon's",
        example="http://localhost:9000",
    )
    s3_region: str = field("machine", "us-east-1", "Region of the bucket.")
    s3_prefix: str = field("machine", "", "Before the key of every object.", says="none")
    s3_http: bool = field("machine", False, "Take an S3 server of another machine without TLS.")
    s3_cache: Bytes = field(
        "machine", 20 * 10**9, "Bytes of copies of objects that this machine keeps.", says="20GB"
    )
    health_port: Port | None = field(
        "machine", None, "Port of a worker's health and metrics.", says="none", example=8002
    )
    service_name: str = field(
        "machine", "data_generator", "Name that system A's health text says.", min_length=1, max_length=255
    )
    host: str = field(
        "machine", "127.0.0.1", "Address to listen at; any other than this machine's own needs tokens."
    )
    hosts: Hosts = field(
        "machine",
        (),
        "Name by which clients may call the service, repeat it for several.",
        "--allow-host",
        says="localhost",
        example=["videos.example"],
    )
    origins: Origins = field(
        "machine",
        (),
        "Origin whose pages may use the service from a browser, repeat it for several.",
        "--allow-origin",
        says="its own",
        example=["https://shop.example"],
    )
    no_auth: bool = field("machine", False, "Ask nobody for a token, whatever the address.")
    open_metrics: bool = field("machine", False, "Answer /metrics without a token.")
    api_port: Port = field("machine", 8080, "Port of the API.")
    runner_port: Port = field("machine", 8002, "Port of the runner's health.")
    inference_port: Port = field("machine", 8003, "Port of the inference's health.")
    generator_port: Port = field("machine", 5001, "Port that takes system A's POST /start.")
    max_upload: Bytes = field("machine", 2 * 2**30, "Largest file that is taken in.", says="2GiB")
    max_uploads: int = field("machine", 8, "Uploads at the same time.", ge=1, le=256)
    uploads_per_token: int = field("machine", 4, "Uploads of one token at the same time.", ge=1, le=256)
    quota: Bytes | None = field(
        "machine",
        None,
        "Bytes of the files that the jobs of one token may keep.",
        says="none",
        example="100GB",
    )
    keep_jobs: Lifetime | None = field(
        "machine",
        None,
        "How long a job is kept after it has ended: then it is removed with all that was written for it.",
        says="for ever",
        example="90d",
    )
    rate: float = field(
        "machine",
        1000.0,
        "Requests a second of one token, or of one address where there is none; 0: any.",
        ge=0,
        allow_inf_nan=False,
    )
    otlp: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = field(
        "machine",
        None,
        "Address of an OpenTelemetry collector (OTLP over HTTP) that spans are sent to.",
        says="none",
        example="http://localhost:4318",
    )
    log_level: Literal["debug", "info", "error"] = field("machine", "info", "Least level of log lines.")
