"""One act as a file holds it → its row, or what is wrong with it as far as the rulebook alone can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from dokja.errors import Problem
from dokja.intake.admissible import BallotForm, ballot_breaches, ballot_form, breaches, unknown_names
from dokja.intake.breach import Breach
from dokja.intake.rules import Rules
from dokja.record.acts import ACT
from dokja.record.bulk import plain_row
from dokja.record.canonical import Row, row_of
from dokja.strict_yaml import Locate, problems_of

_KINDS = ("union_tag_invalid", "union_tag_not_found")
_decimal = lru_cache(maxsize=65_536)(Decimal)


@dataclass(frozen=True)
class Reader:
    """Reads acts under the rules; forms and names that ballots had so far are not looked up again."""

    rules: Rules
    _forms: dict[tuple[object, ...], BallotForm] = field(default_factory=dict)
    _names: dict[tuple[str | None, str | None], tuple[Breach, ...]] = field(default_factory=dict)

    def read(self, tree: Any, locate: Locate) -> Row | tuple[Problem, ...]:  # noqa: ANN401 - any JSON or YAML
        """The row of an act, or every problem of it; `locate` says where a field of the act stands."""
        if (row := plain_row(tree)) is not None:
            found = [*self._plain_breaches(tree, row.when)]
        else:
            try:
                act = ACT.validate_python(tree)
            except ValidationError as error:
                return tuple(_schema_problems(error, tree, locate))
            row, found = row_of(act), [*breaches(act, self.rules)]
        return tuple(breach.at(locate(breach.path)) for breach in found) if found else row

    def _plain_breaches(self, tree: Mapping[str, Any], when: str) -> Iterator[Breach]:
        """What `breaches` says of the same ballot, without an act being built."""
        names = tree.get("clause"), tree.get("source")
        if (unknown := self._names.get(names)) is None:
            unknown = self._names[names] = tuple(unknown_names(*names, self.rules))
        yield from unknown
        kind = tree["stage"], tree["panel"], tree.get("measure"), tree.get("gate")
        asked = (self.rules.turn(when), *kind)
        if (form := self._forms.get(asked)) is None:
            form = self._forms[asked] = ballot_form(self.rules, when, *kind)
        yield from ballot_breaches(form, {name: _decimal(mark) for name, mark in tree.get("marks", {}).items()})


def _schema_problems(error: ValidationError, tree: Any, locate: Locate) -> Iterator[Problem]:  # noqa: ANN401
    found = error.errors(include_url=False)
    code = "act-unknown-type" if found[0]["type"] in _KINDS else "act-schema"
    for details, problem in zip(found, problems_of(error, tree, locate, code), strict=True):
        given = details["input"]
        if details["type"] == "value_error" and isinstance(given, (int, float)) and not isinstance(given, bool):
            yield Problem(
                "act-bare-number",
                "“{field}” holds a bare JSON number, {value}.",
                "Write decimals as texts, in quotes, so that no reader rounds them.",
                problem.place,
                {"field": problem.values["field"], "value": str(given)[:80]},
            )
        else:
            yield problem
