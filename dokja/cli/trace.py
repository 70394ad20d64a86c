"""A number's trace as a tree: what it is computed from, the figures that bound it, the acts and their sources."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup
from rich.text import Text
from rich.tree import Tree

from dokja.adjudicate import Explanation, Score, StageOutcome
from dokja.language import mark
from dokja.report.edition import Edition
from dokja.report.figure_words import support_said
from dokja.report.quantities import interval_text, number_text
from dokja.report.words import MEASURE_RULES, STANDINGS

SHOWN_ACTS = 5
"""How many of the acts under a number are told; marks come by the dozen."""


def trace(stage: StageOutcome, explanation: Explanation, edition: Edition) -> Tree:
    """The tree of an explanation."""
    title = Text(f"{edition.stage_title(stage.stage)} · {edition.called(explanation.score.team)}", style="bold")
    tree = Tree(title, guide_style="dim")
    _grow(tree, stage, explanation, edition)
    return tree


def _grow(tree: Tree, stage: StageOutcome, explanation: Explanation, edition: Edition) -> None:
    score = explanation.score
    branch = tree.add(_number(stage, score, edition))
    for line in (*_bounds(stage, score, edition), *_acts(score, edition)):
        branch.add(line)
    for each in explanation.inputs:
        _grow(branch, stage, each, edition)


def _number(stage: StageOutcome, score: Score, edition: Edition) -> Text:
    """The number and the rule that makes it."""
    quantity = edition.quantity(score)
    line = Text(f"{edition.measure(stage.stage, score.measure)}  ")
    line.append(quantity.text, style="dim" if quantity.standing == "unknown" else "bold cyan")
    of = edition.say(mark("of {points}"), {"points": number_text(score.points.upper)})
    rule = edition.say(MEASURE_RULES[score.rule])
    line.append(f"  {of} · {rule} · § {score.clause}", style="dim")
    return line


def _bounds(stage: StageOutcome, score: Score, edition: Edition) -> Iterator[Text]:
    """What narrows the number, where published figures do."""
    if score.interval == score.computed:
        return
    computed = interval_text(score.computed, edition.language)
    yield _plain(
        edition.say(mark("{interval} by the acts alone; narrowed by published figures:"), {"interval": computed})
    )
    ends = (
        (score.lower_from, mark("at least {end}: {supports}")),
        (score.upper_from, mark("at most {end}: {supports}")),
    )
    lower, upper = edition.quantity(score).lower, edition.quantity(score).upper
    for (supports, message), end in zip(ends, (lower, upper), strict=True):
        if supports:
            said = Markup("; ").join(dict.fromkeys(support_said(each, stage.stage, edition) for each in supports))
            yield _plain(edition.say(message, {"end": end, "supports": said}))


def _acts(score: Score, edition: Edition) -> Iterator[Text]:
    """The acts that the number rests on directly, with their sources."""
    for index in score.acts[:SHOWN_ACTS]:
        act = edition.publication.acts.get(index)
        if act is None:
            yield Text(str(edition.act(index)), style="dim")
            continue
        source = edition.sources.get(act.source or "")
        line = Text(f"{edition.act(index)} · {edition.day(act.when).striptags()}")
        if source is not None:
            standing = edition.say(STANDINGS[source.standing])
            line.append(f" · {edition.text(source.title)} ({standing})", style="dim")
        yield line
    if score.act_count > SHOWN_ACTS:
        yield Text(
            edition.say(mark("and {count} more acts"), {"count": score.act_count - SHOWN_ACTS}).striptags(),
            style="dim",
        )


def _plain(said: Markup) -> Text:
    return Text(said.striptags())
