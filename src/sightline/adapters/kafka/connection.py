"""How to reach the brokers, as a value; what every client of a process is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from sightline.errors import ServiceMisconfigured

__all__ = ["Connection", "Mechanism", "Security"]

Security = Literal["plaintext", "tls", "sasl_plaintext", "sasl_tls"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_PROTOCOLS = {
    "plaintext": "plaintext",
    "tls": "ssl",
    "sasl_plaintext": "sasl_plaintext",
    "sasl_tls": "sasl_ssl",
}
_QUIET = 2  # of the client's own lines only those before an abort: what matters to us comes as an error


@dataclass(frozen=True)
class Connection:
    """Where the brokers are and who asks.

    Attributes:
        bootstrap: `host:port` of some brokers, comma separated.
        security: `tls` encrypts, `sasl_...` logs in.
        mechanism: of the login.
        username, password: of the login.
        ca_file: PEM file of the authority that signed the brokers' certificates; empty: those of the system.
        certificate_file, key_file, key_password: of a client that shows a certificate.
        client: name of this client in the brokers' logs and quotas.
        request_s: seconds that the answer to a request may take.

    Raises:
        ServiceMisconfigured: parts of a login are missing, or given where nobody asks for them (code `kafka_settings`).
    """

    bootstrap: str
    security: Security = "plaintext"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)
    client: str = "sightline"
    request_s: float = 10.0

    def __post_init__(self) -> None:
        if not self.bootstrap.strip():
            raise _wrong("no broker is named: give host:port of one or several, comma separated")
        if self.security not in _PROTOCOLS:
            raise _wrong(f"security {self.security!r} is none of {', '.join(_PROTOCOLS)}")
        login = self.security.startswith("sasl_")
        if login and not (self.username and self.password):
            raise _wrong(f"security {self.security} needs a user name and a password")
        if not login and (self.username or self.password):
            raise _wrong(f"security {self.security} asks for no login: choose sasl_tls, or give no user name")
        if bool(self.certificate_file) != bool(self.key_file):
            raise _wrong("a client certificate needs its certificate file and its key file")
        if self.certificate_file and not self.security.endswith("tls"):
            raise _wrong(f"security {self.security} shows no certificate: choose tls or sasl_tls")

    def settings(self, more: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """What a client is made with, in librdkafka's words; `more` of them, which win."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "client.id": self.client,
            "security.protocol": _PROTOCOLS[self.security],
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 1_000,  # a broker that is back is found within a second
            "log_level": _QUIET,
        }
        if self.security.startswith("sasl_"):
            settings |= {"sasl.mechanisms": self.mechanism}
            settings |= {"sasl.username": self.username, "sasl.password": self.password}
        optional = {
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
            "ssl.key.password": self.key_password,
        }
        settings |= {name: value for name, value in optional.items() if value}
        return {**settings, **more}

    @property
    def files(self) -> tuple[str, ...]:
        """Those that it names."""
        return tuple(path for path in (self.ca_file, self.certificate_file, self.key_file) if path)

    def hidden(self, text: str) -> str:
        """A text without the secrets of this connection."""
        for secret in (self.password, self.key_password):
            if secret:
                text = text.replace(secret, "***")
        return text


def _wrong(message: str) -> ServiceMisconfigured:
    return ServiceMisconfigured(f"Kafka: {message}", code="kafka_settings")
