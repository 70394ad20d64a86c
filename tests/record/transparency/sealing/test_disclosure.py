"""Disclosures as RFC 9901 prints them, as others' code reads them, and what is never taken for one."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.verifier import SDJWTVerifier

from dokja.record.transparency import RefusedError
from dokja.record.transparency.sealing.disclosure import (
    Plain,
    base64url,
    bytes_of_digest,
    digest_of,
    disclose,
    is_digest,
    read_disclosure,
    spelled,
)

SALT = bytes(range(32))


@pytest.mark.parametrize(
    ("disclosure", "digest"),
    [
        (  # RFC 9901, section 4.2.1 and 4.2.3
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
        ),
        (  # the same as earlier drafts printed it
            "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY",
        ),
    ],
)
def test_digests_as_they_are_printed(disclosure: str, digest: str) -> None:
    assert base64url(digest_of(disclosure)) == digest
    with pytest.raises(RefusedError, match="OPENING_FORM"):
        read_disclosure(disclosure.encode(), 200)  # a blank after the comma: allowed there, not here


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = texts | st.booleans() | st.dictionaries(texts, texts, max_size=3)


@given(st.binary(min_size=32, max_size=32), texts.filter(lambda name: name not in ("_sd", "...")), values)
def test_what_is_disclosed_is_read_back(salt: bytes, name: str, value: str | bool | dict[str, str]) -> None:
    written = disclose(salt, name, value)
    assert tuple(read_disclosure(written.encode(), 10_000)) == (base64url(salt), name, value)
    assert digest_of(written) == sha256(written.encode()).digest()


@given(texts, texts, texts | st.booleans())
def test_the_short_way_writes_what_rfc_8785_writes(salt: str, name: str, value: str | bool) -> None:
    assert spelled([salt, name, value]) == rfc8785.dumps([salt, name, value])


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_has_one_spelling(data: bytes) -> None:
    written = base64url(data)
    assert is_digest(written)
    assert bytes_of_digest(written) == data
    others = {written[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}
    same = {other for other in others if is_digest(other) and bytes_of_digest(other) == data}
    assert same == {written}


@given(st.data())
def test_no_letter_can_be_changed(data: st.DataObject) -> None:
    written = disclose(SALT, "stage-1/experts/expert/rater-1/team-a/plan", "12.5")
    place = data.draw(st.integers(0, len(written) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_=+/ \n"))
    changed = written[:place] + letter + written[place + 1 :]
    if changed == written:
        return
    try:
        read_disclosure(changed.encode(), 2_000)
    except RefusedError:
        return
    assert digest_of(changed) != digest_of(written)


def test_the_reference_implementation_opens_our_cells() -> None:
    """An SD-JWT of our digests, signed by others' code, is opened by it with our disclosures."""
    names = [f"stage-1/experts/expert/rater-1/team-{team}/plan" for team in "abc"]
    said: list[Plain] = ["12.5", "0", {"absent": "recused"}]
    written = [disclose(sha256(name.encode()).digest(), name, value) for name, value in zip(names, said, strict=True)]
    key = JWK.generate(kty="EC", crv="P-256")
    payload = {"iss": "office", "_sd_alg": "sha-256", "_sd": sorted(base64url(digest_of(each)) for each in written)}
    token = JWS(json.dumps(payload).encode())
    token.add_signature(key, alg="ES256", protected=json.dumps({"alg": "ES256"}))
    presented = "~".join([token.serialize(compact=True), written[0], written[2], ""])
    opened = SDJWTVerifier(presented, lambda *_: key).get_verified_payload()
    assert {name: opened.get(name) for name in names} == {names[0]: "12.5", names[1]: None, names[2]: said[2]}
