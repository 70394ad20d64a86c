"""The course of a programme as a chart: stages and calls from their beginning to their end, and its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date
from markupsafe import Markup

from dokja.adjudicate import StageOutcome
from dokja.language import mark
from dokja.record.acts import Admission, CallClosed, CallOpened
from dokja.report.drawing import NARROW, WIDE, Chart, Drawing, Lane, Span, Tick, draw, short
from dokja.report.edition import Edition
from dokja.report.stage_summary import began, decision_of

MOST_TICKS = {WIDE: 10, NARROW: 4}
MONTHS_APART = (1, 2, 3, 6, 12, 24, 60, 120)
_DAY = {"ko": "y. M. d.", "en": "d MMM y"}
_TICK = {"ko": "y. M.", "en": "MMM y"}


@dataclass(frozen=True)
class _Stretch:
    """A stage or a call in time; `ended` is whether it has come to its end."""

    title: str
    begins: date
    ends: date
    ended: bool


@dataclass(frozen=True)
class CourseRow:
    """A stage or a call in the table."""

    title: Markup
    begins: Markup
    ends: Markup
    ended: bool


def course_rows(edition: Edition) -> tuple[CourseRow, ...]:
    """The table of the chart."""
    return tuple(
        CourseRow(Markup("{}").format(each.title), edition.day(each.begins), edition.day(each.ends), each.ended)
        for each in _stretches(edition)
    )


def course_charts(edition: Edition) -> tuple[Chart, ...]:
    """The chart for a wide screen, and the same for a narrow one; none where nothing has begun."""
    stretches = _stretches(edition)
    if not stretches:
        return ()
    return tuple(_chart(stretches, width, edition) for width in (WIDE, NARROW))


def _stretches(edition: Edition) -> tuple[_Stretch, ...]:
    found = (*_calls(edition), *_stages(edition))
    return tuple(sorted(found, key=lambda each: (each.begins, each.ends)))


def _calls(edition: Edition) -> Iterator[_Stretch]:
    acts = edition.publication.acts.values()
    horizon = edition.publication.outcome.horizon
    for opened in acts:
        if isinstance(opened, CallOpened):
            closed = [act.when for act in acts if isinstance(act, CallClosed) and act.call == opened.call]
            admitted = [act.when for act in acts if isinstance(act, Admission) and act.call == opened.call]
            title = edition.voice(mark("Call: {call}"), {"call": edition.call(opened.call)})
            ends = max((*closed, *admitted), default=horizon)
            yield _stretch(title, opened.when, ends, bool(closed), edition)


def _stages(edition: Edition) -> Iterator[_Stretch]:
    before: datetime | None = None
    for outcome in edition.publication.outcome.stages:
        decision = decision_of(outcome, edition)
        begins = _begins(outcome, before, edition)
        if began(outcome, edition) and begins is not None:
            ends = decision.when if decision else edition.publication.outcome.horizon
            yield _stretch(edition.stage_title(outcome.stage), begins, ends, decision is not None, edition)
        before = decision.when if decision else before


def _begins(outcome: StageOutcome, before: datetime | None, edition: Edition) -> datetime | None:
    """When a stage began: as its calendar says, else with the decision before it, else with its first admission."""
    clause = edition.rules.stage(outcome.stage)
    if clause is not None and clause.calendar.opens is not None:
        return clause.calendar.opens
    acts = edition.publication.acts.values()
    admitted = (act.when for act in acts if isinstance(act, Admission) and act.stage == outcome.stage)
    return before or min(admitted, default=None)


def _stretch(title: str, begins: datetime, ends: datetime, ended: bool, edition: Edition) -> _Stretch:
    first, last = begins.astimezone(edition.zone).date(), ends.astimezone(edition.zone).date()
    return _Stretch(title, first, max(first, last), ended)


def _chart(stretches: Sequence[_Stretch], width: int, edition: Edition) -> Chart:
    start, end = min(each.begins for each in stretches), max(each.ends for each in stretches)
    first, last = start.replace(day=1), _months_on(end, 1)
    documents = edition.publication.history.documents
    ruled = {document.effective.astimezone(edition.zone).date() for document in documents}
    spans = [
        Span(lane, each.begins.toordinal(), max(each.ends.toordinal(), each.begins.toordinal() + 1), each.ended)
        for lane, each in enumerate(stretches)
    ]
    drawing = Drawing(
        width=width,
        start=first.toordinal(),
        end=last.toordinal(),
        lanes=[Lane(short(each.title, 24), _told(each, edition)) for each in stretches],
        spans=spans,
        ticks=list(_ticks(first, last, MOST_TICKS[width], edition)),
        lines=sorted(day.toordinal() for day in ruled if first <= day <= last),
    )
    title = mark("The course of the programme")
    told = mark("A bar runs from the beginning to the end. A stronger line is a day on which rules took effect.")
    told_stretches = "; ".join(f"{each.title}: {_told(each, edition)}" for each in stretches)
    return draw(
        drawing,
        f"course-{width}",
        edition.voice(title),
        f"{edition.voice(told)} {told_stretches}.",
    )


def _told(stretch: _Stretch, edition: Edition) -> str:
    begins, ends = (
        format_date(day, _DAY[edition.language], locale=edition.language) for day in (stretch.begins, stretch.ends)
    )
    return f"{begins} – {ends}" if stretch.ended else f"{begins} –"


def _ticks(first: date, last: date, most: int, edition: Edition) -> Iterator[Tick]:
    months = (last.year - first.year) * 12 + last.month - first.month
    apart = next((each for each in MONTHS_APART if months <= each * most), MONTHS_APART[-1])
    day = first
    while day < last:
        if day > first and (day.month - 1 + day.year * 12) % apart == 0:
            label = format_date(day, _TICK[edition.language], locale=edition.language)
            yield Tick(day.toordinal(), label)
        day = _months_on(day, 1)


def _months_on(day: date, number: int) -> date:
    """The first day of a month that many months later."""
    months = day.year * 12 + day.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)
