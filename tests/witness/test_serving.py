"""The witness over HTTP: requests as they come, from those who mean well and from those who do not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest

from dokja.record.transparency import read_policy
from dokja.record.transparency.cosignature import verifies
from dokja.record.transparency.note import COSIGNATURE, read_note
from dokja.record.transparency.policy import Policy
from dokja.witness import Asked, Server, ask_all
from dokja.witness.request import LARGEST_REQUEST
from dokja.witness.serving import Limits
from tests.record.transparency.at_hand import OFFICE, ORIGIN, WITNESSES
from tests.witness.at_hand import ANOTHER, TOLD, request, signed, witness

LIMITS = Limits(connections=8, idle=0.5, longest=1.5)


@contextmanager
def running(folder: Path, number: int = 0, limits: Limits = LIMITS) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), witness(folder, number), limits)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as held:
        yield held


def post(server: Server, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    said = answer.status, answer.headers["Content-Type"], answer.read()
    connection.close()
    return said


def raw(server: Server, data: bytes, *, half_close: bool = True) -> bytes:
    """Whatever comes back when these bytes are sent."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while block := connection.recv(65536):
            got += block
    return got


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    seen = []
    for old, size in ((0, 5), (5, 9), (3, 9)):
        connection.request("POST", "/add-checkpoint", request(TOLD, old, size))
        answer = connection.getresponse()
        seen.append((answer.status, answer.headers["Content-Type"], answer.read()[:3]))
        assert connection.sock is not None
    assert [status for status, _, _ in seen] == [200, 200, 409]
    assert seen[2][1:] == ("text/x.tlog.size", b"9\n")
    connection.request("GET", f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
    answer = connection.getresponse()
    assert answer.status == 200
    assert read_note(answer.read()).text == read_note(signed(TOLD, 9)).text
    connection.close()


def test_other_paths_and_methods_are_not_there(server: Server) -> None:
    assert post(server, request(TOLD, 0, 5), "/sign-subtree")[0] == 404
    for path in ("/", "/add-checkpoint", "/../../etc/passwd", "/" + "0" * 64 + "/checkpoint"):
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()
    assert raw(server, b"DELETE /add-checkpoint HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 501")


POST = b"POST /add-checkpoint HTTP/1.1\r\n"
HOSTILE = {
    "no length": (POST + b"Host: x\r\n\r\n", b"411"),
    "chunked": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nold 0\r\n0\r\n\r\n", b"411"),
    "chunked and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"411"),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", b"411"),
    "length below zero": (POST + b"Content-Length: -1\r\n\r\nx", b"400"),
    "length with plus": (POST + b"Content-Length: +1\r\n\r\nx", b"400"),
    "length of 5,000 digits": (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx", b"400"),
    "length in full-width": (POST + "Content-Length: ５\r\n\r\nx".encode(), b"400"),
    "too long": (POST + b"Content-Length: %d\r\n\r\n" % (LARGEST_REQUEST + 1), b"413"),
    "a long first line": (b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
    "many headers": (POST + b"a: b\r\n" * 200 + b"\r\n", b"431"),
    "a long header": (POST + b"a: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", b"400"),
    "a GET with a body": (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nxxxxx", b"400"),
    "an empty body": (POST + b"Content-Length: 0\r\n\r\n", b"400"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_are_refused(name: str, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    data, status = HOSTILE[name]
    got = raw(server, data)
    assert status in got.split(b"\r\n")[0].split(), got[:200]
    assert got.count(b"HTTP/1.1 ") <= 1, "what follows a refused request is not taken for another one"
    assert post(server, request(TOLD, 0, 5))[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_body_that_never_comes_holds_nobody_up(server: Server) -> None:
    start = time.perf_counter()
    assert raw(server, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 500\r\n\r\nold 0\n") == b""
    assert raw(server, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 500\r\n\r\n", half_close=False) == b""
    assert raw(server, b"", half_close=False) == b""
    assert time.perf_counter() - start < 10
    assert post(server, request(TOLD, 0, 5))[0] == 200


def test_a_client_that_sends_letter_by_letter_is_cut_off(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        start, gone = time.perf_counter(), False
        while not gone and time.perf_counter() - start < 10:
            try:
                connection.sendall(b"x")
                time.sleep(0.1)
                connection.setblocking(False)
                gone = connection.recv(1) == b""
            except BlockingIOError:
                pass
            except OSError:
                gone = True
            finally:
                connection.setblocking(True)
        assert gone


def test_more_connections_than_there_is_room_for_are_closed_and_the_witness_goes_on(server: Server) -> None:
    held = [socket.create_connection(("127.0.0.1", server.server_port), timeout=10) for _ in range(30)]
    time.sleep(LIMITS.idle + 1.0)
    for each in held:
        each.close()
    assert post(server, request(TOLD, 0, 5))[0] == 200


def test_logs_of_the_server_hold_nothing_that_a_client_could_hide_in_them(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    raw(server, b"GET /\x1b[31m\x07 HTTP/1.1\r\n\r\n")
    raw(server, "GET /\u202e HTTP/1.1\r\n\r\n".encode())
    said = capfd.readouterr().err
    assert said
    assert all(each.isprintable() or each == "\n" for each in said)


# The office's side


def policy(*servers: Server | str, quorum: str = "none") -> Policy:
    lines = [f"log {OFFICE.key()}"]
    for name, each, key in zip("ABC", servers, WITNESSES, strict=False):
        lines.append(f"witness {name} {key.key(COSIGNATURE)} {each if isinstance(each, str) else each.url}")
    return read_policy("\n".join([*lines, f"quorum {quorum}\n"]).encode())


def lines_of(asked: tuple[Asked, ...], size: int) -> list[str]:
    text = read_note(signed(TOLD, size)).text
    found = [(each, key) for each, key in zip(asked, WITNESSES, strict=False) if each.line is not None]
    for each, key in found:
        assert each.line is not None
        assert verifies(key.key(COSIGNATURE), text, each.line)
    return [each.name for each, _ in found]


def test_witnesses_are_asked_and_those_that_saw_more_are_sent_the_proof_from_there(tmp_path: Path) -> None:
    with running(tmp_path / "a") as a, running(tmp_path / "b", 1) as b:
        assert lines_of(ask_all(policy(a, b), signed(TOLD, 7), TOLD), 7) == ["A", "B"]
        assert lines_of(ask_all(policy(a), signed(TOLD, 200), TOLD), 200) == ["A"]
        assert lines_of(ask_all(policy(a, b), signed(TOLD, 300), TOLD), 300) == ["A", "B"]
        whole = read_note(signed(TOLD, 300))
        (line,) = [each.line for each in ask_all(policy(a), signed(TOLD, 300), TOLD)]
        assert line is not None
        assert ask_all(policy(a), bytes(whole.also_signed([line])), TOLD) == ()


def test_witnesses_that_do_not_sign_are_told_apart(tmp_path: Path) -> None:
    with running(tmp_path / "a") as a:
        assert lines_of(ask_all(policy(a), signed(TOLD, 300), TOLD), 300) == ["A"]
        (forked,) = ask_all(policy(a), signed(ANOTHER, 320), ANOTHER)
        assert (forked.line, forked.detail[:4]) == (None, "422 ")
        (older,) = ask_all(policy(a), signed(TOLD, 200), TOLD)
        assert (older.line, older.detail) == (None, "300")
        (stranger,) = ask_all(
            read_policy(
                f"log {OFFICE.key()}\nwitness X {WITNESSES[2].key(COSIGNATURE)} {a.url}\nquorum X\n".encode()
            ),
            signed(TOLD, 300),
            TOLD,
        )
        assert "no valid signature" in stranger.why
    for url in ("http://127.0.0.1:1/", "ftp://127.0.0.1/", "nothing", "http://[::1", "http://127.0.0.1:99999"):
        (nobody,) = ask_all(policy(url), signed(TOLD, 5), TOLD, seconds=1.0)
        assert nobody.line is None
        assert nobody.why


def test_an_answer_without_end_is_not_waited_for() -> None:
    """A server that drips its answer, and one that says nothing."""
    for said in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            stop = threading.Event()

            def drip(listening: socket.socket = listening, said: bytes = said, stop: threading.Event = stop) -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(said)
                    while not stop.wait(0.05):
                        try:
                            connection.sendall(b"x" if said else b"")
                        except OSError:
                            return

            thread = threading.Thread(target=drip)
            thread.start()
            start = time.perf_counter()
            (asked,) = ask_all(
                policy(f"http://127.0.0.1:{listening.getsockname()[1]}"), signed(TOLD, 5), TOLD, seconds=1.0
            )
            stop.set()
            thread.join()
            assert asked.line is None
            assert time.perf_counter() - start < 5
