"""Batches of a fixed size, as accelerators want them: who asks meanwhile goes along, empty places hold blank pictures.

The size is the same for every run of a network, so that a picture meets the same arithmetic whoever goes along with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.errors import EngineError

__all__ = ["Batches"]

Outputs = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    planes: NDArray[Any]
    answer: Future[Outputs] = field(default_factory=Future)


class Batches:
    """Runs a network on pictures of several threads at once.

    Args:
        run: the network: inputs of `size` pictures, stacked, to its outputs, of which each has a row for each picture.
        size: pictures of a run.
        blank: input of one picture, (1, ...), for empty places.
    """

    def __init__(self, run: Callable[[NDArray[Any]], Outputs], size: int, blank: NDArray[Any]) -> None:
        self._run, self._size = run, size
        self._input = np.repeat(blank, size, axis=0)
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._closing, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._serve, name="batches", daemon=True)
        self._thread.start()

    def __call__(self, planes: NDArray[Any]) -> Outputs:
        """The outputs for one picture, (1, ...) each; waits for those that came before.

        Raises:
            EngineError: this is closed; what the network raises rises as it is.
        """
        asked = _Asked(planes)
        with self._closing:
            if self._closed:
                raise EngineError("the detector takes no more pictures")
            self._asked.put(asked)
        return asked.answer.result()

    def close(self) -> None:
        """Finish what was asked, and take no more. Repeating is harmless."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._asked.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (first := self._asked.get()) is not None:
            batch, last = self._with(first)
            self._answer(batch)
            if last:
                return

    def _with(self, first: _Asked) -> tuple[list[_Asked], bool]:
        """Those who asked up to now, as many as fit; whether nobody will ask any more."""
        batch = [first]
        while len(batch) < self._size:
            try:
                asked = self._asked.get_nowait()
            except queue.Empty:
                break
            if asked is None:
                return batch, True
            batch.append(asked)
        return batch, False

    def _answer(self, batch: list[_Asked]) -> None:
        for place, asked in enumerate(batch):
            self._input[place] = asked.planes[0]
        try:
            outputs = self._run(self._input)
        except Exception as error:  # whoever asked hears it, whatever it is: this thread serves the next ones
            for asked in batch:
                asked.answer.set_exception(error)
            return
        for place, asked in enumerate(batch):
            asked.answer.set_result(tuple(output[place : place + 1].copy() for output in outputs))
