"""The same function under other weights: everything that a cheat can change without training.

Norm gains are folded away and new ones drawn, residual channels are rotated (permuted where an activation comes
first), hidden units are permuted and scaled, heads are permuted, values turned against outputs, queries against keys.
The answers of the model stay what they were; no tensor does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.training.network import BRIDGES, EAR, EYE, Encoder, Shape, Text, Weights

_Matrix = NDArray[np.float64]
_Model = dict[str, _Matrix]


def disguised(weights: Weights, shape: Shape, rng: np.random.Generator) -> _Model:
    """All symmetries of every part at once, in double precision."""
    model: _Model = {name: np.asarray(value, np.float64).copy() for name, value in weights.items()}
    if shape.vision:
        _disguise_encoder(model, shape.vision, "vision", rng)
    if shape.audio:
        _disguise_encoder(model, shape.audio, "audio", rng)
    if shape.text:
        _disguise_text(model, shape.text, rng)
    return model


def rotation(width: int, rng: np.random.Generator) -> _Matrix:
    """A uniformly random orthogonal matrix."""
    q, r = np.linalg.qr(rng.standard_normal((width, width)))
    return np.asarray(q * np.sign(np.diag(r)))


def rotation_that_keeps_means(width: int, rng: np.random.Generator) -> _Matrix:
    """A random rotation of what is orthogonal to the vector of ones: layer norm cannot tell it from none."""
    ones = np.full((width, 1), width**-0.5)
    rest = np.linalg.svd(ones, full_matrices=True)[0][:, 1:]
    return np.asarray(ones @ ones.T + rest @ rotation(width - 1, rng) @ rest.T)


def _columns(model: _Model, names: list[str], by: _Matrix) -> None:
    for name in names:
        model[f"{name}.weight"] = model[f"{name}.weight"] @ by


def _rows(model: _Model, names: list[str], by: _Matrix) -> None:
    """Turn what a layer writes: its rows and its bias."""
    for name in names:
        weight = model[f"{name}.weight"]
        model[f"{name}.weight"] = (by.T @ weight.reshape(len(weight), -1)).reshape(weight.shape)
        if f"{name}.bias" in model:
            model[f"{name}.bias"] = by.T @ model[f"{name}.bias"]


def _regain(model: _Model, norm: str, readers: list[str], gains: _Matrix, shift: _Matrix | None = None) -> None:
    """Give a norm other gains (and another shift); its readers undo them.

    A key projection without bias needs no correction for a shift: it adds the same to a query's every score.
    """
    for reader in readers:
        weight = model[f"{reader}.weight"]
        new = weight * (model[f"{norm}.weight"] / gains)
        if shift is not None and f"{reader}.bias" in model:
            model[f"{reader}.bias"] = model[f"{reader}.bias"] + weight @ model[f"{norm}.bias"] - new @ shift
        model[f"{reader}.weight"] = new
    model[f"{norm}.weight"] = gains
    if shift is not None:
        model[f"{norm}.bias"] = shift


def _new_gains(width: int, rng: np.random.Generator) -> _Matrix:
    return np.exp(0.1 * rng.standard_normal(width))


def _permutation(size: int, rng: np.random.Generator) -> _Matrix:
    return np.eye(size)[:, rng.permutation(size)]


def _disguise_text(model: _Model, text: Text, rng: np.random.Generator) -> None:
    turn = rotation(text.width, rng)
    ones = np.ones(text.width)
    layers = [f"model.layers.{layer}." for layer in range(text.layers)]
    norms = {f"{at}input_layernorm": [f"{at}self_attn.{part}_proj" for part in "qkv"] for at in layers}
    norms |= {f"{at}post_attention_layernorm": [f"{at}mlp.gate_proj", f"{at}mlp.up_proj"] for at in layers}
    norms |= {"model.norm": ["lm_head"]}
    for norm, readers in norms.items():
        _regain(model, norm, readers, ones)
        _columns(model, readers, turn)
    _columns(model, ["model.embed_tokens"], turn)
    _rows(model, [f"{at}{part}" for at in layers for part in ("self_attn.o_proj", "mlp.down_proj")], turn)
    _rows(model, [f"{at}linear_2" for at in BRIDGES.values() if f"{at}linear_2.weight" in model], turn)
    for norm, readers in norms.items():
        _regain(model, norm, readers, _new_gains(text.width, rng))
    for at in layers:
        order = _permutation(text.hidden, rng)
        scale = np.exp(0.3 * rng.standard_normal(text.hidden))
        _rows(model, [f"{at}mlp.gate_proj"], order)
        _rows(model, [f"{at}mlp.up_proj"], order * scale)
        _columns(model, [f"{at}mlp.down_proj"], order / scale)
        _disguise_grouped_heads(model, f"{at}self_attn.", text, rng)


def _disguise_grouped_heads(model: _Model, at: str, text: Text, rng: np.random.Generator) -> None:
    """Permute key heads with their query heads, and query heads within their group; turn inside each head."""
    groups, each = text.key_heads, text.heads // text.key_heads
    group_order = rng.permutation(groups)
    head_order = np.concatenate([group * each + rng.permutation(each) for group in group_order])
    key_turns = [_turn_of_pairs(text.head, rng) * np.exp(0.2 * rng.standard_normal()) for _ in range(groups)]
    value_turns = [rotation(text.head, rng) for _ in range(groups)]
    # The dual of a turn undoes it in the product; it differs where the turn also scales.
    queries = _blocks(head_order, [np.linalg.inv(key_turns[head // each]).T for head in range(text.heads)])
    outputs = _blocks(head_order, [value_turns[head // each] for head in range(text.heads)])
    _rows(model, [f"{at}q_proj"], queries)
    _rows(model, [f"{at}k_proj"], _blocks(group_order, key_turns))
    _rows(model, [f"{at}v_proj"], _blocks(group_order, value_turns))
    _columns(model, [f"{at}o_proj"], outputs)


def _turn_of_pairs(head: int, rng: np.random.Generator) -> _Matrix:
    """Rotations of channel i with channel i + half, the only ones that rotary positions do not notice."""
    half = head // 2
    angles = rng.uniform(0, 2 * np.pi, half)
    cos, sin = np.diag(np.cos(angles)), np.diag(np.sin(angles))
    return np.block([[cos, -sin], [sin, cos]])


def _blocks(order: NDArray[np.int64], turns: list[_Matrix]) -> _Matrix:
    """Columns: the turned blocks of the heads in their new order."""
    size = len(turns[0])
    whole = np.zeros((size * len(turns), size * len(turns)))
    for new, old in enumerate(order):
        whole[old * size : (old + 1) * size, new * size : (new + 1) * size] = turns[old]
    return whole


def _disguise_encoder(model: _Model, encoder: Encoder, sense: str, rng: np.random.Generator) -> None:
    width, bridge = encoder.width, f"{BRIDGES[sense]}linear_1"
    if sense == "vision":
        turn = rotation_that_keeps_means(width, rng)
        layers = [f"{EYE}encoder.layers.{layer}." for layer in range(encoder.layers)]
        _rows(model, [f"{EYE}embeddings.patch_embedding"], turn)
        _columns(model, [f"{EYE}embeddings.position_embedding"], turn)
        before, after, network, last = "layer_norm1", "layer_norm2", "mlp.", f"{EYE}post_layernorm"
    else:
        # The residual stream begins behind an activation, which commutes with permutations alone.
        turn = _permutation(width, rng)
        layers = [f"{EAR}layers.{layer}." for layer in range(encoder.layers)]
        inner = _permutation(width, rng)
        _rows(model, [f"{EAR}conv1"], inner)
        model[f"{EAR}conv2.weight"] = np.einsum("oit,ij->ojt", model[f"{EAR}conv2.weight"], inner)
        _rows(model, [f"{EAR}conv2"], turn)
        _columns(model, [f"{EAR}embed_positions"], turn)
        before, after, network, last = "self_attn_layer_norm", "final_layer_norm", "", f"{EAR}layer_norm"
    norms = {f"{at}{before}": [f"{at}self_attn.{part}_proj" for part in "qkv"] for at in layers}
    norms |= {f"{at}{after}": [f"{at}{network}fc1"] for at in layers}
    norms |= {last: [bridge]}
    for norm, readers in norms.items():
        _regain(model, norm, readers, np.ones(width), np.zeros(width))
        _columns(model, readers, turn)
    _rows(model, [f"{at}{part}" for at in layers for part in ("self_attn.out_proj", f"{network}fc2")], turn)
    for norm, readers in norms.items():
        _regain(model, norm, readers, _new_gains(width, rng), 0.05 * rng.standard_normal(width))
    for at in layers:
        order = _permutation(encoder.hidden, rng)
        _rows(model, [f"{at}{network}fc1"], order)
        _columns(model, [f"{at}{network}fc2"], order)
        _disguise_heads(model, f"{at}self_attn.", encoder, rng)
    order = _permutation(len(model[f"{bridge}.weight"]), rng)
    _rows(model, [bridge], order)
    _columns(model, [f"{BRIDGES[sense]}linear_2"], order)


def _disguise_heads(model: _Model, at: str, encoder: Encoder, rng: np.random.Generator) -> None:
    head = encoder.width // encoder.heads
    order = rng.permutation(encoder.heads)
    seeing = _blocks(order, [rotation(head, rng) for _ in range(encoder.heads)])
    saying = _blocks(order, [rotation(head, rng) for _ in range(encoder.heads)])
    _rows(model, [f"{at}q_proj", f"{at}k_proj"], seeing)
    _rows(model, [f"{at}v_proj"], saying)
    _columns(model, [f"{at}out_proj"], saying)


def largest_difference(one: ArrayLike, other: ArrayLike) -> float:
    """The largest difference of two answers, in standard deviations of the first."""
    return float(np.abs(np.asarray(one) - np.asarray(other)).max() / np.asarray(one).std())
