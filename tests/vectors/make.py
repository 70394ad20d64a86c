"""Makes the vectors of `tests/vectors/`: `python -m tests.vectors.make`. The same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dokja.record.draws import ranking
from dokja.record.merkle import leaf_hash, node_hash
from dokja.record.transparency.cosignature import cosign, sign
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import COSIGNATURE, ED25519, Note, SignatureLine, VerifierKey, base64_of
from dokja.record.transparency.proof_file import ProofFile
from dokja.record.transparency.receipt import give_receipt
from tests.record.rounds import SIGNATURES
from tests.record.transparency.at_hand import OFFICE, ORIGIN, WITNESSES, checkpoint, note, policy, signer, tree_of
from tests.vectors.build import (
    GENESIS,
    KEYED,
    NEW_ROOT,
    NEW_TEAM,
    ROOTS,
    TEAM,
    Files,
    Json,
    Vector,
    another_origin,
    approved,
    bag,
    bodies,
    founding,
    log,
    proof,
    record,
    registered,
    retagged,
    signed,
    statement,
    unsigned,
)
from tests.vectors.sealing import grids, openings

FOLDER = Path(__file__).parent / "files"
Named = Iterator[tuple[str, Vector]]

ENTRIES = unsigned(7)
TREE = tree_of(ENTRIES)
GOOD = note(checkpoint(TREE))
TEXT = checkpoint(TREE).text
SIGNED = sign(TEXT, OFFICE.name, OFFICE.private)
COSIGNED = tuple(cosign(TEXT, each.name, each.private, 1_800_000_000) for each in WITNESSES)
STRANGER = signer("stranger.example/x")


def written(text: str, *lines: SignatureLine) -> bytes:
    return bytes(Note(text, lines))


def fully(text: str) -> bytes:
    """Any text, signed by the log and by enough witnesses."""
    lines = [sign(text, OFFICE.name, OFFICE.private)]
    return written(text, *lines, *(cosign(text, each.name, each.private, 1_800_000_000) for each in WITNESSES[:2]))


def at_size(size: str, root: str = base64_of(TREE.root()), origin: str = ORIGIN, rest: str = "") -> bytes:
    return fully(f"{origin}\n{size}\n{root}\n{rest}")


def notes() -> Named:
    def of(data: bytes, *expected: str) -> Vector:
        return Vector("note", expected, {"note": data})

    strangers = [sign(TEXT, f"stranger.example/{number}", STRANGER.private) for number in range(101)]
    bad = SignatureLine(SIGNED.name, SIGNED.id, bytes(64))
    late = SignatureLine(COSIGNED[0].name, COSIGNED[0].id, bytes(7) + b"\x01" + COSIGNED[0].signature[8:])
    beyond = cosign(TEXT, WITNESSES[0].name, WITNESSES[0].private, 2**63)
    untimed = SignatureLine(COSIGNED[0].name, COSIGNED[0].id, WITNESSES[0].private.sign(TEXT.encode()))
    as_witness = SignatureLine(SIGNED.name, SIGNED.id, cosign(TEXT, ORIGIN, OFFICE.private, 1).signature)
    loose = str(SIGNED)[:-3] + {"=": "=", "A": "B", "Q": "R", "g": "h", "w": "x"}.get(str(SIGNED)[-3], "B") + "=\n"
    yield "note-valid", of(GOOD)
    yield "note-sixteen-strangers", of(written(TEXT, SIGNED, *strangers[:16], *COSIGNED))
    yield "note-same-line-twice", of(written(TEXT, SIGNED, SIGNED, *COSIGNED[:2], COSIGNED[0]))
    yield "note-extension-line", of(at_size("7", rest="more\n"))
    yield (
        "note-same-name-other-id",
        of(written(TEXT, SignatureLine(ORIGIN, bytes(4), bytes(64)), SIGNED, *COSIGNED[:2])),
    )
    yield "note-crlf", of(GOOD.replace(b"\n", b"\r\n"), "NOTE_ENCODING")
    yield "note-tab", of(GOOD.replace(b"\n\n", b"\t\n\n"), "NOTE_ENCODING")
    yield "note-nul", of(GOOD + b"\0", "NOTE_ENCODING")
    yield "note-not-utf-8", of(GOOD.replace(b"record", b"rec\xffrd"), "NOTE_ENCODING")
    yield "note-surrogate", of(GOOD.replace(b"record", b"rec\xed\xa0\x80rd"), "NOTE_ENCODING")
    yield "note-two-notes", of(GOOD + b"\n" + GOOD, "NOTE_SIGNATURE")
    yield "note-two-notes-as-text", of(written(GOOD.decode(), SIGNED, *COSIGNED[:2]), "NOTE_SIGNATURE")
    yield "note-two-notes-signed", of(fully(GOOD.decode()), "NOTE_CHECKPOINT")
    yield "note-empty", of(b"", "NOTE_FORM")
    yield "note-no-signatures", of(TEXT.encode() + b"\n", "NOTE_FORM")
    yield "note-no-last-line-end", of(GOOD[:-1], "NOTE_FORM")
    yield "note-too-many-signatures", of(written(TEXT, *strangers), "NOTE_FORM")
    yield "note-too-long", Vector("note", ("NOTE_FORM",), {"note": GOOD}, padding={"note": 1_000_000})
    yield "note-hyphen", of(GOOD.replace("— ".encode(), b"- "), "NOTE_FORM")
    yield "note-base64-broken", of(GOOD.replace(b"=\n", b"\n"), "NOTE_FORM")
    yield "note-base64-loose-bits", of(f"{TEXT}\n{loose}".encode(), "NOTE_FORM")
    yield "note-base64-url", of(f"{TEXT}\n— {ORIGIN} AAAA_-AA\n".encode(), "NOTE_FORM")
    yield "note-signature-of-no-bytes", of(f"{TEXT}\n— {ORIGIN} {base64_of(SIGNED.id)}\n".encode(), "NOTE_FORM")
    yield "note-no-break-space-in-name", of(f"{TEXT}\n— a\u00a0b {base64_of(bytes(68))}\n".encode(), "NOTE_FORM")
    yield "note-zero-width-in-name", of(GOOD.replace(f"— {ORIGIN}".encode(), f"— {ORIGIN}\u200b".encode()), *UNSIGNED)
    yield "note-only-strangers", of(written(TEXT, *strangers[:3]), *UNSIGNED)
    yield "note-only-witnesses", of(written(TEXT, *COSIGNED), *UNSIGNED)
    yield "note-known-key-bad-signature", of(written(TEXT, bad, *COSIGNED[:2]), "NOTE_SIGNATURE")
    yield "note-good-and-bad-of-one-key", of(written(TEXT, SIGNED, bad, *COSIGNED[:2]), "NOTE_SIGNATURE")
    yield "note-witness-time-changed", of(written(TEXT, SIGNED, late, COSIGNED[1]), "NOTE_SIGNATURE")
    yield "note-witness-time-2-to-63", of(written(TEXT, SIGNED, beyond, COSIGNED[1]), "NOTE_SIGNATURE")
    yield "note-witness-without-time", of(written(TEXT, SIGNED, untimed, COSIGNED[1]), "NOTE_SIGNATURE")
    yield "note-log-signs-as-witness", of(written(TEXT, as_witness, *COSIGNED[:2]), "NOTE_SIGNATURE")
    for name, size in {
        "leading-zero": "0999",
        "plus": "+1",
        "minus": "-1",
        "2-to-63": str(2**63),
        "2-to-64": str(2**64),
        "5000-digits": "9" * 5000,
        "full-width": "７",
        "exponent": "1e3",
        "space": " 7",
        "underscore": "1_0",
        "nothing": "x",
    }.items():
        yield f"checkpoint-size-{name}", of(at_size(size), "NOTE_CHECKPOINT")
    yield "checkpoint-root-short", of(at_size("7", base64_of(bytes(31))), "NOTE_CHECKPOINT")
    yield "checkpoint-root-in-hexadecimal", of(at_size("7", "00" * 32), "NOTE_CHECKPOINT")
    yield "checkpoint-two-lines", of(fully(f"{ORIGIN}\n7\n"), "NOTE_CHECKPOINT")
    yield "checkpoint-empty-line", of(at_size("7", rest="\nmore\n"), "NOTE_CHECKPOINT")
    yield "checkpoint-no-origin", of(at_size("7", origin=""), "NOTE_CHECKPOINT")
    yield "checkpoint-other-origin", of(at_size("7", origin="record.example/other"), "NOTE_ORIGIN")
    yield "checkpoint-bidi-in-origin", of(at_size("7", origin=ORIGIN + "\u202e"), "NOTE_ORIGIN")
    yield "quorum-not-met", of(note(checkpoint(TREE), witnesses=1), "QUORUM_NOT_MET")
    yield "quorum-one-witness-twice", of(written(TEXT, SIGNED, COSIGNED[0], COSIGNED[0]), "QUORUM_NOT_MET")


UNSIGNED = ("NOTE_UNSIGNED",)


def policies() -> Named:
    def of(text: str | bytes, *expected: str) -> Vector:
        return Vector("note", expected, {"note": GOOD}, text if isinstance(text, bytes) else text.encode())

    a, b, c = (str(each.key(COSIGNATURE)) for each in WITNESSES)
    head = f"log {OFFICE.key()}\nwitness A {a}\nwitness B {b}\nwitness C {c}\n"
    renamed = VerifierKey("witness.example/other", COSIGNATURE, WITNESSES[0].key().public)
    office_as_witness = VerifierKey(ORIGIN, COSIGNATURE, OFFICE.key().public)
    chain = "group g0 all A B\n" + "".join(f"group g{n + 1} any g{n}\n" for n in range(31)) + "quorum g31\n"
    wrong_id = str(OFFICE.key()).replace(OFFICE.key().id.hex(), "00000000")
    upper = str(OFFICE.key()).replace(OFFICE.key().id.hex(), OFFICE.key().id.hex().upper())
    log_line = f"log {OFFICE.key()}\n"
    yield "policy-none", of(log_line + "quorum none\n")
    yield (
        "policy-spaces-comments-urls",
        of(f"# who\n\n \tlog\t{OFFICE.key()}  https://a.example/\nwitness \xff {a} u\nquorum \xff".encode("latin-1")),
    )
    yield "policy-32-groups", of(head + chain)
    yield "policy-one-key-under-two-names", of(f"{head}witness D {renamed}\nquorum A\n", "QUORUM_DUPLICATE_KEY")
    yield "policy-log-is-witness", of(f"{head}witness D {office_as_witness}\nquorum D\n", "QUORUM_DUPLICATE_KEY")
    yield "policy-log-twice", of(head + log_line + "quorum A\n", "QUORUM_DUPLICATE_KEY")
    yield "policy-cycle", of(head + "group x all A y\ngroup y all B x\nquorum x\n", "QUORUM_NAME")
    yield "policy-group-of-itself", of(head + "group x any x\nquorum x\n", "QUORUM_NAME")
    yield "policy-member-twice", of(head + "group x 2 A A\nquorum x\n", "QUORUM_NAME")
    yield "policy-member-of-two-groups", of(head + "group x any A\ngroup y any A B\nquorum y\n", "QUORUM_NAME")
    yield "policy-quorum-before-group", of(head + "quorum x\ngroup x any A\n", "QUORUM_NAME")
    yield "policy-name-twice", of(f"log {OFFICE.key()}\nwitness A {a}\nwitness A {b}\nquorum A\n", "QUORUM_NAME")
    yield "policy-called-none", of(f"log {OFFICE.key()}\nwitness none {a}\nquorum none\n", "QUORUM_NAME")
    yield "policy-none-as-member", of(head + "group x any none A\nquorum x\n", "QUORUM_NAME")
    yield "policy-kelvin-is-not-k", of(f"log {OFFICE.key()}\nwitness K {a}\nquorum \u212a\n", "QUORUM_NAME")
    broken = {
        "two-quorums": head + "quorum A\nquorum A\n",
        "no-quorum": head,
        "empty": "",
        "unknown-word": head + "trust A\nquorum A\n",
        "log-key-of-a-witness": f"log {a}\nquorum none\n",
        "witness-key-of-a-log": f"{log_line}witness A {WITNESSES[0].key(ED25519)}\nquorum A\n",
        "wrong-id": f"log {wrong_id}\nquorum none\n",
        "upper-case-id": f"log {upper}\nquorum none\n",
        "crlf": head.replace("\n", "\r\n") + "quorum A\r\n",
        "nul": head + "quorum A\0\n",
        "delete": head + "quorum A\x7f\n",
        "threshold-0": head + "group x 0 A B\nquorum x\n",
        "threshold-3-of-2": head + "group x 3 A B\nquorum x\n",
        "threshold-plus": head + "group x +1 A B\nquorum x\n",
        "threshold-01": head + "group x 01 A B\nquorum x\n",
        "threshold-5000-digits": head + f"group x {'9' * 5000} A B\nquorum x\n",
        "group-of-none": head + "group x all\nquorum x\n",
        "four-words": f"log {OFFICE.key()} url more\nquorum none\n",
    }
    for name, text in broken.items():
        yield f"policy-{name}", of(text, "QUORUM_POLICY")
    too_long = (head + "quorum A\n#").encode()
    yield (
        "policy-too-long",
        Vector("note", ("QUORUM_POLICY",), {"note": GOOD}, too_long, padding={"policy": 1_000_000}),
    )
    yield "policy-key-not-utf-8", of(b"log \xff+00000000+AA==\nquorum none\n", "QUORUM_POLICY")


def entries() -> Named:
    def of(body: bytes, *expected: str) -> Vector:
        return Vector("entry", expected, {"entry": body})

    def nested(depth: int) -> bytes:
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b',"type":"statement"}'

    yield "entry-valid", of(ENTRIES[0])
    yield "entry-order-of-utf-16", of('{"type":"x","\U0001f600":1,"\ufb33":2}'.encode())
    yield "entry-escapes", of(b'{"a":"\\b\\t\\n\\f\\r\\u000f\\"\\\\/\x7f","type":"x"}')
    yield "entry-largest-integer", of(b'{"a":9007199254740991,"b":-9007199254740991,"type":"x"}')
    yield "entry-64-deep", of(nested(64))
    yield "entry-brackets-in-text", of(b'{"a":"' + b"[" * 20_000 + b'\\"[","type":"x"}')
    broken = {
        "65-deep": nested(65),
        "60000-deep": nested(30_000),
        "60000-deep-and-open": b'{"a":' + b"[" * 60_000,
        "60000-objects-deep": b'{"a":' * 12_000,
        "5000-digits": b'{"a":' + b"9" * 5000 + b',"type":"x"}',
        "2-to-53": b'{"a":9007199254740992,"type":"x"}',
        "lone-surrogate-escaped": b'{"a":"\\ud800","type":"x"}',
        "lone-surrogate-raw": b'{"a":"\xed\xa0\x80","type":"x"}',
        "surrogates-reversed": b'{"a":"\\udc00\\ud800","type":"x"}',
        "lone-surrogate-in-key": b'{"\\udfff":1,"type":"x"}',
        "overlong": b'{"a":"\xc0\xaf","type":"x"}',
        "byte-order-mark": b"\xef\xbb\xbf" + ENTRIES[0],
        "key-twice": b'{"a":1,"a":2,"type":"x"}',
        "keys-out-of-order": b'{"type":"x","a":1}',
        "order-of-code-points": '{"\ufb33":2,"\U0001f600":1,"type":"x"}'.encode(),
        "space": b'{"a": 1,"type":"x"}',
        "line-end": ENTRIES[0] + b"\n",
        "two": ENTRIES[0] * 2,
        "fraction": b'{"a":1.5,"type":"x"}',
        "fraction-of-zero": b'{"a":1.0,"type":"x"}',
        "exponent": b'{"a":1e2,"type":"x"}',
        "minus-zero": b'{"a":-0,"type":"x"}',
        "leading-zero": b'{"a":01,"type":"x"}',
        "not-a-number": b'{"a":NaN,"type":"x"}',
        "infinity": b'{"a":-Infinity,"type":"x"}',
        "escaped-letter": b'{"a":"\\u0061","type":"x"}',
        "upper-case-escape": b'{"a":"\\u000F","type":"x"}',
        "escaped-slash": b'{"a":"\\/","type":"x"}',
        "raw-control": b'{"a":"\x01","type":"x"}',
        "list": b'["type"]',
        "text": b'"type"',
        "nothing": b"",
        "no-type": b'{"a":1}',
        "type-is-a-number": b'{"type":1}',
    }
    for name, body in broken.items():
        yield f"entry-{name}", of(body, "ENTRY_NOT_CANONICAL")
    hidden = {"zero-width": "\u200b", "bidi": "\u202e", "isolate": "\u2066", "joiner": "\u2060", "bom": "\ufeff"}
    for name, character in hidden.items():
        body = rfc8785.dumps(statement(1, words=f"가{character}나"))
        yield f"entry-hidden-{name}", of(body, "ENTRY_HIDDEN_TEXT")


def proofs() -> Named:
    good = proof(ENTRIES, 5)
    whole = bytes(good)

    def of(data: bytes, *expected: str, entry: bytes = ENTRIES[5]) -> Vector:
        return Vector("proof", expected, {"proof": data, "entry": entry})

    def told(index: int, path: tuple[bytes, ...], head: bytes = good.checkpoint) -> bytes:
        return bytes(ProofFile(index, path, head))

    pair = leaf_hash(ENTRIES[4]) + leaf_hash(ENTRIES[5])
    shorter = (good.path[1], good.path[2])
    assert node_hash(pair[:32], pair[32:]) == TREE.perfect(1, 2)
    yield "proof-valid", of(whole)
    yield "proof-with-extra", of(bytes(ProofFile(5, good.path, good.checkpoint, b"anything")))
    yield "proof-of-an-only-entry", of(bytes(proof(ENTRIES[:1], 0)), entry=ENTRIES[0])
    for name, index in {
        "leading-zero": b"0999",
        "plus": b"+1",
        "2-to-64": str(2**64).encode(),
        "minus": b"-5",
        "full-width": "５".encode(),
        "5000-digits": b"5" * 5000,
        "nothing": b"",
    }.items():
        yield f"proof-index-{name}", of(whole.replace(b"index 5", b"index " + index), "TREE_PROOF_FORM")
    yield "proof-index-beyond", of(told(7, good.path), "TREE_PROOF_INDEX")
    yield "proof-index-far-beyond", of(told(2**63 - 1, good.path), "TREE_PROOF_INDEX")
    yield "proof-of-another-index", of(told(4, good.path), "TREE_INCLUSION")
    yield "proof-of-another-entry", of(whole, "TREE_INCLUSION", entry=ENTRIES[4])
    yield "proof-leaf-node-confusion", of(told(2, shorter), "TREE_INCLUSION", entry=pair)
    yield "proof-node-prefix-in-entry", of(told(2, shorter), "TREE_INCLUSION", entry=b"\x01" + pair)
    yield "proof-hash-more", of(told(5, (*good.path, bytes(32))), "TREE_INCLUSION")
    yield "proof-hash-less", of(told(5, good.path[:-1]), "TREE_INCLUSION")
    yield "proof-no-hash", of(told(5, ()), "TREE_INCLUSION")
    yield "proof-hashes-reversed", of(told(5, good.path[::-1]), "TREE_INCLUSION")
    yield "proof-64-hashes", of(told(5, (bytes(32),) * 64), "TREE_PROOF_FORM")
    yield "proof-short-hash", of(told(5, (bytes(31),)), "TREE_PROOF_FORM")
    yield "proof-crlf", of(whole.replace(b"\n", b"\r\n"), "TREE_PROOF_FORM")
    yield "proof-version-2", of(whole.replace(b"@v1", b"@v2"), "TREE_PROOF_FORM")
    yield "proof-no-blank-line", of(whole.replace(b"\n\n", b"\n"), "TREE_PROOF_FORM")
    yield "proof-two-indexes", of(whole.replace(b"index 5", b"index 5\nindex 5"), "TREE_PROOF_FORM")
    yield "proof-bad-extra", of(whole.replace(b"index", b"extra ?\nindex"), "TREE_PROOF_FORM")
    yield "proof-nothing", of(b"", "TREE_PROOF_FORM")
    yield (
        "proof-too-long",
        Vector("proof", ("TREE_PROOF_FORM",), {"proof": whole, "entry": ENTRIES[5]}, padding={"proof": 1_100_000}),
    )
    yield "proof-unwitnessed", of(told(5, good.path, note(checkpoint(TREE), witnesses=0)), "QUORUM_NOT_MET")
    yield "proof-unsigned", of(told(5, good.path, written(TEXT, *COSIGNED)), *UNSIGNED)
    yield "proof-size-huge", of(told(5, good.path, at_size(str(2**63 - 1))), "TREE_INCLUSION")
    yield "proof-of-no-act", of(bytes(proof([b"x", b"y"], 0)), "ENTRY_NOT_CANONICAL", entry=b"x")


def whole_bundles() -> Named:
    def of(data: Files, *expected: str, genesis: str | None = None) -> Vector:
        return Vector("bundle", expected, bag(data), genesis=genesis)

    held = record(5)
    files, tree = log(held), tree_of(held)
    digest = f"sha256:{sha256(held[0]).hexdigest()}"
    tile, bundle = "data/log/tile/0/000.p/7", "data/log/tile/entries/000.p/7"
    many = log(unsigned(300))
    forked = bodies([*KEYED, *(signed(statement(number, words="딴말"), TEAM) for number in range(3))])
    earlier = {f"data/log/checkpoints/{size}": note(checkpoint(tree, size)) for size in (1, 4, 6)}
    yield (
        "bundle-valid",
        of({**files, **earlier, "data/proofs/3.tlog-proof": bytes(proof(held, 3, 6))}, genesis=digest),
    )
    yield "bundle-empty-log", of(log([]))
    yield "bundle-one-entry", of(log(unsigned(1)))
    yield "bundle-256-entries", of(log(unsigned(256)))
    yield "bundle-300-entries", of({**many, "data/rulebook/0001.yaml": b"dokja: 1\n"})
    yield "bundle-empty-log-other-root", of(log([], fully(f"{ORIGIN}\n0\n{base64_of(bytes(32))}\n")), "TREE_ROOT")
    yield "bundle-unwitnessed", of({**files, "data/log/checkpoint": note(checkpoint(tree), 1)}, "QUORUM_NOT_MET")
    yield "bundle-no-checkpoint", of(without(files, "data/log/checkpoint"), "NOTE_FORM")
    yield "bundle-other-genesis", of(files, "GENESIS", genesis=f"sha256:{'0' * 64}")
    yield "bundle-empty-with-genesis", of(log([]), "GENESIS", genesis=digest)
    yield "bundle-entry-changed", of({**files, bundle: files[bundle].replace(b"word", b"ward", 1)}, "TREE_LEAF")
    yield (
        "bundle-entries-swapped",
        of({**files, bundle: log([*held[:3], held[4], held[3], *held[5:]])[bundle]}, *LEAF),
    )
    yield "bundle-entry-dropped", of({**files, bundle: log(held[:6])["data/log/tile/entries/000.p/6"]}, *BUNDLE)
    yield "bundle-entry-more", of({**files, bundle: files[bundle] + b"\0\1x"}, *BUNDLE)
    yield "bundle-entry-longer-than-file", of({**files, bundle: b"\xff\xff" + files[bundle][2:]}, *BUNDLE)
    yield "bundle-entries-nothing", of({**files, bundle: b""}, *BUNDLE)
    yield "bundle-tile-missing", of(without(files, tile), "TREE_TILE_MISSING")
    yield "bundle-entries-missing", of(without(files, bundle), "TREE_TILE_MISSING")
    yield "bundle-tile-short", of({**files, tile: files[tile][:-1]}, "TREE_TILE_SIZE")
    yield "bundle-tile-long", of({**files, tile: files[tile] + bytes(32)}, "TREE_TILE_SIZE")
    yield "bundle-tile-changed", of({**files, tile: bytes(32) + files[tile][32:]}, "TREE_LEAF")
    yield "bundle-upper-tile-changed", of({**many, "data/log/tile/1/000.p/1": bytes(32)}, "TREE_NODE")
    yield "bundle-upper-tile-missing", of(without(many, "data/log/tile/1/000.p/1"), "TREE_TILE_MISSING")
    for name, path in {
        "256-wide": "0/000.p/256",
        "0-wide": "0/000.p/0",
        "smaller": "0/000.p/6",
        "of-a-level-too-high": "1/000.p/1",
        "of-level-64": "64/000.p/1",
        "beyond": "0/001.p/1",
        "with-needless-group": "0/x000/000.p/7",
        "with-leading-zero": "00/000.p/7",
        "with-short-index": "0/0.p/7",
    }.items():
        yield f"bundle-tile-{name}", of({**files, f"data/log/tile/{path}": files[tile]}, "TREE_PATH")
    yield "bundle-stray-file-in-log", of({**files, "data/log/notes.txt": b"x"}, "TREE_PATH")
    yield "bundle-another-history", of({**log(forked), "data/log/checkpoint": GOOD_5}, "TREE_ROOT")
    yield "bundle-size-2-to-63", of({"data/log/checkpoint": at_size(str(2**63 - 1))}, "TREE_TILE_MISSING")
    yield "bundle-fork", of({**files, "data/log/checkpoints/5": note(checkpoint(tree_of(forked)))}, "FORK")
    yield "bundle-rolled-back", of({**files, "data/log/checkpoints/8": note(checkpoint(tree_of(record(6))))}, "FORK")
    yield "bundle-fork-in-proof", of({**files, "data/proofs/0.tlog-proof": bytes(proof(forked, 0))}, "FORK")
    yield "bundle-earlier-misnamed", of({**files, "data/log/checkpoints/3": note(checkpoint(tree, 4))}, "TREE_PATH")
    yield "bundle-earlier-no-number", of({**files, "data/log/checkpoints/04": note(checkpoint(tree, 4))}, "TREE_PATH")
    yield "bundle-earlier-malformed", of({**files, "data/log/checkpoints/4": b"x"}, "NOTE_FORM")
    yield (
        "bundle-proof-misnamed",
        of({**files, "data/proofs/2.tlog-proof": bytes(proof(held, 3))}, "TREE_PROOF_INDEX"),
    )
    yield "bundle-proof-no-number", of({**files, "data/proofs/x.tlog-proof": bytes(proof(held, 3))}, "TREE_PATH")
    yield "bundle-proof-of-other-place", of({**files, "data/proofs/3.tlog-proof": misplaced(held)}, "TREE_INCLUSION")
    yield "bundle-entry-not-canonical", of(log([*held, held[2] + b" "]), "ENTRY_NOT_CANONICAL")
    yield "bundle-entry-hidden", of(log(bodies([statement(0, words="가\u202e나")])), "ENTRY_HIDDEN_TEXT")


LEAF, BUNDLE = ("TREE_LEAF",), ("TREE_ENTRIES",)
GOOD_5 = note(checkpoint(tree_of(unsigned(5))))


def misplaced(held: list[bytes]) -> bytes:
    wrong = proof(held, 2)
    return bytes(ProofFile(3, wrong.path, wrong.checkpoint))


def without(files: Files, *paths: str) -> Files:
    return {path: data for path, data in files.items() if path not in paths}


def bags() -> Named:
    good = bag(log(record(2)))
    line = good["manifest-sha256.txt"].split(b"\n")[0]

    def of(files: Files, *expected: str, links: dict[str, str] | None = None) -> Vector:
        return Vector("bundle", expected, files, links=links or {})

    def with_manifest(data: bytes) -> Files:
        return retagged({**good, "manifest-sha256.txt": data})

    def naming(path: str) -> Files:
        return with_manifest(good["manifest-sha256.txt"] + line[:66] + path.encode() + b"\n")

    for name, path in {
        "up": "data/../../secret",
        "up-at-once": "../secret",
        "absolute": "/etc/passwd",
        "backslash": "data\\..\\secret",
        "dot": "data/./log/checkpoint",
        "double-slash": "data//log/checkpoint",
        "outside-data": "log/checkpoint",
        "percent": "data/%2e%2e/secret",
        "home": "~/secret",
        "blank-at-end": "data/log/checkpoint ",
        "carriage-return": "data/log/checkpoint\r",
    }.items():
        yield f"bag-path-{name}", of(naming(path), "BAG_PATH")
    yield "bag-path-korean", of(naming("data/규정"), "BAG_MANIFEST")
    yield "bag-file-twice", of(with_manifest(good["manifest-sha256.txt"] * 2), "BAG_MANIFEST")
    yield (
        "bag-upper-case-digest",
        of(with_manifest(line.replace(line[:64], line[:64].upper()) + b"\n"), "BAG_MANIFEST"),
    )
    yield "bag-one-blank", of(with_manifest(line.replace(b"  ", b" *") + b"\n"), "BAG_MANIFEST")
    yield "bag-no-last-line-end", of(with_manifest(good["manifest-sha256.txt"][:-1]), "BAG_MANIFEST")
    yield "bag-no-manifest", of(without(good, "manifest-sha256.txt"), "BAG_MANIFEST")
    yield "bag-no-tag-manifest", of(without(good, "tagmanifest-sha256.txt"), "BAG_MANIFEST")
    yield (
        "bag-tag-manifest-names-data",
        of({**good, "tagmanifest-sha256.txt": good["tagmanifest-sha256.txt"] + line + b"\n"}, "BAG_PATH"),
    )
    yield "bag-tag-changed", of({**good, "bag-info.txt": b"Source-Organization: another\n"}, "BAG_DIGEST")
    yield "bag-fetch", of({**good, "fetch.txt": b"http://a.example/ 1 data/x\n"}, "BAG_FETCH")
    yield (
        "bag-older-version",
        of({**good, "bagit.txt": good["bagit.txt"].replace(b"1.0", b"0.97")}, "BAG_DECLARATION"),
    )
    yield (
        "bag-declaration-with-bom",
        of({**good, "bagit.txt": b"\xef\xbb\xbf" + good["bagit.txt"]}, "BAG_DECLARATION"),
    )
    yield "bag-no-declaration", of(without(good, "bagit.txt"), "BAG_DECLARATION")
    yield "bag-file-not-named", of({**good, "data/more.txt": b"x"}, "BAG_EXTRA")
    yield "bag-tag-file-not-named", of({**good, "more.txt": b"x"}, "BAG_EXTRA")
    yield "bag-hidden-file", of({**good, "data/.hidden": b"x"}, "BAG_PATH")
    more = bag({**log(record(2)), "data/more.txt": b"x"})
    yield "bag-file-missing", of(without(more, "data/more.txt"), "BAG_MISSING")
    yield "bag-file-changed", of({**more, "data/more.txt": b"y"}, "BAG_DIGEST")
    yield "bag-link", of(without(more, "data/more.txt"), "BAG_PATH", links={"data/more.txt": "/etc/hostname"})
    yield "bag-link-to-folder", of(good, "BAG_PATH", links={"data/rulebook": "/etc"})


def keys() -> Named:
    def of(*acts: Json, code: str | None = None) -> Vector:
        return Vector("bundle", (code,) if code else (), bag(log(bodies(acts))))

    said = signed(statement(1), TEAM)
    rotated = founding((*ROOTS[:2], NEW_ROOT), 2, "key-rotated")
    replaced = registered(ROOTS[1], "team-a", NEW_TEAM, 2, replaces=said["signature"]["key"])
    both = (*ROOTS[:2], NEW_ROOT)
    yield (
        "keys-rotated-and-replaced",
        of(*KEYED, said, approved(rotated, both), replaced, signed(statement(2), NEW_TEAM)),
    )
    yield "keys-unsigned-record", of(statement(1), statement(2))
    yield "keys-signature-without-genesis", of(said, code="SIGNER_NOT_AUTHORISED")
    yield "keys-registered-without-genesis", of(KEYED[1], code="SIGNER_NOT_AUTHORISED")
    yield "keys-act-unsigned", of(*KEYED, statement(1), code="ACT_UNSIGNED")
    yield "keys-act-changed", of(*KEYED, {**said, "id": "another"}, code="ACT_SIGNATURE")
    yield "keys-signature-malformed", of(*KEYED, {**said, "signature": "x"}, code="ACT_SIGNATURE")
    more = {**said["signature"], "note": "x"}
    yield "keys-signature-with-more", of(*KEYED, {**said, "signature": more}, code="ACT_SIGNATURE")
    yield "keys-stranger", of(*KEYED, signed(statement(1), STRANGER), code="SIGNER_NOT_AUTHORISED")
    yield "keys-signed-for-another", of(*KEYED, signed(statement(1, "team-b"), TEAM), code="SIGNER_NOT_AUTHORISED")
    yield "keys-replaced-key-signs", of(*KEYED, replaced, said, code="SIGNER_NOT_AUTHORISED")
    yield (
        "keys-registered-by-team",
        of(*KEYED, signed({**without_signature(KEYED[1]), "who": "team-a"}, TEAM), code="SIGNER_NOT_AUTHORISED"),
    )
    yield "keys-one-key-two-holders", of(*KEYED, registered(ROOTS[0], "team-b", TEAM, 2), code="KEY_TWICE")
    alias = str(VerifierKey("team.example/b", ED25519, TEAM.key().public))
    yield "keys-one-key-two-ids", of(*KEYED, registered(ROOTS[0], "team-b", TEAM, 2, vkey=alias), code="KEY_TWICE")
    as_witness = str(TEAM.key(COSIGNATURE))
    yield (
        "keys-one-key-two-types",
        of(*KEYED, registered(ROOTS[0], "team-a", TEAM, 2, vkey=as_witness), code="KEY_TWICE"),
    )
    yield "keys-key-malformed", of(*KEYED, registered(ROOTS[0], "team-b", NEW_TEAM, 2, vkey="x"), code="KEY_FORM")
    yield (
        "keys-replaces-a-root",
        of(*KEYED, registered(ROOTS[0], "team-a", NEW_TEAM, 2, replaces="root.example/2+00000000"), code="KEY_FORM"),
    )
    yield "keys-second-genesis", of(*KEYED, GENESIS, code="GENESIS")
    yield "keys-genesis-too-few", of(approved(founding(ROOTS, 2), ROOTS[:1]), code="KEY_THRESHOLD")
    yield (
        "keys-genesis-one-counted-twice",
        of(approved(founding(ROOTS, 2), (ROOTS[0], ROOTS[0])), code="KEY_THRESHOLD"),
    )
    yield "keys-genesis-threshold-0", of(approved(founding(ROOTS, 0), ROOTS), code="KEY_FORM")
    yield "keys-genesis-threshold-4-of-3", of(approved(founding(ROOTS, 4), ROOTS), code="KEY_FORM")
    yield "keys-genesis-threshold-true", of(approved(founding(ROOTS, threshold=True), ROOTS), code="KEY_FORM")
    yield "keys-genesis-root-twice", of(approved(founding((ROOTS[0], ROOTS[0]), 1), ROOTS[:1]), code="KEY_TWICE")
    changed = {**GENESIS, "threshold": 1}
    yield "keys-genesis-changed", of(changed, code="ACT_SIGNATURE")
    only_one_old = (NEW_ROOT, ROOTS[0])
    yield (
        "keys-rotated-without-old",
        of(*KEYED, approved(founding(only_one_old, 1, "key-rotated"), only_one_old), code="KEY_THRESHOLD"),
    )
    yield (
        "keys-rotated-without-new",
        of(*KEYED, approved(founding((NEW_ROOT,), 1, "key-rotated"), ROOTS[:2]), code="KEY_THRESHOLD"),
    )
    yield "keys-rotated-by-stranger", of(*KEYED, approved(rotated, (*both, STRANGER)), code="SIGNER_NOT_AUTHORISED")
    yield (
        "keys-rotated-to-a-teams-key",
        of(*KEYED, approved(founding((*ROOTS[:2], TEAM), 2, "key-rotated"), ROOTS[:2]), code="KEY_TWICE"),
    )
    yield (
        "keys-old-root-registers",
        of(
            *KEYED,
            approved(rotated, both),
            registered(ROOTS[2], "team-b", NEW_TEAM, 2),
            code="SIGNER_NOT_AUTHORISED",
        ),
    )


def draws() -> Named:
    """Draws of an unsigned record; the beacon's signatures are real ones, though integrity only hashes them."""
    pool = [f"judge-{number}" for number in range(1, 8)]
    ranked = list(ranking("draw-1", pool, bytes.fromhex(SIGNATURES[1000])))
    announced = {
        **_draw_act("draw-announced", "draw-1"),
        "chain": "0" * 64,
        "drawn": 3,
        "panel": "experts",
        "pool": pool,
        "purpose": "judges",
        "round": 1000,
        "stage": "stage-1",
    }
    made = {
        **_draw_act("draw-made", "draw-1-made"),
        "beacon": SIGNATURES[1000],
        "draw": "draw-1",
        "ranking": ranked,
        "round": 1000,
    }

    def leaves(member: object, successor: object, number: int = 1) -> Json:
        act = _draw_act("recusal", f"recusal-{number}")
        reason = {"en": "conflict", "ko": "이해충돌"}
        said = {**act, "draw": "draw-1", "member": member, "reason": reason}
        return said if successor is None else {**said, "successor": successor}

    def of(*acts: Json, code: str | None = None) -> Vector:
        return Vector("bundle", (code,) if code else (), bag(log(bodies(acts))))

    first, third, fourth, fifth, last = ranked[0], ranked[2], ranked[3], ranked[4], ranked[-1]
    yield "draw-valid", of(announced, made)
    yield (
        "draw-recused-in-turn",
        of(announced, made, leaves(first, fourth), leaves(last, None, 2), leaves(third, fifth, 3)),
    )
    everybody = [leaves(each, ranked[at + 3] if at < 4 else None, at) for at, each in enumerate(ranked)]
    yield "draw-recused-until-nobody-is-left", of(announced, made, *everybody)
    yield "draw-not-announced", of(made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-announced-after", of(made, announced, code="DRAW_NOT_ANNOUNCED")
    yield "draw-named-by-a-number", of(announced, {**made, "draw": 1}, code="DRAW_NOT_ANNOUNCED")
    yield "draw-more-than-the-pool", of({**announced, "drawn": 8}, made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-of-none", of({**announced, "drawn": 0}, made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-of-true", of({**announced, "drawn": True}, made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-pool-with-twins", of({**announced, "pool": [*pool, first]}, made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-pool-of-numbers", of({**announced, "pool": [1, 2, 3]}, made, code="DRAW_NOT_ANNOUNCED")
    yield "draw-pool-changed", of(announced, {**announced, "pool": [*pool, "x"]}, made)
    yield "draw-ranking-swapped", of(announced, {**made, "ranking": ranked[::-1]}, code="DRAW_RANKING")
    yield "draw-ranking-short", of(announced, {**made, "ranking": ranked[:-1]}, code="DRAW_RANKING")
    yield "draw-ranking-long", of(announced, {**made, "ranking": [*ranked, "x"]}, code="DRAW_RANKING")
    yield "draw-ranking-none", of(announced, without_field(made, "ranking"), code="DRAW_RANKING")
    other = SIGNATURES[1000000]
    yield "draw-beacon-of-another-round", of(announced, {**made, "beacon": other}, code="DRAW_RANKING")
    upper = SIGNATURES[1000].upper()
    yield "draw-beacon-upper-case", of(announced, {**made, "beacon": upper}, code="DRAW_RANKING")
    yield "draw-beacon-long", of(announced, {**made, "beacon": other + "00"}, code="DRAW_RANKING")
    yield "draw-beacon-fullwidth", of(announced, {**made, "beacon": "１" * 96}, code="DRAW_RANKING")
    yield "draw-recused-stranger", of(announced, made, leaves("x", None), code="DRAW_RECUSAL")
    yield "draw-recused-list", of(announced, made, leaves([first], None), code="DRAW_RECUSAL")
    yield "draw-recused-before", of(announced, leaves(first, fourth), made, code="DRAW_RECUSAL")
    twice = leaves(first, fourth), leaves(first, fifth, 2)
    yield "draw-recused-twice", of(announced, made, *twice, code="DRAW_RECUSAL")
    yield "draw-next-but-one", of(announced, made, leaves(first, fifth), code="DRAW_SUCCESSOR")
    yield "draw-nobody-follows", of(announced, made, leaves(first, None), code="DRAW_SUCCESSOR")
    yield "draw-one-follows-a-reserve", of(announced, made, leaves(last, fourth), code="DRAW_SUCCESSOR")
    yield "draw-follower-is-a-list", of(announced, made, leaves(first, [fourth]), code="DRAW_SUCCESSOR")


def _draw_act(kind: str, named: str) -> Json:
    return {"id": named, "type": kind, "when": "2027-03-01T00:00:00Z", "who": "office"}


def without_field(act: Json, field: str) -> Json:
    return {name: value for name, value in act.items() if name != field}


def receipts() -> Named:
    """What the log promised, held against what it did; witnesses saw the log at 1,800,000,000."""
    held = bodies([*KEYED, signed(statement(0), TEAM)])
    files, seen = log(held), 1_800_000_000
    missing = rfc8785.dumps(signed(statement(1), TEAM))

    def given(entry: bytes, received: int, hours: int = 24, by: Signer = OFFICE) -> bytes:
        return give_receipt(leaf_hash(entry), by, received, 3600 * hours)

    def text(origin: str = ORIGIN, leaf: str = base64_of(bytes(32)), since: str = "1", until: str = "2") -> bytes:
        said = f"dokja-receipt-v1\norigin {origin}\nleaf {leaf}\nreceived {since}\nmerged-by {until}\n"
        return written(said, sign(said, OFFICE.name, OFFICE.private))

    def of(receipt: bytes, *expected: str, data: Files = files, trusted: bytes | None = None) -> Vector:
        return Vector("bundle", expected, bag(data), trusted or policy(), receipts=(receipt,))

    late = given(missing, seen - 48 * 3600)
    yield "receipt-merged", of(given(held[2], seen - 48 * 3600))
    yield "receipt-not-merged", of(late, "RECEIPT_NOT_MERGED")
    yield "receipt-due-at-this-second", of(given(missing, seen - 24 * 3600), "RECEIPT_NOT_MERGED")
    yield "receipt-not-due-yet", of(given(missing, seen - 24 * 3600 + 1))
    yield "receipt-of-an-empty-log", of(late, "RECEIPT_NOT_MERGED", data=log([]))
    unwitnessed = {**files, "data/log/checkpoint": note(checkpoint(tree_of(held)), 0)}
    march = 1_803_859_200  # 2027-03-01T00:00:00Z, the time of the acts
    none = policy("none")
    yield (
        "receipt-by-the-time-of-acts",
        of(given(missing, march - 24 * 3600), "RECEIPT_NOT_MERGED", data=unwitnessed, trusted=none),
    )
    yield "receipt-not-due-by-the-time-of-acts", of(given(missing, march), data=unwitnessed, trusted=none)
    ahead = note(checkpoint(tree_of(held)), 1)
    far = cosign(checkpoint(tree_of(held)).text, WITNESSES[1].name, WITNESSES[1].private, seen + 10**9)
    one_ahead = {**files, "data/log/checkpoint": ahead + str(far).encode()}
    yield "receipt-one-clock-runs-ahead", of(given(missing, seen), data=one_ahead)
    yield "receipt-no-note", of(b"x", "NOTE_FORM")
    yield "receipt-by-a-stranger", of(given(missing, 1, by=STRANGER), *UNSIGNED)
    yield "receipt-signature-wrong", of(late.replace(b"received", b"Received"), "NOTE_SIGNATURE")
    yield "receipt-is-a-checkpoint", of(GOOD, "RECEIPT_FORM")
    yield "receipt-of-another-log", of(text("record.example/other"), "NOTE_ORIGIN")
    said = f"dokja-receipt-v1\norigin {ORIGIN}\nleaf {base64_of(bytes(32))}\nreceived 1\n"
    cut = written(said, sign(said, OFFICE.name, OFFICE.private))
    for name, broken in {
        "leaf-short": text(leaf=base64_of(bytes(31))),
        "leaf-in-hexadecimal": text(leaf="00" * 32),
        "no-origin": text(origin=""),
        "time-with-zero": text(since="01"),
        "time-2-to-63": text(until=str(2**63)),
        "due-before-received": text(since="3"),
        "line-more": text(until="2\nmore x"),
        "line-less": cut,
    }.items():
        yield f"receipt-{name}", of(broken, "RECEIPT_FORM")


def kept() -> Named:
    """Checkpoints that somebody kept."""
    held = record(5)
    files, tree = log(held), tree_of(held)
    forked = tree_of(bodies([*KEYED, *(signed(statement(number, words="딴말"), TEAM) for number in range(5))]))
    another = another_origin(held, "record.example/other")

    def of(*checkpoints: bytes, expected: tuple[str, ...] = ()) -> Vector:
        return Vector("bundle", expected, bag(files), kept=checkpoints)

    yield "kept-same-history", of(*(note(checkpoint(tree, size), 0) for size in (1, 4, 7)))
    yield "kept-fork", of(note(checkpoint(forked, 4), 0), expected=("FORK",))
    yield "kept-fork-of-the-newest", of(note(checkpoint(forked)), expected=("FORK",))
    yield "kept-rolled-back", of(note(checkpoint(tree_of(record(6)))), expected=("ROLLED_BACK",))
    yield (
        "kept-two-that-contradict",
        of(*(note(checkpoint(each, 5), 0) for each in (tree, forked)), expected=("FORK",)),
    )
    yield "kept-no-note", of(b"", expected=("NOTE_FORM",))
    yield "kept-by-a-stranger", of(written(TEXT, sign(TEXT, *_stranger())), expected=UNSIGNED)
    yield "kept-other-origin", of(fully(another.text), expected=("NOTE_ORIGIN",))
    yield (
        "kept-each-is-told",
        of(b"", note(checkpoint(forked)), note(checkpoint(tree, 3)), expected=("NOTE_FORM", "FORK")),
    )


def _stranger() -> tuple[str, Ed25519PrivateKey]:
    return STRANGER.name, STRANGER.private


def sequences() -> Named:
    """Running numbers of an actor's acts in a stage."""

    def of(*numbered: tuple[str | None, int | None], code: str | None = None) -> Vector:
        acts = []
        for number, (stage, sequence) in enumerate(numbered):
            act = statement(number)
            act |= {} if stage is None else {"stage": stage}
            act |= {} if sequence is None else {"sequence": sequence}
            acts.append(signed(act, TEAM))
        return Vector("bundle", (code,) if code else (), bag(log(bodies([*KEYED, *acts]))))

    one, two = "stage-1", "stage-2"
    yield "sequence-without-gap", of((one, 1), (two, 1), (one, 2), (None, 1), (one, 3), (two, 2))
    yield "sequence-begun-later", of((one, None), (one, None), (one, 1), (one, 2))
    yield "sequence-not-used", of((one, None), (None, None))
    yield "sequence-gap", of((one, 1), (one, 3), code="ACT_SEQUENCE")
    yield "sequence-gap-at-the-start", of((one, 2), code="ACT_SEQUENCE")
    yield "sequence-twice", of((one, 1), (one, 1), code="ACT_SEQUENCE")
    yield "sequence-given-up", of((one, 1), (one, None), code="ACT_SEQUENCE")
    yield "sequence-zero", of((one, 0), code="ACT_SEQUENCE")
    wrong = {**statement(1), "sequence": True}
    as_text = {**statement(1), "sequence": "1"}
    for name, act in (("true", wrong), ("text", as_text)):
        vector = Vector("bundle", ("ACT_SEQUENCE",), bag(log(bodies([*KEYED, signed(act, TEAM)]))))
        yield f"sequence-{name}", vector


def without_signature(act: Json) -> Json:
    return without_field(act, "signature")


def vectors() -> dict[str, Vector]:
    """All vectors by their names."""
    made: dict[str, Vector] = {}
    for source in (
        notes,
        policies,
        entries,
        proofs,
        whole_bundles,
        bags,
        keys,
        draws,
        grids,
        openings,
        receipts,
        kept,
        sequences,
    ):
        for name, vector in source():
            assert name not in made, name
            made[name] = vector
    return made


def main() -> None:
    """Write every vector's file; take away those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    made = vectors()
    for file in FOLDER.glob("*.json"):
        if file.stem not in made:
            file.unlink()
    for name, vector in made.items():
        written_out = json.dumps(vector.tree(), ensure_ascii=False, indent=1) + "\n"
        (FOLDER / f"{name}.json").write_text(written_out, encoding="utf-8")


if __name__ == "__main__":
    main()
