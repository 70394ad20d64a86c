"""A bound on how long one connection may take altogether, which timeouts of single reads do not give."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def cut_off_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Shut a connection down if what happens here is not done by then; whoever reads from it finds its end."""
    timer = threading.Timer(seconds, _shut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        # The plain socket's: TLS would first let go of its own layer, under the feet of whoever is reading.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
