"""Checks a published record without dokja: one file, Python's standard library and `cryptography`.

Written from docs/record-format.md. It checks integrity: the folder, signatures, witnesses, tree, entries, keys,
proofs, and what was sealed and opened. It does not know the rulebook and judges no decision.

    python dokja_verify.py BUNDLE --policy FILE [--genesis sha256:...] [--receipt FILE]... [--checkpoint FILE]...
    python dokja_verify.py --proof FILE --entry FILE --policy FILE
    python dokja_verify.py --note FILE --policy FILE
    python dokja_verify.py --entry FILE

Exit code 0: nothing is wrong. 1: something is; the codes say what. 2: it could not be looked at.
"""

import argparse
import base64
import datetime as dt
import hashlib
import json
import os
import re
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_NUMBER = 2**63 - 1
MAX_SAFE_INTEGER = 2**53 - 1
MAX_NOTE = MAX_POLICY = 1_000_000
MAX_PROOF = 1_100_000
MAX_MANIFEST = 500_000_000
MAX_BUNDLE = 256 * (2 + 65535)
MAX_DEPTH = 64

Json = dict[str, Any]


class RefusalError(Exception):
    """Something that is wrong: its code, the entry concerned, and where to look."""

    def __init__(self, code: str, where: object = "", index: int | None = None) -> None:
        super().__init__(code)
        self.code, self.where, self.index = code, str(where)[:200], index


# Small things


def sha(*parts: bytes) -> bytes:
    """SHA-256 of the parts one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def unbase64(text: str) -> bytes | None:
    """The bytes that strict base64 stands for."""
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text, re.ASCII) or len(text) % 4:
        return None
    try:
        data = base64.b64decode(text)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def number(text: str) -> int | None:
    """A number as this format writes it."""
    if len(text) > 19 or not re.fullmatch("0|[1-9][0-9]*", text, re.ASCII):
        return None
    value = int(text)
    return value if value <= MAX_NUMBER else None


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature verifies."""
    if len(signature) != 64:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def content(path: str, limit: int) -> bytes | None:
    """What a plain file holds, up to one byte more than the limit; nothing for anything that is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        return file.read(min(limit, status.st_size) + 1)


def walk(top: str, inside: str = "") -> Iterator[str]:
    """All files under a folder; a link or a device is refused."""
    here = os.path.join(top, inside)
    if not os.path.isdir(here) or os.path.islink(here):
        return
    with os.scandir(here) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = f"{inside}/{entry.name}" if inside else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk(top, path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            raise RefusalError("BAG_PATH", path)


# Notes


class Key:
    """A vkey."""

    def __init__(self, text: str) -> None:
        parts = text.split("+", 2)
        material = unbase64(parts[2]) if len(parts) == 3 else None
        if material is None or len(material) != 33 or material[0] not in (1, 4):
            raise ValueError("no vkey")
        self.name, self.kind, self.public = parts[0], material[0], material[1:]
        if not good_name(self.name) or any(ord(character) < 32 for character in self.name):
            raise ValueError("no name")
        self.id = sha(self.name.encode(), b"\n", material)[:4]
        if parts[1] != self.id.hex():
            raise ValueError("another id")
        self.text, self.reference = text, f"{self.name}+{parts[1]}"


def good_name(name: str) -> bool:
    """Whether a key can have this name."""
    return bool(name) and "+" not in name and not re.search(r"\s", name)


def parse_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text and signature lines of a note."""
    if len(data) > MAX_NOTE:
        raise RefusalError("NOTE_FORM", "too long")
    try:
        note = data.decode()
    except UnicodeDecodeError:
        raise RefusalError("NOTE_ENCODING") from None
    if any(character < " " and character != "\n" for character in note):
        raise RefusalError("NOTE_ENCODING")
    gap = note.rfind("\n\n")
    if gap < 0 or not note.endswith("\n") or gap + 2 == len(note):
        raise RefusalError("NOTE_FORM", "no signatures")
    lines = note[gap + 2 : -1].split("\n")
    if len(lines) > 100:
        raise RefusalError("NOTE_FORM", "too many signatures")
    signatures = []
    for line in lines:
        parts = line.split(" ", 2)
        if len(parts) != 3 or parts[0] != "\u2014" or not good_name(parts[1]):
            raise RefusalError("NOTE_FORM", line)
        raw = unbase64(parts[2])
        if raw is None or len(raw) < 5:
            raise RefusalError("NOTE_FORM", line)
        signatures.append((parts[1], raw[:4], raw[4:]))
    return note[: gap + 1], signatures


def signature_verifies(key: Key, signature: bytes, text: str) -> bool:
    """Whether a signature line's bytes are the key's on the text."""
    if key.kind == 1:
        return ed25519(key.public, signature, text.encode())
    if len(signature) != 72:
        return False
    (time,) = struct.unpack(">Q", signature[:8])
    return time <= MAX_NUMBER and ed25519(key.public, signature[8:], f"cosignature/v1\ntime {time}\n{text}".encode())


class SignedNote:
    """The text of a note, the logs that signed it, and when each witness did."""

    def __init__(self, data: bytes, policy: "Policy") -> None:
        self.text, lines = parse_note(data)
        self.logs: set[str] = set()
        self.times: dict[bytes, int] = {}
        names = {key.id + key.name.encode(): name for name, key in policy.witnesses.items()}
        for name, identity, signature in lines:
            for key in policy.keys:
                if (key.name, key.id) == (name, identity):
                    if not signature_verifies(key, signature, self.text):
                        raise RefusalError("NOTE_SIGNATURE", name)
                    if key.kind == 1:
                        self.logs.add(key.name)
                    else:
                        witness = names[key.id + key.name.encode()]
                        self.times[witness] = max(self.times.get(witness, 0), struct.unpack(">Q", signature[:8])[0])
        if not self.logs:
            raise RefusalError("NOTE_UNSIGNED")


class Checkpoint:
    """A checkpoint that a trusted log signed, and when witnesses did."""

    def __init__(self, data: bytes, policy: "Policy") -> None:
        note = SignedNote(data, policy)
        text, logs = note.text, note.logs
        parts = text[:-1].split("\n")
        if len(parts) < 3 or "" in parts:
            raise RefusalError("NOTE_CHECKPOINT")
        self.origin = parts[0]
        size, root = number(parts[1]), unbase64(parts[2])
        if size is None or root is None or len(root) != 32:
            raise RefusalError("NOTE_CHECKPOINT")
        self.size, self.root = size, root
        if self.origin not in logs:
            raise RefusalError("NOTE_ORIGIN", self.origin)
        self.times = note.times
        self.witnesses = set(note.times)


class Receipt:
    """A log's promise that an act is in the tree by a time."""

    def __init__(self, data: bytes, policy: "Policy") -> None:
        note = SignedNote(data, policy)
        form = re.fullmatch(
            "dokja-receipt-v1\norigin ([^\n]+)\nleaf ([^\n]*)\nreceived ([^\n]*)\nmerged-by ([^\n]*)\n", note.text
        )
        leaf = unbase64(form[2]) if form else None
        if form is None or leaf is None or len(leaf) != 32:
            raise RefusalError("RECEIPT_FORM")
        received, merged_by = number(form[3]), number(form[4])
        if received is None or merged_by is None or merged_by < received:
            raise RefusalError("RECEIPT_FORM")
        self.origin, self.leaf, self.merged_by = form[1], leaf, merged_by
        if self.origin not in note.logs:
            raise RefusalError("NOTE_ORIGIN", self.origin)


class Policy:
    """Whom the reader trusts."""

    def __init__(self, data: bytes) -> None:
        self.keys: list[Key] = []
        self.witnesses: dict[bytes, Key] = {}
        self.groups: list[tuple[bytes, int, list[bytes]]] = []
        self.quorum: bytes | None = None
        self.defined: set[bytes] = set()
        self.used: set[bytes] = set()
        if len(data) > MAX_POLICY or any((byte < 32 and byte not in (9, 10)) or byte == 127 for byte in data):
            raise RefusalError("QUORUM_POLICY", "characters")
        for line in data.split(b"\n"):
            words = [word for word in re.split(rb"[ \t]+", line) if word]
            if words and not words[0].startswith(b"#"):
                self.read(words[0], words[1:])
        if self.quorum is None:
            raise RefusalError("QUORUM_POLICY", "no quorum")

    def read(self, kind: bytes, words: list[bytes]) -> None:
        """One line."""
        if kind == b"log" and len(words) in (1, 2):
            self.key(words[0], 1)
        elif kind == b"witness" and len(words) in (2, 3):
            key = self.key(words[1], 4)
            self.define(words[0])
            self.witnesses[words[0]] = key
        elif kind == b"group" and len(words) >= 3:
            self.group(words[0], words[1], words[2:])
        elif kind == b"quorum" and len(words) == 1 and self.quorum is None:
            if words[0] != b"none" and words[0] not in self.defined:
                raise RefusalError("QUORUM_NAME", words[0])
            self.quorum = words[0]
        else:
            raise RefusalError("QUORUM_POLICY", kind)

    def key(self, word: bytes, kind: int) -> Key:
        """A key of a line."""
        try:
            key = Key(word.decode())
        except ValueError:
            raise RefusalError("QUORUM_POLICY", word) from None
        if key.kind != kind:
            raise RefusalError("QUORUM_POLICY", word)
        if key.public in [other.public for other in self.keys]:
            raise RefusalError("QUORUM_DUPLICATE_KEY", word)
        self.keys.append(key)
        return key

    def define(self, name: bytes) -> None:
        """A new name."""
        if name == b"none" or name in self.defined:
            raise RefusalError("QUORUM_NAME", name)
        self.defined.add(name)

    def group(self, name: bytes, threshold: bytes, members: list[bytes]) -> None:
        """A line with a group."""
        for member in members:
            if member not in self.defined or member in self.used:
                raise RefusalError("QUORUM_NAME", member)
            self.used.add(member)
        if threshold == b"all":
            needed = len(members)
        elif threshold == b"any":
            needed = 1
        elif re.fullmatch(rb"[1-9][0-9]{0,5}", threshold) and int(threshold) <= len(members):
            needed = int(threshold)
        else:
            raise RefusalError("QUORUM_POLICY", threshold)
        self.define(name)
        self.groups.append((name, needed, members))

    def hold_quorum(self, witnesses: set[bytes]) -> None:
        """Refuse too few witnesses."""
        reached = set(witnesses) | {b"none"}
        for name, needed, members in self.groups:
            if len(reached.intersection(members)) >= needed:
                reached.add(name)
        if self.quorum not in reached:
            raise RefusalError("QUORUM_NOT_MET", f"{len(witnesses)} witnesses")

    def clock(self, times: dict[bytes, int]) -> int | None:
        """The latest time at or after which a quorum cosigned."""
        if self.quorum == b"none":
            return min(times.values()) if times else None
        for time in sorted(times.values(), reverse=True):
            try:
                self.hold_quorum({name for name in times if times[name] >= time})
            except RefusalError:
                continue
            return time
        return None


# The folder

SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


def good_path(path: str) -> bool:
    """Whether a bag can have this path."""
    return all(SEGMENT.fullmatch(segment) for segment in path.split("/"))


def manifest(bag: str, name: str) -> dict[str, str]:
    """The digests of a manifest by their paths."""
    data = content(os.path.join(bag, name), MAX_MANIFEST)
    if not data or not data.endswith(b"\n") or not data.isascii():
        raise RefusalError("BAG_MANIFEST", name)
    digests: dict[str, str] = {}
    for line in data[:-1].decode("ascii").split("\n"):
        digest, path = line[:64], line[66:]
        if not re.fullmatch("[0-9a-f]{64}", digest) or line[64:66] != "  " or not path or path in digests:
            raise RefusalError("BAG_MANIFEST", line)
        if "\r" in path or not good_path(path):
            raise RefusalError("BAG_PATH", path)
        digests[path] = digest
    return digests


def check_bag(bag: str) -> None:
    """The folder against its manifests."""
    declaration = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    if content(os.path.join(bag, "bagit.txt"), 100) != declaration:
        raise RefusalError("BAG_DECLARATION")
    if os.path.lexists(os.path.join(bag, "fetch.txt")):
        raise RefusalError("BAG_FETCH")
    payload = manifest(bag, "manifest-sha256.txt")
    tags = manifest(bag, "tagmanifest-sha256.txt")
    files = [path for path in walk(bag) if path != "tagmanifest-sha256.txt"]
    named = payload | tags
    for path in payload:
        if not path.startswith("data/"):
            raise RefusalError("BAG_PATH", path)
    for path in tags:
        if path.startswith("data/") or path == "tagmanifest-sha256.txt":
            raise RefusalError("BAG_PATH", path)
    for path in files:
        if not good_path(path):
            raise RefusalError("BAG_PATH", path)
    for path in sorted(set(named) - set(files)):
        raise RefusalError("BAG_MISSING", path)
    for path in sorted(set(files) - set(named)):
        raise RefusalError("BAG_EXTRA", path)
    for path in sorted(files):
        digest = hashlib.sha256()
        with open(os.path.join(bag, path), "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != named[path]:
            raise RefusalError("BAG_DIGEST", path)


# The tree


class Log:
    """The tiles of a log of one size."""

    def __init__(self, folder: str, size: int) -> None:
        self.folder, self.size = folder, size
        self.levels: list[bytes] = []
        self.latest: int | None = None

    def tiles(self, level: int) -> Iterator[tuple[int, int]]:
        """Index and width of every tile of a level."""
        count = self.size // 256**level
        yield from ((index, 256) for index in range(count // 256))
        if count % 256:
            yield count // 256, count % 256

    def read(self, level: str, index: int, width: int, limit: int) -> bytes:
        """What a tile holds."""
        path = tile_path(level, index, width)
        data = content(os.path.join(self.folder, path), limit)
        if data is None:
            raise RefusalError("TREE_TILE_MISSING", path)
        return data

    def hashes(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile."""
        data = self.read(str(level), index, width, 8192)
        if len(data) != 32 * width:
            raise RefusalError("TREE_TILE_SIZE", tile_path(str(level), index, width))
        return data

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The entries of a tile."""
        data, at, entries = self.read("entries", index, width, MAX_BUNDLE), 0, []
        for _ in range(width):
            if at + 2 > len(data):
                raise RefusalError("TREE_ENTRIES", index)
            (length,) = struct.unpack_from(">H", data, at)
            if at + 2 + length > len(data):
                raise RefusalError("TREE_ENTRIES", index)
            entries.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        if at != len(data):
            raise RefusalError("TREE_ENTRIES", index)
        return entries

    def entries(self) -> Iterator[bytes]:
        """All entries in order."""
        for index, width in self.tiles(0):
            yield from self.bundle(index, width)

    def check(self, root: bytes) -> None:
        """Every tile, then the root."""
        self.check_paths()
        leaves = bytearray()
        for index, width in self.tiles(0):
            hashes = self.hashes(0, index, width)
            for place, entry in enumerate(self.bundle(index, width)):
                if sha(b"\0", entry) != hashes[32 * place : 32 * place + 32]:
                    raise RefusalError("TREE_LEAF", index, 256 * index + place)
            leaves += hashes
        self.levels = [bytes(leaves)]
        for level in range(1, 8):
            count = self.size // 256**level
            below = self.levels[-1]
            blocks = (below[8192 * place : 8192 * place + 8192] for place in range(count))
            self.levels.append(b"".join(fold((0, each) for each in pieces(block)) for block in blocks))
            for index, width in self.tiles(level):
                expected = self.levels[level][8192 * index : 8192 * index + 32 * width]
                if self.hashes(level, index, width) != expected:
                    raise RefusalError("TREE_NODE", tile_path(str(level), index, width))
        if self.root(self.size) != root:
            raise RefusalError("TREE_ROOT")

    def check_paths(self) -> None:
        """No file but the tiles of this size."""
        for path in walk(self.folder):
            if path == "checkpoint" or path.startswith("checkpoints/"):
                continue
            found = re.fullmatch(
                r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", path, re.ASCII
            )
            if not found:
                raise RefusalError("TREE_PATH", path)
            level = 0 if found[1] == "entries" else int(found[1])
            index = int(found[2].replace("x", "").replace("/", ""))
            width = min(256, self.size // 256**level - 256 * index)
            if width < 1 or tile_path("entries" if found[1] == "entries" else str(level), index, width) != path:
                raise RefusalError("TREE_PATH", path)

    def root(self, size: int) -> bytes:
        """The root over the first entries, from the largest subtrees that the tiles hold."""
        nodes, done = [], 0
        for level in reversed(range(len(self.levels))):
            first, last = done // 256**level, size // 256**level
            nodes += [(8 * level, each) for each in pieces(self.levels[level][32 * first : 32 * last])]
            done = last * 256**level
        return fold(nodes) if size else sha()

    def hold_history(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint of another history."""
        if checkpoint.size > self.size or self.root(checkpoint.size) != checkpoint.root:
            raise RefusalError("FORK", checkpoint.size)


def tile_path(level: str, index: int, width: int) -> str:
    """The one path of a tile."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(reversed(groups))}" + (f".p/{width}" if width < 256 else "")


def pieces(hashes: bytes) -> list[bytes]:
    """Hashes that stand end to end."""
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def fold(nodes: Iterable[tuple[int, bytes]]) -> bytes:
    """The root over subtrees with their heights, from left to right."""
    stack: list[tuple[int, bytes]] = []
    for height, node in nodes:
        while stack and stack[-1][0] == height:
            node, height = sha(b"\1", stack.pop()[1], node), height + 1  # noqa: PLW2901
        stack.append((height, node))
    root = stack.pop()[1]
    while stack:
        root = sha(b"\1", stack.pop()[1], root)
    return root


# Entries

HIDDEN = {0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x202A, 0x202F), *range(0x2060, 0x2065)}
HIDDEN |= {*range(0x2066, 0x2070), *range(0xFFF9, 0xFFFC)}
HIDDEN_TEXT = re.compile("[" + "".join(map(chr, sorted(HIDDEN))) + "]")


def bad_number(text: str) -> Any:
    """JSON numbers that are none here."""
    raise ValueError(text[:20])


def integer(text: str) -> int:
    """An integer of JSON."""
    if len(text) > 17 or abs(int(text)) > MAX_SAFE_INTEGER:
        raise ValueError("too large")
    return int(text)


DECODER = json.JSONDecoder(parse_int=integer, parse_float=bad_number, parse_constant=bad_number)
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def ordered(value: Any) -> Any:
    """The value with every object's keys in order of their UTF-16 code units."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [ordered(each) for each in value] if isinstance(value, list) else value


def canonical(value: Any) -> bytes:
    """RFC 8785 for values without fractions."""
    return ENCODER.encode(ordered(value)).encode()


def depth_of(text: str) -> int:
    """How deep objects and arrays are nested, seen without parsing."""
    depth = deepest = at = 0
    inside = False
    while at < len(text):
        character = text[at]
        if inside:
            if character == "\\":
                at += 1
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
        at += 1
    return deepest


def parse_entry(body: bytes) -> Json:
    """The act that an entry is."""
    try:
        text = body.decode()
        if text.count("[") + text.count("{") > MAX_DEPTH and depth_of(text) > MAX_DEPTH:
            raise ValueError("too deep")
        act = DECODER.decode(text)
        if not isinstance(act, dict) or not isinstance(act.get("type"), str) or canonical(act) != body:
            raise ValueError("not canonical")
    except (ValueError, RecursionError) as error:
        raise RefusalError("ENTRY_NOT_CANONICAL", error) from None
    if not text.isascii() and HIDDEN_TEXT.search(text):
        raise RefusalError("ENTRY_HIDDEN_TEXT")
    return act


class Keys:
    """Who may sign, as the entries themselves say."""

    def __init__(self) -> None:
        self.holders: dict[str, tuple[Key, str]] = {}
        self.roots: dict[str, tuple[Key, str]] = {}
        self.threshold = 0
        self.seen: set[bytes] = set()
        self.counted: dict[tuple[str, Any], int] = {}

    def take(self, index: int, act: Json) -> None:
        """The next entry."""
        kind = act["type"]
        if kind == "genesis":
            if index:
                raise RefusalError("GENESIS")
            self.rule(act)
        elif not self.roots:
            if "signature" in act or kind in ("key-registered", "key-rotated"):
                raise RefusalError("SIGNER_NOT_AUTHORISED")
        elif kind == "key-rotated":
            self.rule(act)
        else:
            reference = self.signed(act)
            if kind == "key-registered":
                self.register(act, reference)
            self.count(act)

    def count(self, act: Json) -> None:
        """The running number of an act, where its actor numbers them."""
        stage = act.get("stage")
        of = (act["who"], stage if isinstance(stage, str) else None)
        due, number_said = self.counted.get(of, 0) + 1, act.get("sequence")
        if number_said is None and due == 1:
            return
        if type(number_said) is not int or number_said != due:
            raise RefusalError("ACT_SEQUENCE", f"{due} is due")
        self.counted[of] = due

    def signed(self, act: Json) -> str:
        """The key that signed an act."""
        if "signature" not in act:
            raise RefusalError("ACT_UNSIGNED")
        reference, value = parse_signature(act["signature"])
        key, holder = self.holders.get(reference, (None, None))
        if key is None or key.kind != 1 or holder != act.get("who"):
            raise RefusalError("SIGNER_NOT_AUTHORISED", reference)
        if not ed25519(key.public, value, act_message(act)):
            raise RefusalError("ACT_SIGNATURE", reference)
        return reference

    def register(self, act: Json, signer: str) -> None:
        """A new key for a holder."""
        if signer not in self.roots:
            raise RefusalError("SIGNER_NOT_AUTHORISED", signer)
        key, holder = parse_holder(act)
        old = act.get("replaces")
        if old is not None:
            known = isinstance(old, str) and old not in self.roots and old in self.holders
            if not known or self.holders[old][1] != holder:
                raise RefusalError("KEY_FORM", "replaces")
        self.add(key, holder)
        if old is not None:
            del self.holders[old]

    def add(self, key: Key, holder: str) -> None:
        """A key that was never seen."""
        if key.public in self.seen:
            raise RefusalError("KEY_TWICE", key.text)
        self.seen.add(key.public)
        self.holders[key.reference] = (key, holder)

    def rule(self, act: Json) -> None:
        """New roots."""
        roots, threshold = parse_roots(act)
        approvals = act.get("approvals", [])
        if not isinstance(approvals, list):
            raise RefusalError("ACT_SIGNATURE")
        approving: set[str] = set()
        for approval in approvals:
            reference, value = parse_signature(approval)
            held = self.roots.get(reference) or roots.get(reference)
            if held is None:
                raise RefusalError("SIGNER_NOT_AUTHORISED", reference)
            if not ed25519(held[0].public, value, act_message(act)):
                raise RefusalError("ACT_SIGNATURE", reference)
            approving.add(reference)
        if len(approving & set(self.roots)) < self.threshold or len(approving & set(roots)) < threshold:
            raise RefusalError("KEY_THRESHOLD")
        for reference in set(self.roots) - set(roots):
            del self.holders[reference]
        for reference, (key, holder) in roots.items():
            old = self.roots.get(reference)
            if old is None or (old[0].text, old[1]) != (key.text, holder):
                self.add(key, holder)
        self.roots, self.threshold = roots, threshold


class Draws:
    """What was drawn, as the entries themselves say."""

    def __init__(self) -> None:
        self.pools: dict[str, tuple[list[str], int]] = {}
        self.rankings: dict[str, list[str]] = {}
        self.left: dict[str, list[str]] = {}

    def take(self, act: Json) -> None:
        """The next entry."""
        kind = act["type"]
        if kind == "draw-announced":
            name, pool, drawn = act.get("id"), act.get("pool"), act.get("drawn")
            if not isinstance(name, str) or not isinstance(pool, list) or type(drawn) is not int:
                return
            good = all(isinstance(member, str) for member in pool) and 1 <= drawn <= len(pool) == len(set(pool))
            if good and name not in self.pools:
                self.pools[name] = (pool, drawn)
        elif kind in ("draw-made", "recusal"):
            name = act.get("draw")
            if not isinstance(name, str) or name not in self.pools:
                raise RefusalError("DRAW_NOT_ANNOUNCED", name)
            if kind == "draw-made":
                self.rank(name, act)
            else:
                self.leave(name, act)

    def rank(self, name: str, act: Json) -> None:
        """A draw that is made."""
        beacon = act.get("beacon")
        if not isinstance(beacon, str) or not re.fullmatch("[0-9a-f]{96}", beacon, re.ASCII):
            raise RefusalError("DRAW_RANKING", name)
        front = b"dokja-draw-v1\n" + sha(bytes.fromhex(beacon)) + name.encode() + b"\n"
        order = sorted(self.pools[name][0], key=lambda member: sha(front, member.encode()))
        if act.get("ranking") != order:
            raise RefusalError("DRAW_RANKING", name)
        self.rankings.setdefault(name, order)

    def leave(self, name: str, act: Json) -> None:
        """One who leaves."""
        order, left, member = self.rankings.get(name, []), self.left.setdefault(name, []), act.get("member")
        if member not in order or member in left:
            raise RefusalError("DRAW_RECUSAL", member)
        before = self.seats(name)
        left.append(str(member))
        new = [each for each in self.seats(name) if each not in before]
        if act.get("successor") != (new[0] if new else None):
            raise RefusalError("DRAW_SUCCESSOR", member)

    def seats(self, name: str) -> list[str]:
        """Who has a seat."""
        still = [member for member in self.rankings[name] if member not in self.left[name]]
        return still[: self.pools[name][1]]


def act_message(act: Json) -> bytes:
    """What an act's signatures are made over."""
    rest = {field: act[field] for field in act if field not in ("signature", "approvals")}
    return b"dokja-act-v1\n" + canonical(rest)


def parse_signature(value: Any) -> tuple[str, bytes]:
    """Key and bytes of a signature."""
    if isinstance(value, dict) and set(value) == {"key", "value"}:
        reference, encoded = value["key"], value["value"]
        if isinstance(reference, str) and isinstance(encoded, str):
            raw = unbase64(encoded)
            if raw is not None:
                return reference, raw
    raise RefusalError("ACT_SIGNATURE", "malformed")


def parse_holder(value: Any) -> tuple[Key, str]:
    """A key and its holder."""
    try:
        key, holder = Key(value["vkey"]), value["holder"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RefusalError("KEY_FORM") from None
    if not isinstance(holder, str) or not holder:
        raise RefusalError("KEY_FORM")
    return key, holder


def parse_roots(act: Json) -> tuple[dict[str, tuple[Key, str]], int]:
    """The roots that an act names, and how many must approve."""
    listed, threshold = act.get("roots"), act.get("threshold")
    if not isinstance(listed, list) or type(threshold) is not int:
        raise RefusalError("KEY_FORM")
    held = [parse_holder(each) for each in listed]
    if not 1 <= threshold <= len(held) or any(key.kind != 1 for key, _ in held):
        raise RefusalError("KEY_FORM")
    if len({key.public for key, _ in held}) < len(held):
        raise RefusalError("KEY_TWICE")
    return {key.reference: (key, holder) for key, holder in held}, threshold


# Sealed marks

IDENTIFIER = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", re.ASCII)
MARK = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?", re.ASCII)
MAX_OPENING = 2_000
MAX_OPENINGS = 2**30


def unbase64url(text: str) -> bytes | None:
    """The bytes that base64url without padding stands for."""
    if not re.fullmatch("[A-Za-z0-9_-]+", text, re.ASCII):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if base64.urlsafe_b64encode(data).decode().rstrip("=") == text else None


def salted(value: Any) -> bytes | None:
    """The 32 bytes that a digest or a salt spells."""
    data = unbase64url(value) if isinstance(value, str) else None
    return data if data is not None and len(data) == 32 else None


def identifier(value: Any) -> bool:
    """Whether a value is an id."""
    return isinstance(value, str) and len(value) <= 80 and IDENTIFIER.fullmatch(value) is not None


def identifiers(value: Any) -> bool:
    """Whether a value is an array of ids, none twice."""
    return isinstance(value, list) and all(map(identifier, value)) and len(set(value)) == len(value)


class Sealed:
    """The rows that are sealed, by stage, panel, subject and rater, and the stages that are closed."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], tuple[list[str], list[str], list[bytes]]] = {}
        self.acts: dict[str, str] = {}
        self.seen: set[bytes] = set()
        self.closed: set[str] = set()

    def take(self, act: Json) -> None:
        """The next entry."""
        if act["type"] == "marks-sealed":
            self.seal(act)
        elif act["type"] == "stage-sealed":
            self.close(act)
        elif act["type"] == "marks-opened":
            stage, listed = act.get("stage"), act.get("sealed")
            if (
                not identifier(stage)
                or not isinstance(listed, list)
                or not listed
                or not all(map(identifier, listed))
            ):
                raise RefusalError("GRID_FORM")
            if stage not in self.closed:
                raise RefusalError("GRID_ORDER", stage)
            for each in listed:
                if self.acts.get(each) != stage:
                    raise RefusalError("OPENING_UNKNOWN", each)

    def seal(self, act: Json) -> None:
        """A row."""
        subjects = [act[field] for field in ("measure", "gate") if act.get(field) is not None]
        teams, criteria, cells = act.get("teams"), act.get("criteria", []), act.get("cells")
        if len(subjects) != 1 or not all(map(identifier, [act.get("id"), *subjects])):
            raise RefusalError("GRID_FORM")
        key: tuple[Any, ...] = (act.get("stage"), act.get("panel"), subjects[0], act.get("rater"))
        if not all(map(identifier, key)) or not isinstance(cells, list):
            raise RefusalError("GRID_FORM")
        if not identifiers(teams) or not teams or teams != sorted(teams) or not identifiers(criteria):
            raise RefusalError("GRID_FORM", "teams or criteria")
        digests = [digest for cell in cells if (digest := salted(cell)) is not None]
        if len(digests) < len(cells) or (len(criteria) == 0) != (act.get("measure") is None):
            raise RefusalError("GRID_FORM", "cells or criteria")
        if len(cells) != len(teams) * max(1, len(criteria)):
            raise RefusalError("GRID_INCOMPLETE", len(cells))
        if key[0] in self.closed:
            raise RefusalError("GRID_ORDER", key[0])
        if key in self.rows or act["id"] in self.acts:
            raise RefusalError("GRID_TWICE", "/".join(key))
        if len(set(digests)) < len(digests) or self.seen.intersection(digests):
            raise RefusalError("GRID_TWICE", "digest")
        self.seen.update(digests)
        self.rows[key] = (teams, criteria, digests)
        self.acts[act["id"]] = key[0]

    def close(self, act: Json) -> None:
        """No more rows of a stage."""
        stage, cells, root = act.get("stage"), act.get("cells"), salted(act.get("root"))
        if not identifier(stage) or type(cells) is not int or root is None:
            raise RefusalError("GRID_FORM")
        if stage in self.closed:
            raise RefusalError("GRID_TWICE", stage)
        digests = [digest for key in sorted(self.rows) if key[0] == stage for digest in self.rows[key][2]]
        if not digests or len(digests) != cells:
            raise RefusalError("GRID_INCOMPLETE", len(digests))
        if tree_root([sha(b"\0", digest) for digest in digests]) != root:
            raise RefusalError("GRID_ROOT", stage)
        self.closed.add(str(stage))

    def cell(self, name: str) -> tuple[bytes, bool]:
        """The digest of a cell, and whether it holds a vote."""
        parts = name.split("/")
        if len(parts) in (5, 6) and tuple(parts[:4]) in self.rows:
            teams, criteria, digests = self.rows[tuple(parts[:4])]
            if parts[4] in teams and parts[5:] in ([[criterion] for criterion in criteria] or [[]]):
                place = teams.index(parts[4]) * max(1, len(criteria))
                return digests[place + (criteria.index(parts[5]) if criteria else 0)], not criteria
        raise RefusalError("OPENING_UNKNOWN", name)

    def check_openings(self, data: bytes) -> None:
        """A file of openings."""
        if len(data) > MAX_OPENINGS or not data.endswith(b"\n"):
            raise RefusalError("OPENING_FORM", "last line")
        opened: set[str] = set()
        salts: set[str] = set()
        for line in data[:-1].split(b"\n"):
            salt, name, value = parse_opening(line)
            digest, vote = self.cell(name)
            if not good_value(value, vote):
                raise RefusalError("OPENING_FORM", name)
            if sha(line) != digest:
                raise RefusalError("OPENING_WRONG", name)
            if name in opened:
                raise RefusalError("OPENING_TWICE", name)
            if salt in salts:
                raise RefusalError("OPENING_SALT", name)
            opened.add(name)
            salts.add(salt)


def tree_root(hashes: list[bytes]) -> bytes:
    """The root over leaf hashes: pairs are joined level by level, what is odd moves up."""
    while len(hashes) > 1:
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [sha(b"\1", left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)] + odd
    return hashes[0]


def parse_opening(line: bytes) -> tuple[str, str, Any]:
    """Salt, name and value."""
    try:
        data = unbase64url(line.decode("ascii")) if len(line) <= MAX_OPENING else None
        said = json.loads(
            (data or b"").decode(), parse_int=no_number, parse_float=no_number, parse_constant=no_number
        )
        if not isinstance(said, list) or len(said) != 3 or canonical(said) != data:
            raise ValueError("not an array of three in canonical bytes")
    except (ValueError, RecursionError) as error:
        raise RefusalError("OPENING_FORM", error) from None
    salt, name, value = said
    if not isinstance(salt, str) or not isinstance(name, str) or name in ("_sd", "..."):
        raise RefusalError("OPENING_FORM", "salt or name")
    if salted(salt) is None:
        raise RefusalError("OPENING_SALT", name)
    return salt, name, value


def no_number(text: str) -> Any:
    """Numbers are not written bare."""
    raise ValueError(text[:40])


def good_value(value: Any, vote: bool) -> bool:
    """Whether a cell can hold a value."""
    if value in ({"absent": "recused"}, {"absent": "no-mark"}):
        return True
    return isinstance(value, bool) if vote else isinstance(value, str) and MARK.fullmatch(value) is not None


def seconds(when: Any) -> list[int]:
    """A time in seconds since 1970; nothing for anything that is none."""
    if not isinstance(when, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when, re.ASCII):
        return []
    try:
        moment = dt.datetime.strptime(when, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return []
    return [int(moment.timestamp())]


def check_entries(log: Log, genesis: str | None) -> Sealed:
    """Every entry, its keys, what was drawn and sealed; the log learns the latest time of an entry."""
    keys, draws, sealed = Keys(), Draws(), Sealed()
    latest: list[int] = []
    if genesis is not None and not log.size:
        raise RefusalError("GENESIS")
    for index, body in enumerate(log.entries()):
        try:
            if index == 0 and genesis not in (None, "sha256:" + sha(body).hex()):
                raise RefusalError("GENESIS")
            act = parse_entry(body)
            keys.take(index, act)
            draws.take(act)
            sealed.take(act)
            latest = sorted([*latest, *seconds(act.get("when"))])[-1:]
        except RefusalError as refusal:
            refusal.index = index
            raise
    log.latest = latest[0] if latest else None
    return sealed


# Proofs


class Proof:
    """A file with the proof of one entry."""

    def __init__(self, data: bytes) -> None:
        gap = data.find(b"\n\n")
        if len(data) > MAX_PROOF or gap < 0:
            raise RefusalError("TREE_PROOF_FORM")
        head, self.checkpoint = data[:gap], data[gap + 2 :]
        if any(byte > 127 or (byte < 32 and byte != 10) for byte in head):
            raise RefusalError("TREE_PROOF_FORM", "characters")
        lines = head.decode("ascii").split("\n")
        if lines.pop(0) != "c2sp.org/tlog-proof@v1":
            raise RefusalError("TREE_PROOF_FORM", "first line")
        if lines and lines[0].startswith("extra ") and unbase64(lines.pop(0)[6:]) is None:
            raise RefusalError("TREE_PROOF_FORM", "extra")
        if not lines or not lines[0].startswith("index "):
            raise RefusalError("TREE_PROOF_FORM", "index")
        index = number(lines.pop(0)[6:])
        path = [unbase64(line) for line in lines]
        if index is None or len(path) > 63:
            raise RefusalError("TREE_PROOF_FORM", "index")
        self.index, self.path = index, [each for each in path if each is not None and len(each) == 32]
        if len(self.path) != len(path):
            raise RefusalError("TREE_PROOF_FORM", "hashes")

    def check(self, entry: bytes, policy: Policy) -> Checkpoint:
        """Checkpoint, quorum, index, path."""
        checkpoint = Checkpoint(self.checkpoint, policy)
        policy.hold_quorum(checkpoint.witnesses)
        if self.index >= checkpoint.size:
            raise RefusalError("TREE_PROOF_INDEX", self.index)
        if rebuild(sha(b"\0", entry), self.index, checkpoint.size, self.path) != checkpoint.root:
            raise RefusalError("TREE_INCLUSION", self.index, self.index)
        return checkpoint


def rebuild(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to, from the root's side downward (RFC 6962, section 2.1.1)."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        below = rebuild(leaf, index, left, path[:-1])
        return None if below is None else sha(b"\1", below, path[-1])
    below = rebuild(leaf, index - left, size - left, path[:-1])
    return None if below is None else sha(b"\1", path[-1], below)


# The whole


def check_earlier(log: Log, policy: Policy, newest: Checkpoint) -> None:
    """Checkpoints beside the newest one."""
    folder = os.path.join(log.folder, "checkpoints")
    for name in sorted(walk(folder), key=lambda name: (len(name), name)):
        size = number(name)
        if size is None:
            raise RefusalError("TREE_PATH", name)
        earlier = Checkpoint(content(os.path.join(folder, name), MAX_NOTE) or b"", policy)
        if earlier.origin != newest.origin:
            raise RefusalError("NOTE_ORIGIN", name)
        if earlier.size != size:
            raise RefusalError("TREE_PATH", name)
        log.hold_history(earlier)


def check_proofs(bag: str, log: Log, policy: Policy, newest: Checkpoint) -> None:
    """Proofs beside the log."""
    folder = os.path.join(bag, "data", "proofs")
    for name in sorted(walk(folder), key=lambda name: (len(name), name)):
        index = number(name.removesuffix(".tlog-proof")) if name.endswith(".tlog-proof") else None
        if index is None:
            raise RefusalError("TREE_PATH", name)
        proof = Proof(content(os.path.join(folder, name), MAX_PROOF) or b"")
        if proof.index != index or index >= log.size:
            raise RefusalError("TREE_PROOF_INDEX", name, index)
        tile = index // 256
        entry = log.bundle(tile, min(256, log.size - 256 * tile))[index % 256]
        checkpoint = proof.check(entry, policy)
        if checkpoint.origin != newest.origin:
            raise RefusalError("NOTE_ORIGIN", name)
        log.hold_history(checkpoint)


def check_receipt(data: bytes, log: Log, policy: Policy, newest: Checkpoint, now: int | None) -> None:
    """A receipt that somebody kept."""
    receipt = Receipt(data, policy)
    if receipt.origin != newest.origin:
        raise RefusalError("NOTE_ORIGIN", receipt.origin)
    leaves = log.levels[0] if log.levels else b""
    merged = any(leaves[at : at + 32] == receipt.leaf for at in range(0, len(leaves), 32))
    if now is not None and not merged and now >= receipt.merged_by:
        raise RefusalError("RECEIPT_NOT_MERGED", receipt.leaf.hex())


def check_kept(data: bytes, log: Log, policy: Policy, newest: Checkpoint) -> None:
    """A checkpoint that somebody kept."""
    kept = Checkpoint(data, policy)
    if kept.origin != newest.origin:
        raise RefusalError("NOTE_ORIGIN", kept.origin)
    if kept.size > newest.size:
        raise RefusalError("ROLLED_BACK", kept.size)
    log.hold_history(kept)


def verify(
    bag: str,
    policy_text: bytes,
    genesis: str | None = None,
    receipts: Sequence[bytes] = (),
    kept: Sequence[bytes] = (),
) -> list[RefusalError]:
    """What is wrong with a bundle, stage by stage; then with what others kept of its log."""
    wrong: list[RefusalError] = []

    def passes(check: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return check(*arguments) or True
        except RefusalError as refusal:
            wrong.append(refusal)
            return None

    policy = passes(Policy, policy_text)
    if policy is None:
        return wrong
    passes(check_bag, bag)
    folder = os.path.join(bag, "data", "log")
    newest = passes(Checkpoint, content(os.path.join(folder, "checkpoint"), MAX_NOTE) or b"", policy)
    if newest is None:
        return wrong
    passes(policy.hold_quorum, newest.witnesses)
    log = Log(folder, newest.size)
    if passes(log.check, newest.root):
        sealed = passes(check_entries, log, genesis)
        passes(check_earlier, log, policy, newest)
        passes(check_proofs, bag, log, policy, newest)
        openings = os.path.join(bag, "data", "openings")
        if sealed is not None and os.path.lexists(openings):
            passes(sealed.check_openings, content(openings, MAX_OPENINGS) or b"")
        clock = policy.clock(newest.times)
        now = log.latest if clock is None else clock
        for data in receipts:
            passes(check_receipt, data, log, policy, newest, now)
        for data in kept:
            passes(check_kept, data, log, policy, newest)
    return wrong


def verify_proof(proof: bytes, entry: bytes, policy_text: bytes) -> list[RefusalError]:
    """What is wrong with one entry and its proof."""
    try:
        Proof(proof).check(entry, Policy(policy_text))
        parse_entry(entry)
    except RefusalError as refusal:
        return [refusal]
    return []


def verify_note(note: bytes, policy_text: bytes) -> list[RefusalError]:
    """What is wrong with a checkpoint."""
    try:
        policy = Policy(policy_text)
        policy.hold_quorum(Checkpoint(note, policy).witnesses)
    except RefusalError as refusal:
        return [refusal]
    return []


def verify_entry(entry: bytes) -> list[RefusalError]:
    """What is wrong with one entry by itself."""
    try:
        parse_entry(entry)
    except RefusalError as refusal:
        return [refusal]
    return []


def given(path: str) -> bytes:
    """A file named on the command line."""
    with open(path, "rb") as file:
        return file.read(MAX_PROOF + 1)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check a published record.")
    parser.add_argument("bundle", nargs="?", help="a bundle's folder")
    for option in ("policy", "proof", "note", "entry"):
        parser.add_argument(f"--{option}", metavar="FILE")
    for option in ("receipt", "checkpoint"):
        parser.add_argument(f"--{option}", metavar="FILE", action="append", default=[], help="kept by somebody")
    parser.add_argument("--genesis", metavar="sha256:...", help="digest of the first entry, known from elsewhere")
    asked = parser.parse_args(arguments)
    try:
        if asked.entry and not asked.proof:
            wrong = verify_entry(given(asked.entry))
        elif asked.policy is None:
            parser.error("--policy is missing: name a file that says whom you trust")
        elif asked.proof and asked.entry:
            wrong = verify_proof(given(asked.proof), given(asked.entry), given(asked.policy))
        elif asked.note:
            wrong = verify_note(given(asked.note), given(asked.policy))
        elif asked.bundle and os.path.isdir(asked.bundle):
            kept = [given(path) for path in asked.checkpoint]
            receipts = [given(path) for path in asked.receipt]
            wrong = verify(asked.bundle, given(asked.policy), asked.genesis, receipts, kept)
        else:
            parser.error("name a bundle's folder, or --note, or --proof and --entry")
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    for refusal in wrong:
        print(refusal.code, "-" if refusal.index is None else refusal.index, refusal.where)
    if not wrong:
        print("OK: nothing is wrong. Integrity only: no decision was judged.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
