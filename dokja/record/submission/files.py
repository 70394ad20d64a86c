"""The files of a submission: every one of them, by name, or none at all.

What could hide something is refused rather than passed over: links, devices, `.git…`, names that are not plain
Unicode, and names that are one file on some machines and two on others. The digest of a submission is the SHA-256 of
the list that `sha256sum` prints of its files, sorted by their names' bytes; so it binds the names, and anybody can
compute it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dokja.errors import ManifestError, Place, Problem
from dokja.record.parallel import processors

Digests = Mapping[str, str]
"""SHA-256 in hexadecimal by the path of each file, with `/` between its parts."""

MOST_FILES = 100_000
DEEPEST = 32
LONGEST_NAME = 1_000
_BUFFER = 4 * 1024 * 1024


def digest_of(digests: Digests) -> str:
    """The one digest of a submission: over what `sha256sum` prints of its files in the order of their names."""
    lines = (f"{digests[name]}  {name}\n".encode() for name in sorted(digests, key=str.encode))
    return f"sha256:{hashlib.sha256(b''.join(lines)).hexdigest()}"


def hash_files(folder: Path) -> Digests:
    """Hash every file of a folder, several at a time; raises `ManifestError` for anything that is no plain file."""
    sizes = dict(files_of(folder))
    if not sizes:
        raise _refused("manifest-empty", "There is no file.", "Name the folder that holds the submission.", folder)
    # The largest first, so that no processor is left with a large one at the end.
    largest_first = sorted(sizes, key=lambda name: (-sizes[name], name))
    with ThreadPoolExecutor(processors()) as pool:
        hashed = pool.map(lambda name: (name, _hash(folder, name)), largest_first)
        found = dict(hashed)
    return {name: found[name] for name in sorted(found, key=str.encode)}


def files_of(folder: Path) -> Iterator[tuple[str, int]]:
    """The files of a folder with their sizes, in order, each name checked."""
    if folder.is_symlink() or not folder.is_dir():
        raise _refused("manifest-no-folder", "There is no such folder.", "Name the submission's folder.", folder)
    seen: dict[str, str] = {}
    for count, (name, size) in enumerate(_walk(folder, folder, 0), start=1):
        if count > MOST_FILES:
            raise _refused(
                "manifest-too-many", "There are more than {most} files.", "Hand in fewer.", folder, most=MOST_FILES
            )
        alike = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if alike in seen:
            raise _refused(
                "manifest-collision",
                "“{name}” and “{other}” are one file where case or composition does not count.",
                "Rename one of them.",
                folder / name,
                name=name,
                other=seen[alike],
            )
        seen[alike] = name
        yield name, size


def _walk(top: Path, here: Path, depth: int) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(here) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(here, error) from error
    if depth > DEEPEST:
        raise _refused("manifest-name", "Folders lie too deep in each other.", _MEND_NAME, here)
    for entry in entries:
        path = Path(entry.path)
        _hold_name(entry.name, path)
        if entry.is_symlink():
            mend = "Put the file itself there; a link can lead elsewhere tomorrow."
            raise _refused("manifest-link", "This is a link.", mend, path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(top, path, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield path.relative_to(top).as_posix(), entry.stat(follow_symlinks=False).st_size
        else:
            raise _refused("manifest-special", "This is neither a file nor a folder.", "Take it away.", path)


_MEND_NAME = "Rename it: printable Unicode, no “\\”, no hidden characters, not too long or too deep."


def _hold_name(name: str, path: Path) -> None:
    if name.casefold().startswith(".git"):
        what = "Tools that check model signatures pass “{name}” over, so that it could hold anything."
        raise _refused("manifest-git", what, "Take it away.", path, name=name)
    hidden = any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in name)
    if hidden or "\\" in name or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise _refused(
            "manifest-name", "The name {name} is not a plain one.", _MEND_NAME, None, name=ascii(name)[:200]
        )


def _hash(folder: Path, name: str) -> str:
    """The digest of one file, which must not change meanwhile."""
    path = folder / name
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb", buffering=0) as stream:  # noqa: PTH123 (a handle, not a path)
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise _refused("manifest-special", "This is neither a file nor a folder.", "Take it away.", path)
            digest, buffer = hashlib.sha256(), bytearray(_BUFFER)
            view = memoryview(buffer)
            while read := stream.readinto(buffer):
                digest.update(view[:read])
            after = os.fstat(handle)
    except OSError as error:
        raise _unreadable(path, error) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _refused(
            "manifest-changed", "The file changed while it was read.", "Try again when it is at rest.", path
        )
    return digest.hexdigest()


def _unreadable(path: Path, error: OSError) -> ManifestError:
    what = "It cannot be read: {why}."
    return _refused("manifest-unreadable", what, "Mend that, and try again.", path, why=error.strerror or str(error))


def _refused(code: str, what: str, mend: str, path: Path | None, **values: object) -> ManifestError:
    place = Place(path) if path is not None else Place()
    return ManifestError(Problem(code, what, mend, place, {name: str(value) for name, value in values.items()}))
