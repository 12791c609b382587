"""Errors of the client, by what to do about them.

A request that meets a refused login or a name that nobody knows ends with "timed out"; the reason is said to a callback
of the client beside it. `Troubles` keeps what was said there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.vendor import KafkaError, KafkaException
from sightline.errors import Corrupt, ServiceMisconfigured, SightlineError, Unavailable

__all__ = ["Troubles", "no_topic"]

T = TypeVar("T")

_LOGIN = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
        KafkaError.ILLEGAL_SASL_STATE,
        KafkaError._SSL,
    }
)
_RIGHTS = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_NO_TOPIC = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)
_GAP = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION})
# An outage, or something that passes; whatever is in no list is a mistake of ours and is raised as it is.
_PASSING = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._PURGE_QUEUE,
        KafkaError._PURGE_INFLIGHT,
        KafkaError._QUEUE_FULL,
        KafkaError._WAIT_COORD,
        KafkaError._WAIT_CACHE,
        KafkaError._ISR_INSUFF,
        KafkaError._NOENT,  # no leader is known
        KafkaError._UNKNOWN_BROKER,
        KafkaError._DESTROY_BROKER,
        KafkaError._FATAL,  # of a producer, which is made anew
        KafkaError._FENCED,
        KafkaError.UNKNOWN,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.UNKNOWN_PRODUCER_ID,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError.INCONSISTENT_TOPIC_ID,
        KafkaError.THROTTLING_QUOTA_EXCEEDED,
    }
)


def no_topic(topic: str, partition: int | None = None) -> ServiceMisconfigured:
    """A topic, or a partition of it, that nobody made."""
    what = f"topic {topic}" if partition is None else f"partition {partition} of topic {topic}"
    return ServiceMisconfigured(
        f"Kafka has no {what}: make it with `topics create`; it is never made by itself", code="no_topic"
    )


class Troubles:
    """What the clients of one connection complain about, and what their errors mean.

    Args:
        connection: whose clients they are.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last: Any = None
        self._reached = False

    def heard(self, error: Any) -> None:
        """The client's callback for what belongs to no request; its threads call it."""
        if error.code() in _LOGIN | _RIGHTS or error.code() == KafkaError._RESOLVE:
            self._last = error

    def answered(self) -> None:
        """A broker has answered: names and login are right."""
        self._reached, self._last = True, None

    def meaning(self, error: Any, doing: str) -> SightlineError | None:
        """The error as ours; None where it is a mistake of ours, to be raised as it is.

        Args:
            error: `KafkaError`.
            doing: what was tried, with the topic.
        """
        code, last = error.code(), self._last
        if code in _PASSING and code != KafkaError._FATAL and last is not None:
            error, code = last, last.code()
        said = self._connection.hidden(f"{doing}: {error.name()}, {error.str()}")
        at = self._connection.bootstrap
        if code in _LOGIN:
            return ServiceMisconfigured(
                f"{said}. {at} refuses the login or its certificate: check user name, password, mechanism and "
                f"certificates (security is {self._connection.security})",
                code="kafka_access",
            )
        if code in _RIGHTS:
            return ServiceMisconfigured(
                f"{said}. {at} forbids it: give this user the right, see docs/reliability.md",
                code="kafka_access",
            )
        if code == KafkaError._RESOLVE and not self._reached:
            return ServiceMisconfigured(f"{said}. Nobody knows the host: check {at}", code="kafka_host")
        if code in _NO_TOPIC:
            return ServiceMisconfigured(f"{said}. Make the topic with `topics create`", code="no_topic")
        if code in _GAP:
            return Corrupt(f"{said}. Records are gone, or the topic is another one", code="log_gap")
        if code in _PASSING or error.fatal() or error.retriable():
            return Unavailable(f"{said} (brokers {at})", code="kafka_down")
        return None

    def made(self, make: Callable[[dict[str, Any]], T], settings: Mapping[str, Any]) -> T:
        """A client of this connection.

        Args:
            make: its class.
            settings: beside those of the connection.

        Raises:
            ServiceMisconfigured: the client refuses its settings: a file that is not there, a mechanism that it lacks.
        """
        for path in self._connection.files:  # the client would not say which
            if not Path(path).is_file():
                raise ServiceMisconfigured(f"Kafka: there is no file {path}", code="kafka_settings")
        try:
            return make(self._connection.settings({"error_cb": self.heard, **settings}))
        except KafkaException as error:
            said = self._connection.hidden(error.args[0].str())
            raise ServiceMisconfigured(f"Kafka: {said}", code="kafka_settings") from None

    @contextmanager
    def translated(self, doing: str, serve: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Raise the client's errors as ours.

        Args:
            doing: what is tried.
            serve: lets the client call back what it knows besides.
        """
        try:
            yield
        except KafkaException as error:
            serve()
            ours = self.meaning(error.args[0], doing)
            if ours is None:
                raise
            raise ours from None  # the client's text is within, without secrets
        self.answered()
