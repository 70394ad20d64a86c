"""The office's side: cosignatures are asked for at the witnesses that a policy names with an address."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from dokja.language import mark
from dokja.record.transparency.checkpoint import number_of, read_checkpoint
from dokja.record.transparency.cosignature import verifies
from dokja.record.transparency.note import SignatureLine, VerifierKey, read_note
from dokja.record.transparency.policy import Policy
from dokja.record.transparency.proofs import Tree
from dokja.record.transparency.refusals import RefusedError
from dokja.witness.deadline import cut_off_after
from dokja.witness.request import AddCheckpoint

LARGEST_ANSWER = 65_536
LONGEST_SECONDS = 20.0
_MOST_TRIES = 4
_AT_ONCE = 8


@dataclass(frozen=True)
class Asked:
    """What came of asking one witness: its signature line, or else why there is none (a message id), in detail."""

    name: str
    url: str
    line: SignatureLine | None = None
    why: str = ""
    detail: str = ""


class _NoAnswerError(Exception):
    """A witness gave no cosignature: why, as a message id, and the detail for it."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


def ask_all(policy: Policy, note: bytes, tree: Tree, seconds: float = LONGEST_SECONDS) -> tuple[Asked, ...]:
    """Ask every witness with an address that has not cosigned yet, at the same time; in the policy's order."""
    read = read_note(note)
    held = {(line.name, line.id) for line in read.signatures}
    wanted = [name for name in policy.urls if policy.witnesses[name].line not in held]

    def ask_one(name: bytes) -> Asked:
        shown, url = name.decode(errors="replace"), policy.urls[name]
        try:
            return Asked(shown, url, _ask(policy.witnesses[name], url, note, tree, seconds))
        except _NoAnswerError as error:
            return Asked(shown, url, None, error.why, error.detail)

    if not wanted:
        return ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(ask_one, wanted))


def _ask(key: VerifierKey, url: str, note: bytes, tree: Tree, seconds: float) -> SignatureLine:
    """Ask from the log's beginning; a witness that has seen more says how much, and is sent the proof from there."""
    size, old = read_checkpoint(read_note(note).text).size, 0
    for _ in range(_MOST_TRIES):
        status, body = _post(url, bytes(AddCheckpoint(old, tree.consistency(old, size), note)), seconds)
        if status == 200:
            return _line_of(key, note, body)
        if status != 409:
            raise _NoAnswerError(mark("it answered {detail}"), f"{status} {_shown(body)}")
        seen = number_of(body.decode("ascii", "replace").removesuffix("\n"))
        if seen is None or seen == old:
            raise _NoAnswerError(mark("it answered {detail}"), f"409 {_shown(body)}")
        if seen > size:
            raise _NoAnswerError(mark("it has seen a checkpoint of {detail} acts, more than this one"), str(seen))
        old = seen
    raise _NoAnswerError(mark("others keep asking it at the same time; ask again"))


def _line_of(key: VerifierKey, note: bytes, body: bytes) -> SignatureLine:
    """The witness's own line in its answer; lines of other keys are passed over."""
    text = read_note(note).text
    try:
        lines: Sequence[SignatureLine] = read_note(text.encode() + b"\n" + body).signatures
    except RefusedError:
        lines = ()
    for line in lines:
        if (line.name, line.id) == key.line and verifies(key, text, line):
            return line
    raise _NoAnswerError(mark("its answer holds no valid signature by the key that the policy names"))


def _post(url: str, body: bytes, seconds: float) -> tuple[int, bytes]:
    """Send a request; the status and the body, no more of it than an answer can have. No redirect is followed."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _NoAnswerError(mark("its address is none that begins with https:// or http://"))
        connection = _connection(parts.scheme, parts.hostname, parts.port, seconds)
        try:
            connection.connect()
            with cut_off_after(connection.sock, seconds):
                path = f"{parts.path.rstrip('/')}/add-checkpoint"
                connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
                answer = connection.getresponse()
                return answer.status, answer.read(LARGEST_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _NoAnswerError(mark("no answer ({detail})"), said) from error


def _connection(scheme: str, host: str, port: int | None, seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=seconds)


def _shown(body: bytes) -> str:
    said = body[:120].decode("utf-8", "replace").strip()
    return "".join(each if each.isprintable() else "?" for each in said)
