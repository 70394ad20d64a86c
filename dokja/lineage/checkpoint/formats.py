"""Stored numbers as float32: one table from a type of the format to how its bytes are decoded.

Eight- and four-bit floats go through a table of all their values, which is the definition written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from dokja.lineage.checkpoint.source import Bytes

Floats = NDArray[np.float32]
Decoder = Callable[[Bytes], Floats]

FP4: Final = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0], dtype=np.float32)
FP4_VALUES: Final = np.concatenate([FP4, -FP4])
"""E2M1: sign, two bits of exponent, one of mantissa; by its four bits."""

EIGHT_BITS: Final[Mapping[str, type]] = {
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
}

WHOLE: Final[Mapping[str, str]] = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "F16": "<f2",
}
"""NumPy's name of a type whose numbers NumPy itself turns into float32."""


def _bfloat16(data: Bytes) -> Floats:
    found: Floats = data.view(ml_dtypes.bfloat16).astype(np.float32)
    return found


def _float32(data: Bytes) -> Floats:
    return data.view("<f4")


def _float64(data: Bytes) -> Floats:
    with np.errstate(over="ignore"):
        return data.view("<f8").astype(np.float32)


def _numbers(kind: str) -> Decoder:
    return lambda data: data.view(kind).astype(np.float32)


@cache
def values_of(dtype: str) -> Floats:
    """All values of an eight-bit float, by their bits."""
    table: Floats = np.arange(256, dtype=np.uint8).view(EIGHT_BITS[dtype]).astype(np.float32)
    table.flags.writeable = False
    return table


def _by_table(dtype: str) -> Decoder:
    return lambda data: values_of(dtype)[data]


@cache
def _fp4_pairs() -> NDArray[np.float64]:
    """Both numbers of a byte, by the byte, as the eight bytes that they are: looked up at once."""
    byte = np.arange(256)
    pairs = np.stack([FP4_VALUES[byte & 0xF], FP4_VALUES[byte >> 4]], axis=1)
    return np.ascontiguousarray(pairs).view(np.float64).reshape(-1)


def fp4(data: Bytes) -> Floats:
    """Two numbers a byte, the lower half first."""
    return _fp4_pairs()[data].view(np.float32)


DECODERS: Final[Mapping[str, Decoder]] = {
    **{dtype: _numbers(kind) for dtype, kind in WHOLE.items()},
    **{dtype: _by_table(dtype) for dtype in EIGHT_BITS},
    "F64": _float64,
    "F32": _float32,
    "BF16": _bfloat16,
    "F4": fp4,
}
"""How the bytes of each type become float32. Complex numbers and six-bit floats are stored by no model met so far:
their tensors are listed, and not read."""


def decode(dtype: str, data: Bytes, *, narrow: bool = False) -> Floats:
    """The numbers that these bytes are, in one row. narrow: bfloat16 stays what it is."""
    return data.view(ml_dtypes.bfloat16) if narrow and dtype == "BF16" else DECODERS[dtype](data)
