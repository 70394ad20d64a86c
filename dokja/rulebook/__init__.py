"""What was promised: the rulebook as data, its versions over time, and the linter that finds what it leaves open."""

from dokja.rulebook.clauses import (
    AmendmentRule,
    AnyClause,
    Call,
    Clause,
    Contingency,
    Cut,
    Disclosure,
    Draw,
    Gate,
    Objections,
    PanelRule,
    RecordKeeping,
    Score,
    Stage,
    stage_of,
)
from dokja.rulebook.linter import RULES, Finding, Rule, explain, lint
from dokja.rulebook.measures import AnyMeasure, children, walk
from dokja.rulebook.outcomes import ORDERS, SITUATIONS, Order, Situation, Tally
from dokja.rulebook.reading import read_rulebook
from dokja.rulebook.versions import Enacted, History, Rulebook, RulebookDocument

__all__ = [
    "ORDERS",
    "RULES",
    "SITUATIONS",
    "AmendmentRule",
    "AnyClause",
    "AnyMeasure",
    "Call",
    "Clause",
    "Contingency",
    "Cut",
    "Disclosure",
    "Draw",
    "Enacted",
    "Finding",
    "Gate",
    "History",
    "Objections",
    "Order",
    "PanelRule",
    "RecordKeeping",
    "Rule",
    "Rulebook",
    "RulebookDocument",
    "Score",
    "Situation",
    "Stage",
    "Tally",
    "children",
    "explain",
    "lint",
    "read_rulebook",
    "stage_of",
    "walk",
]
