"""A folder held against its manifests: BagIt 1.0 (RFC 8493) with SHA-256 alone, plain paths and no `fetch.txt`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path

from dokja.record.transparency.plain_files import files_under, read_file
from dokja.record.transparency.refusals import RefusedError, refuse_first

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
LARGEST_MANIFEST = 500_000_000
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)", re.ASCII)


def check_bag(folder: Path) -> None:
    """Hold the folder against its manifests (BagIt 1.0, RFC 8493, with SHA-256 alone and plain paths)."""
    if read_file(folder / "bagit.txt", len(DECLARATION) + 1) != DECLARATION:
        raise RefusedError("BAG_DECLARATION")
    if (folder / "fetch.txt").exists() or (folder / "fetch.txt").is_symlink():
        raise RefusedError("BAG_FETCH")
    payload, tags = _manifest(folder, MANIFEST), _manifest(folder, TAG_MANIFEST)
    found = set(files_under(folder)) - {TAG_MANIFEST}
    named = {**payload, **tags}
    refuse_first("BAG_PATH", (path for path in payload if not path.startswith("data/")))
    refuse_first("BAG_PATH", (path for path in tags if path.startswith("data/") or path == TAG_MANIFEST))
    refuse_first("BAG_PATH", (path for path in found if not _PATH.fullmatch(path)))
    refuse_first("BAG_MISSING", named.keys() - found)
    refuse_first("BAG_EXTRA", found - named.keys())
    for path, digest in sorted(named.items()):
        with (folder / path).open("rb") as stream:
            if file_digest(stream, "sha256").hexdigest() != digest:
                raise RefusedError("BAG_DIGEST", path)


def _manifest(folder: Path, name: str) -> Mapping[str, str]:
    try:
        text = read_file(folder / name, LARGEST_MANIFEST).decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError("BAG_MANIFEST", name) from None
    if not text.endswith("\n"):
        raise RefusedError("BAG_MANIFEST", name)
    digests: dict[str, str] = {}
    for line in text[:-1].split("\n"):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in digests:
            raise RefusedError("BAG_MANIFEST", f"{name}: {line[:120]!r}")
        if not _PATH.fullmatch(found[2]):
            raise RefusedError("BAG_PATH", found[2][:200])
        digests[found[2]] = found[1]
    return digests
