"""Where the files of a checkpoint are: one file, a folder of shards with an index, a snapshot of a cache, or a URL.

A folder is a promise that all of it is in there: an index that names other folders, and links that lead out, are
refused. A Hugging Face snapshot is the one exception: its links lead to the `blobs` of the same repository.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dokja.language import mark
from dokja.lineage.checkpoint.header import strict_object
from dokja.lineage.checkpoint.refusals import refused
from dokja.lineage.checkpoint.source import is_url, small_file

SUFFIX: Final = ".safetensors"
INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
LARGEST_INDEX: Final = 64 << 20
MOST_SHARDS: Final = 10_000
LONGEST_FILE_NAME: Final = 255


@dataclass(frozen=True)
class Layout:
    """The shards by name, the index's tensors → shard where there is one, and the folder of what stands beside."""

    where: str
    shards: Mapping[str, str]
    index: Mapping[str, str] | None
    folder: str

    def beside(self, name: str) -> str:
        """The path or URL of a file of the same folder."""
        return f"{self.folder}/{name}"


def find(where: str | Path) -> Layout:
    """The files of the checkpoint that this path or URL names."""
    if is_url(where):
        return _remote(str(where))
    path = Path(str(where).removeprefix("file://"))
    if not str(where):
        raise refused("checkpoint-absent")
    try:
        if path.is_dir():
            return _folder(path)
        if path.name.endswith(".index.json"):
            return _indexed(path, path.parent)
        if not path.exists():
            raise refused("checkpoint-absent", path)
    except (OSError, ValueError) as error:
        raise refused("checkpoint-unreadable", path, reason=str(error)) from None
    return Layout(str(path), {path.name: str(path)}, None, str(path.parent))


def _folder(path: Path) -> Layout:
    folder = _snapshot(path)
    if (folder / INDEX).exists() or (folder / INDEX).is_symlink():
        return _indexed(folder / INDEX, folder)
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(SUFFIX))
    if not found:
        raise refused("checkpoint-no-weights", path)
    names = [SINGLE] if SINGLE in found else found
    return Layout(str(path), {name: _inside(folder, name) for name in names}, None, str(folder))


def _snapshot(path: Path) -> Path:
    """The folder itself, or of a repository in a Hugging Face cache the snapshot that `refs/main` names."""
    main = path / "refs" / "main"
    if not (path / "snapshots").is_dir() or not main.is_file():
        return path
    revision = (small_file(main, LONGEST_FILE_NAME) or b"").decode("ascii", "replace").strip()
    chosen = path / "snapshots" / revision
    if not revision.isalnum() or not chosen.is_dir():
        raise refused("checkpoint-no-weights", path)
    return chosen


def _inside(folder: Path, name: str) -> str:
    """The file of this name, unless it is a link that leads out of the folder."""
    path = folder / name
    if path.is_symlink():
        real = path.resolve()
        allowed = [folder.resolve()]
        if folder.resolve().parent.name == "snapshots":
            allowed.append(folder.resolve().parent.parent / "blobs")
        if not any(real.is_relative_to(place) for place in allowed):
            raise refused("checkpoint-link", folder, name=name)
    if not path.exists():
        raise refused("checkpoint-shard-missing", folder, shard=name)
    return str(path)


def _indexed(index: Path, folder: Path) -> Layout:
    if not index.exists():
        raise refused("checkpoint-absent", index)
    tensors = _weight_map(small_file(_inside(folder, index.name), LARGEST_INDEX), str(index))
    return Layout(str(index.parent), {name: _inside(folder, name) for name in _shards(tensors)}, tensors, str(folder))


def _weight_map(text: bytes | None, where: str) -> Mapping[str, str]:
    if text is None or len(text) > LARGEST_INDEX:
        raise refused("checkpoint-index", where, reason=f"it is larger than {LARGEST_INDEX >> 20} MiB")
    tensors: Any = strict_object(text.strip(), "checkpoint-index", where).get("weight_map")
    if not isinstance(tensors, dict) or not tensors or not all(isinstance(name, str) for name in tensors.values()):
        raise refused("checkpoint-index", where, reason=mark("its weight_map is not an object of file names"))
    for name in sorted(set(tensors.values())):
        if not _is_file_name(name):
            raise refused("checkpoint-index-outside", where, shard=name)
    if len(set(tensors.values())) > MOST_SHARDS:
        raise refused("checkpoint-index", where, reason=f"it names more than {MOST_SHARDS} shards")
    return dict(tensors)


def _is_file_name(name: str) -> bool:
    plain = 0 < len(name.encode("utf-8", "replace")) <= LONGEST_FILE_NAME and name.isprintable()
    return plain and name not in (".", "..") and not any(sign in name for sign in "/\\:")


def _shards(tensors: Mapping[str, str]) -> Sequence[str]:
    return sorted(set(tensors.values()))


def _remote(url: str) -> Layout:
    """A URL's last step tells a file from a folder; in a folder the index comes first."""
    bare = url.rstrip("/")
    folder, _, name = bare.rpartition("/")
    if name.endswith(SUFFIX):
        return Layout(url, {name: bare}, None, folder)
    indexes = (bare,) if name.endswith(".json") else (f"{bare}/{INDEX}",)
    beside = folder if name.endswith(".json") else bare
    text = small_file(indexes[0], LARGEST_INDEX)
    if text is not None:
        tensors = _weight_map(text, indexes[0])
        return Layout(url, {shard: f"{beside}/{shard}" for shard in _shards(tensors)}, tensors, beside)
    if name.endswith(".json"):
        raise refused("checkpoint-absent", url)
    if small_file(f"{bare}/{SINGLE}", 0) is None:
        raise refused("checkpoint-no-weights", url)
    return Layout(url, {SINGLE: f"{bare}/{SINGLE}"}, None, bare)
