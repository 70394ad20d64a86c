"""Each way of storing numbers, against a reference that is written out number by number."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dokja.errors import CheckpointError
from dokja.lineage.checkpoint import open_checkpoint
from dokja.lineage.checkpoint.formats import decode, values_of
from tests.lineage.saved import Tensors, bfloat16, save

Array = NDArray[Any]
RANDOM = np.random.default_rng(4)


def read(folder: Path, tensors: Tensors, name: str, config: str | None = None) -> NDArray[np.float32]:
    """The tensor as a whole, after holding its windows and chosen rows against it."""
    if config is not None:
        (folder / "config.json").write_text(config)
    with open_checkpoint(save(folder / "model.safetensors", tensors)) as checkpoint:
        whole = checkpoint.read(name)
        flat = whole.reshape(len(whole), -1)
        tiles = [tile for _, tile in checkpoint.windows(name, size=5 * 4 * flat.shape[1])]
        np.testing.assert_array_equal(np.concatenate(tiles), flat)
        chosen = np.array([len(whole) - 1, 0, 2, 0])
        np.testing.assert_array_equal(checkpoint.rows(name, chosen), flat[chosen])
        if whole.ndim == 2:
            across = np.array([whole.shape[1] - 1, 0, 1, 0])
            np.testing.assert_array_equal(checkpoint.columns(name, across, 1, len(whole)), whole.T[across, 1:])
        assert list(checkpoint.tensors) == [name]
        assert checkpoint.tensors[name].shape == whole.shape
        return whole


# -- plain types


@pytest.mark.parametrize("kind", ["f4", "f2", "f8", "i1", "u1", "i4", "i8"])
def test_plain_numbers(tmp_path: Path, kind: str) -> None:
    array = (RANDOM.normal(size=(6, 3)) * 40).astype(kind)
    np.testing.assert_array_equal(read(tmp_path, {"x": array}, "x"), array.astype(np.float32))


def test_bfloat16(tmp_path: Path) -> None:
    array = RANDOM.normal(size=(6, 5)).astype(np.float32)
    stored = bfloat16(array)
    halves = struct.unpack(f"<{array.size}H", stored[2])
    expected = [struct.unpack("<f", struct.pack("<I", half << 16))[0] for half in halves]
    np.testing.assert_array_equal(read(tmp_path, {"x": stored}, "x").reshape(-1), np.array(expected, np.float32))


def small_float(bits: int, exponent: int, mantissa: int, special: str) -> float:
    """The value of an eight-bit float, from its definition."""
    bias = (1 << (exponent - 1)) - 1
    sign = -1.0 if bits >> (exponent + mantissa) else 1.0
    power, fraction = (bits >> mantissa) & ((1 << exponent) - 1), bits & ((1 << mantissa) - 1)
    highest = power == (1 << exponent) - 1
    if special == "ieee" and highest:
        return nan if fraction else sign * inf
    if special == "fn" and highest and fraction == (1 << mantissa) - 1:
        return nan
    if power == 0:
        return float(sign * fraction * 2.0 ** (1 - bias - mantissa))
    return float(sign * (1 + fraction / (1 << mantissa)) * 2.0 ** (power - bias))


@pytest.mark.parametrize(
    ("dtype", "exponent", "mantissa", "special"), [("F8_E4M3", 4, 3, "fn"), ("F8_E5M2", 5, 2, "ieee")]
)
def test_every_value_of_eight_bits(dtype: str, exponent: int, mantissa: int, special: str) -> None:
    for bits, value in enumerate(values_of(dtype).tolist()):
        expected = small_float(bits, exponent, mantissa, special)
        assert value == expected or (isnan(value) and isnan(expected))


def test_powers_of_two() -> None:
    values = values_of("F8_E8M0")
    assert [float(values[bits]) for bits in (127, 128, 120)] == [1.0, 2.0, 2.0**-7]
    assert isnan(values[255])


def test_a_pair_of_fours_in_a_byte() -> None:
    values = [small_float(bits, 2, 1, "none") for bits in range(16)]
    found = decode("F4", np.arange(256, dtype=np.uint8)).reshape(-1, 2)
    assert found.tolist() == [[values[byte % 16], values[byte // 16]] for byte in range(256)]


# -- scales


def fp8(shape: tuple[int, ...]) -> tuple[tuple[str, tuple[int, ...], bytes], Array]:
    """Random bytes that are no NaN, and their values."""
    data = RANDOM.integers(0, 0x7F, size=shape).astype(np.uint8) | (RANDOM.integers(0, 2, shape) << 7).astype(
        np.uint8
    )
    return ("F8_E4M3", shape, data.tobytes()), np.vectorize(lambda bits: small_float(int(bits), 4, 3, "fn"))(data)


@pytest.mark.parametrize("shape", [(256, 384), (300, 130), (7, 129)])
def test_a_scale_for_each_block_of_128(tmp_path: Path, shape: tuple[int, int]) -> None:
    stored, values = fp8(shape)
    scale = RANDOM.uniform(0.5, 2, size=(-(-shape[0] // 128), -(-shape[1] // 128))).astype(np.float32)
    found = read(tmp_path, {"a.weight": stored, "a.weight_scale_inv": scale}, "a.weight")
    for i in range(0, shape[0], 37):
        for j in range(0, shape[1], 41):
            assert found[i, j] == pytest.approx(values[i, j] * scale[i // 128, j // 128], rel=1e-6)


@pytest.mark.parametrize("shape", [(), (1,), (12,), (12, 1)])
def test_a_scale_for_all_or_for_each_row(tmp_path: Path, shape: tuple[int, ...]) -> None:
    weight = RANDOM.integers(-127, 128, size=(12, 8)).astype(np.int8)
    scale = RANDOM.uniform(0.01, 0.02, size=shape).astype(np.float32)
    found = read(tmp_path, {"a.weight": weight, "a.weight_scale": scale}, "a.weight")
    expected = weight * (scale.reshape(-1, 1) if scale.size == 12 else scale.reshape(-1)[0])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_int8_by_the_largest_of_a_row(tmp_path: Path) -> None:
    weight = RANDOM.integers(-127, 128, size=(6, 8)).astype(np.int8)
    largest = RANDOM.uniform(1, 3, size=6).astype(np.float32)
    tensors: Tensors = {"a.weight": weight, "a.SCB": largest, "a.weight_format": np.array(0, dtype=np.uint8)}
    found = read(tmp_path, tensors, "a.weight")
    assert found[2, 3] == pytest.approx(float(weight[2, 3]) * float(largest[2]) / 127, rel=1e-6)


def test_int8_that_is_divided(tmp_path: Path) -> None:
    weight = RANDOM.integers(-127, 128, size=(6, 8)).astype(np.int8)
    scale = RANDOM.uniform(50, 90, size=6).astype(np.float32)
    found = read(tmp_path, {"a/weight": weight, "a/weight_scale": scale}, "a/weight")
    assert found[5, 1] == pytest.approx(float(weight[5, 1]) / float(scale[5]), rel=1e-6)


# -- packed


def packed_along(numbers: Array, bits: int, axis: int, order: list[int] | None = None) -> NDArray[np.int32]:
    """Numbers into int32 along an axis: word k holds, at place p, number order[p] of its run."""
    per = 32 // bits
    moved = np.moveaxis(numbers, axis, -1)
    words = np.zeros((*moved.shape[:-1], moved.shape[-1] // per), dtype=np.uint64)
    for word in range(words.shape[-1]):
        for place in range(per):
            held = moved[..., word * per + (order[place] if order else place)].astype(np.uint64)
            words[..., word] |= held << np.uint64(bits * place)
    return np.ascontiguousarray(np.moveaxis(words.astype(np.uint32).view(np.int32), -1, axis))


def quantised(bits: int, inputs: int, outputs: int, groups: int) -> tuple[Array, Array, Array]:
    """Whole numbers [in, out], zero points and scales [groups, out]."""
    top = 1 << bits
    numbers, zeros = RANDOM.integers(0, top, (inputs, outputs)), RANDOM.integers(0, top, (groups, outputs))
    return numbers, zeros, RANDOM.uniform(0.01, 0.1, (groups, outputs)).astype(np.float16)


def expected_of(numbers: Array, zeros: Array, scales: Array, group: Callable[[int], int]) -> Array:
    """[out, in], one number after the other."""
    inputs, outputs = numbers.shape
    found = np.zeros((outputs, inputs))
    for i in range(inputs):
        for o in range(outputs):
            g = group(i)
            found[o, i] = (float(numbers[i, o]) - float(zeros[g, o])) * float(scales[g, o])
    return found


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("permuted", [False, True])
@pytest.mark.parametrize("version", ["gptq", "gptq_v2"])
def test_gptq(tmp_path: Path, bits: int, permuted: bool, version: str) -> None:
    numbers, zeros, scales = quantised(bits, 64, 48, 2)
    index = RANDOM.permutation(64) % 2 if permuted else np.arange(64) // 32
    tensors: dict[str, Any] = {
        "a.qweight": packed_along(numbers, bits, 0),
        "a.qzeros": packed_along((zeros - 1) % (1 << bits) if version == "gptq" else zeros, bits, 1),
        "a.scales": scales,
    }
    if permuted:
        tensors["a.g_idx"] = index.astype(np.int32)
    config = json.dumps({"quantization_config": {"checkpoint_format": version}})
    found = read(tmp_path, tensors, "a.weight", config)
    np.testing.assert_allclose(found, expected_of(numbers, zeros, scales, lambda i: int(index[i])), rtol=1e-5)


def test_awq(tmp_path: Path) -> None:
    numbers, zeros, scales = quantised(4, 64, 48, 2)
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    tensors = {
        "a.qweight": packed_along(numbers, 4, 1, order),
        "a.qzeros": packed_along(zeros, 4, 1, order),
        "a.scales": scales,
    }
    found = read(tmp_path, tensors, "a.weight")
    np.testing.assert_allclose(found, expected_of(numbers, zeros, scales, lambda i: i // 32), rtol=1e-5)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("symmetric", [True, False])
def test_compressed_tensors(tmp_path: Path, bits: int, symmetric: bool) -> None:
    numbers, zeros, scales = quantised(bits, 64, 48, 2)
    if symmetric:
        zeros[:] = 1 << (bits - 1)
    tensors: dict[str, Any] = {
        "a.weight_packed": packed_along(numbers.T, bits, 1),
        "a.weight_scale": np.ascontiguousarray(scales.T),
        "a.weight_shape": np.array([48, 64]),
    }
    if not symmetric:
        tensors["a.weight_zero_point"] = packed_along(zeros.T, bits, 0)
    group = {"weights": {"num_bits": bits}}
    config = json.dumps({"quantization_config": {"config_groups": {"group_0": group}}})
    found = read(tmp_path, tensors, "a.weight", config)
    np.testing.assert_allclose(found, expected_of(numbers, zeros, scales, lambda i: i // 32), rtol=1e-5)


def test_mxfp4_of_stacked_experts(tmp_path: Path) -> None:
    blocks = RANDOM.integers(0, 256, size=(3, 10, 2, 16)).astype(np.uint8)
    scales = RANDOM.integers(118, 130, size=(3, 10, 2)).astype(np.uint8)
    found = read(tmp_path, {"e.up_blocks": blocks, "e.up_scales": scales}, "e.up")
    assert found.shape == (3, 10, 64)
    for e, row, place in [(0, 0, 0), (1, 3, 31), (2, 9, 63), (1, 7, 34)]:
        byte = int(blocks[e, row, place // 32, place % 32 // 2])
        value = small_float(byte >> 4 if place % 2 else byte & 15, 2, 1, "none")
        assert found[e, row, place] == value * 2.0 ** (int(scales[e, row, place // 32]) - 127)


def test_nvfp4(tmp_path: Path) -> None:
    weight = RANDOM.integers(0, 256, size=(10, 16)).astype(np.uint8)
    scale, values = fp8((10, 2))
    tensors: Tensors = {"a.weight": weight, "a.weight_scale": scale, "a.weight_scale_2": np.array(0.25, np.float32)}
    found = read(tmp_path, tensors, "a.weight")
    assert found.shape == (10, 32)
    byte = int(weight[4, 20 // 2])
    assert found[4, 20] == small_float(byte & 15, 2, 1, "none") * np.float32(values[4, 1]) * 0.25


@pytest.mark.parametrize(
    "tensors",
    [
        {"a.weight": ("F8_E4M3", (256, 256), bytes(65536)), "a.weight_scale_inv": np.ones((3, 5), np.float32)},
        {
            "a.qweight": np.zeros((8, 48), np.int32),
            "a.qzeros": np.zeros((3, 6), np.int32),
            "a.scales": np.ones((2, 48), np.float16),
        },
        {
            "a.qweight": np.zeros((8, 48), np.int32),
            "a.qzeros": np.zeros((2, 6), np.int32),
            "a.scales": np.ones((2, 48), np.float16),
            "a.g_idx": np.zeros(63, np.int32),
        },
        {"a_blocks": np.zeros((2, 3, 4, 16), np.uint8), "a_scales": np.zeros((2, 3, 5), np.uint8)},
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, tensors: Tensors) -> None:
    with pytest.raises(CheckpointError) as refusal:
        open_checkpoint(save(tmp_path / "model.safetensors", tensors))
    assert [each.code for each in refusal.value.problems] == ["checkpoint-packed"]


def test_groups_that_have_no_scales_are_refused_when_read(tmp_path: Path) -> None:
    tensors: Tensors = {
        "a.qweight": np.zeros((8, 48), np.int32),
        "a.qzeros": np.zeros((2, 6), np.int32),
        "a.scales": np.ones((2, 48), np.float16),
        "a.g_idx": np.full(64, 7, np.int32),
    }
    path = save(tmp_path / "model.safetensors", tensors)
    with open_checkpoint(path) as checkpoint, pytest.raises(CheckpointError) as refusal:
        checkpoint.read("a.weight")
    assert [each.code for each in refusal.value.problems] == ["checkpoint-packed"]


def test_complex_numbers_are_listed_and_not_read(tmp_path: Path) -> None:
    tensors: Tensors = {"z": ("C64", (2,), bytes(16)), "x": np.ones(3, np.float32)}
    with open_checkpoint(save(tmp_path / "model.safetensors", tensors)) as checkpoint:
        assert checkpoint.unread == ("z",)
        assert list(checkpoint.tensors) == ["x"]
