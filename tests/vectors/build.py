"""What vectors are made of: keys that never change, a small signed record, bags, and the form of a vector's file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import rfc8785

from dokja.record.transparency.bag import DECLARATION
from dokja.record.transparency.checkpoint import Checkpoint
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import base64_of
from dokja.record.transparency.proof_file import ProofFile
from dokja.record.transparency.registry import key_reference, signed_bytes
from dokja.record.transparency.tiles import ENTRIES, WIDTH, bundle_bytes, levels_of, tile_bytes, tiles_of_level
from tests.record.transparency.at_hand import checkpoint, note, policy, signer, tree_of

Files = dict[str, bytes]
Json = dict[str, Any]

ROOTS = tuple(signer(f"root.example/{number}") for number in (1, 2, 3))
NEW_ROOT = signer("root.example/4")
TEAM, NEW_TEAM = signer("team.example/a"), signer("team.example/a2")


@dataclass(frozen=True)
class Vector:
    """What is checked, and the codes that it must give, in order.

    links: symbolic links in the bundle, with their targets. padding: how many times `x` is put at the end
    of a file, so that long ones need no room here. receipts, kept: what others kept of a bundle's log.
    """

    kind: str
    expected: tuple[str, ...]
    files: Mapping[str, bytes]
    policy: bytes = field(default_factory=policy)
    genesis: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    padding: Mapping[str, int] = field(default_factory=dict)
    receipts: Sequence[bytes] = ()
    kept: Sequence[bytes] = ()

    def tree(self) -> Json:
        """The vector as JSON."""
        return {
            "kind": self.kind,
            "expected": list(self.expected),
            "policy": encoded(self.policy),
            "genesis": self.genesis,
            "links": dict(self.links),
            "padding": dict(self.padding),
            **({"receipts": [encoded(each) for each in self.receipts]} if self.receipts else {}),
            **({"checkpoints": [encoded(each) for each in self.kept]} if self.kept else {}),
            "files": {path: encoded(data) for path, data in sorted(self.files.items())},
        }


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signature(act: Json, by: Signer) -> Json:
    return {"key": key_reference(by.key()), "value": base64_of(by.private.sign(signed_bytes(act)))}


def signed(act: Json, by: Signer) -> Json:
    return {**act, "signature": signature(act, by)}


def approved(act: Json, by: Sequence[Signer]) -> Json:
    return {**act, "approvals": [signature(act, each) for each in by]}


def founding(roots: Sequence[Signer], threshold: int, kind: str = "genesis") -> Json:
    listed = [{"holder": each.name.replace("/", "-"), "vkey": str(each.key())} for each in roots]
    return {"id": kind, "roots": listed, "threshold": threshold, "type": kind, "when": WHEN, "who": "office"}


def registered(by: Signer, holder: str, key: Signer, number: int = 1, **more: str) -> Json:
    act = {
        "holder": holder,
        "id": f"key-{number}",
        "role": "team",
        "type": "key-registered",
        "vkey": str(key.key()),
        "when": WHEN,
        "who": by.name.replace("/", "-"),
        **more,
    }
    return signed(act, by)


def statement(number: int, who: str = "team-a", words: str = "말") -> Json:
    return {
        "id": f"statement-{number}",
        "note": {"en": "word", "ko": words},
        "type": "statement",
        "when": WHEN,
        "who": who,
    }


WHEN = "2027-03-01T00:00:00Z"
GENESIS = approved(founding(ROOTS, 2), ROOTS)
KEYED: tuple[Json, ...] = (GENESIS, registered(ROOTS[0], "team-a", TEAM))


def bodies(acts: Sequence[Json]) -> list[bytes]:
    return [rfc8785.dumps(act) for act in acts]


def record(statements: int) -> list[bytes]:
    """A founded record: genesis, the team's key, then so many signed statements."""
    return bodies([*KEYED, *(signed(statement(number), TEAM) for number in range(statements))])


def unsigned(count: int) -> list[bytes]:
    return bodies([statement(number) for number in range(count)])


def log(entries: list[bytes], head: bytes | None = None) -> Files:
    """The files of `data/` of a log."""
    tree = tree_of(entries)
    files = {"data/log/checkpoint": note(checkpoint(tree)) if head is None else head}
    for tile in tiles_of_level(ENTRIES, len(entries)):
        start = tile.index * WIDTH
        files[f"data/log/{tile.path}"] = bundle_bytes(entries[start : start + tile.width])
    for level in levels_of(len(entries)):
        for tile in tiles_of_level(level, len(entries)):
            files[f"data/log/{tile.path}"] = tile_bytes(tree, tile)
    return files


def proof(entries: list[bytes], index: int, size: int | None = None) -> ProofFile:
    tree, size = tree_of(entries), size or len(entries)
    return ProofFile(index, tree.inclusion(index, size), note(checkpoint(tree, size)))


def bag(data: Files) -> Files:
    """The files with their manifests."""
    files = {**data, "bagit.txt": DECLARATION, "bag-info.txt": b"Source-Organization: an office\n"}
    files["manifest-sha256.txt"] = manifest({path: files[path] for path in files if path.startswith("data/")})
    tags = {path: held for path, held in files.items() if not path.startswith("data/")}
    return {**files, "tagmanifest-sha256.txt": manifest(tags)}


def manifest(files: Files) -> bytes:
    return "".join(f"{sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())).encode()


def retagged(files: Files) -> Files:
    """A bag whose manifest was changed, its tag manifest made anew."""
    tags = {p: d for p, d in files.items() if not p.startswith("data/") and p != "tagmanifest-sha256.txt"}
    return {**files, "tagmanifest-sha256.txt": manifest(tags)}


def another_origin(entries: list[bytes], origin: str) -> Checkpoint:
    tree = tree_of(entries)
    return Checkpoint(origin, tree.size, tree.root())
