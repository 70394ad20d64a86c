"""Quantised layers as what they stand for: one matrix of floats, whatever tensors it is stored in.

A *recipe* recognises the stored tensors of one way of packing by the endings of their names and by their shapes, and
decodes chosen rows of the matrix, [out, in]. Sources of the layouts:

- block scales: DeepSeek-V3, `weight_scale_inv`, a scale for each 128 × 128 block; also per row or per tensor;
- int8: LLM.int8() of bitsandbytes (`SCB`, the largest size of a row, at 127); compressed-tensors (`weight_scale`);
  CTranslate2 (`…/weight_scale`, which divides);
- GPTQ (AutoGPTQ): eight 4-bit numbers an int32 along the input; zero points stored less one; `g_idx` groups;
- AWQ (AutoAWQ): along the output, in the order 0, 2, 4, 6, 1, 3, 5, 7;
- compressed-tensors `pack-quantized`: along the input, offset by half the range;
- MXFP4 (OCP Microscaling; GPT-OSS): 32 numbers of 4 bits share a power of two; NVFP4: 16 share an 8-bit float.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dokja.language import mark
from dokja.lineage.checkpoint.formats import FP4_VALUES, Floats, fp4
from dokja.lineage.checkpoint.header import Entry

Rows = NDArray[np.int64]
Numbers = NDArray[np.uint32]

AWQ_ORDER: Final = (0, 2, 4, 6, 1, 3, 5, 7)
"""Which of eight neighbouring outputs each four bits of an int32 hold, from the lowest bits up."""

GROUP_OF_MXFP4: Final = 32
SCALED_BLOCK: Final = 128


class Stored(Protocol):
    """What a recipe reads from: stored tensors by name, as float32 or as the bytes they are."""

    def floats(self, name: str, rows: Rows | None = None) -> Floats:
        """A stored tensor, or chosen rows of its first axis, decoded; its shape is kept."""

    def words(self, name: str, rows: Rows | None = None) -> NDArray[Any]:
        """A stored tensor of whole numbers as it is."""


class MisfitError(ValueError):
    """Stored tensors that look like one packed matrix do not fit together."""


@dataclass(frozen=True)
class Packed:
    """A matrix in stored tensors: `parts` name them by what they are to it."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parts: Mapping[str, str]
    decode: Callable[[Stored, Packed, Rows], Floats]
    bits: int = 8


Entries = Mapping[str, Entry]
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """One way of packing: the ending of its main tensor, those of its companions, and how the matrix is described."""

    kind: str
    main: str
    companions: Mapping[str, Sequence[str]]
    optional: Mapping[str, Sequence[str]]
    describe: Callable[[str, Entries, Mapping[str, str], Config], Packed | None]


# -- floats and int8 with scales


def _scales(scale: Floats, shape: tuple[int, int], rows: Rows) -> Floats:
    """A scale for each number of these rows: from one for all, one a row, or one a block."""
    if scale.size == 1:
        return scale.reshape(1, 1)
    if scale.size == shape[0]:
        return scale.reshape(-1, 1)[rows]
    high, wide = _block(scale.shape, shape)
    return np.repeat(scale[rows // high], wide, axis=1)[:, : shape[1]]


def _block(scales: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """The size of a block: 128 where that fits, else the even division."""
    if len(scales) != 2 or len(shape) != 2 or 0 in scales:
        raise MisfitError(f"scales {list(scales)} for {list(shape)}")
    sizes = []
    for extent, count in zip(shape, scales, strict=True):
        if -(-extent // SCALED_BLOCK) != count and extent % count:
            raise MisfitError(f"scales {list(scales)} for {list(shape)}")
        sizes.append(SCALED_BLOCK if -(-extent // SCALED_BLOCK) == count else extent // count)
    return sizes[0], sizes[1]


def _scaled(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    weight = stored.floats(packed.parts["weight"], rows).reshape(len(rows), -1)
    shape = (packed.shape[0], weight.shape[1])
    scale = _scales(stored.floats(packed.parts["scale"]), shape, rows)
    return weight * scale if packed.kind != "divided" else weight / scale


def _absmax(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    weight = stored.floats(packed.parts["weight"], rows)
    return weight * (stored.floats(packed.parts["scale"]).reshape(-1, 1)[rows] / np.float32(127))


def _describe_scaled(
    dtypes: frozenset[str], kind: str
) -> Callable[[str, Entries, Mapping[str, str], Config], Packed | None]:
    def describe(name: str, entries: Entries, parts: Mapping[str, str], _: Config) -> Packed | None:
        weight, scale = entries[parts["weight"]], entries[parts["scale"]]
        if weight.dtype not in dtypes or len(weight.shape) < 2:
            return None
        if prod(scale.shape) not in (1, weight.shape[0]):
            if len(weight.shape) > 2:
                return None
            _block(scale.shape, weight.shape)
        return Packed(name, kind, weight.shape, parts, _absmax if kind == "absmax" else _scaled)

    return describe


# -- four bits, packed in int32


def _unpacked(words: NDArray[Any], bits: int, axis: int) -> Numbers:
    """The numbers in int32 words, the lowest bits first, along this axis."""
    count = 32 // bits
    shifts = np.arange(count, dtype=np.uint32) * np.uint32(bits)
    unsigned = np.ascontiguousarray(words).view(np.uint32)
    apart = (
        np.expand_dims(unsigned, axis + 1)
        >> shifts.reshape([-1 if i == axis + 1 else 1 for i in range(unsigned.ndim + 1)])
    ) & np.uint32((1 << bits) - 1)
    shape = list(unsigned.shape)
    shape[axis] *= count
    return np.asarray(apart.reshape(shape), dtype=np.uint32)


def _gptq(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    per = 32 // packed.bits
    numbers = _unpacked(stored.words(packed.parts["qweight"])[:, rows], packed.bits, 0)
    zero_words = stored.words(packed.parts["qzeros"])
    scales = stored.floats(packed.parts["scales"])[:, rows]
    zeros = _unpacked(zero_words[:, rows // per], packed.bits, 1).reshape(len(zero_words), len(rows), per)
    zero = np.take_along_axis(zeros, (rows % per)[None, :, None], axis=2)[:, :, 0].astype(np.float32)
    if packed.kind == "gptq":
        zero = np.mod(zero + 1, np.float32(1 << packed.bits))
    group = _groups(stored, packed, len(scales))
    return np.ascontiguousarray(((numbers.astype(np.float32) - zero[group]) * scales[group]).T)


def _groups(stored: Stored, packed: Packed, count: int) -> NDArray[np.int64]:
    inputs = packed.shape[1]
    if "g_idx" not in packed.parts:
        return np.arange(inputs, dtype=np.int64) // -(-inputs // count)
    group = stored.words(packed.parts["g_idx"]).astype(np.int64)
    if group.min(initial=0) < 0 or group.max(initial=0) >= count:
        raise MisfitError(mark("g_idx names groups that have no scales"))
    return group


def _awq(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    place = np.argsort(np.array(AWQ_ORDER))[rows % 8].astype(np.uint32) * np.uint32(4)
    words = np.ascontiguousarray(stored.words(packed.parts["qweight"])[:, rows // 8]).view(np.uint32)
    zeros = np.ascontiguousarray(stored.words(packed.parts["qzeros"])[:, rows // 8]).view(np.uint32)
    scales = stored.floats(packed.parts["scales"])[:, rows]
    group = _groups(stored, packed, len(scales))
    number = ((words >> place) & np.uint32(0xF)).astype(np.float32)
    zero = ((zeros >> place) & np.uint32(0xF)).astype(np.float32)
    return np.ascontiguousarray(((number - zero[group]) * scales[group]).T)


def _describe_int32(name: str, entries: Entries, parts: Mapping[str, str], config: Config) -> Packed | None:
    words, scales, zeros = (entries[parts[part]].shape for part in ("qweight", "scales", "qzeros"))
    if any(len(shape) != 2 for shape in (words, scales, zeros)) or zeros[0] != scales[0] or not scales[0]:
        raise MisfitError(f"qweight {list(words)}, scales {list(scales)}, qzeros {list(zeros)}")
    if any(entries[parts[part]].dtype not in ("I32", "U32") for part in ("qweight", "qzeros")):
        raise MisfitError(mark("qweight and qzeros are not int32"))
    outputs = scales[1]
    if words[1] * 8 == outputs and zeros[1] * 8 == outputs:
        return Packed(
            name, "awq", (outputs, words[0]), {key: parts[key] for key in ("qweight", "qzeros", "scales")}, _awq, 4
        )
    bits = 32 * zeros[1] // outputs if outputs else 0
    if words[1] != outputs or bits not in (2, 4, 8) or zeros[1] * (32 // bits) != outputs:
        raise MisfitError(f"qweight {list(words)}, scales {list(scales)}, qzeros {list(zeros)}")
    inputs = words[0] * (32 // bits)
    if "g_idx" in parts and entries[parts["g_idx"]].shape != (inputs,):
        raise MisfitError(mark("g_idx has not one group for each input"))
    quantised = config.get("quantization_config")
    version = quantised.get("checkpoint_format") if isinstance(quantised, dict) else None
    return Packed(name, "gptq-v2" if version == "gptq_v2" else "gptq", (outputs, inputs), parts, _gptq, bits)


def _compressed(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    numbers = _unpacked(stored.words(packed.parts["packed"], rows), packed.bits, 1).astype(np.float32)
    scales = stored.floats(packed.parts["scale"], rows).reshape(len(rows), -1)
    zero: Floats = np.full((1, 1), 1 << (packed.bits - 1), dtype=np.float32)
    if "zero" in packed.parts:
        all_zeros = _unpacked(stored.words(packed.parts["zero"]), packed.bits, 0)
        zero = all_zeros[rows].astype(np.float32)
    group = _groups(stored, packed, scales.shape[1])
    return (numbers - (zero[:, group] if zero.size > 1 else zero)) * scales[:, group]


def _describe_compressed(name: str, entries: Entries, parts: Mapping[str, str], config: Config) -> Packed | None:
    words, scale = entries[parts["packed"]], entries[parts["scale"]]
    if (
        words.dtype != "I32"
        or len(words.shape) != 2
        or len(scale.shape) != 2
        or scale.shape[0] != words.shape[0]
        or not scale.shape[1]
    ):
        raise MisfitError(f"weight_packed {list(words.shape)}, weight_scale {list(scale.shape)}")
    known = {key: value for key, value in parts.items() if key != "shape"}
    bits = 8 if '"num_bits": 8' in json.dumps(config.get("quantization_config")) else 4
    return Packed(name, "compressed", (words.shape[0], words.shape[1] * (32 // bits)), known, _compressed, bits)


# -- four-bit floats


def _mxfp4(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    blocks, scales = stored.words(packed.parts["blocks"], rows), stored.words(packed.parts["scales"], rows)
    numbers = fp4(np.ascontiguousarray(blocks).reshape(-1)).reshape(-1, GROUP_OF_MXFP4)
    exponents = scales.reshape(-1, 1).astype(np.int32) - 127
    return np.ldexp(numbers, exponents).astype(np.float32).reshape(len(rows), -1)


def _describe_mxfp4(name: str, entries: Entries, parts: Mapping[str, str], _: Config) -> Packed | None:
    blocks, scales = entries[parts["blocks"]], entries[parts["scales"]]
    if blocks.dtype != "U8" or scales.dtype != "U8" or len(blocks.shape) < 3:
        raise MisfitError(mark("blocks and scales are not bytes"))
    if blocks.shape[-1] * 2 != GROUP_OF_MXFP4 or blocks.shape[:-1] != scales.shape:
        raise MisfitError(f"blocks {list(blocks.shape)}, scales {list(scales.shape)}")
    return Packed(name, "mxfp4", (*blocks.shape[:-2], blocks.shape[-2] * GROUP_OF_MXFP4), parts, _mxfp4, 4)


def _nvfp4(stored: Stored, packed: Packed, rows: Rows) -> Floats:
    numbers = fp4(np.ascontiguousarray(stored.words(packed.parts["weight"], rows)).reshape(-1)).reshape(len(rows), -1)
    scales = stored.floats(packed.parts["scale"], rows) * stored.floats(packed.parts["second"]).reshape(())
    return numbers * np.repeat(scales, numbers.shape[1] // scales.shape[1], axis=1)


def _describe_nvfp4(name: str, entries: Entries, parts: Mapping[str, str], _: Config) -> Packed | None:
    weight, scale = entries[parts["weight"]], entries[parts["scale"]]
    if weight.dtype != "U8":
        return None
    if len(weight.shape) != 2 or scale.shape != (weight.shape[0], weight.shape[1] // 8) or weight.shape[1] % 8:
        raise MisfitError(f"weight {list(weight.shape)}, scales {list(scale.shape)}")
    if prod(entries[parts["second"]].shape) != 1:
        raise MisfitError(mark("weight_scale_2 is not one number"))
    return Packed(name, "nvfp4", (weight.shape[0], weight.shape[1] * 2), parts, _nvfp4, 4)


FLOATS_8: Final = frozenset({"F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ"})
INT_8: Final = frozenset({"I8"})

RECIPES: Final[tuple[Recipe, ...]] = (
    Recipe(
        "nvfp4",
        ".weight",
        {"scale": (".weight_scale",), "second": (".weight_scale_2",)},
        {"input": (".input_scale",)},
        _describe_nvfp4,
    ),
    Recipe(
        "absmax", ".weight", {"scale": (".SCB",)}, {"format": (".weight_format",)}, _describe_scaled(INT_8, "absmax")
    ),
    Recipe(
        "scaled",
        ".weight",
        {"scale": (".weight_scale_inv", ".weight_scale", ".scale")},
        {"input": (".input_scale", ".activation_scale")},
        _describe_scaled(FLOATS_8 | INT_8, "scaled"),
    ),
    Recipe("divided", "/weight", {"scale": ("/weight_scale",)}, {}, _describe_scaled(INT_8, "divided")),
    Recipe(
        "int32",
        ".qweight",
        {"qzeros": (".qzeros",), "scales": (".scales",)},
        {"g_idx": (".g_idx",)},
        _describe_int32,
    ),
    Recipe(
        "compressed",
        ".weight_packed",
        {"scale": (".weight_scale",)},
        {"zero": (".weight_zero_point",), "g_idx": (".weight_g_idx",), "shape": (".weight_shape",)},
        _describe_compressed,
    ),
    Recipe("mxfp4", "_blocks", {"scales": ("_scales",)}, {}, _describe_mxfp4),
)
"""The first that fits is taken."""

LOGICAL: Final[Mapping[str, str]] = {".weight": ".weight", "/weight": "/weight", "_blocks": ""}
"""The ending of the matrix's name, where it is not `.weight`."""

MAIN: Final[Mapping[str, str]] = {
    ".weight": "weight",
    "/weight": "weight",
    ".qweight": "qweight",
    ".weight_packed": "packed",
    "_blocks": "blocks",
}
"""What a recipe calls its main tensor."""


def recognised(entries: Entries, config: Config) -> tuple[Mapping[str, Packed], frozenset[str]]:
    """The packed matrices by name, and all stored tensors that they are made of."""
    found: dict[str, Packed] = {}
    used: set[str] = set()
    for recipe in RECIPES:
        for name in entries:
            if not name.endswith(recipe.main) or name in used:
                continue
            stem = name.removesuffix(recipe.main)
            parts = _companions(recipe, name, stem, entries)
            if parts is None:
                continue
            try:
                packed = recipe.describe(stem + LOGICAL.get(recipe.main, ".weight"), entries, parts, config)
            except MisfitError as misfit:
                raise MisfitError(name, str(misfit)) from None
            if packed is not None:
                found[packed.name] = packed
                used.update(parts.values())
    return found, frozenset(used)


def _companions(recipe: Recipe, name: str, stem: str, entries: Entries) -> dict[str, str] | None:
    parts = {MAIN[recipe.main]: name}
    for wanted, required in ((recipe.companions, True), (recipe.optional, False)):
        for part, endings in wanted.items():
            held = [stem + ending for ending in endings if stem + ending in entries]
            if held:
                parts[part] = held[0]
            elif required:
                return None
    return parts


__all__ = ["FP4_VALUES", "Entries", "MisfitError", "Packed", "Rows", "Stored", "recognised"]
