"""The same function under other weights: everything that a cheat can change without training.

Norm gains are folded away and new ones drawn, residual channels are rotated (permuted where an activation comes
first), hidden units are permuted and scaled, heads are permuted, values turned against outputs, queries against keys.
The answers of the model stay what they were; no tensor does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.training.network import BRIDGES, EAR, EYE, ROUTER, Encoder, Shape, Text, Weights, networks_of

_Matrix = NDArray[np.float64]
_Model = dict[str, _Matrix]


EVERYTHING = frozenset({"permute", "scale", "rotate"})


@dataclass(frozen=True)
class _Draw:
    """What is drawn of each kind of change; the identity of a kind that is not asked for."""

    rng: np.random.Generator
    kinds: frozenset[str]

    def order(self, size: int) -> NDArray[np.int64]:
        return self.rng.permutation(size) if "permute" in self.kinds else np.arange(size)

    def permutation(self, size: int) -> _Matrix:
        return np.eye(size)[:, self.order(size)]

    def scales(self, size: int, spread: float) -> _Matrix:
        return np.exp(spread * self.rng.standard_normal(size)) if "scale" in self.kinds else np.ones(size)

    def rotation(self, size: int) -> _Matrix:
        return rotation(size, self.rng) if "rotate" in self.kinds else np.eye(size)

    def residual(self, size: int, *, keep_means: bool = False) -> _Matrix:
        """A rotation of the residual channels, or else a permutation."""
        if "rotate" not in self.kinds:
            return self.permutation(size)
        return rotation_that_keeps_means(size, self.rng) if keep_means else rotation(size, self.rng)

    def turn_of_pairs(self, head: int) -> _Matrix:
        """A scale, and rotations of channel i with channel i + half: all that rotary positions let pass."""
        angles = self.rng.uniform(0, 2 * np.pi, head // 2) if "rotate" in self.kinds else np.zeros(head // 2)
        cos, sin = np.diag(np.cos(angles)), np.diag(np.sin(angles))
        turn: _Matrix = np.block([[cos, -sin], [sin, cos]]) * self.scales(1, 0.2)
        return turn

    def gains(self, old: _Matrix, turn: _Matrix) -> _Matrix:
        """Gains after the turn: new ones, or the old ones moved along, which a rotation cannot do."""
        moved = np.ones(len(old)) if "rotate" in self.kinds else old @ turn
        return moved * self.scales(len(old), 0.1)


def disguised(
    weights: Weights, shape: Shape, rng: np.random.Generator, kinds: frozenset[str] = EVERYTHING
) -> dict[str, NDArray[np.float64]]:
    """The asked symmetries of every part at once, in double precision."""
    draw = _Draw(rng, kinds)
    model: _Model = {name: np.asarray(value, np.float64).copy() for name, value in weights.items()}
    if shape.vision:
        _disguise_encoder(model, shape.vision, "vision", draw)
    if shape.audio:
        _disguise_encoder(model, shape.audio, "audio", draw)
    if shape.text:
        _disguise_text(model, shape.text, draw)
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


def shifted(
    weights: Weights, encoder: Encoder, rng: np.random.Generator, size: float
) -> dict[str, NDArray[np.float64]]:
    """A vision encoder under the shifts that layer norm lets pass, of this many times the size of the weights.

    What writes to the residual channels may add the same to all of them. What reads them behind a norm may bear any
    multiple of the inverse gains, for the normalised channels add up to nothing; biases undo the norm's own shift.
    """
    model: _Model = {name: np.asarray(value, np.float64).copy() for name, value in weights.items()}

    def drawn(matrix: _Matrix, *shape: int) -> _Matrix:
        return np.asarray(size * np.sqrt(np.mean(matrix**2)) * rng.standard_normal(shape))

    def written(name: str) -> None:
        weight = model[f"{name}.weight"]
        flat = weight.reshape(len(weight), -1)
        model[f"{name}.weight"] = (flat + drawn(flat, 1, flat.shape[1])).reshape(weight.shape)

    def read(norm: str, readers: list[str]) -> None:
        gains, shift = model[f"{norm}.weight"], model[f"{norm}.bias"]
        for name in readers:
            more = np.outer(drawn(model[f"{name}.weight"], len(model[f"{name}.weight"])), 1 / gains)
            model[f"{name}.weight"] = model[f"{name}.weight"] + more
            model[f"{name}.bias"] = model[f"{name}.bias"] - more @ shift

    written(f"{EYE}embeddings.patch_embedding")
    for layer in range(encoder.layers):
        at = f"{EYE}encoder.layers.{layer}."
        read(f"{at}layer_norm1", [f"{at}self_attn.{part}_proj" for part in "qkv"])
        read(f"{at}layer_norm2", [f"{at}mlp.fc1"])
        written(f"{at}self_attn.out_proj")
        written(f"{at}mlp.fc2")
    return model


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


def _disguise_text(model: _Model, text: Text, draw: _Draw) -> None:
    turn = draw.residual(text.width)
    ones = np.ones(text.width)
    layers = [f"model.layers.{layer}." for layer in range(text.layers)]
    norms = {f"{at}input_layernorm": [f"{at}self_attn.{part}_proj" for part in "qkv"] for at in layers}
    for layer, at in enumerate(layers):
        readers = [name for gate, up, _ in _networks(text, layer) for name in (gate, up)]
        norms[f"{at}post_attention_layernorm"] = readers + ([f"{at}{ROUTER}"] if text.experts else [])
    norms |= {"model.norm": ["lm_head"]}
    gains = {norm: draw.gains(model[f"{norm}.weight"], turn) for norm in norms}
    for norm, readers in norms.items():
        _regain(model, norm, readers, ones)
        _columns(model, readers, turn)
    _columns(model, ["model.embed_tokens"], turn)
    _rows(model, [f"{at}self_attn.o_proj" for at in layers], turn)
    _rows(model, [down for layer in range(text.layers) for _, _, down in _networks(text, layer)], turn)
    _rows(model, [f"{at}linear_2" for at in BRIDGES.values() if f"{at}linear_2.weight" in model], turn)
    for norm, readers in norms.items():
        _regain(model, norm, readers, gains[norm])
    for layer, at in enumerate(layers):
        for gate, up, down in _networks(text, layer):
            order = draw.permutation(text.hidden)
            scale = draw.scales(text.hidden, 0.3)
            _rows(model, [gate], order)
            _rows(model, [up], order * scale)
            _columns(model, [down], order / scale)
        if text.experts:
            _disguise_experts(model, text, layer, draw)
        _disguise_grouped_heads(model, f"{at}self_attn.", text, draw)


def _networks(text: Text, layer: int) -> list[tuple[str, ...]]:
    return [tuple(name.removesuffix(".weight") for name in names) for names in networks_of(text, layer)]


def _disguise_experts(model: _Model, text: Text, layer: int, draw: _Draw) -> None:
    order = draw.order(text.experts)
    router = f"model.layers.{layer}.{ROUTER}.weight"
    model[router] = model[router][order]
    names = networks_of(text, layer)
    old = {name: model[name] for expert in names for name in expert}
    for new, place in enumerate(order):
        model |= {name: old[source] for name, source in zip(names[new], names[place], strict=True)}


def _disguise_grouped_heads(model: _Model, at: str, text: Text, draw: _Draw) -> None:
    """Permute key heads with their query heads, and query heads within their group; turn inside each head."""
    groups, each = text.key_heads, text.heads // text.key_heads
    group_order = draw.order(groups)
    head_order = np.concatenate([group * each + draw.order(each) for group in group_order])
    key_turns = [draw.turn_of_pairs(text.head) for _ in range(groups)]
    value_turns = [draw.rotation(text.head) for _ in range(groups)]
    # The dual of a turn undoes it in the product; it differs where the turn also scales.
    duals = [np.asarray(np.linalg.inv(turn).T, np.float64) for turn in key_turns]
    queries = _blocks(head_order, [duals[head // each] for head in range(text.heads)])
    outputs = _blocks(head_order, [value_turns[head // each] for head in range(text.heads)])
    _rows(model, [f"{at}q_proj"], queries)
    _rows(model, [f"{at}k_proj"], _blocks(group_order, key_turns))
    _rows(model, [f"{at}v_proj"], _blocks(group_order, value_turns))
    _columns(model, [f"{at}o_proj"], outputs)


def _blocks(order: NDArray[np.int64], turns: list[_Matrix]) -> _Matrix:
    """Columns: the turned blocks of the heads in their new order."""
    size = len(turns[0])
    whole = np.zeros((size * len(turns), size * len(turns)))
    for new, old in enumerate(order):
        whole[old * size : (old + 1) * size, new * size : (new + 1) * size] = turns[old]
    return whole


def _disguise_encoder(model: _Model, encoder: Encoder, sense: str, draw: _Draw) -> None:
    width, bridge = encoder.width, f"{BRIDGES[sense]}linear_1"
    if sense == "vision":
        turn = draw.residual(width, keep_means=True)
        layers = [f"{EYE}encoder.layers.{layer}." for layer in range(encoder.layers)]
        _rows(model, [f"{EYE}embeddings.patch_embedding"], turn)
        _columns(model, [f"{EYE}embeddings.position_embedding"], turn)
        before, after, network, last = "layer_norm1", "layer_norm2", "mlp.", f"{EYE}post_layernorm"
    else:
        # The residual stream begins behind an activation, which commutes with permutations alone.
        turn = draw.permutation(width)
        layers = [f"{EAR}layers.{layer}." for layer in range(encoder.layers)]
        inner = draw.permutation(width)
        _rows(model, [f"{EAR}conv1"], inner)
        model[f"{EAR}conv2.weight"] = np.einsum("oit,ij->ojt", model[f"{EAR}conv2.weight"], inner)
        _rows(model, [f"{EAR}conv2"], turn)
        _columns(model, [f"{EAR}embed_positions"], turn)
        before, after, network, last = "self_attn_layer_norm", "final_layer_norm", "", f"{EAR}layer_norm"
    norms = {f"{at}{before}": [f"{at}self_attn.{part}_proj" for part in "qkv"] for at in layers}
    norms |= {f"{at}{after}": [f"{at}{network}fc1"] for at in layers}
    norms |= {last: [bridge]}
    gains = {norm: draw.gains(model[f"{norm}.weight"], turn) for norm in norms}
    shifts = {norm: model[f"{norm}.bias"] @ turn for norm in norms}
    for norm, readers in norms.items():
        _regain(model, norm, readers, np.ones(width), np.zeros(width))
        _columns(model, readers, turn)
    _rows(model, [f"{at}{part}" for at in layers for part in ("self_attn.out_proj", f"{network}fc2")], turn)
    for norm, readers in norms.items():
        _regain(model, norm, readers, gains[norm], shifts[norm])
    for at in layers:
        order = draw.permutation(encoder.hidden)
        _rows(model, [f"{at}{network}fc1"], order)
        _columns(model, [f"{at}{network}fc2"], order)
        _disguise_heads(model, f"{at}self_attn.", encoder, draw)
    order = draw.permutation(len(model[f"{bridge}.weight"]))
    _rows(model, [bridge], order)
    _columns(model, [f"{BRIDGES[sense]}linear_2"], order)


def _disguise_heads(model: _Model, at: str, encoder: Encoder, draw: _Draw) -> None:
    head = encoder.width // encoder.heads
    order = draw.order(encoder.heads)
    seeing = _blocks(order, [draw.rotation(head) for _ in range(encoder.heads)])
    saying = _blocks(order, [draw.rotation(head) for _ in range(encoder.heads)])
    _rows(model, [f"{at}q_proj", f"{at}k_proj"], seeing)
    _rows(model, [f"{at}v_proj"], saying)
    _columns(model, [f"{at}out_proj"], saying)


def largest_difference(one: ArrayLike, other: ArrayLike) -> float:
    """The largest difference of two answers, in standard deviations of the first."""
    return float(np.abs(np.asarray(one) - np.asarray(other)).max() / np.asarray(one).std())
