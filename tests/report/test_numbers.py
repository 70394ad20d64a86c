"""What stands on the pages is what follows: every number is that of the outcome, never sharper than it is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

import pytest

from dokja.adjudicate import Interval
from dokja.language import LANGUAGES
from dokja.report import Publication
from dokja.report.edition import Edition
from dokja.report.quantities import interval_text, outward
from dokja.report.stage_page import stage_page
from dokja.values import LanguageCode
from tests.report.markup import parsed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_the_outcome_stands_in_its_trace(
    real: Publication, files: Mapping[str, str], language: LanguageCode
) -> None:
    edition = Edition(real, language)
    for stage in real.outcome.stages:
        if not stage.scores:
            continue
        html = files[f"{language}/trace-{stage.stage}.html"]
        for (team, measure), score in stage.scores.items():
            _, _, after = html.partition(f'id="{team}.{measure}"')
            article = parsed(f"<div{after.partition('</article>')[0]}</div>").text
            assert edition.quantity(score).text in article
            assert interval_text(score.computed, language) in article
            if score.lower_from:
                assert outward(score.interval)[0] in article


def test_an_interval_is_shown_no_narrower_than_it_is(real: Publication) -> None:
    for stage in real.outcome.stages:
        for score in stage.scores.values():
            lower, upper = (Fraction(end) for end in outward(score.interval))
            assert lower <= score.interval.lower <= score.interval.upper <= upper


def test_negative_ends_are_rounded_outward_too() -> None:
    assert outward(Interval(Fraction(-1, 3), Fraction(-1, 7))) == ("-0.34", "-0.14")
    assert outward(Interval(Fraction(1, 3), Fraction(2, 3))) == ("0.33", "0.67")


def test_a_total_that_was_not_published_is_an_interval_and_a_published_one_its_figure(
    files: Mapping[str, str],
) -> None:
    text = parsed(files["en/stage-1.html"]).text
    assert "64.00–89.95" in text
    assert "90.15–90.25" in text
    second = files["en/stage-2.html"]
    assert re.search(r'stage-2\.html#motif\.total">65\.8</a> <span class="badge leak">leak', second)


def test_the_decision_and_the_readings_stand_side_by_side(real: Publication) -> None:
    page = stage_page(real.outcome.stages[0], Edition(real, "en"))
    kinds = {str(row.subject.striptags()): row.verdict.kind for row in page.verdicts}
    assert kinds["Number of teams"] == "not-covered"
    assert kinds["NC AI"] == "not-covered"
    assert kinds["Naver Cloud"] == "agreed"
    assert [str(card.number) for card in page.readings] == ["4", "3"]
    fates = [{item.team.striptags(): item.goes_on.kind for item in card.fates} for card in page.readings]
    assert [each["NC AI"] for each in fates] == ["certain", "excluded"]


def test_with_the_whole_rulebook_nothing_is_left_open(complete: Publication, whole: Mapping[str, str]) -> None:
    text = parsed(whole["en/rulebook.html"]).text
    assert len(complete.findings) == 0
    assert "The linter finds nothing" in text


def test_every_finding_stands_on_the_rulebooks_page_once(real: Publication, files: Mapping[str, str]) -> None:
    html = files["en/rulebook.html"]
    assert real.findings
    assert html.count('<p class="mend">') == len(real.findings)


def test_every_act_and_source_stands_on_the_records_page(real: Publication, files: Mapping[str, str]) -> None:
    ids = set(parsed(files["ko/record.html"]).ids)
    assert {f"act-{index}" for index in real.acts} <= ids
    assert {f"source-{source.id}" for source in real.about.sources} <= ids
