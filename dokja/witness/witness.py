"""The witness itself: whether a checkpoint may be cosigned, and the answer that C2SP tlog-witness gives.

Checks stand in the order of the specification. Everything from looking the last checkpoint up to remembering the next
is one turn of the memory, so that two requests can never both go on from the same checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from dokja.record.merkle import EMPTY_ROOT
from dokja.record.transparency.checkpoint import Checkpoint, read_checkpoint
from dokja.record.transparency.cosignature import cosign, verifies
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import Note, VerifierKey, read_note
from dokja.record.transparency.policy import Policy
from dokja.record.transparency.proofs import continues
from dokja.record.transparency.refusals import RefusedError
from dokja.witness.memory import Memory, Seen, Turn
from dokja.witness.request import AddCheckpoint, read_request

PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"


@dataclass(frozen=True)
class Answer:
    """What goes back: an HTTP status, a body, its type."""

    status: int
    body: bytes
    kind: str = PLAIN


class _RefusalError(Exception):
    """The witness does not sign."""

    def __init__(self, status: int, said: str, kind: str = PLAIN) -> None:
        super().__init__(said)
        self.answer = Answer(status, f"{said}\n".encode(), kind)


@dataclass(frozen=True)
class Witness:
    """A witness with its key, the logs that it knows and what it remembers. clock: seconds since 1970."""

    signer: Signer
    logs: Mapping[str, tuple[VerifierKey, ...]]
    memory: Memory
    clock: Callable[[], float] = field(default=time.time)

    @classmethod
    def of(cls, signer: Signer, policy: Policy, memory: Memory) -> Witness:
        """A witness of the logs that a policy names; a log's origin is its key's name."""
        names = {key.name for key in policy.logs}
        logs = {name: tuple(key for key in policy.logs if key.name == name) for name in names}
        return cls(signer, logs, memory)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request: a cosignature, or why there is none. Raises `WitnessError` where memory fails."""
        try:
            request = _read(body)
            note, checkpoint = _read_checkpoint(request.checkpoint)
            verified = self._verified(note, checkpoint)
            if request.old > checkpoint.size:
                raise _RefusalError(400, "the old size is larger than the checkpoint's")
            with self.memory.turn() as turn:
                return self._in_turn(turn, request, checkpoint, verified)
        except _RefusalError as refusal:
            return refusal.answer

    def _verified(self, note: Note, checkpoint: Checkpoint) -> Note:
        """The note with those of its signatures that trusted keys of its log made."""
        keys = self.logs.get(checkpoint.origin)
        if keys is None:
            raise _RefusalError(404, "unknown log")
        known = {key.line: key for key in keys}
        lines = tuple(line for line in note.signatures if (line.name, line.id) in known)
        if not lines or not all(verifies(known[line.name, line.id], note.text, line) for line in lines):
            raise _RefusalError(403, "no valid signature by a trusted key of the log, or an invalid one")
        return Note(note.text, tuple(dict.fromkeys(lines)))

    def _in_turn(self, turn: Turn, request: AddCheckpoint, checkpoint: Checkpoint, verified: Note) -> Answer:
        last = turn.last(checkpoint.origin)
        size, root = (last.size, last.root) if last else (0, EMPTY_ROOT)
        if last is not None and checkpoint.size == size and checkpoint.root != root:
            # Two roots of one size under the log's own signature: evidence, whatever old size the request named.
            turn.keep_fork(checkpoint.origin, bytes(verified))
            if request.old == size:
                return Answer(422, b"the log has signed another root for this size\n")
            return Answer(409, b"%d\n" % size, SIZE)
        if request.old != size:
            raise _RefusalError(409, str(size), SIZE)
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise _RefusalError(422, "the root of an empty tree is the hash of nothing")
        if not continues(size, checkpoint.size, request.path, root, checkpoint.root):
            raise _RefusalError(422, "the consistency proof does not lead from the last checkpoint to this one")
        now = int(self.clock())
        if now <= 0 or (last is not None and now < last.at):
            raise _RefusalError(503, "the witness's clock stands before its last cosignature")
        line = cosign(verified.text, self.signer.name, self.signer.private, now)
        cosigned = bytes(verified.also_signed([line]))
        turn.remember(Seen(checkpoint.origin, checkpoint.size, checkpoint.root, now, cosigned))
        return Answer(200, str(line).encode())

    def checkpoint(self, origin_hash: str) -> Answer:
        """The last checkpoint of a log, by the SHA-256 of its origin, for monitors."""
        for origin in self.logs:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                with self.memory.turn() as turn:
                    seen = turn.last(origin)
                if seen is not None:
                    return Answer(200, seen.note)
        return Answer(404, b"no cosigned checkpoint of such a log\n")


def _read(body: bytes) -> AddCheckpoint:
    try:
        return read_request(body)
    except ValueError as error:
        raise _RefusalError(400, str(error)) from None


def _read_checkpoint(data: bytes) -> tuple[Note, Checkpoint]:
    try:
        note = read_note(data)
        return note, read_checkpoint(note.text)
    except RefusedError as error:
        raise _RefusalError(400, f"no checkpoint: {error.code}") from None
