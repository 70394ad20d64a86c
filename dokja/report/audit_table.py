"""A weight audit as a table: what was found of every component against every reference, evidence first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from markupsafe import Markup

from dokja.record.acts import AnyAct, AuditReported
from dokja.record.acts.findings import WITHOUT_EVIDENCE, AuditFinding
from dokja.report.edition import Edition
from dokja.report.names import Name, name
from dokja.report.words import AUDIT_COMPONENTS, AUDIT_WORDS

SMALL = Decimal(-2)
"""From here on p-values are powers of ten."""


@dataclass(frozen=True)
class FoundRow:
    """A finding. p: adjusted for all that was asked, rounded upward; `None` where nothing was asked."""

    component: Name
    reference: Name
    word: Markup
    telling: bool
    p: Markup | None
    assessed: str
    parameters: str


def audit_table(act: AnyAct, edition: Edition) -> tuple[FoundRow, ...]:
    """The findings of an audit; none of an act that is no audit."""
    if not isinstance(act, AuditReported):
        return ()
    return tuple(_row(finding, edition) for finding in _evidence_first(act.findings))


def _evidence_first(findings: Sequence[AuditFinding]) -> list[AuditFinding]:
    return sorted(findings, key=lambda each: each.word in WITHOUT_EVIDENCE)


def _row(finding: AuditFinding, edition: Edition) -> FoundRow:
    return FoundRow(
        component=name(component_said(finding.component, edition)),
        reference=name(finding.reference),
        word=edition.say(AUDIT_WORDS[finding.word]),
        telling=finding.word not in WITHOUT_EVIDENCE,
        p=None if finding.log10_p is None else p_shown(finding.log10_p),
        assessed=f"{finding.assessed:,f}",
        parameters=f"{finding.parameters:,f}",
    )


def component_said(component: str, edition: Edition) -> str:
    """A component in words, or by its id where another tool named it."""
    return edition.voice(AUDIT_COMPONENTS.get(component, component))


def p_shown(log10_p: Decimal) -> Markup:
    """A p-value, rounded upward so that it stays a bound."""
    if log10_p <= SMALL:
        exponent = log10_p.to_integral_value(rounding=ROUND_CEILING)
        return Markup("10<sup>−{}</sup>").format(-exponent)
    return Markup("{}").format(f"{(10**log10_p).quantize(Decimal('0.01'), rounding=ROUND_CEILING):f}")
