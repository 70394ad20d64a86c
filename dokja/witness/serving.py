"""A witness over HTTP (C2SP tlog-witness), with Python's own server; TLS is for a proxy in front of it.

Whoever sends too much, too slowly or over too many connections is cut off. What one request costs is bounded: its
size, one signature of the log's, and one of ours.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dokja.witness.deadline import cut_off_after
from dokja.witness.memory import WitnessError
from dokja.witness.request import LARGEST_REQUEST
from dokja.witness.witness import Answer, Witness

_LENGTH = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)
_ADD = "/add-checkpoint"


@dataclass(frozen=True)
class Limits:
    """How much others may ask: connections at once, seconds without a byte, seconds that a connection may last."""

    connections: int = 64
    idle: float = 10.0
    longest: float = 60.0


class Server(ThreadingHTTPServer):
    """A witness at an address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], witness: Witness, limits: Limits | None = None) -> None:
        self.witness = witness
        self.limits = limits or Limits()
        self._free = threading.BoundedSemaphore(self.limits.connections)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if self.address_family == socket.AF_INET6 else str(host)
        return f"http://{shown}:{port}"

    def server_bind(self) -> None:
        """Take the address, without asking the network for this machine's name."""
        socket_address = self.server_address
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Serve a connection in a thread of its own; one too many is closed at once."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """Serve a connection as long as it may last."""
        try:
            with cut_off_after(request, self.limits.longest):
                super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        """A client that has gone is nothing to tell; everything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "dokja-witness"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.limits.idle)

    def do_POST(self) -> None:
        """`add-checkpoint`."""
        body = self._body()
        if body is None:
            return
        if self.path != _ADD:
            self._send(Answer(404, b"there is only POST /add-checkpoint\n"))
            return
        try:
            answer = self.server.witness.add_checkpoint(body)
        except WitnessError as error:
            sys.stderr.write(f"{error}\n")
            answer = Answer(503, b"the witness cannot remember at the moment\n")
        self._send(answer)

    def do_GET(self) -> None:
        """The last checkpoint of a log, for monitors."""
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self._refuse(400, b"a GET has no body\n")
            return
        found = _MONITORED.fullmatch(self.path)
        try:
            answer = self.server.witness.checkpoint(found[1]) if found else Answer(404, b"nothing here\n")
        except WitnessError as error:
            sys.stderr.write(f"{error}\n")
            answer = Answer(503, b"the witness cannot remember at the moment\n")
        self._send(answer)

    def _body(self) -> bytes | None:
        """The body of the request; `None` where it was refused already."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or len(lengths) != 1:
            self._refuse(411, b"one Content-Length, please\n")
        elif not _LENGTH.fullmatch(lengths[0]):
            self._refuse(400, b"Content-Length is no number\n")
        elif int(lengths[0]) > LARGEST_REQUEST:
            self._refuse(413, b"too long\n")
        else:
            body = self.rfile.read(int(lengths[0]))
            if len(body) == int(lengths[0]):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: int, said: bytes) -> None:
        """Answer, and close: what would come next on this connection is not known to be a request."""
        self.close_connection = True
        self._send(Answer(status, said))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        """One line a request on stderr, without whatever a client put into it that is not printable."""
        said = (format % args).encode("ascii", "backslashreplace").decode()
        shown = "".join(each if each.isprintable() else "?" for each in said)
        sys.stderr.write(f"{self.log_date_time_string()} {shown}\n")
