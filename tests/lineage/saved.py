"""Checkpoints written for tests, byte by byte, so that they may be wrong in any way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {"f4": "F32", "f2": "F16", "f8": "F64", "i1": "I8", "u1": "U8", "i4": "I32", "u4": "U32", "i8": "I64"}

Tensors = Mapping[str, NDArray[Any] | tuple[str, tuple[int, ...], bytes]]


def file_bytes(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """A sound file; a tensor is an array, or a type, a shape and bytes."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    body = b""
    for name, tensor in tensors.items():
        dtype, shape, data = tensor if isinstance(tensor, tuple) else _plain(tensor)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    return with_header(json.dumps(header).encode(), body)


def with_header(header: bytes, body: bytes = b"") -> bytes:
    """Any header before any body."""
    return len(header).to_bytes(8, "little") + header + body


def entry(dtype: object = "U8", shape: object = None, offsets: object = None) -> dict[str, object]:
    """One entry of a header."""
    return {"dtype": dtype, "shape": [1] if shape is None else shape, "data_offsets": offsets or [0, 1]}


def save(path: Path, tensors: Tensors) -> Path:
    """Write a sound file."""
    path.write_bytes(file_bytes(tensors))
    return path


def bfloat16(array: NDArray[np.float32]) -> tuple[str, tuple[int, ...], bytes]:
    """An array as bfloat16, cut off."""
    return "BF16", array.shape, (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()


def _plain(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    kind = f"{array.dtype.kind}{array.dtype.itemsize}"
    return NAMES[kind], array.shape, np.ascontiguousarray(array).tobytes()
