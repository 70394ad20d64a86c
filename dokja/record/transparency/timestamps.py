"""Outside time: tokens of time-stamping authorities on checkpoints (RFC 3161).

A token says that an authority had seen a hash by a time. What is hashed is a checkpoint's text: origin, size and
root, without signatures, so that witnesses can still add theirs. The library `rfc3161-client` makes the request and
checks the token; `openssl ts -verify` accepts the same files.
"""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cryptography import x509

from dokja.record.transparency.refusals import RefusedError

LARGEST_TOKEN = 1_000_000
LARGEST_ROOTS = 1_000_000
_SECONDS = 30
_GRANTED = (0, 1)


def available() -> bool:
    """Whether the library is installed."""
    return find_spec("rfc3161_client") is not None


def read_roots(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of authorities that a reader trusts, in PEM; raises `ValueError` where there is none."""
    if len(data) > LARGEST_ROOTS:
        raise ValueError("too large")
    return tuple(x509.load_pem_x509_certificates(data))


def ask(url: str, text: str) -> bytes:
    """Ask an authority for a token over a checkpoint's text; raises `ValueError` or `OSError` where it gives none.

    The answer is what was asked for: granted, of this hash, with the request's own number.
    """
    import rfc3161_client as rfc3161  # noqa: PLC0415 - an extra

    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("no web address")
    wanted = rfc3161.TimestampRequestBuilder().data(text.encode()).nonce(nonce=True).cert_request(cert_request=True)
    request = wanted.build()
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    asked = Request(url, request.as_bytes(), headers)  # noqa: S310 (the scheme was looked at)
    with urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
        data: bytes = answer.read(LARGEST_TOKEN + 1)
    response = _decoded(data)
    if response is None:
        raise ValueError("the answer is no granted token")
    said = response.tst_info
    if said.nonce != request.nonce or said.message_imprint.message != request.message_imprint.message:
        raise ValueError("the token is of another request")
    return data


def check_token(data: bytes, text: str, roots: tuple[x509.Certificate, ...]) -> datetime:
    """By when an authority that the reader trusts had seen a checkpoint's text; raises `RefusedError`."""
    import rfc3161_client as rfc3161  # noqa: PLC0415 - an extra

    response = _decoded(data)
    if response is None:
        raise RefusedError("TIMESTAMP_FORM")
    builder = rfc3161.VerifierBuilder()
    for root in dict.fromkeys(roots):
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(response, text.encode())
    except Exception as error:
        other = "Mismatch between messages" in str(error)
        raise RefusedError("TIMESTAMP_OTHER" if other else "TIMESTAMP_SIGNATURE", str(error)[:200]) from error
    when: datetime = response.tst_info.gen_time
    return when


def _decoded(data: bytes) -> Any:  # noqa: ANN401 - a type of the library
    """The response that the bytes hold, if it is granted and holds a token; else `None`."""
    import rfc3161_client as rfc3161  # noqa: PLC0415 - an extra

    if len(data) > LARGEST_TOKEN:
        return None
    try:
        response = rfc3161.decode_timestamp_response(data)
        granted = response.status in _GRANTED and response.tst_info.message_imprint.message is not None
    # Its parser raises what it likes for bytes that a stranger wrote.
    except Exception:
        return None
    return response if granted else None
