"""The linter: what a rulebook leaves open, found before any name is known.

Rules are pure functions of a rulebook's history, one row each in `registry`. The outcomes of a stage are looked
through without exception (`reachable`, `regions`); `docs/rulebook.md` says why none is left out.
"""

from __future__ import annotations

from importlib import resources

from dokja.rulebook.linter.finding import Finding
from dokja.rulebook.linter.registry import RULES, Rule
from dokja.rulebook.linter.subject import Subject
from dokja.rulebook.versions import History
from dokja.values import LanguageCode

__all__ = ["RULES", "Finding", "Rule", "explain", "lint"]


def lint(history: History) -> tuple[Finding, ...]:
    """Every finding, in the order of the files; those on the whole rulebook come first."""
    subject = Subject(history)
    found = [
        Finding(rule.code, rule.name, each.what, each.mend, each.values, each.clause, each.stage, each.place)
        for rule in RULES.values()
        for each in rule.check(subject)
    ]
    return tuple(sorted(found, key=_position))


def _position(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.place
    return (str(place.file or ""), place.line or 0, place.column or 0, finding.code)


def explain(code: str, language: LanguageCode) -> str:
    """The page of a rule (Markdown): what it finds, why that matters, an example, how to mend it.

    Raises `KeyError` where there is no rule of that code.
    """
    page = resources.files("dokja.rulebook.linter") / "pages" / language / f"{RULES[code].code}.md"
    return page.read_text(encoding="utf-8")
