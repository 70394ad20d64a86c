"""The model case: what follows from the published rules and figures comes out computed.

The expected figures are those of the ministry's releases and of the press, as cited in `docs/dokpamo.md`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from dokja.adjudicate import Outcome, StageOutcome, published, why
from dokja.cli.verdicts import stage_lines, verdict_lines
from dokja.programme import open_programme, run
from dokja.report import Publication
from dokja.report.edition import Edition
from dokja.report.machine_readable import exact_text
from dokja.report.site import site
from dokja.values import LanguageCode

EXAMPLES = Path(__file__).parent.parent / "examples"


def publication(name: str, folder: Path, leave_out: tuple[str, ...] = ()) -> Publication:
    copy = folder / name
    shutil.copytree(EXAMPLES / name, copy, ignore=shutil.ignore_patterns("record", "site"))
    made = run(open_programme(copy), leave_out=leave_out, site=False).publication
    assert made is not None
    return made


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publication]:
    yield publication("dokpamo", tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publication]:
    yield publication("dokpamo-complete", tmp_path_factory.mktemp("complete"))


def stage(outcome: Outcome, name: str) -> StageOutcome:
    found = outcome.stage(name)
    assert found is not None
    return found


def mean(found: StageOutcome, measure: str) -> Fraction:
    """The middle of what is known of a measure's mean: the figure that arithmetic on published figures gives."""
    return next(each.mean.middle for each in found.aggregates if each.measure == measure)


def verdicts(found: StageOutcome) -> dict[str, str]:
    return {holding.subject: holding.verdict for holding in found.holdings}


def test_nothing_that_was_published_contradicts_anything_else(real: Publication) -> None:
    for found in real.outcome.stages:
        assert not found.conflict
        assert {check.verdict for check in found.checks} <= {"confirmed", "consistent", "free"}
    assert len(stage(real.outcome, "stage-1").checks) >= 13
    assert len(stage(real.outcome, "stage-2").checks) >= 23


def test_stage_1_lg_is_first_for_certain_with_the_best_total(real: Publication) -> None:
    found = stage(real.outcome, "stage-1")
    assert (found.positions["lg"].best, found.positions["lg"].worst) == (1, 1)
    assert found.scores["lg", "total"].interval == published(Decimal("90.2"))
    assert found.scores["lg", "user"].interval.exact
    assert found.scores["lg", "nia"].interval.middle == Fraction("9.2")


def test_stage_1_the_mean_of_totals_follows_from_the_means_of_the_axes(real: Publication) -> None:
    found = stage(real.outcome, "stage-1")
    check = next(each for each in found.checks if (each.figure.of, each.figure.measure) == ("mean", "total"))
    assert check.implied is not None
    assert check.implied.middle == Fraction("79.72")
    assert check.implied.meet(published(Decimal("79.7"))) is not None


def test_stage_1_four_are_ahead_on_points_and_nc_ai_is_outside(real: Publication) -> None:
    found = stage(real.outcome, "stage-1")
    inside = {team for team, place in found.positions.items() if place.worst <= 4}
    assert inside == {"lg", "naver", "skt", "upstage"}
    assert found.positions["nc-ai"].best == 5


def test_stage_1_three_go_on_where_four_were_planned_and_no_clause_said_what_follows(real: Publication) -> None:
    found = stage(real.outcome, "stage-1")
    orders = {reading.order: reading for reading in found.readings}
    assert not any(reading.said for reading in found.readings)
    assert found.seats == 4
    as_done, other_way = orders["points-then-gate"], orders["gate-then-points"]
    assert as_done.fates["naver"].reason == other_way.fates["naver"].reason == "failed-gate"
    assert as_done.remaining == (3, 3)
    assert as_done.fates["nc-ai"].goes_on == "excluded"
    assert other_way.remaining == (4, 4)
    assert other_way.fates["nc-ai"].goes_on == "certain"
    (situation,) = as_done.situations
    assert (situation.situation, situation.modality, situation.clauses) == ("fewer-remain-than-seats", "certain", ())
    assert verdicts(found) == {
        "lg": "agreed",
        "skt": "agreed",
        "upstage": "agreed",
        "naver": "agreed",
        "nc-ai": "not-covered",
        "stage-1": "not-covered",
        "extra-call": "not-covered",
    }


def test_stage_2_order_by_the_leaked_totals(real: Publication) -> None:
    found = stage(real.outcome, "stage-2")
    assert [found.positions[team].best for team in ("skt", "upstage", "lg", "motif")] == [1, 2, 3, 4]
    assert all(place.best == place.worst for place in found.positions.values())
    leaked = sum((found.scores[team, "total"].interval.middle for team in found.teams), Fraction(0)) / 4
    assert round(leaked, 2) in (Fraction("68.82"), Fraction("68.83"))
    assert leaked == Fraction("68.825")


def test_stage_2_means_follow_from_the_means_of_the_items(real: Publication) -> None:
    official = stage(real.alternatives["leaks"], "stage-2")
    assert mean(official, "benchmark") == Fraction("22.53")
    assert mean(official, "user") == Fraction("17.56")
    total = next(each.mean for each in official.aggregates if each.measure == "total")
    assert total.holds(Fraction("22.53") + Fraction("28.75") + Fraction("17.56"))
    # The expert mean was published as 28.8 and as 28.75: it lies in [28.75, 28.755).
    assert (total.lower, total.upper) == (Fraction("68.82"), Fraction("68.865"))


def test_stage_2_motifs_leaked_parts_add_up_to_its_leaked_total(real: Publication) -> None:
    found = stage(real.outcome, "stage-2")
    parts = ("aaii", "nia", "expert", "user")
    assert sum(found.scores["motif", part].interval.middle for part in parts) == Fraction("65.8")
    check = next(each for each in found.checks if each.figure.of == "value" and each.figure.value == Decimal("65.8"))
    assert check.implied is not None
    assert check.implied.holds(Fraction("65.8"))


def test_stage_2_without_leaks_no_order_is_certain_but_motif_leads_the_index(real: Publication) -> None:
    official = stage(real.alternatives["leaks"], "stage-2")
    assert {(place.best, place.worst) for place in official.positions.values()} == {(1, 4)}
    others = [official.scores[team, "aaii"].interval.upper for team in ("lg", "skt", "upstage")]
    assert official.scores["motif", "aaii"].interval.lower >= max(others)


def test_every_total_that_was_not_published_has_bounds(real: Publication) -> None:
    for team in ("naver", "skt", "upstage", "nc-ai"):
        score = stage(real.outcome, "stage-1").scores[team, "total"]
        assert score.known
        assert score.interval.lower > 0
        assert score.interval.upper < published(Decimal("90.2")).upper
        assert score.lower_from
        assert score.upper_from


def test_a_trace_leads_to_the_acts_and_their_sources(real: Publication) -> None:
    explained = why(stage(real.outcome, "stage-2"), "motif", "total")
    assert explained is not None
    sources = {real.acts[index].source for index in explained.acts}
    assert "leak-2026-08-27" in sources
    assert [each.score.measure for each in explained.inputs] == ["benchmark", "expert", "user"]


def test_leaving_leaks_out_is_the_same_as_never_having_them(real: Publication, tmp_path: Path) -> None:
    without = publication("dokpamo", tmp_path, ("leaks",))
    assert without.outcome.stages == real.alternatives["leaks"].stages
    assert not without.alternatives


def test_the_index_on_the_site_is_kept_but_is_not_the_rules_index(real: Publication) -> None:
    reports = [act for act in real.acts.values() if act.type == "measurement-reported"]
    assert {act.value for act in reports} >= {Decimal("47.4"), Decimal("37.4"), Decimal("35.0"), Decimal("31.0")}
    assert not stage(real.alternatives["leaks"], "stage-2").scores["motif", "aaii"].acts


def test_with_the_complete_rulebook_the_same_acts_open_the_extra_call_by_rule(complete: Publication) -> None:
    found = stage(complete.outcome, "stage-1")
    (reading,) = found.readings
    assert reading.said
    (situation,) = reading.situations
    assert situation.opens_calls == ("extra-call",)
    assert set(verdicts(found).values()) == {"agreed"}
    assert not complete.findings


SUMS = {
    ("stage-1", "mean-of-parts", "total", None): ("79.72", "79.7", True),
    ("stage-1", "value-of-parts", "total", "lg"): ("90.2", "90.2", True),
    ("stage-1", "value-of-parts", "benchmark", "lg"): ("33.6", "33.6", True),
    ("stage-2", "mean-of-parts", "total", None): ("68.84", None, None),
    ("stage-2", "mean-of-teams", "total", None): ("68.825", None, None),
    ("stage-2", "value-of-parts", "total", "motif"): ("65.8", "65.8", True),
    ("stage-2", "value-of-parts", "benchmark", "motif"): ("24.6", None, None),
    ("stage-2", "mean-of-parts", "benchmark", None): ("22.53", "22.5", True),
    ("stage-2", "mean-of-parts", "user", None): ("17.56", "17.6", True),
    ("stage-2", "other-definition", "aaii", None): ("9.425", "9.48", False),
}
"""What a reader with a pencil finds from the figures of either stage, and what was published of the same."""


def test_the_published_figures_add_up_to_what_a_reader_finds(real: Publication) -> None:
    found = {
        (each.stage, sum_.kind, sum_.measure, sum_.team): (
            exact_text(sum_.result),
            None if sum_.published is None else str(sum_.published),
            sum_.fits,
        )
        for each in real.outcome.stages
        for sum_ in each.additions
    }
    assert found == SUMS


def test_without_leaks_no_sum_rests_on_one(real: Publication) -> None:
    official = stage(real.alternatives["leaks"], "stage-2")
    assert {(each.kind, each.measure) for each in official.additions} == {
        ("mean-of-parts", "total"),
        ("mean-of-parts", "benchmark"),
        ("mean-of-parts", "user"),
        ("other-definition", "aaii"),
    }


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_sum_is_shown_on_the_page_and_at_the_terminal(language: LanguageCode, real: Publication) -> None:
    edition = Edition(real, language)
    console = Console(width=100, file=StringIO(), highlight=False)
    console.print(*verdict_lines(edition))
    told = console.file.getvalue()  # type: ignore[attr-defined]
    files = site(real)
    for (name, *_), (result, published_, _fits) in SUMS.items():
        page = files[f"{language}/{name}.html"]
        assert f"= <strong>{result}</strong>" in page
        assert re.search(rf"(^|\s){re.escape(result)}( \*)?(\s|$)", told), result
        assert published_ is None or published_ in page
    assert "does not fit" in told or "부합하지 않음" in told


@pytest.mark.parametrize(("language", "fate"), [("ko", "점수로 탈락"), ("en", "leaves on points")])
@pytest.mark.parametrize("width", [80, 100, 120])
def test_at_every_width_a_team_stands_in_one_line_with_what_was_decided(
    width: int, language: LanguageCode, fate: str, real: Publication
) -> None:
    stream = StringIO()
    Console(width=width, file=stream, highlight=False).print(
        *stage_lines(real.outcome.stages[0], Edition(real, language))
    )
    lines = stream.getvalue().splitlines()
    assert max(cell_len(line) for line in lines) <= width
    (row,) = [line for line in lines if re.match(r"\s+5\s+NC AI", line)]
    assert "38.05" in row
    assert row.rstrip().endswith(fate)
    assert ("17.60" in row) == (width > 80)
