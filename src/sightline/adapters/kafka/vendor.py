"""The one place that names the client, confluent-kafka: where it is missing, the error says what to install."""

from __future__ import annotations

from sightline.errors import ServiceMisconfigured

try:
    from confluent_kafka import (
        Consumer,
        IsolationLevel,
        KafkaError,
        KafkaException,
        Message,
        Producer,
        TopicCollection,
        TopicPartition,
    )
    from confluent_kafka.admin import (
        AdminClient,
        ConfigResource,
        NewTopic,
        OffsetSpec,
        ResourceType,
    )
except ImportError as error:
    raise ServiceMisconfigured(
        'Kafka needs confluent-kafka: pip install "sightline[kafka]"', code="missing_extra"
    ) from error

__all__ = [
    "AdminClient",
    "ConfigResource",
    "Consumer",
    "IsolationLevel",
    "KafkaError",
    "KafkaException",
    "Message",
    "NewTopic",
    "OffsetSpec",
    "Producer",
    "ResourceType",
    "TopicCollection",
    "TopicPartition",
]
