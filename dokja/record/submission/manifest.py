"""A submission's manifest, signed as OpenSSF model signing says, and read more strictly than it asks.

The library `model-signing` makes and checks the signature: a DSSE envelope around an in-toto statement, in a Sigstore
bundle. What is signed is what our own walk of the files found. Its root digest leaves the names out, and it honours a
signer's `ignore_paths` and passes `.git*` over; so a manifest that ignores anything is refused, and files are held
against it name by name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from dokja.errors import ManifestError, Place, Problem
from dokja.record.submission.files import Digests, hash_files

DIFFERS = frozenset({"manifest-file-differs", "manifest-file-extra", "manifest-file-missing", "manifest-signature"})
"""Codes that say that a submission is not what was signed; the others say that it could not be looked at."""

LARGEST_MANIFEST = 64 * 1024 * 1024
_DEEPEST = 32
_PREDICATE = "https://model_signing/signature/v1.0"
_STATEMENT = "https://in-toto.io/Statement/v1"
_HEX = re.compile("[0-9a-f]{64}", re.ASCII)
_TOLD = 20
"""How many differences are told."""


def sign_manifest(folder: Path, manifest: Path, private_key: Path, password: str | None = None) -> Digests:
    """Hash a submission and sign its manifest with an elliptic curve key in PEM; nothing may be there yet.

    The manifest lies outside the folder, so that nothing has to be passed over. Raises `ManifestError`.
    """
    if manifest.exists() or manifest.is_symlink():
        raise _refused("manifest-target", "There is something here already.", "Name a new file.", manifest)
    if manifest.parent.resolve().is_relative_to(folder.resolve()):
        what = "The manifest would be one of the files that it lists."
        raise _refused("manifest-target", what, "Put it beside the folder.", manifest)
    digests = hash_files(folder)
    model_signing = _library()
    # The library is typed for a text here, and needs bytes.
    secret = password.encode() if password else None
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / "manifest"
        try:
            signer = model_signing.signing.Config().use_elliptic_key_signer(private_key=private_key, password=secret)
            signer.set_hashing_config(_walked(digests)).sign(folder, made)
        except Exception as error:
            raise _refused("manifest-key", "The key does not sign: {why}.", _MEND_KEY, private_key, error) from error
        with manifest.open("xb") as stream:
            stream.write(made.read_bytes())
    return digests


def check_manifest(folder: Path, manifest: Path, public_key: Path) -> Digests:
    """Hold a submission against its signed manifest; raises `ManifestError` with all that differs."""
    data = _read(manifest)
    signed = read_manifest(data, manifest)
    model_signing = _library()
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / "manifest"
        copy.write_bytes(data)
        try:
            verifier = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public_key)
            verifier.set_hashing_config(_walked(signed)).verify(folder, copy)
        except Exception as error:
            what = "The signature does not fit the key: {why}."
            mend = "Use the public key of the one who signed; otherwise the manifest is not theirs."
            raise _refused("manifest-signature", what, mend, manifest, error) from error
    held = hash_files(folder)
    problems = tuple(_differences(folder, held, signed))
    if problems:
        raise ManifestError(*problems[:_TOLD])
    return held


def read_manifest(data: bytes, place: Path) -> Digests:
    """What a manifest lists, before its signature is checked: every file with its SHA-256, nothing passed over."""
    try:
        bundle = _json(data)
        statement = _json(base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True))
        predicate, serialization = statement["predicate"], statement["predicate"]["serialization"]
        ignored = serialization.get("ignore_paths", [])
        listed = [(each["name"], each["algorithm"], each["digest"]) for each in predicate["resources"]]
        kinds = statement["_type"], statement["predicateType"], serialization["method"], serialization["hash_type"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused("manifest-form", "This is no signed manifest.", _MEND_FORM, place) from error
    if ignored or serialization.get("allow_symlinks", False) not in (False, "false"):
        what = "The signer had files passed over: {ignored}."
        mend = "Sign everything, with: dokja manifest sign"
        raise _refused("manifest-ignores", what, mend, place, ignored=str(ignored)[:300])
    names = [name for name, _, _ in listed]
    whole = all(
        isinstance(name, str)
        and _plain(name)
        and algorithm == "sha256"
        and isinstance(digest, str)
        and _HEX.fullmatch(digest)
        for name, algorithm, digest in listed
    )
    if kinds != (_STATEMENT, _PREDICATE, "files", "sha256") or not whole or len(set(map(str, names))) != len(names):
        raise _refused("manifest-form", "This is no signed manifest.", _MEND_FORM, place)
    return {name: digest for name, _, digest in listed}


_MEND_FORM = "Make one with: dokja manifest sign"
_MEND_KEY = "Name an unencrypted or rightly decrypted P-256, P-384 or P-521 key in PEM."


def _plain(name: str) -> bool:
    parts = name.split("/")
    return all(part not in ("", ".", "..") for part in parts) and "\\" not in name and "\0" not in name


def _json(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    text = data.decode()
    depth = 0
    for character in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (character in "[{") - (character in "]}")
        if depth > _DEEPEST:
            raise ValueError("too deep")
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key stands twice")
    return tree


def _read(manifest: Path) -> bytes:
    try:
        with manifest.open("rb") as stream:
            data = stream.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise _refused(
            "manifest-unreadable", "It cannot be read: {why}.", "Mend that, and try again.", manifest, why
        ) from error
    if len(data) > LARGEST_MANIFEST:
        raise _refused("manifest-form", "This is no signed manifest.", _MEND_FORM, manifest)
    return data


def _differences(folder: Path, held: Digests, signed: Digests) -> Iterable[Problem]:
    mend = "This is not what was signed. Hand in the files that were, or sign what there is."
    table: Mapping[str, tuple[str, set[str]]] = {
        "manifest-file-missing": ("“{name}” was signed and is not there.", signed.keys() - held.keys()),
        "manifest-file-extra": ("“{name}” is there and was not signed.", held.keys() - signed.keys()),
        "manifest-file-differs": (
            "“{name}” is not the file that was signed.",
            {name for name in held.keys() & signed.keys() if held[name] != signed[name]},
        ),
    }
    for code, (what, names) in table.items():
        for name in sorted(names):
            yield Problem(code, what, mend, Place(folder / name), {"name": name})


def _library() -> Any:  # noqa: ANN401 - it has types of its own, and may be absent
    try:
        import model_signing  # noqa: PLC0415 - an extra
        import model_signing.signing  # noqa: PLC0415
        import model_signing.verifying  # noqa: PLC0415
    except ImportError as error:
        raise _refused(
            "manifest-extra", "The library model-signing is not installed.", "pip install 'dokja[signing]'", None
        ) from error
    return model_signing


def _walked(digests: Digests) -> Any:  # noqa: ANN401
    """The library's configuration of hashing, which takes what our own walk found."""
    from model_signing import hashing, manifest  # noqa: PLC0415
    from model_signing._hashing.hashing import Digest  # noqa: PLC0415 - it has no public name

    serialization = manifest.SerializationType.from_args(
        {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
    )
    items = [
        manifest.FileManifestItem(path=PurePosixPath(name), digest=Digest("sha256", bytes.fromhex(digest)))
        for name, digest in digests.items()
    ]

    class Walked(hashing.Config):
        def hash(self, model_path: Any, *, files_to_hash: Any = None) -> manifest.Manifest:  # noqa: ANN401
            return manifest.Manifest(Path(model_path).resolve().name, items, serialization)

    return Walked()  # type: ignore[no-untyped-call]


def _refused(
    code: str, what: str, mend: str, path: Path | None, why: object = "", ignored: str = ""
) -> ManifestError:
    values = {"why": str(why)[:300], "ignored": ignored}
    return ManifestError(Problem(code, what, mend, Place(path) if path else Place(), values))
