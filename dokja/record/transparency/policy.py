"""Which logs and witnesses a reader trusts, and how many of them it takes (C2SP tlog-policy)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dokja.record.transparency.checkpoint import Checkpoint, read_checkpoint
from dokja.record.transparency.cosignature import cosigned_at, verifies
from dokja.record.transparency.note import COSIGNATURE, ED25519, Note, VerifierKey, read_note
from dokja.record.transparency.refusals import RefusedError

LARGEST_POLICY = 1_000_000
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(rb"[1-9][0-9]{0,5}")
_NONE = b"none"


@dataclass(frozen=True)
class Witnessed:
    """A checkpoint that a log signed, and when each witness cosigned it (seconds since 1970), by its name."""

    checkpoint: Checkpoint
    times: Mapping[bytes, int]

    @property
    def witnesses(self) -> frozenset[bytes]:
        """Who cosigned it."""
        return frozenset(self.times)


@dataclass(frozen=True)
class Group:
    """So many of these members must have witnessed a checkpoint."""

    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True)
class Policy:
    """A policy as read: keys of logs, keys of witnesses by their names here, groups, and what makes the quorum.

    urls: where witnesses can be asked (their submission prefixes), for those whose line says so.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[bytes, VerifierKey]
    groups: Mapping[bytes, Group]
    quorum: bytes
    urls: Mapping[bytes, str] = field(default_factory=dict)

    def check(self, data: bytes) -> Checkpoint:
        """The checkpoint that a note holds, if this policy accepts it.

        The order is that of `docs/record-format.md`: form, every signature by a known key, a log's signature, the
        checkpoint, its origin, the quorum.
        """
        signed = self.signed(data)
        if not self.met(signed.witnesses):
            raise RefusedError("QUORUM_NOT_MET", f"{len(signed.times)} of {len(self.witnesses)} witnesses")
        return signed.checkpoint

    def signed(self, data: bytes) -> Witnessed:
        """The checkpoint that a note holds if a log signed it, and who witnessed it, be it enough or not."""
        note = read_note(data)
        logs, times = self.signers(note)
        checkpoint = read_checkpoint(note.text)
        if checkpoint.origin not in logs:
            raise RefusedError("NOTE_ORIGIN", checkpoint.origin)
        return Witnessed(checkpoint, times)

    def signers(self, note: Note) -> tuple[frozenset[str], Mapping[bytes, int]]:
        """The names of the logs that signed a note, and when each witness did; a log must have."""
        known = {key.line: key for key in (*self.logs, *self.witnesses.values())}
        names = {key: name for name, key in self.witnesses.items()}
        logs: set[str] = set()
        times: dict[bytes, int] = {}
        for line in note.signatures:
            key = known.get((line.name, line.id))
            if key is None:
                continue
            if not verifies(key, note.text, line):
                raise RefusedError("NOTE_SIGNATURE", line.name)
            if key in names:
                times[names[key]] = max(cosigned_at(line), times.get(names[key], 0))
            else:
                logs.add(key.name)
        if not logs:
            raise RefusedError("NOTE_UNSIGNED")
        return frozenset(logs), times

    def clock(self, times: Mapping[bytes, int]) -> int | None:
        """The time that enough witnesses vouch for: as many as the quorum asks for cosigned then or later.

        One witness with a wrong clock cannot put it forward. Where no quorum is asked for, all must have signed then
        or later; `None` where nobody did.
        """
        if not self.asks:
            return min(times.values(), default=None)
        for seconds in sorted(set(times.values()), reverse=True):
            if self.met(frozenset(name for name, at in times.items() if at >= seconds)):
                return seconds
        return None

    @property
    def asks(self) -> bool:
        """Whether a checkpoint needs witnesses at all."""
        return self.quorum != _NONE

    def met(self, witnessed: frozenset[bytes]) -> bool:
        """Whether these witnesses are a quorum; groups stand after their members, so one pass is enough."""
        if not self.asks:
            return True
        standing = set(witnessed)
        for name, group in self.groups.items():
            if sum(member in standing for member in group.members) >= group.threshold:
                standing.add(name)
        return self.quorum in standing


@dataclass
class _Reading:
    """A policy while its lines are read."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[bytes, VerifierKey] = field(default_factory=dict)
    groups: dict[bytes, Group] = field(default_factory=dict)
    urls: dict[bytes, str] = field(default_factory=dict)
    quorum: bytes | None = None
    grouped: set[bytes] = field(default_factory=set)

    def log(self, words: list[bytes]) -> None:
        if len(words) not in (1, 2):
            raise RefusedError("QUORUM_POLICY", "log")
        self.logs.append(self._key(words[0], ED25519))

    def witness(self, words: list[bytes]) -> None:
        if len(words) not in (2, 3):
            raise RefusedError("QUORUM_POLICY", "witness")
        key = self._key(words[1], COSIGNATURE)
        self._define(words[0])
        self.witnesses[words[0]] = key
        if len(words) == 3:
            self.urls[words[0]] = words[2].decode("utf-8", "replace")

    def group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise RefusedError("QUORUM_POLICY", "group")
        name, threshold, *members = words
        for member in members:
            if (member not in self.witnesses and member not in self.groups) or member in self.grouped:
                raise RefusedError("QUORUM_NAME", _said(member))
            self.grouped.add(member)
        if threshold in (b"any", b"all"):
            needed = 1 if threshold == b"any" else len(members)
        elif _THRESHOLD.fullmatch(threshold) and int(threshold) <= len(members):
            needed = int(threshold)
        else:
            raise RefusedError("QUORUM_POLICY", f"threshold {_said(threshold)}")
        self._define(name)
        self.groups[name] = Group(needed, tuple(members))

    def the_quorum(self, words: list[bytes]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise RefusedError("QUORUM_POLICY", "quorum")
        if words[0] != _NONE and words[0] not in self.witnesses and words[0] not in self.groups:
            raise RefusedError("QUORUM_NAME", _said(words[0]))
        self.quorum = words[0]

    def _define(self, name: bytes) -> None:
        if name == _NONE or name in self.witnesses or name in self.groups:
            raise RefusedError("QUORUM_NAME", _said(name))

    def _key(self, written: bytes, kind: int) -> VerifierKey:
        try:
            key = VerifierKey.read(written.decode("utf-8"))
        except ValueError:
            raise RefusedError("QUORUM_POLICY", f"key {_said(written)}") from None
        if key.kind != kind:
            raise RefusedError("QUORUM_POLICY", f"type of key {key}")
        if any(key.public == other.public for other in (*self.logs, *self.witnesses.values())):
            raise RefusedError("QUORUM_DUPLICATE_KEY", str(key))
        return key


_LINES = {
    b"log": _Reading.log,
    b"witness": _Reading.witness,
    b"group": _Reading.group,
    b"quorum": _Reading.the_quorum,
}


def _said(name: bytes) -> str:
    return name[:80].decode("utf-8", "backslashreplace")


def read_policy(data: bytes) -> Policy:
    """The policy that a file holds."""
    if len(data) > LARGEST_POLICY or _CONTROLS.search(data):
        raise RefusedError("QUORUM_POLICY", "too long, or control characters")
    reading = _Reading()
    for line in data.split(b"\n"):
        # Only space and tab part words here; `bytes.split()` would take more, but those are refused above.
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        read = _LINES.get(words[0])
        if read is None:
            raise RefusedError("QUORUM_POLICY", f"line {_said(line)}")
        read(reading, words[1:])
    if reading.quorum is None:
        raise RefusedError("QUORUM_POLICY", "no quorum")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum, reading.urls)
