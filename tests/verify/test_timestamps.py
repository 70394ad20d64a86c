"""Outside time: a real authority's token, asked for over HTTP, bundled, and held against the checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dokja.cli import main
from dokja.record.transparency import RefusedError
from dokja.record.transparency.note import read_note
from dokja.record.transparency.timestamps import check_token, read_roots
from dokja.verify import verify
from tests.record.transparency.authority import Authority
from tests.verify.build import POLICY, Small, decision, told
from tests.verify.test_bundle import rebag

TEXT = "record.example/office\n7\nAAAA\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "two", "another")


@pytest.fixture
def bundle(tmp_path: Path, authority: Authority) -> Path:
    """A bundle with a token that the command fetched."""
    small = Small(tmp_path / "mine")
    small.add(decision())
    shutil.rmtree(small.bundle())
    with authority.served() as url:
        assert main(["record", "timestamp", str(small.folder), "--tsa", url]) == 0
    assert main(["export", str(small.folder), str(small.folder / "bundle")]) == 0
    return small.folder / "bundle"


def token_of(bundle: Path) -> Path:
    (token,) = (bundle / "data" / "timestamps").iterdir()
    return token


def test_a_token_is_fetched_bundled_and_accepted_here_and_by_openssl(bundle: Path, authority: Authority) -> None:
    token = token_of(bundle)
    assert token.name == "7-1.tsr"
    verdict = verify(bundle, POLICY, tsa_roots=authority.root.read_bytes())
    assert told(verdict) == []
    assert not any("Outside time" in each.what for each in verdict.unchecked)
    text = bundle.parent / "text"
    text.write_text(read_note((bundle / "data" / "log" / "checkpoint").read_bytes()).text, encoding="utf-8")
    assert authority.accepts(text, token)
    when = check_token(token.read_bytes(), text.read_text(encoding="utf-8"), read_roots(authority.root.read_bytes()))
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=10)


def test_without_roots_or_tokens_it_is_said(bundle: Path, authority: Authority) -> None:
    said = [
        each.values.get("count") for each in verify(bundle, POLICY).unchecked if "no authority to trust" in each.what
    ]
    assert said == ["1"]
    shutil.rmtree(bundle / "data" / "timestamps")
    rebag(bundle)
    verdict = verify(bundle, POLICY, tsa_roots=authority.root.read_bytes())
    assert told(verdict) == []
    assert any("no authority's token" in each.what for each in verdict.unchecked)


def another_text(bundle: Path, authority: Authority) -> None:
    token_of(bundle).write_bytes(authority.reply(authority.query(b"another text\n")))


def rubbish(bundle: Path, _: Authority) -> None:
    token_of(bundle).write_bytes(b"rubbish")


def empty(bundle: Path, _: Authority) -> None:
    token_of(bundle).write_bytes(b"")


def long(bundle: Path, _: Authority) -> None:
    token_of(bundle).write_bytes(token_of(bundle).read_bytes() + bytes(2_000_000))


def cut(bundle: Path, _: Authority) -> None:
    token_of(bundle).write_bytes(token_of(bundle).read_bytes()[:-100])


def deep(bundle: Path, _: Authority) -> None:
    token_of(bundle).write_bytes(b"\x30\x80" * 60_000)


def other_size(bundle: Path, _: Authority) -> None:
    token_of(bundle).rename(bundle / "data" / "timestamps" / "6-1.tsr")


def odd_name(bundle: Path, _: Authority) -> None:
    token_of(bundle).rename(bundle / "data" / "timestamps" / "07-1.tsr")


BENT: dict[str, tuple[Callable[[Path, Authority], None], str]] = {
    "another-text": (another_text, "TIMESTAMP_OTHER"),
    "rubbish": (rubbish, "TIMESTAMP_FORM"),
    "empty": (empty, "TIMESTAMP_FORM"),
    "too-long": (long, "TIMESTAMP_FORM"),
    "cut": (cut, "TIMESTAMP_FORM"),
    "deep": (deep, "TIMESTAMP_FORM"),
    "of-another-size": (other_size, "TIMESTAMP_CHECKPOINT"),
    "odd-name": (odd_name, "TIMESTAMP_CHECKPOINT"),
}


@pytest.mark.parametrize("name", BENT)
def test_a_token_that_does_not_fit(name: str, bundle: Path, authority: Authority) -> None:
    bend, code = BENT[name]
    bend(bundle, authority)
    rebag(bundle)
    assert told(verify(bundle, POLICY, tsa_roots=authority.root.read_bytes())) == [(code, None)]


def test_an_authority_that_is_not_trusted(bundle: Path, other: Authority) -> None:
    assert told(verify(bundle, POLICY, tsa_roots=other.root.read_bytes())) == [("TIMESTAMP_SIGNATURE", None)]


def test_no_byte_of_a_token_can_be_touched_without_being_noticed(authority: Authority) -> None:
    data, roots = authority.reply(authority.query(TEXT.encode())), read_roots(authority.root.read_bytes())
    check_token(data, TEXT, roots)
    with pytest.raises(RefusedError):
        check_token(data, TEXT + " ", roots)
    for place in range(0, len(data), 37):
        touched = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            when = check_token(touched, TEXT, roots)
        except RefusedError as error:
            assert error.code.startswith("TIMESTAMP_")
        else:
            # What is not signed can differ, such as a second certificate; the time cannot.
            assert when == check_token(data, TEXT, roots)


def test_answers_that_are_none_are_not_kept(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    small = Small(tmp_path / "mine")
    small.add(decision())
    small.bundle()
    with authority.served() as url:
        for address in (f"{url}rubbish", f"{url}long", f"{url}other", "file:///etc/passwd", "http://127.0.0.1:1/"):
            assert main(["record", "timestamp", str(small.folder), "--tsa", address]) == 2
            assert "record-no-timestamp" in capsys.readouterr().err
    assert not (small.folder / "record" / "timestamps").exists()


def test_roots_that_are_none(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "roots.pem"
    for data in (
        b"",
        b"rubbish",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        bytes(2_000_000),
    ):
        file.write_bytes(data)
        assert main(["verify", str(bundle), "--tsa-roots", str(file)]) == 2
        assert "usage-tsa-roots" in capsys.readouterr().err
