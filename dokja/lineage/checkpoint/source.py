"""Bytes of one file, by ranges: a local file by `pread`, any other by an fsspec URL.

A file may not change while it is read: what identifies it is noted when it is opened and held against it after every
read of a local file, and at the end of a remote one. Nothing is mapped into memory, so a file that is cut short gives
an error and not a signal.
"""

from __future__ import annotations

import os
import stat
import threading
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.checkpoint.refusals import Code, refused

Bytes = NDArray[np.uint8]

SPARSE_FROM: Final = 1 << 30
"""Below this size a file may be as sparse as it likes."""
SPARSE_SHARE: Final = 8
"""A larger file of which less than one part in so many is on the disk is refused: reading it would never end."""
BLOCK: Final = 512
AT_ONCE: Final = 1 << 30
"""The most bytes that one system call is asked for."""
PAGE: Final = 4096
CACHE_LINE: Final = 64
LOCAL_GAP: Final = 1 << 16
"""Of a local file it costs less to read so many bytes too many than to ask once more."""
REMOTE_GAP: Final = 1 << 20
"""Ranges of a remote file that lie closer than this are fetched as one."""
IDENTITY: Final = ("size", "ETag", "etag", "Last-Modified", "LastModified", "mtime", "created", "version_id")


class Source(Protocol):
    """One file of a checkpoint. `gap`: ranges that lie closer than this are better read as one."""

    where: str
    size: int
    gap: int

    @abstractmethod
    def read(self, begin: int, end: int) -> Bytes:
        """The bytes of this range, all of them."""

    @abstractmethod
    def pieces(self, begin: int, end: int, size: int) -> Iterator[Bytes]:
        """A range in pieces of at most so many bytes, each there until the next is asked for."""

    @abstractmethod
    def check(self) -> None:
        """Refuse the file if it is no longer the one that was opened."""

    @abstractmethod
    def close(self) -> None:
        """Give the file back."""


class LocalSource:
    """A regular file on this machine."""

    gap = LOCAL_GAP

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        try:
            # Without O_NONBLOCK the opening of a pipe would wait for a writer.
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise refused("checkpoint-absent", path) from None
        except OSError as error:
            kind: Code = "checkpoint-kind" if _is_special(path) else "checkpoint-unreadable"
            raise refused(kind, path, reason=error.strerror or type(error).__name__) from None
        try:
            found = os.fstat(self._file)
            if not stat.S_ISREG(found.st_mode):
                raise refused("checkpoint-kind", path)
            if found.st_size > SPARSE_FROM and found.st_blocks * BLOCK < found.st_size // SPARSE_SHARE:
                raise refused("checkpoint-sparse", path)
        except BaseException:
            os.close(self._file)
            raise
        self._known = _identity(found)
        self.size = found.st_size

    def read(self, begin: int, end: int) -> Bytes:
        """The bytes of this range, all of them."""
        return self._read(begin, _placed(_room(end - begin), begin, end))

    def pieces(self, begin: int, end: int, size: int) -> Iterator[Bytes]:
        """A range in pieces of at most so many bytes, each there until the next is asked for."""
        room = _room(min(size, end - begin))
        for start in range(begin, end, size):
            yield self._read(start, _placed(room, start, min(end, start + size)))

    def _read(self, begin: int, found: Bytes) -> Bytes:
        view, reached, end = found.data, begin, begin + len(found)
        while reached < end:
            try:
                count = os.preadv(self._file, [view[reached - begin :][:AT_ONCE]], reached)
            except OSError as error:
                raise refused("checkpoint-unreadable", self.where, reason=error.strerror) from None
            if not count:
                raise refused("checkpoint-changed", self.where)
            reached += count
        self.check()
        return found

    def check(self) -> None:
        """Refuse the file if it is no longer the one that was opened."""
        if _identity(os.fstat(self._file)) != self._known:
            raise refused("checkpoint-changed", self.where)

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _room(size: int) -> Bytes:
    """Room for so many bytes, wherever they begin in a page."""
    return np.empty(size + PAGE, dtype=np.uint8)


def _placed(room: Bytes, begin: int, end: int) -> Bytes:
    """The part of it for a range of a file: it begins in a page of memory where the range does in one of the file.

    A little behind that, where an allocator often is, some processors copy five times as slowly.
    """
    start = (begin // CACHE_LINE * CACHE_LINE - room.__array_interface__["data"][0]) % PAGE
    return room[start : start + end - begin]


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """What a change would change; the time of the last change of state cannot be set back."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


class RemoteSource:
    """A file behind an fsspec URL, read by ranges; a server that cannot give ranges is refused."""

    gap = REMOTE_GAP

    def __init__(self, url: str) -> None:
        self.where = url
        self._turn = threading.Lock()
        try:
            self._system, self._path = _file_system(url)
            self._known = self._identity()
            self._file = self._system.open(self._path, "rb", cache_type="none")
        except FileNotFoundError as absent:
            # HTTP's says so, too, where nobody answered at all.
            if absent.__cause__ is not None and not hasattr(absent.__cause__, "status"):
                raise refused("checkpoint-remote", url, reason=_reason(absent.__cause__)) from absent
            raise refused("checkpoint-absent", url) from None
        except Exception as error:
            # fsspec's many systems raise whatever their clients raise.
            raise refused("checkpoint-remote", url, reason=_reason(error)) from error
        size = self._known.get("size")
        if not isinstance(size, int) or not self._file.seekable():
            self._file.close()
            raise refused("checkpoint-remote", url, reason=mark("its size is not known"))
        self.size = size

    def read(self, begin: int, end: int) -> Bytes:
        """The bytes of this range, all of them."""
        try:
            with self._turn:
                self._file.seek(begin)
                found = self._file.read(end - begin) if end > begin else b""
        except Exception as error:
            raise refused("checkpoint-remote", self.where, reason=_reason(error)) from error
        if len(found) != end - begin:
            raise refused("checkpoint-changed", self.where)
        return np.frombuffer(found, dtype=np.uint8)

    def pieces(self, begin: int, end: int, size: int) -> Iterator[Bytes]:
        """A range in pieces of at most so many bytes."""
        for start in range(begin, end, size):
            yield self.read(start, min(end, start + size))

    def check(self) -> None:
        """Refuse the file if it is no longer the one that was opened."""
        try:
            now = self._identity()
        except Exception as error:
            raise refused("checkpoint-remote", self.where, reason=_reason(error)) from error
        if now != self._known:
            raise refused("checkpoint-changed", self.where)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _identity(self) -> Mapping[str, object]:
        self._system.invalidate_cache()
        found = self._system.info(self._path)
        return {key: found[key] for key in IDENTITY if key in found}


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  (only a URL needs it)

    system, path = fsspec.core.url_to_fs(url)
    return system, str(path)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def is_url(where: str | Path) -> bool:
    """Whether this names a file elsewhere."""
    return isinstance(where, str) and "://" in where and not where.startswith("file://")


def open_source(where: str | Path) -> Source:
    """Open a local path or a URL."""
    return RemoteSource(str(where)) if is_url(where) else LocalSource(Path(str(where).removeprefix("file://")))


def small_file(where: str | Path, most: int) -> bytes | None:
    """All bytes of a small file; `None` where there is none. One that is larger is refused by its reader."""
    try:
        source = open_source(where)
    except Exception as error:
        if _is_absence(error):
            return None
        raise
    try:
        return source.read(0, min(source.size, most + 1)).tobytes()
    finally:
        source.close()


def _is_absence(error: Exception) -> bool:
    return any(each.code == "checkpoint-absent" for each in getattr(error, "problems", ()))
