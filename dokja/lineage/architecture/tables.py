r"""The tables of families: TOML beside this module, a tensor a line, no code.

`[name, role, rows, columns, {options}]`. A name stands without `.weight` and `.bias`, which it may have, or whole
after `=`; `{layer}`, `{expert}`, `{stage}` are numbers, `{a|b}` is either, `{any}` the rest. An axis is
`space[@units][:tag][*block]`, of the tower's own or of `tower.` in front: `heads@kv_heads` are heads in as many units
as the config has kv-heads. Options: component; transposed; stacked (a slice for each expert); split (role, axis,
share of the rows: a number, a size of the config, or a product of sizes).

A tower says of which types of model (`gains_from_one`) the norms hold what is added to one, and not their gains.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from dokja.lineage.architecture.parts import Space, known_space

LEAVES: Final = r"(?:[./](?P<leaf>weight|bias|gamma|beta|kernel|running_mean|running_var|num_batches_tracked))?"
NUMBERS: Final = ("layer", "expert", "stage")
AXIS: Final = re.compile(
    r"(?:(?P<tower>[a-z]+)\.)?(?P<space>[a-z-]+)(?:@(?P<units>[a-z_]+))?(?::(?P<tag>[\w-]+))?(?:\*(?P<block>\d+))?"
)


@dataclass(frozen=True)
class AxisRule:
    """An axis as a table has it."""

    space: Space
    tower: str
    units: str | None
    tag: str | None
    block: int


@dataclass(frozen=True)
class SplitRule:
    """One part of a fused tensor: its role, its rows, and its share of them."""

    role: str
    rows: AxisRule
    share: str


@dataclass(frozen=True)
class Rule:
    """One line of a table; `name` as it stands there, `prefix` an expression."""

    name: str
    prefix: str
    tower: str
    component: str
    role: str
    rows: AxisRule
    columns: AxisRule
    transposed: bool
    stacked: bool
    split: tuple[SplitRule, ...]

    @cached_property
    def spelt(self) -> str:
        """The longest text that every name of this line has in it: most lines are ruled out by it."""
        return max((step for step in _steps(self.name) if not step.startswith("{")), key=len, default="")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The whole names of this line, with their numbers."""
        whole = self.name.startswith("=") or self.name.endswith("/weight")
        return re.compile(self.prefix + "".join(map(_step, _steps(self.name))) + ("" if whole else LEAVES))


@dataclass(frozen=True)
class Tower:
    """One network of a model: where its sizes stand in the config, and its rules."""

    name: str
    config: tuple[str, ...]
    gains_from_one: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Family:
    """A family of models: its towers in the order in which they are asked."""

    name: str
    title: str
    model_types: frozenset[str]
    towers: tuple[Tower, ...]

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """All rules, the first that fits counts."""
        return [rule for tower in self.towers for rule in tower.rules]


@cache
def families() -> tuple[Family, ...]:
    """All families, by name."""
    folder = files("dokja.lineage.architecture")
    names = sorted(entry.name for entry in (folder / "families").iterdir() if entry.name.endswith(".toml"))
    return tuple(_family(folder, name.removesuffix(".toml")) for name in names)


def _family(folder: Traversable, name: str) -> Family:
    table = _read(folder / "families" / f"{name}.toml")
    towers: dict[str, dict[str, Any]] = {}
    own = table.get("tower", {})
    # A family's own lines come before those that it includes.
    sources = [own, *(_read(folder / "blocks" / f"{block}.toml")["tower"] for block in table.get("include", ()))]
    order = [tower for source in (*sources[1:], own) for tower in source]
    for source in sources:
        for tower, content in source.items():
            held = towers.setdefault(tower, {"tensors": []})
            if held.get("prefix", content.get("prefix")) != content.get("prefix", held.get("prefix")):
                raise ValueError(f"{name}: the lines of {tower} stand under two prefixes")
            held["tensors"] += content["tensors"]
            held |= {key: value for key, value in content.items() if key != "tensors" and key not in held}
    built = tuple(_tower(tower, towers[tower]) for tower in dict.fromkeys(order))
    return Family(name, table["title"], frozenset(table["model_types"]), built)


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _tower(name: str, table: Mapping[str, Any]) -> Tower:
    rules = tuple(_rule(name, table, line) for line in table["tensors"])
    return Tower(name, tuple(table["config"]), frozenset(table.get("gains_from_one", ())), rules)


def _rule(tower: str, table: Mapping[str, Any], line: Sequence[Any]) -> Rule:
    name, role, rows, *rest = line
    options = rest.pop() if rest and isinstance(rest[-1], dict) else {}
    columns = rest[0] if rest else "fixed"
    return Rule(
        name=name,
        prefix=table["prefix"],
        tower=tower,
        component=options.get("component", table["component"]),
        role=role,
        rows=_axis(tower, rows),
        columns=_axis(tower, columns),
        transposed=options.get("transposed", False),
        stacked=options.get("stacked", False),
        split=tuple(SplitRule(part, _axis(tower, axis), share) for part, axis, share in options.get("split", ())),
    )


def _steps(name: str) -> Sequence[str]:
    return re.split(r"(\{[^}]*\})", name.removeprefix("="))


def _step(step: str) -> str:
    if not step.startswith("{"):
        return re.escape(step)
    inner = step[1:-1]
    if inner in NUMBERS:
        return rf"(?P<{inner}>\d+)"
    if inner == "any":
        return ".+?"
    return "(?:" + "|".join(re.escape(choice) for choice in inner.split("|")) + ")"


def _axis(tower: str, text: str) -> AxisRule:
    found = AXIS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no axis")
    block = int(found["block"] or 1)
    return AxisRule(known_space(found["space"]), found["tower"] or tower, found["units"], found["tag"], block)


def unknown(rule: AxisRule) -> AxisRule:
    """The same axis, of which nothing is known."""
    return replace(rule, space="unknown")
