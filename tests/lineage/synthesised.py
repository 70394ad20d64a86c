"""A small model of every family, made from its table alone: a line of the table is a tensor, for two layers each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from dokja.lineage.architecture.sizes import KEYS, share, sizes
from dokja.lineage.architecture.tables import AxisRule, Family, Rule

RESIDUAL, HIDDEN, HEAD = 24, 20, 8
EXTENTS = {"residual": RESIDUAL, "hidden": HIDDEN, "vocabulary": 60, "patch": 20, "experts": 2}
SIZES = {"heads": 4, "kv_heads": 2, "decoder_heads": 4, "kv_latent": HIDDEN, "rotary": 4}


def config_of(family: Family) -> dict[str, Any]:
    """A config that says the same sizes in every place where a tower of the family looks for its own."""
    said = {keys[0]: SIZES.get(size, 4) for size, keys in KEYS.items()}
    config: dict[str, Any] = dict(said)
    for tower in family.towers:
        for place in tower.config:
            table = config
            for step in place.split(".") if place else ():
                table = table.setdefault(step, {})
            table.update(said)
    return config


def lines_of(family: Family) -> Iterator[tuple[str, Rule, tuple[int, ...]]]:
    """A tensor of every line: its name, the line, its shape. A name that an earlier line takes is left out."""
    config = config_of(family)
    for tower in family.towers:
        known = sizes(config, tower.config)
        for rule in tower.rules:
            for layer in ("0", "1") if "{layer}" in rule.name else ("0",):
                name = shortest(rule.pattern, {"layer": layer, "expert": layer, "stage": "1"})
                if next(each for each in family.rules if each.pattern.fullmatch(name)) is rule:
                    yield name, rule, _shape(rule, known)


def _shape(rule: Rule, known: Mapping[str, int]) -> tuple[int, ...]:
    rows = _extent(rule.rows, known)
    if rule.split:
        # Heads count by their rows, sizes of their own by one, halves of a network by its units.
        sized = any(
            factor in known and "heads" not in factor for each in rule.split for factor in each.share.split("*")
        )
        hidden = all(each.share.isdigit() and each.rows.units is None for each in rule.split)
        unit = 1 if sized else HIDDEN if hidden else HEAD * (1 if "heads" in rule.split[0].share else 4)
        rows = unit * sum(each for each in (share(split.share, known) for split in rule.split) if each is not None)
    shape = (rows,) if rule.columns.space == "fixed" else (rows, _extent(rule.columns, known))
    return (2,) * rule.stacked + (shape[::-1] if rule.transposed else shape)


def _extent(axis: AxisRule, known: Mapping[str, int]) -> int:
    if axis.units is not None:
        return HEAD * known.get("heads", 4) * axis.block
    return EXTENTS.get(axis.space, 12) * axis.block


def shortest(pattern: re.Pattern[str], groups: Mapping[str, str]) -> str:
    """The shortest text that a pattern matches, as its first choices have it; named groups as given."""
    numbers = {number: name for name, number in pattern.groupindex.items()}

    def text(parsed: Iterable[tuple[object, Any]]) -> str:
        found = []
        for code, value in parsed:
            if code is codes.LITERAL:
                found.append(chr(value))
            elif code is codes.IN:
                found.append("0" if value[0][0] is codes.CATEGORY else chr(value[0][1]))
            elif code is codes.ANY:
                found.append("x")
            elif code is codes.SUBPATTERN:
                number, *_, inner = value
                found.append(groups.get(numbers.get(number, ""), "") or text(inner))
            elif code is codes.BRANCH:
                found.append(text(value[1][0]))
            elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                found.append(text(value[2]) * value[0])
            else:
                raise ValueError(f"{code} in {pattern.pattern}")
        return "".join(found)

    whole = text(parser.parse(pattern.pattern))
    assert pattern.fullmatch(whole), (pattern.pattern, whole)
    return whole
