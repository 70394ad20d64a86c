"""Why a checkpoint is refused: one table of stable codes, each with what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from dokja.errors import NOWHERE, CheckpointError, Place, Problem

Code = Literal[
    "checkpoint-absent",
    "checkpoint-changed",
    "checkpoint-config",
    "checkpoint-config-lies",
    "checkpoint-dtype",
    "checkpoint-duplicate-name",
    "checkpoint-entry",
    "checkpoint-format",
    "checkpoint-header-json",
    "checkpoint-header-long",
    "checkpoint-header-start",
    "checkpoint-hole",
    "checkpoint-index",
    "checkpoint-index-outside",
    "checkpoint-index-tensor",
    "checkpoint-kind",
    "checkpoint-link",
    "checkpoint-name",
    "checkpoint-no-weights",
    "checkpoint-offsets",
    "checkpoint-overlap",
    "checkpoint-packed",
    "checkpoint-remote",
    "checkpoint-shape",
    "checkpoint-shard-missing",
    "checkpoint-short",
    "checkpoint-size",
    "checkpoint-sparse",
    "checkpoint-too-many",
    "checkpoint-trailing",
    "checkpoint-twice",
    "checkpoint-unreadable",
]


class Refusal(NamedTuple):
    """What is wrong, and how to mend it: message ids."""

    what: str
    mend: str


DAMAGED = "Copy the file again from its source, or save it anew."
SAVE_ANEW = "Save it anew with the safetensors library."

REFUSALS: Mapping[Code, Refusal] = MappingProxyType(
    {
        "checkpoint-absent": Refusal(
            "There is no checkpoint here.", "Name a .safetensors file, a folder that holds some, or a URL."
        ),
        "checkpoint-changed": Refusal(
            "The file changed while it was read.", "Wait until nothing writes to it, and begin again."
        ),
        "checkpoint-config": Refusal(
            "The model's config.json cannot be read: {reason}.", "Restore it, or take it away: it is not required."
        ),
        "checkpoint-config-lies": Refusal(
            "The config says {key} is {said}; the tensor {tensor} does not fit that.",
            "Correct the config. The axis is treated as unknown.",
        ),
        "checkpoint-dtype": Refusal("The tensor {tensor} has the unknown type {dtype}.", SAVE_ANEW),
        "checkpoint-duplicate-name": Refusal("The header names {tensor} twice.", SAVE_ANEW),
        "checkpoint-entry": Refusal(
            "The entry of the tensor {tensor} is not exactly a type, a shape and two offsets.", SAVE_ANEW
        ),
        "checkpoint-format": Refusal(
            "The file is {kind}, whatever its name says; such a file is not opened.",
            "Name a safetensors file; convert one of another kind first, where you trust it.",
        ),
        "checkpoint-header-json": Refusal("The header is not strict JSON: {reason}.", DAMAGED),
        "checkpoint-header-long": Refusal(
            "The header claims {size} bytes; at most {limit} are read.",
            "Name a safetensors file; one whose header is really as long has to be split into shards.",
        ),
        "checkpoint-header-start": Refusal("The header does not begin with “{{”.", DAMAGED),
        "checkpoint-hole": Refusal("Before the tensor {tensor}, {count} bytes belong to no tensor.", SAVE_ANEW),
        "checkpoint-index": Refusal("The index of the shards cannot be read: {reason}.", "Restore the index."),
        "checkpoint-index-outside": Refusal(
            "The index names {shard}, which is not a plain file name.",
            "Keep all shards in the folder of the index.",
        ),
        "checkpoint-index-tensor": Refusal(
            "The index and the shard {shard} do not agree on the tensor {tensor}.",
            "Restore the index that belongs to these shards.",
        ),
        "checkpoint-kind": Refusal(
            "This is no file, but a pipe, a device, a socket, or a folder where a file should be.",
            "Name a file or a folder.",
        ),
        "checkpoint-link": Refusal(
            "{name} is a link that leads out of the folder.", "Put the file itself into the folder."
        ),
        "checkpoint-name": Refusal(
            "The tensor name {tensor} is empty, too long, holds invisible characters, or leads out of a folder.",
            "Name the tensors in plain characters.",
        ),
        "checkpoint-no-weights": Refusal(
            "The folder holds no .safetensors file.", "Name the folder that holds the weights."
        ),
        "checkpoint-offsets": Refusal(
            "The offsets of the tensor {tensor} are not two whole numbers in order, inside the file.", SAVE_ANEW
        ),
        "checkpoint-overlap": Refusal("The tensor {tensor} shares bytes with another.", SAVE_ANEW),
        "checkpoint-packed": Refusal(
            "The packed tensor {tensor} and its scales do not fit together: {reason}.", "Quantise the model anew."
        ),
        "checkpoint-remote": Refusal(
            "The URL cannot be read by ranges: {reason}.", "Download it, and name the folder."
        ),
        "checkpoint-shape": Refusal(
            "The shape of the tensor {tensor} is not a list of at most {rank} whole numbers of a sensible size.",
            SAVE_ANEW,
        ),
        "checkpoint-shard-missing": Refusal("The shard {shard} is missing.", "Download it too."),
        "checkpoint-short": Refusal("The file ends before its header does.", DAMAGED),
        "checkpoint-size": Refusal(
            "The tensor {tensor} takes {size} bytes; its type and shape need {needed}.", SAVE_ANEW
        ),
        "checkpoint-sparse": Refusal("Most of the file is a hole that was never written.", DAMAGED),
        "checkpoint-too-many": Refusal(
            "The header holds more than {limit} tensors.", "Split the checkpoint into shards."
        ),
        "checkpoint-trailing": Refusal("After the last tensor, {count} bytes belong to no tensor.", SAVE_ANEW),
        "checkpoint-twice": Refusal(
            "The tensor {tensor} stands in two shards, {shard} and {other}.", "Keep it in one of them."
        ),
        "checkpoint-unreadable": Refusal("The file cannot be read: {reason}.", "Mend its permissions or the disk."),
    }
)

CODES: tuple[Code, ...] = get_args(Code)

SHOWN = 120
"""How much of a hostile name is shown."""


def problem(code: Code, where: str | Path | None = None, **values: object) -> Problem:
    """The problem of this code, with its placeholders filled."""
    refusal = REFUSALS[code]
    place = NOWHERE if where is None else Place(url=str(where)) if "://" in str(where) else Place(Path(where))
    return Problem(code, refusal.what, refusal.mend, place, {key: shown(value) for key, value in values.items()})


def refused(code: Code, where: str | Path | None = None, **values: object) -> CheckpointError:
    """The error to raise."""
    return CheckpointError(problem(code, where, **values))


def shown(value: object) -> str:
    """A value as it may be printed: numbers grouped, names cut short, nothing invisible left as it is."""
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"
