"""A way to a server that can be cut: every connection breaks off at once, in the middle of whatever it carries."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

__all__ = ["Proxy"]

HOST = "127.0.0.1"
AT_ONCE = 65536


class Proxy:
    """Listens, and passes on to a server.

    Args:
        target: port of the server.
        port: to listen at; 0 takes a free one.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target, self._lock = target, threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((HOST, port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> int:
        """Break off what is open; how many connections there were. New ones are welcome."""
        with self._lock:
            broken, self._open = self._open, set()
        _end(*broken)
        return len(broken) // 2

    def close(self) -> None:
        """Listen no more, and break off what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection((HOST, self._target), 5)
                except OSError:  # it is down
                    client.close()
                    continue
                server.settimeout(None)
                with self._lock:
                    self._open |= {client, server}
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, name="proxy", daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        """Until one side ends it: no client of ours goes on with half a connection."""
        with suppress(OSError):  # it broke off, or was cut
            while blob := source.recv(AT_ONCE):
                target.sendall(blob)
        with self._lock:
            self._open -= {source, target}
        _end(source, target)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):  # the other side was first
            each.shutdown(socket.SHUT_RDWR)  # who reads from it in another thread hears it
        each.close()
