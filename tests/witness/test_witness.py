"""What a witness answers: to the letter of C2SP tlog-witness, to others' requests, and never to two histories."""

from __future__ import annotations

import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dokja.record.merkle import EMPTY_ROOT
from dokja.record.transparency import read_policy
from dokja.record.transparency.checkpoint import Checkpoint, read_checkpoint
from dokja.record.transparency.cosignature import cosign, sign, verifies
from dokja.record.transparency.keys import Signer
from dokja.record.transparency.note import COSIGNATURE, Note, VerifierKey, base64_of, read_note
from dokja.record.transparency.policy import Policy
from dokja.witness import Memory, Witness
from dokja.witness.memory import WitnessError
from dokja.witness.request import LARGEST_REQUEST, AddCheckpoint, read_request
from tests.record.transparency.at_hand import OFFICE, ORIGIN, WITNESSES, signer
from tests.witness.at_hand import ANOTHER, COMMON, POLICY, TOLD, request, signed, witness

KEY = WITNESSES[0].key(COSIGNATURE)


def cosigned(body: bytes, note: bytes) -> int:
    """The time in a cosignature, which must be the witness's on the note."""
    text = read_note(note).text
    (line,) = read_note(text.encode() + b"\n" + body).signatures
    assert (line.name, line.id) == KEY.line
    assert verifies(KEY, text, line)
    return int.from_bytes(line.signature[:8], "big")


def test_a_log_that_grows_is_cosigned_and_remembered(tmp_path: Path) -> None:
    held = witness(tmp_path)
    for old, size in ((0, 1), (1, 5), (5, 5), (5, 256), (256, 257), (257, 400)):
        answer = witness(tmp_path).add_checkpoint(request(TOLD, old, size))
        assert answer.status == 200, answer
        assert cosigned(answer.body, signed(TOLD, size)) > 1_700_000_000
    monitored = held.checkpoint(sha256(ORIGIN.encode()).hexdigest())
    assert monitored.status == 200
    note = read_note(monitored.body)
    assert read_checkpoint(note.text).size == 400
    assert [line.name for line in note.signatures] == [ORIGIN, WITNESSES[0].name]
    assert held.checkpoint(sha256(b"another").hexdigest()).status == 404


def test_before_the_first_cosignature_there_is_nothing_to_monitor(tmp_path: Path) -> None:
    assert witness(tmp_path).checkpoint(sha256(ORIGIN.encode()).hexdigest()).status == 404


def test_an_empty_log_can_be_cosigned(tmp_path: Path) -> None:
    held, empty = witness(tmp_path), Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    for checkpoint, status in ((Checkpoint(ORIGIN, 0, bytes(32)), 422), (empty, 200), (empty, 200)):
        note = bytes(Note(checkpoint.text, (sign(checkpoint.text, OFFICE.name, OFFICE.private),)))
        assert held.add_checkpoint(bytes(AddCheckpoint(0, (), note))).status == status
    assert held.add_checkpoint(request(TOLD, 0, 5)).status == 200


def refusals() -> dict[str, tuple[bytes, int, bytes]]:
    good, note = request(TOLD, 5, 9), signed(TOLD, 9)
    path = TOLD.consistency(5, 9)
    text = read_note(note).text
    bad = b"".join((text.encode(), b"\n", note[len(text) + 1 : -8], b"AAAA===\n"[3:]))
    wrong = bytes(Note(text, (sign(text + "x\n", OFFICE.name, OFFICE.private),)))
    stranger = signer("stranger.example/x")
    unknown = Checkpoint(stranger.name, 9, TOLD.root(9)).text
    return {
        "old size of a checkpoint not seen": (request(TOLD, 3, 9), 409, b"5\n"),
        "old size of nothing": (request(TOLD, 0, 9), 409, b"5\n"),
        "old size above what was seen": (request(TOLD, 7, 9), 409, b"5\n"),
        "rolled back": (request(TOLD, 3, 4), 409, b"5\n"),
        "same root, wrong old size": (request(TOLD, 4, 5), 409, b"5\n"),
        "old size above the checkpoint's": (bytes(AddCheckpoint(5, (), signed(TOLD, 4))), 400, b""),
        "proof left out": (bytes(AddCheckpoint(5, (), note)), 422, b""),
        "proof too long": (bytes(AddCheckpoint(5, (*path, bytes(32)), note)), 422, b""),
        "proof of another history": (bytes(AddCheckpoint(5, path, signed(ANOTHER, 9))), 422, b""),
        "64 hashes": (bytes(AddCheckpoint(5, (bytes(32),) * 64, note)), 400, b""),
        "unknown log": (
            bytes(AddCheckpoint(5, path, bytes(Note(unknown, (sign(unknown, *_of(stranger)),))))),
            404,
            b"",
        ),
        "signed by a stranger": (
            bytes(AddCheckpoint(5, path, bytes(Note(text, (sign(text, *_of(stranger)),))))),
            403,
            b"",
        ),
        "known key, wrong signature": (bytes(AddCheckpoint(5, path, wrong)), 403, b""),
        "right and wrong signature of one key": (
            bytes(
                AddCheckpoint(5, path, bytes(Note(text, (*read_note(note).signatures, *read_note(wrong).signatures))))
            ),
            403,
            b"",
        ),
        "signature cut": (bytes(AddCheckpoint(5, path, bad)), 400, b""),
        "nothing": (b"", 400, b""),
        "no empty line": (good.replace(b"\n\n", b"\n"), 400, b""),
        "no old size": (good.replace(b"old 5\n", b""), 400, b""),
        "old size 05": (good.replace(b"old 5", b"old 05"), 400, b""),
        "old size +5": (good.replace(b"old 5", b"old +5"), 400, b""),
        "old size -1": (good.replace(b"old 5", b"old -1"), 400, b""),
        "old size 2^63": (good.replace(b"old 5", b"old 9223372036854775808"), 400, b""),
        "old size of 5,000 digits": (good.replace(b"old 5", b"old " + b"5" * 5000), 400, b""),
        "two spaces": (good.replace(b"old 5", b"old  5"), 400, b""),
        "space at the end": (good.replace(b"old 5", b"old 5 "), 400, b""),
        "full-width": (good.replace(b"old 5", "old ５".encode()), 400, b""),
        "carriage returns": (good.replace(b"\n", b"\r\n"), 400, b""),
        "hash not base64": (good.replace(b"old 5\n", b"old 5\n!\n"), 400, b""),
        "short hash": (good.replace(b"old 5\n", b"old 5\nAAAA\n"), 400, b""),
        "loose bits": (good.replace(base64_of(path[0]).encode(), base64_of(path[0])[:-2].encode() + b"/="), 400, b""),
        "no note": (b"old 5\n\nx\n", 400, b""),
        "no checkpoint": (b"old 5\n\n" + bytes(Note("x\n", (sign("x\n", *_of(OFFICE)),))), 400, b""),
        "too long": (good + b"x" * LARGEST_REQUEST, 400, b""),
        "not UTF-8": (good.replace(b"record", b"\xffecord"), 400, b""),
    }


def _of(held: Signer) -> tuple[str, Ed25519PrivateKey]:
    return held.name, held.private


REFUSALS = refusals()


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_cosigned(name: str, tmp_path: Path) -> None:
    held = witness(tmp_path)
    assert held.add_checkpoint(request(TOLD, 0, 5)).status == 200
    body, status, said = REFUSALS[name]
    answer = held.add_checkpoint(body)
    assert answer.status == status, answer.body
    assert "—".encode() not in answer.body
    if said:
        assert (answer.body, answer.kind) == (said, "text/x.tlog.size")
    assert held.add_checkpoint(request(TOLD, 5, 9)).status == 200


def test_a_fork_is_refused_and_kept_as_evidence(tmp_path: Path) -> None:
    held = witness(tmp_path)
    assert held.add_checkpoint(request(TOLD, 0, 9)).status == 200
    assert held.add_checkpoint(bytes(AddCheckpoint(9, (), signed(ANOTHER, 9)))).status == 422
    assert held.add_checkpoint(bytes(AddCheckpoint(0, (), signed(ANOTHER, 9)))).status == 409
    assert held.add_checkpoint(request(ANOTHER, 9, 12)).status == 422
    assert held.memory.forks() == ((ORIGIN, signed(ANOTHER, 9)),)
    (seen,) = held.memory.all()
    assert (seen.size, seen.root) == (9, TOLD.root(9))


def test_a_clock_that_went_back_signs_nothing(tmp_path: Path) -> None:
    held = witness(tmp_path)
    at = iter((1_800_000_000.9, 1_799_999_999.0, 0.0, 1_800_000_000.0))
    held = Witness(held.signer, held.logs, held.memory, lambda: next(at))
    said = [held.add_checkpoint(request(TOLD, old, 5)).status for old in (0, 5, 5, 5)]
    assert said == [200, 503, 503, 200]
    (seen,) = held.memory.all()
    assert seen.at == 1_800_000_000


def test_a_memory_that_cannot_be_written_signs_nothing(tmp_path: Path) -> None:
    (tmp_path / "witness.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(WitnessError, match="witness-memory"):
        witness(tmp_path).add_checkpoint(request(TOLD, 0, 5))


def test_two_keys_of_one_log_are_known(tmp_path: Path) -> None:
    second = Signer(OFFICE.name, signer("another").private)
    policy = read_policy(f"log {OFFICE.key()}\nlog {second.key()}\nquorum none\n".encode())
    held = Witness.of(WITNESSES[0], policy, Memory(tmp_path / "witness.sqlite"))
    text = read_note(signed(TOLD, 5)).text
    note = bytes(Note(text, (sign(text, *_of(second)), sign(text, "stranger.example/x", OFFICE.private))))
    assert held.add_checkpoint(bytes(AddCheckpoint(0, (), note))).status == 200
    monitored = read_note(held.checkpoint(sha256(ORIGIN.encode()).hexdigest()).body)
    assert [line.id for line in monitored.signatures] == [second.key().id, KEY.id]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 30)), max_size=25))
def test_whatever_is_asked_only_one_history_is_cosigned(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[bool, int, int]]
) -> None:
    held = witness(tmp_path_factory.mktemp("witness"))
    sizes, told = [0], {True: False, False: False}
    for truth, old, size in asked:
        tree = TOLD if truth else ANOTHER
        answer = held.add_checkpoint(request(tree, old, max(old, size)))
        if answer.status == 200:
            assert old == sizes[-1]
            sizes.append(max(old, size))
            told[truth] = told[truth] or max(old, size) > COMMON
        elif answer.kind == "text/x.tlog.size":
            assert answer.body == b"%d\n" % sizes[-1]
    assert not all(told.values())


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary())
def test_a_request_reads_as_it_was_written(old: int, path: list[bytes], note: bytes) -> None:
    made = AddCheckpoint(old, tuple(path), note)
    assert read_request(bytes(made)) == made


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_a_refusal(data: bytes) -> None:
    with suppress(ValueError):
        assert bytes(read_request(data)) == data


def test_of_many_at_once_one_history_goes_on(tmp_path: Path) -> None:
    """Threads race from one checkpoint to others of two histories, each over connections of its own."""
    held = witness(tmp_path)
    assert held.add_checkpoint(request(TOLD, 0, COMMON)).status == 200
    bodies = [request(tree, COMMON, size) for size in range(COMMON + 1, COMMON + 13) for tree in (TOLD, ANOTHER)]
    answers: list[int] = []
    start = threading.Barrier(len(bodies))

    def ask(body: bytes) -> None:
        start.wait()
        answers.append(witness(tmp_path).add_checkpoint(body).status)

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert set(answers) <= {200, 409, 422}
    assert len(answers) == len(bodies)


# A witness of someone else: what it is sent and how it answers.

SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
WITNESS_SEED = bytes.fromhex("31ffc2116ecbe003acaa800ab70757bd7d53206e3febef6a6d0796d95530b34f")
OLD_1 = "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OLD_2 = "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
FIVE = ("5", "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=",
        "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=")  # fmt: skip
THREE = ("3", "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=",
         "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=")  # fmt: skip
ONE = ("1", "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
       "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=")  # fmt: skip
BROKEN = (*THREE[:2], THREE[2].replace("6go=", "6gx="))
TO_FIVE = (
    "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "KgMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE=",
    "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
)
CONVERSATION: tuple[tuple[str, tuple[str, ...], str, tuple[str, str, str], int, bytes], ...] = (
    ("0", (), SIGSUM, ONE, 200, b""),
    ("1", (OLD_1, OLD_2), SIGSUM, BROKEN, 400, b""),
    ("1", (OLD_1, OLD_2), SIGSUM[:-1] + "3", THREE, 404, b""),
    ("1", (), SIGSUM, THREE, 422, b""),
    ("1", (OLD_1, "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABA="), SIGSUM, THREE, 422, b""),
    ("1", (OLD_1, OLD_2), SIGSUM, THREE, 200, b""),
    ("1", (OLD_1, "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=", TO_FIVE[3]), SIGSUM, FIVE, 409, b"3\n"),
    ("3", TO_FIVE, SIGSUM, FIVE, 200, b""),
    ("0", (), SIGSUM, FIVE, 409, b"5\n"),
)
"""The requests of litewitness's own test (FiloSottile/torchwood, cmd/litewitness/testdata/litewitness.txt, ISC): a
sigsum log's checkpoints and proofs, and the statuses that are due. Two differ from 403 there: for an unknown log the
specification has come to ask for 404; and the broken signature is base64 with loose bits, which is no note here."""


def test_a_sigsum_log_is_answered_as_by_another_witness(tmp_path: Path) -> None:
    key = VerifierKey(SIGSUM, 1, SIGSUM_KEY)
    policy = Policy((key,), {}, {}, b"none")
    own = Signer("example.com/witness", Ed25519PrivateKey.from_private_bytes(WITNESS_SEED))
    held = Witness.of(own, policy, Memory(tmp_path / "witness.sqlite"))
    for old, path, origin, (size, root, signature), status, said in CONVERSATION:
        lines = ("old " + old, *path, "", origin, size, root, "", f"— {origin} {signature}", "")
        answer = held.add_checkpoint("\n".join(lines).encode())
        assert answer.status == status, (lines, answer.body)
        if status == 200:
            text = f"{origin}\n{size}\n{root}\n"
            (line,) = read_note(f"{text}\n".encode() + answer.body).signatures
            assert line.name == "example.com/witness"
            assert verifies(own.key(COSIGNATURE), text, line)
        elif said:
            assert (answer.body, answer.kind) == (said, "text/x.tlog.size")


def test_the_specifications_own_request_is_read_and_its_proof_leads_to_its_root() -> None:
    """C2SP tlog-witness, the example request; its second signature is of a kind that no key here has."""
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n"
    ).encode()
    read = read_request(body)
    assert bytes(read) == body
    assert (read.old, len(read.path)) == (20852014, 4)
    assert read_checkpoint(read_note(read.checkpoint).text).size == 20852163


def test_another_implementation_accepts_the_cosigned_checkpoint_and_the_proof(tmp_path: Path) -> None:
    import metamorphic_log as other

    held = witness(tmp_path)
    assert held.add_checkpoint(request(TOLD, 0, 100)).status == 200
    older = held.checkpoint(sha256(ORIGIN.encode()).hexdigest()).body.decode()
    assert held.add_checkpoint(request(TOLD, 100, 321)).status == 200
    newer = held.checkpoint(sha256(ORIGIN.encode()).hexdigest()).body.decode()
    keys = [str(OFFICE.key())]
    assert other.checkpoint_verify(newer, keys).root == TOLD.root(321)
    other.checkpoint_verify_consistency(older, newer, keys, list(TOLD.consistency(100, 321)))
    with pytest.raises(other.VerifyError):
        other.checkpoint_verify_consistency(older, newer, keys, list(ANOTHER.consistency(100, 321)))


def test_the_policy_of_the_tests_names_the_log() -> None:
    assert read_policy(POLICY).logs == (OFFICE.key(),)
    assert cosign("x\n", *_of(WITNESSES[0]), 1).id == KEY.id
