"""What is left of a deleted object says nothing: trying every candidate finds none of them."""

from __future__ import annotations

from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
import rfc8785

from dokja.record.transparency import RefusedError
from dokja.record.transparency.sealing.disclosure import base64url, digest_of, disclose
from dokja.record.transparency.sealing.objects import pin, read_pinned
from tests.programme_of_raters import founded, verb

GIVEN = ["민준", "서연", "도윤", "지우", "하은"]
NAMES = [
    f"{family}{given}" for family, given in product("김이박최정강조윤장임", ["민준", "서연", "도윤", "지우", "하은"])
]


def digests_of(name: str, value: str) -> set[str]:
    """The digests that somebody without the salt would try."""
    salts = [b"", bytes(32), sha256(b"").digest(), sha256(value.encode()).digest(), sha256(name.encode()).digest()]
    arrays: list[list[str]] = [[base64url(salt), name, value] for salt in salts] + [[name, value], [value]]
    tried = {value.encode(), *(rfc8785.dumps(array) for array in arrays)}
    return {base64url(sha256(each).digest()) for data in tried for each in (data, base64url(data).encode())}


def test_a_digest_without_its_salt_leads_to_nobody() -> None:
    disclosure, digest = pin("rater-1", NAMES[7])
    assert read_pinned(disclosure.encode(), "rater-1", digest) == NAMES[7]
    del disclosure
    assert not any(digest in digests_of("rater-1", name) for name in NAMES)


def test_the_search_would_have_found_it_had_there_been_no_salt() -> None:
    unsalted = base64url(digest_of(disclose(bytes(32), "rater-1", NAMES[7])))
    assert [name for name in NAMES if unsalted in digests_of("rater-1", name)] == [NAMES[7]]


def test_one_name_pinned_twice_has_nothing_in_common() -> None:
    digests = {pin("rater-1", NAMES[7])[1] for _ in range(100)}
    assert len(digests) == 100


def test_an_object_is_the_one_that_was_pinned_or_none() -> None:
    (disclosure, digest), (other, _) = pin("rater-1", NAMES[0]), pin("rater-1", NAMES[0])
    for data, name, code in (
        (other, "rater-1", "OPENING_WRONG"),
        (disclosure, "rater-2", "OPENING_UNKNOWN"),
        (disclosure[:-1], "rater-1", "OPENING_FORM"),
        (disclose(bytes(31), "rater-1", NAMES[0]), "rater-1", "OPENING_SALT"),
    ):
        with pytest.raises(RefusedError, match=code):
            read_pinned(data.encode(), name, digest)


def test_a_deleted_object_leaves_no_byte_of_itself(tmp_path: Path) -> None:
    programme = founded(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_text("rater-1 is 김민준, 010-0000-0000\n", encoding="utf-8")
    pinned = verb("record", "pin", str(programme), "rater-1", str(secret))
    held = (programme / "objects" / "rater-1.object").read_text(encoding="ascii")
    (programme / "acts" / "0090-pinned.jsonl").write_text(pinned, encoding="utf-8")
    (programme / "acts" / "0091-deleted.jsonl").write_text(
        verb("record", "unpin", str(programme), "rater-1"), encoding="utf-8"
    )
    verb("run", str(programme), "--no-site")
    kept = [file.read_bytes() for file in programme.rglob("*") if file.is_file()]
    salt = held[:40].encode()
    assert any(b"object-deleted" in data for data in kept)
    assert not any("김민준".encode() in data or salt in data for data in kept)
