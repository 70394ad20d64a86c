"""Any set of tensors by shapes alone: convolutions, recurrent layers, graph networks, whatever no table knows.

What is known without names: a layer's rows are what the next one's columns read. Not known is which axes are one
(skips tie them). So all axes of one length are taken for one group, permuted by one permutation: if in truth they are
several, the one permutation of all is still a symmetry, and the test stays valid; it only loses power. Names are
believed in four things: children of one `Sequential` feed only the next one; `weight_hh` beside `weight_ih` counts
the gates; `kernel` is stored [in, out]; an embedding's rows are a vocabulary. Where channels may be grouped, or
nobody reads a length, nothing is permuted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Final

from dokja.lineage.architecture.parts import FIXED, Assignment, Axis, Part
from dokja.lineage.checkpoint import TensorInfo

BY_SHAPE: Final = "by-shape"
LEAF: Final = re.compile(r"^(?P<module>.*?)[./]?(?P<leaf>[^./]+)$")
NOTE: Final = re.compile(r":(?:\d+|dequant)$")
KERAS: Final = re.compile(r"^(?:recurrent_)?kernel$")
EMBEDDING: Final = re.compile(r"embeddings?\d*$|embed_tokens$|emb$|wte$", re.IGNORECASE)
RECURRENT: Final = re.compile(r"^(?:weight_hh|recurrent_kernel)")
INPUT: Final = re.compile(r"^(?:weight_ih|kernel$)")
STATISTICS: Final = re.compile(r"running_|moving_|num_batches_tracked")
MASK: Final = re.compile(r"(?:^|[./_])masks?(?:_dict)?[./_]")
BIAS: Final = re.compile(r"bias|beta")
CHILD: Final = re.compile(r"^(?P<parent>.*?)(?P<number>\d+)$")
GATES: Final = (1, 3, 4)
CONVOLUTION: Final = 3


@dataclass(frozen=True)
class Kernel:
    """A matrix that maps columns to rows: how many units each has, in how many copies."""

    info: TensorInfo
    module: str
    leaf: str
    rows: int
    columns: int
    transposed: bool
    gates: int = 1

    @property
    def depthwise(self) -> bool:
        """Whether every channel has its own filter."""
        return len(self.info.shape) >= CONVOLUTION and self.columns == 1

    @property
    def copies(self) -> int:
        """How many places of a convolution each input channel has."""
        return self.info.elements // (self.rows * self.gates * self.columns)

    @property
    def embedding(self) -> bool:
        """Whether its rows are looked up."""
        name = self.module if self.leaf == "weight" else self.leaf
        return len(self.info.shape) == 2 and EMBEDDING.search(name) is not None


def by_shape(tensors: Mapping[str, TensorInfo]) -> Assignment:
    """The parts of any tensors; every one of them is assigned, if only to what is not permuted."""
    kernels = _kernels(tensors)
    produced = {kernel.columns if kernel.embedding else kernel.rows for kernel in kernels.values()}
    consumed = {kernel.columns for kernel in kernels.values() if not kernel.embedding and not kernel.depthwise}
    grouped = _grouped(kernels, produced)
    tied = {extent for name in grouped for extent in produced if _may_be_grouped(kernels[name], extent)}
    tied |= {kernels[name].rows for name in grouped}
    # What an embedding, or two layers, give out is one space; a length that is only given out is the model's output.
    shared = {extent for extent in (produced & consumed) - tied if extent > 1}
    private = _chains(kernels)
    parts = [_matrix(kernel, shared, grouped, private) for kernel in kernels.values()]
    rows = {(kernel.module, kernel.rows): part.rows for kernel, part in zip(kernels.values(), parts, strict=True)}
    parts += [_vector(info, shared, rows) for name, info in tensors.items() if name not in kernels]
    order = {name: place for place, name in enumerate(tensors)}
    return Assignment(BY_SHAPE, tuple(sorted(parts, key=lambda part: order[part.tensor])), ())


def _names(name: str) -> tuple[str, str]:
    """The module and the leaf of a tensor's name."""
    bare = name
    while NOTE.search(bare):
        bare = NOTE.sub("", bare)
    found = LEAF.match(bare)
    return (found["module"], found["leaf"]) if found else ("", bare)


def _kernels(tensors: Mapping[str, TensorInfo]) -> dict[str, Kernel]:
    found = {name: kernel for name, info in tensors.items() if (kernel := _kernel(info)) is not None}
    hidden = {
        (kernel.module, _suffix(kernel.leaf)): kernel for kernel in found.values() if RECURRENT.match(kernel.leaf)
    }
    for name, kernel in found.items():
        other = hidden.get((kernel.module, _suffix(kernel.leaf)))
        if other is not None and (RECURRENT.match(kernel.leaf) or INPUT.match(kernel.leaf)):
            gates, rest = divmod(kernel.rows, other.columns)
            if not rest and gates in GATES:
                found[name] = Kernel(
                    kernel.info, kernel.module, kernel.leaf, other.columns, kernel.columns, kernel.transposed, gates
                )
    return found


def _suffix(leaf: str) -> str:
    """What tells the layers and directions of one recurrent module apart: `_l0_reverse`."""
    return re.sub(r"^(?:weight_(?:ih|hh)|(?:recurrent_)?kernel)", "", leaf)


def _kernel(info: TensorInfo) -> Kernel | None:
    shape = info.shape
    module, leaf = _names(info.name)
    if sum(extent > 1 for extent in shape) < 2 or 0 in shape or MASK.search(info.name) or STATISTICS.search(leaf):
        return None
    if KERAS.match(leaf):
        return Kernel(info, module, leaf, shape[-1], shape[-2], transposed=True)
    return Kernel(info, module, leaf, shape[0], shape[1], transposed=False)


def _chains(kernels: Mapping[str, Kernel]) -> dict[tuple[str, str], Axis]:
    """Axes that only two layers share: neighbours in one `Sequential`, whose inner results nobody else sees."""
    children: dict[str, list[tuple[int, Kernel]]] = {}
    for kernel in kernels.values():
        found = CHILD.match(kernel.module)
        if found and kernel.leaf in ("weight", "kernel") and (not found["parent"] or found["parent"][-1] in "./"):
            children.setdefault(found["parent"], []).append((int(found["number"]), kernel))
    axes: dict[tuple[str, str], Axis] = {}
    for parent, held in children.items():
        held.sort(key=lambda child: child[0])
        numbers = [number for number, _ in held]
        if len(set(numbers)) != len(numbers) or any(b == a + 1 for a, b in pairwise(numbers)):
            # Layers in direct succession are as often a list with skips as a sequence; between the layers of a
            # sequence stands at least what bends them.
            continue
        for (number, one), (_, two) in pairwise(held):
            if one.rows == two.columns and not one.depthwise and not two.depthwise:
                axis = Axis("hidden", f"chain/{parent}{number}")
                axes[one.info.name, "rows"] = axes[two.info.name, "columns"] = axis
    return axes


def _grouped(kernels: Mapping[str, Kernel], produced: set[int]) -> frozenset[str]:
    """Kernels that may read their input in groups: they read a length that nobody gives out, and that divides one
    that is. Of the only kernel that does so, in a network without embeddings, the input is the model's."""
    readers = [
        name
        for name, kernel in kernels.items()
        if not kernel.embedding and not kernel.depthwise and kernel.columns not in produced
    ]
    if len(readers) == 1 and not any(kernel.embedding for kernel in kernels.values()):
        return frozenset()
    return frozenset(name for name in readers if any(_may_be_grouped(kernels[name], extent) for extent in produced))


def _may_be_grouped(kernel: Kernel, extent: int) -> bool:
    groups, rest = divmod(extent, kernel.columns)
    convolution = len(kernel.info.shape) >= CONVOLUTION and kernel.columns > 1
    return convolution and not rest and kernel.rows % groups == 0


def _matrix(
    kernel: Kernel, shared: set[int], grouped: frozenset[str], private: Mapping[tuple[str, str], Axis]
) -> Part:
    name = kernel.info.name
    rows = private.get((name, "rows")) or _by_length(kernel.rows, shared)
    columns = private.get((name, "columns")) or _by_length(kernel.columns, shared)
    if kernel.embedding:
        rows = Axis("vocabulary", f"vocabulary/{name}")
    if name in grouped:
        rows = columns = Axis("unknown", f"unknown/{name}")
    if columns is FIXED and len(kernel.info.shape) >= CONVOLUTION:
        columns = Axis("patch", f"patch/{name}")
    return Part(
        tensor=name,
        component="other",
        role=_role(kernel),
        layer=None,
        expert=None,
        rows=_repeated(rows, kernel.gates),
        columns=_repeated(columns, kernel.copies),
        transposed=kernel.transposed,
    )


def _by_length(extent: int, shared: set[int]) -> Axis:
    return Axis("hidden", f"length/{extent}") if extent in shared else FIXED


def _repeated(axis: Axis, repeats: int) -> Axis:
    return axis if axis.space in ("fixed", "unknown", "patch") else Axis(axis.space, axis.group, repeats=repeats)


def _role(kernel: Kernel) -> str:
    if kernel.embedding:
        return "embedding"
    if kernel.gates > 1 or RECURRENT.match(kernel.leaf):
        return "recurrent-hidden" if RECURRENT.match(kernel.leaf) else "recurrent-input"
    return "conv" if len(kernel.info.shape) >= CONVOLUTION else "other"


def _vector(info: TensorInfo, shared: set[int], rows: Mapping[tuple[str, int], Axis]) -> Part:
    """A bias, a gain, a statistic: its axis is that of its module's rows, or of all of its length."""
    module, leaf = _names(info.name)
    extent = prod(info.shape)
    vector = len(info.shape) == 1 and extent > 1 and not MASK.search(info.name)
    axis = FIXED
    if vector:
        axis = rows.get((module, extent)) or _gates(module, extent, rows) or _by_length(extent, shared)
    role = "statistics" if STATISTICS.search(leaf) else "bias" if BIAS.search(leaf) else "norm" if vector else "other"
    return Part(info.name, "other", role, None, None, axis, FIXED)


def _gates(module: str, extent: int, rows: Mapping[tuple[str, int], Axis]) -> Axis | None:
    """The axis of a recurrent module's bias: its length is that of the gates, once or twice."""
    for (owner, units), axis in rows.items():
        if owner == module and axis.repeats > 1 and extent in (units * axis.repeats, 2 * units * axis.repeats):
            return Axis(axis.space, axis.group, repeats=extent // units)
    return None
