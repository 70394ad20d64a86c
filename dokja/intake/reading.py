"""One act as a file holds it → its row, or what is wrong with it as far as the rulebook alone can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Self

from pydantic import ValidationError
from pydantic_core import from_json

from dokja.errors import Problem
from dokja.intake.admissible import ballot_breaches, ballot_form, breaches, unknown_names
from dokja.intake.breach import Breach
from dokja.intake.rules import Rules
from dokja.intake.strict_json import read_line
from dokja.record.acts import ACT
from dokja.record.bulk import front_of, plain_row
from dokja.record.canonical import LARGEST_ACT, Row, row_of
from dokja.record.shapes import PlainBallots, PlainLines
from dokja.strict_yaml import Locate, problems_of

_KINDS = ("union_tag_invalid", "union_tag_not_found")
_REMEMBERED = 65_536


class Reader:
    """Reads acts under the rules. Ballots by the million say few different things; none of them is checked twice."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._lines = PlainLines()
        self._form = lru_cache(_REMEMBERED)(partial(ballot_form, rules))
        self._plain_breaches = lru_cache(_REMEMBERED)(self._breaches_of_plain)

    def __reduce__(self) -> tuple[type[Self], tuple[Rules]]:
        """What goes to another process is the rules; what is remembered stays."""
        return type(self), (self.rules,)

    def read(self, tree: Any, locate: Locate) -> Row | tuple[Problem, ...]:  # noqa: ANN401 - any JSON or YAML
        """The row of an act, or every problem of it; `locate` says where a field of the act stands."""
        if (row := plain_row(tree)) is not None:
            found = self._of_plain(row, tree.get("source"))
        else:
            try:
                act = ACT.validate_python(tree)
            except ValidationError as error:
                return tuple(_schema_problems(error, tree, locate))
            row, found = row_of(act), tuple(breaches(act, self.rules))
        return _read(row, found, locate)

    def read_line(self, line: bytes, locate: Locate) -> Row | tuple[Problem, ...]:
        """The row of the act in a line of JSON, or every problem of it."""
        if (plain := self._lines.read(line)) is not None:
            return _read(plain[0], self._of_plain(*plain), locate)
        tree = read_line(line, locate(()))
        return (tree,) if isinstance(tree, Problem) else self.read(tree, locate)

    def read_lines(self, lines: bytes) -> PlainBallots | None:
        """The ballots in lines, a line feed between each two, where that is all and plainly none has a problem."""
        if (ballots := self._lines.read_all(lines)) is None:
            return None
        whens, bodies = ballots.rows.column("when"), ballots.rows.column("body")
        since = self.rules.since(min(whens))
        if since != self.rules.since(max(whens)) or max(map(len, bodies)) > LARGEST_ACT:
            return None
        return None if any(self._plain_breaches(since, *said) for said in ballots.said()) else ballots

    def _of_plain(self, row: Row, source: str | None) -> tuple[Breach, ...]:
        """What `breaches` says of the same ballot, without an act being built."""
        return self._plain_breaches(self.rules.since(row.when), row.stage or "", source, front_of(row.body))

    def _breaches_of_plain(self, since: str, stage: str, source: str | None, front: bytes) -> tuple[Breach, ...]:
        """What `breaches` says of all ballots of one stage and source that begin alike, under the rules of a time."""
        said = from_json(front + b"}")
        form = self._form(since, stage, said["panel"], said.get("measure"), said.get("gate"))
        marks = {criterion: Decimal(mark) for criterion, mark in said.get("marks", {}).items()}
        return (*unknown_names(said.get("clause"), source, self.rules), *ballot_breaches(form, marks))


def _read(row: Row, found: Sequence[Breach], locate: Locate) -> Row | tuple[Problem, ...]:
    if len(row.body) > LARGEST_ACT:
        found = (*found, _too_large(len(row.body)))
    return tuple(breach.at(locate(breach.path)) for breach in found) if found else row


def _too_large(size: int) -> Breach:
    return Breach(
        "act-too-large",
        "The act takes {size} bytes; the record holds acts of at most {limit}.",
        "Say it in fewer words, or put it into a file and pin that by its digest.",
        {"size": f"{size:,}", "limit": f"{LARGEST_ACT:,}"},
    )


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
