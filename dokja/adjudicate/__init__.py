"""(rulebook, record) → outcome: scores as intervals, every reading of the cut, and a trace of every number."""

from dokja.adjudicate.adjudication import adjudicate
from dokja.adjudicate.evidence import Evidence, gather
from dokja.adjudicate.interval import Interval, published, to_decimal
from dokja.adjudicate.outcome import (
    Addition,
    AggregateFound,
    CallOutcome,
    Fate,
    FigureCheck,
    GateResult,
    Holding,
    Modality,
    Outcome,
    Position,
    Reading,
    Score,
    SituationFound,
    StageOutcome,
    Support,
    Verdict,
)
from dokja.adjudicate.why import Explanation, figures_of, why

__all__ = [
    "Addition",
    "AggregateFound",
    "CallOutcome",
    "Evidence",
    "Explanation",
    "Fate",
    "FigureCheck",
    "GateResult",
    "Holding",
    "Interval",
    "Modality",
    "Outcome",
    "Position",
    "Reading",
    "Score",
    "SituationFound",
    "StageOutcome",
    "Support",
    "Verdict",
    "adjudicate",
    "figures_of",
    "gather",
    "published",
    "to_decimal",
    "why",
]
