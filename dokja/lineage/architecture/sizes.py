"""Sizes that a config claims: numbers of heads, mostly, which no shape shows. They are hints, held against shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

KEYS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "heads": (
            "num_attention_heads",
            "num_heads",
            "n_head",
            "n_heads",
            "encoder_attention_heads",
            "attention_heads",
        ),
        "kv_heads": ("num_key_value_heads", "n_kv_heads", "multi_query_group_num", "num_kv_heads"),
        "decoder_heads": ("decoder_attention_heads",),
        "kv_latent": ("kv_lora_rank",),
        "rotary": ("qk_rope_head_dim",),
        "linear_key_heads": ("linear_num_key_heads",),
        "linear_key_dim": ("linear_key_head_dim",),
        "linear_value_heads": ("linear_num_value_heads",),
        "linear_value_dim": ("linear_value_head_dim",),
    }
)
"""Names that configs give to a size; the first that is there counts."""

LARGEST: Final = 1 << 24


def sizes(config: Mapping[str, Any], places: Sequence[str]) -> Mapping[str, int]:
    """The sizes that one of these places of a config claims (`""` is the config itself)."""
    found: dict[str, int] = {}
    for table in _tables(config, places):
        for size, keys in KEYS.items():
            value = next((table[key] for key in keys if _is_size(table.get(key))), None)
            if value is not None:
                found.setdefault(size, value)
    if "heads" in found:
        found.setdefault("kv_heads", found["heads"])
    return MappingProxyType(found)


def _tables(config: Mapping[str, Any], places: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The first of the places that is there; an outer config speaks only where no inner one does."""
    for place in places:
        table = table_at(config, place)
        if table is not None and any(key in table for keys in KEYS.values() for key in keys):
            yield table
            return


def table_at(config: Mapping[str, Any], place: str) -> Mapping[str, Any] | None:
    """A place of a config, its steps parted by dots; `None` where there is none."""
    table: Any = config
    for step in place.split(".") if place else ():
        table = table.get(step) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else None


def _is_size(value: object) -> bool:
    return type(value) is int and 0 < value <= LARGEST


def share(text: str, known: Mapping[str, int]) -> int | None:
    """A share of rows: a number, a size, or a product of sizes; `None` where a size is not known."""
    product = 1
    for factor in text.split("*"):
        size = int(factor) if factor.isdigit() else known.get(factor)
        if size is None:
            return None
        product *= size
    return product
