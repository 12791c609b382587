"""A store: one backend that is log, ledger and jobs."""

from __future__ import annotations

from typing import Protocol

from sightline.ports.jobs import Jobs
from sightline.ports.ledger import Ledger
from sightline.ports.log import EventLog

__all__ = ["Store"]


class Store(EventLog, Ledger, Jobs, Protocol):
    """What a host works over. Where the three are one backend, a job and its first event are one transaction."""
