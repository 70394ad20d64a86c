"""Who may sign: the keys that the record's own acts found, add and replace, followed act by act.

It reads acts as plain values, so that it judges any entry, also one that the schemas of this version do not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dokja.record.canonical import written
from dokja.record.transparency.ed25519 import signature_fits
from dokja.record.transparency.note import ED25519, VerifierKey, bytes_of
from dokja.record.transparency.refusals import RefusedError

DOMAIN = b"dokja-act-v1\n"
"""What the signed bytes of an act begin with, so that no other signature can be taken for one."""

Tree = Mapping[str, Any]


def signed_bytes(tree: Tree) -> bytes:
    """What a signature of an act is made over: all of the act but its signatures."""
    return DOMAIN + written({name: tree[name] for name in tree if name not in ("signature", "approvals")})


def key_reference(key: VerifierKey) -> str:
    """How a signature names its key: the name and the id of its vkey."""
    return f"{key.name}+{key.id.hex()}"


@dataclass(frozen=True)
class Held:
    """A key, and who holds it."""

    key: VerifierKey
    holder: str


class Check(NamedTuple):
    """A signature of an act that is yet to be verified; a tuple, because millions go to other processes."""

    entry: int
    reference: str
    public: bytes
    value: bytes
    message: bytes


def misfit(checks: Sequence[Check]) -> Check | None:
    """The first of some signatures that does not fit its act."""
    return next((check for check in checks if not signature_fits(check.public, check.value, check.message)), None)


@dataclass
class Registry:
    """The keys at one moment of a record.

    keys: those that may sign, by their references. roots: those among them that decide on keys, `threshold` of them
    together. seen: every public key that ever stood in the record. sequences: the last running number of an actor in
    a stage, where it numbers its acts. later: where the signatures of acts are put, to be verified apart; without
    such a list each is verified as it comes.
    """

    keys: dict[str, Held] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()
    threshold: int = 0
    seen: set[bytes] = field(default_factory=set)
    sequences: dict[tuple[str, str | None], int] = field(default_factory=dict)
    later: MutableSequence[Check] | None = None

    def follow(self, index: int, act: Tree) -> None:
        """Judge the signatures of the next act and take in what it says of keys; raises `RefusedError`."""
        try:
            self._follow(index, act)
        except RefusedError as error:
            raise RefusedError(error.code, error.detail, index) from None

    def _follow(self, index: int, act: Tree) -> None:
        kind = act["type"]
        if kind == "genesis":
            if index:
                raise RefusedError("GENESIS", "a second founding act")
            self._set_roots(act, {})
        elif not self.roots:
            if "signature" in act or kind in ("key-registered", "key-rotated"):
                raise RefusedError("SIGNER_NOT_AUTHORISED", "the record has no founding act")
        elif kind == "key-rotated":
            self._set_roots(act, {name: self.keys[name] for name in self.roots})
        else:
            signer = self._signer(index, act)
            if kind == "key-registered":
                if signer not in self.roots:
                    raise RefusedError("SIGNER_NOT_AUTHORISED", f"{signer} decides on no keys")
                self._register(act)
            self._count(act)

    def _signer(self, index: int, act: Tree) -> str:
        if "signature" not in act:
            raise RefusedError("ACT_UNSIGNED")
        reference, value = _signature(act["signature"])
        held = self.keys.get(reference)
        if held is None or held.key.kind != ED25519 or held.holder != act.get("who"):
            raise RefusedError("SIGNER_NOT_AUTHORISED", f"{reference} for {act.get('who')!s:.80}")
        check = Check(index, reference, held.key.public, value, signed_bytes(act))
        if self.later is not None:
            self.later.append(check)
        elif misfit((check,)):
            raise RefusedError("ACT_SIGNATURE", reference)
        return reference

    def _count(self, act: Tree) -> None:
        """Whoever numbers its acts in a stage leaves no number out, and goes on numbering them."""
        stage = act.get("stage")
        whose = act["who"], stage if isinstance(stage, str) else None
        sequence, last = act.get("sequence"), self.sequences.get(whose, 0)
        if sequence is None and not last:
            return
        if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence != last + 1:
            raise RefusedError("ACT_SEQUENCE", f"{sequence!s:.20} after {last}")
        self.sequences[whose] = sequence

    def _register(self, act: Tree) -> None:
        held = _held(act)
        replaced = act.get("replaces")
        if replaced is not None:
            old = self.keys.get(replaced) if isinstance(replaced, str) else None
            if old is None or replaced in self.roots or old.holder != held.holder:
                raise RefusedError("KEY_FORM", "it replaces no key of its holder")
        self._add(held)
        if replaced is not None:
            del self.keys[replaced]

    def _add(self, held: Held) -> None:
        if held.key.public in self.seen:
            raise RefusedError("KEY_TWICE", str(held.key))
        self.seen.add(held.key.public)
        self.keys[key_reference(held.key)] = held

    def _set_roots(self, act: Tree, old: Mapping[str, Held]) -> None:
        new, threshold = _roots(act)
        _hold_approvals(act, (old, self.threshold), (new, threshold))
        for name in self.roots - new.keys():
            del self.keys[name]
        for name, held in new.items():
            if old.get(name) != held:
                self._add(held)
        self.roots, self.threshold = frozenset(new), threshold


def _signature(value: object) -> tuple[str, bytes]:
    """A signature's key reference and its bytes."""
    if isinstance(value, dict) and value.keys() == {"key", "value"}:
        reference, encoded = value["key"], value["value"]
        if isinstance(reference, str) and isinstance(encoded, str):
            decoded = bytes_of(encoded)
            if decoded is not None:
                return reference, decoded
    raise RefusedError("ACT_SIGNATURE", "malformed")


def _held(value: object) -> Held:
    if isinstance(value, dict):
        written, holder = value.get("vkey"), value.get("holder")
        if isinstance(written, str) and isinstance(holder, str) and holder:
            try:
                return Held(VerifierKey.read(written), holder)
            except ValueError:
                pass
    raise RefusedError("KEY_FORM")


def _roots(act: Tree) -> tuple[dict[str, Held], int]:
    listed, threshold = act.get("roots"), act.get("threshold")
    if not isinstance(listed, list) or not isinstance(threshold, int) or isinstance(threshold, bool):
        raise RefusedError("KEY_FORM", "roots or threshold")
    every = [_held(each) for each in listed]
    if not 1 <= threshold <= len(every) or any(each.key.kind != ED25519 for each in every):
        raise RefusedError("KEY_FORM", "roots or threshold")
    if len({each.key.public for each in every}) != len(every):
        raise RefusedError("KEY_TWICE")
    return {key_reference(each.key): each for each in every}, threshold


def _hold_approvals(act: Tree, *sides: tuple[Mapping[str, Held], int]) -> None:
    """Every approval must be right, and each side must have as many as it asks for."""
    approved = set()
    for reference, value in _approvals(act):
        held = next((keys[reference] for keys, _ in sides if reference in keys), None)
        if held is None:
            raise RefusedError("SIGNER_NOT_AUTHORISED", reference)
        if not signature_fits(held.key.public, value, signed_bytes(act)):
            raise RefusedError("ACT_SIGNATURE", reference)
        approved.add(reference)
    for keys, threshold in sides:
        if len(approved & keys.keys()) < threshold:
            raise RefusedError("KEY_THRESHOLD", f"{len(approved & keys.keys())} of {threshold}")


def _approvals(act: Tree) -> Iterator[tuple[str, bytes]]:
    listed = act.get("approvals", [])
    if not isinstance(listed, list):
        raise RefusedError("ACT_SIGNATURE", "malformed")
    for each in listed:
        yield _signature(each)
