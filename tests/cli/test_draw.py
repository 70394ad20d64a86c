"""`dokja draw`: announced, made and mended at the terminal, over a programme of 2023, whose round is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dokja.record.beacon import CHAIN
from tests.cli.conftest import Dokja
from tests.record.rounds import FOREIGN, SIGNATURES
from tests.verify.test_draws import JUDGES, RANKED, SEATS, In2023, announced

BEACON = SIGNATURES[1000]


@pytest.fixture
def programme(tmp_path: Path, dokja: Dokja) -> Path:
    """The programme with a draw of judges that was announced."""
    small = In2023(tmp_path / "mine")
    small.add(announced(SEATS, purpose="judges", panel="experts", pool=list(JUDGES), drawn=5))
    lines = "".join(json.dumps(act, ensure_ascii=False) + "\n" for act in small.acts)
    (small.folder / "acts").mkdir()
    (small.folder / "acts" / "0001-opening.jsonl").write_text(lines.replace("2027-", "2023-"), encoding="utf-8")
    assert dokja("run", small.folder, "--no-site").code == 0
    return small.folder


def take_in(programme: Path, name: str, line: str, dokja: Dokja) -> None:
    (programme / "acts" / name).write_text(line, encoding="utf-8")
    said = dokja("run", programme, "--no-site")
    assert said.code == 0, said.err


def test_made_recused_and_shown(programme: Path, dokja: Dokja) -> None:
    made = dokja("draw", "make", programme, SEATS, "--signature", BEACON)
    assert made.code == 0
    assert json.loads(made.out)["ranking"] == list(RANKED)
    take_in(programme, "0002-made.jsonl", made.out, dokja)
    reasons = ("--reason-ko", "이해충돌", "--reason-en", "Conflict of interest")
    gone = dokja("draw", "recuse", programme, SEATS, RANKED[0], *reasons)
    assert json.loads(gone.out)["successor"] == RANKED[5]
    take_in(programme, "0003-recusal.jsonl", gone.out, dokja)
    (shown,) = json.loads(dokja("draw", "show", programme, "--json").out)
    assert shown["seated"] == list(RANKED[1:6])
    assert shown["recused"] == [RANKED[0]]
    told = dokja("draw", "show", programme).out
    assert all(rater in told for rater in RANKED[:6])
    again = dokja("draw", "make", programme, SEATS, "--signature", BEACON)
    assert (again.code, "act-draw-redrawn" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("signature", "code"),
    [(FOREIGN, "act-draw-signature"), ("1234", "act-draw-beacon"), (BEACON.upper(), "act-draw-beacon")],
)
def test_a_signature_that_is_none(programme: Path, dokja: Dokja, signature: str, code: str) -> None:
    said = dokja("draw", "make", programme, SEATS, "--signature", signature)
    assert (said.code, said.out) == (2, "")
    assert code in said.err


def test_a_draw_that_nobody_announced(programme: Path, dokja: Dokja) -> None:
    said = dokja("draw", "make", programme, "lot-9", "--signature", BEACON)
    assert (said.code, "act-draw-not-announced" in said.err) == (2, True)
    said = dokja("draw", "recuse", programme, SEATS, RANKED[0], "--reason-ko", "이유", "--reason-en", "Why")
    assert (said.code, "act-draw-recusal" in said.err) == (2, True)


ANSWERS = {
    "good": json.dumps({"round": 1000, "signature": BEACON}).encode(),
    "of-another-chain": json.dumps({"round": 1000, "signature": FOREIGN}).encode(),
    "long": b"[" * 20_000,
    "deep": b"[" * 9_000,
    "no-json": b"<html>",
    "list": b"[1]",
    "number": b'{"signature": 1}',
    "short": b'{"signature": "b446"}',
}


@pytest.fixture
def server() -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, kind, chain, public, number = self.path.split("/")
            known = (chain, public, number) == (CHAIN, "public", "1000") and kind in ANSWERS
            self.send_response(200 if known else 404)
            self.end_headers()
            if known:
                self.wfile.write(ANSWERS[kind])

        def log_message(self, *_: object) -> None:
            pass

    served = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


def test_the_beacon_is_asked_only_where_it_is_named_and_its_answer_is_checked(
    programme: Path, dokja: Dokja, server: str
) -> None:
    said = dokja("draw", "make", programme, SEATS, "--from", f"{server}/good")
    assert json.loads(said.out)["beacon"] == BEACON
    for kind in {*ANSWERS, "absent"} - {"good"}:
        said = dokja("draw", "make", programme, SEATS, "--from", f"{server}/{kind}")
        code = "act-draw-signature" if kind == "of-another-chain" else "act-draw-unanswered"
        assert (said.code, said.out, code in said.err) == (2, "", True), kind
    for address in ("file:///etc/passwd", "http://127.0.0.1:1", "nonsense"):
        said = dokja("draw", "make", programme, SEATS, "--from", address)
        assert (said.code, "act-draw-unanswered" in said.err) == (2, True), address


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    file = tmp_path / "pool.txt"
    file.write_text("team-a\n team-b \n\n", encoding="utf-8")
    return file


def test_announced_for_a_time_to_come(pool: Path, dokja: Dokja) -> None:
    usual = ("draw", "announce", "lot-1", "--purpose", "lot", "--stage", "stage-1", "--pool", pool)
    said = dokja(*usual, "--at", "2099-01-01T09:00:00+09:00", "--drawn", "1")
    act = json.loads(said.out)
    assert (said.code, act["pool"], act["chain"]) == (0, ["team-a", "team-b"], CHAIN)
    assert "2098-12-31T23:59:" in said.err or "2099-01-01T00:00:0" in said.err
    for more, code in (
        (("--at", "2024-01-01T00:00:00Z"), "usage-draw-time"),
        (("--at", "tomorrow"), "usage-draw"),
        (("--at", "2099-01-01T00:00:00Z", "--drawn", "3"), "usage-draw"),
        (("--at", "2099-01-01T00:00:00Z", "--panel", "experts"), "usage-draw"),
        (("--at", "2099-01-01T00:00:00Z", "--who", "No Id"), "usage-draw"),
    ):
        said = dokja(*usual, *more)
        assert (said.code, said.out, code in said.err) == (2, "", True), more
    for data in (b"\xff\n", b"a\n" * 600_000, b"Team A\n", b""):
        pool.write_bytes(data)
        assert dokja(*usual, "--at", "2099-01-01T00:00:00Z").code == 2
