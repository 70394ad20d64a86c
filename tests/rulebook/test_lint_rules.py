"""Every rule of the linter, each by the smallest edit of a whole rulebook that should set it off alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dokja.rulebook import RULES, Finding, lint, read_rulebook

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "dokja" / "programme" / "starter" / "rulebook" / "0001-rules.yaml"
COMPLETE = ROOT / "examples" / "dokpamo-complete" / "rulebook" / "0001-whole.yaml"

Edit = tuple[str, str]

AMENDMENT = """\
dokja: "1"
rulebook: my-programme
number: 2
title: {ko: 개정, en: Amendment}
announced: 2027-02-10T09:00:00+09:00
effective: 2027-03-01T09:00:00+09:00
amendment:
  scope: [stage-1]
  reason: {ko: 이유, en: Reason}
"""

CHANGED_GATE = """\
clauses:
  - id: independence-1
    kind: gate
    text: {ko: 바뀐 관문, en: A changed gate}
    stage: stage-1
    title: {ko: 독자성, en: Independence}
    criterion: {ko: 다른 기준, en: Another wording}
    evidence: ballots
    quorum: {fail_at: 4, raters: 5}
    panel: experts
    reply_days: 5
"""

NEW_GATE_AND_GOAL = """\
clauses:
  - id: promise
    kind: goal
    text: {ko: 약속, en: A promise}
    stage: stage-1
  - id: second-gate
    kind: gate
    text: {ko: 새 관문, en: A new gate}
    stage: stage-1
    title: {ko: 안전, en: Safety}
    criterion: {ko: 기준, en: Wording}
    evidence: audit
    audit: {own_models: not-allowed, least_assessed: 0.8}
    reply_days: 3
"""

CONTINGENCY = """\
  - id: another
    kind: contingency
    text: {{ko: 다른 조항, en: Another clause}}
    stage: stage-1
    situation: {situation}
    when: {when}
    consequence: {consequence}
  # Objections:"""

PANEL = """\
  - id: {id}
    kind: panel
    text: {{ko: 또 다른 위원회, en: Another panel}}
    stage: stage-1
    panel: {panel}
    title: {{ko: 위원회, en: Panel}}
    raters: 7
    quorum: 5
    conflicts_checked: true
  # Objections:"""

ONE_EDIT: Sequence[tuple[str, Edit]] = [
    (
        "DK101",
        (
            "    situation: fewer-remain-than-seats\n",
            "    situation: fewer-remain-than-seats\n    when: {failed: {at_least: 1}}\n",
        ),
    ),
    (
        "DK101",
        ("    situation: gate-undecided\n", "    situation: gate-undecided\n    when: {undecided: {at_most: 3}}\n"),
    ),
    (
        "DK102",
        (
            "  # Objections:",
            CONTINGENCY.format(
                situation="nobody-remains", when="{withdrawn: {at_least: 2}}", consequence="end-programme"
            ),
        ),
    ),
    (
        "DK102",
        (
            "  # Objections:",
            CONTINGENCY.format(situation="tie-at-cut", when="{tied: {at_least: 3}}", consequence="lot"),
        ),
    ),
    (
        "DK101 DK103",
        ("    situation: gate-undecided\n", "    situation: gate-undecided\n    when: {undecided: {at_least: 5}}\n"),
    ),
    ("DK103", ("      - {step: lot}\n", "      - {step: lot}\n      - {step: measure, measure: benchmark}\n")),
    ("DK103", ("    ties:\n", "    ties:\n      - {step: lot}\n")),
    ("DK104", ("    order: gate-then-points\n", "")),
    ("DK105", ("    ties:\n      - {step: measure, measure: expert}\n      - {step: lot}\n", "")),
    ("DK201", ("          points: 60\n", "          points: 59.999\n")),
    ("DK201", ("              points: 25\n", "              points: 24.5\n")),
    ("DK201", ("          per: 40\n", "          per: 39.999\n")),
    ("DK108", ("    consequence: end-programme\n", "    consequence: lot\n")),
    ("DK108", ("    consequence: leave-the-ranking\n", "    consequence: all-tied-go-on\n")),
    ("DK202", ("          rule: index\n          per: 100\n", "          rule: ratio\n")),
    (
        "DK203",
        (
            "      points: 100\n      rule: sum\n",
            "      points: 100\n      rounding: {decimals: 1, mode: half-up}\n      rule: sum\n",
        ),
    ),
    (
        "DK203",
        ("          per: 40\n", "          per: 40\n          rounding: {decimals: 18, mode: down}\n"),
    ),
    (
        "DK209",
        (
            "          rule: index\n          per: 100\n",
            "          rule: proposed\n          proposed_by: 5\n          per: 100\n",
        ),
    ),
    (
        "DK204",
        (
            "          combine: trimmed-mean\n          drop_highest: 1\n          drop_lowest: 1\n",
            "          combine: sum\n",
        ),
    ),
    ("DK205", ("          drop_highest: 1\n", "          drop_highest: 4\n")),
    ("DK206", ("          combine: trimmed-mean\n", "          combine: mean\n")),
    ("DK207", ("        - id: benchmark\n", "        - id: expert\n")),
    (
        "DK301",
        (
            "    criterion:\n      ko: 모든 구성 요소의 가중치를 스스로 초기화해 학습할 것\n"
            "      en: The weights of every component initialised and trained by the team\n",
            "",
        ),
    ),
    ("DK302", ("    evidence: ballots\n", "")),
    ("DK303", ("    quorum: {fail_at: 4, raters: 5}\n", "")),
    ("DK304", ("    reply_days: 5\n", "")),
    ("DK304", ("    reply_days: 5\n", "    reply_days: 0\n")),
    ("DK304", ("    reply_days: 5\n", "    reply_days: 16\n")),
    ("DK305", ("{fail_at: 4, raters: 5}", "{fail_at: 6, raters: 5}")),
    ("DK305", ("{fail_at: 4, raters: 5}", "{fail_at: 4, raters: 8}")),
    ("DK306", ("    panel: experts\n    reply_days", "    reply_days")),
    (
        "DK308",
        ("    evidence: ballots\n    quorum: {fail_at: 4, raters: 5}\n    panel: experts\n", "    evidence: audit\n"),
    ),
    (
        "DK103 DK309",
        (
            "    evidence: ballots\n    quorum: {fail_at: 4, raters: 5}\n    panel: experts\n",
            "    evidence: points\n",
        ),
    ),
    ("DK309", ("    reply_days: 5\n", "    reply_days: 5\n    thresholds: [{measure: expert, at_least: 24}]\n")),
    (
        "DK103 DK309",
        (
            "    evidence: ballots\n    quorum: {fail_at: 4, raters: 5}\n    panel: experts\n",
            "    evidence: points\n    thresholds: [{measure: expert, at_least: 40.5}]\n",
        ),
    ),
    (
        "DK103 DK701",
        (
            "    evidence: ballots\n    quorum: {fail_at: 4, raters: 5}\n    panel: experts\n",
            "    evidence: points\n    thresholds: [{measure: user, at_least: 1}]\n",
        ),
    ),
    ("DK307", ("    quorum: 5\n    conflicts_checked: true\n\n", "    quorum: 5\n\n")),
    ("DK307", ("    quorum: 5\n    conflicts_checked: true\n\n", "    conflicts_checked: true\n\n")),
    ("DK307", ("    quorum: 5\n    conflicts_checked: true\n\n", "    quorum: 8\n    conflicts_checked: true\n\n")),
    ("DK403", ("effective: 2027-01-04T09", "effective: 2027-01-03T09")),
    ("DK405", ("      submission: 2027-07-30", "      submission: 2027-08-30")),
    ("DK408", ("    notice_days: 14\n", "")),
    ("DK408", ("    consent: every-team\n", "")),
    ("DK501", ("    sole_applicant: evaluated\n", "")),
    ("DK501", ("    nobody_is_legal: true\n", "")),
    ("DK502", ("    majority: 0.5\n", "    majority: 1\n")),
    ("DK503", ("    consequence: end-programme\n", "    consequence: end-programme\n    call: first-call\n")),
    ("DK503", ("    consequence: end-programme\n", "    consequence: open-call\n")),
    ("DK505", ("    consequence: end-programme\n", "    consequence: open-call\n    call: first-call\n")),
    ("DK506", ("    seats: 2\n", "    seats: 5\n")),
    ("DK506", ("    places: 4\n", "    places: 5\n")),
    ("DK601", ("      - {field: raters, audience: public, level: exact, after_days: 30}\n", "")),
    (
        "DK602",
        (
            "      - {field: raters, audience: public, level: exact, after_days: 30}\n",
            "      - {field: raters, audience: public, level: exact}\n"
            "      - {field: raters, audience: public, level: withheld}\n",
        ),
    ),
    ("DK603", ("    answer_days: 3\n", "")),
    ("DK604", ("    standstill_days: 8\n", "    standstill_days: 7\n")),
    ("DK406 DK606", ("      submission: 2027-07-30T18:00:00+09:00\n", "")),
    ("DK701", ("{step: measure, measure: expert}", "{step: measure, measure: user}")),
    (
        "DK702",
        (
            "  # Objections:",
            "  - {id: cut-b, kind: cut, text: {ko: 가, en: b}, stage: stage-1, order: points-then-gate, "
            "ties: [{step: lot}]}\n  # Objections:",
        ),
    ),
    (
        "DK702",
        (
            "  # Objections:",
            PANEL.format(id="call-b", panel="experts"),
        ),
    ),
    (
        "DK703",
        (
            "  # Objections:",
            PANEL.format(id="idle", panel="idle"),
        ),
    ),
]


NO_FINDING: Sequence[Edit] = [
    ("          rule: index\n          per: 100\n", "          rule: ratio\n          cap: 1.2\n"),
    (
        "          rule: index\n          per: 100\n",
        "          rule: proposed\n          proposed_by: 4\n          per: 100\n",
    ),
    ("    reply_days: 5\n", "    reply_days: 15\n"),
    ("          per: 40\n", "          per: 40.0\n"),
    ("    standstill_days: 8\n", "    standstill_days: 9\n"),
    ("{fail_at: 4, raters: 5}", "{fail_at: 5, raters: 5}"),
    ("    majority: 0.5\n", "    majority: 0.99\n"),
    ("          drop_highest: 1\n", "          drop_highest: 3\n"),
    ("      - {step: lot}\n", "      - {step: measure, measure: benchmark}\n      - {step: lot}\n"),
    (
        "    situation: gate-undecided\n",
        "    situation: gate-undecided\n    when: {undecided: {at_least: 1, at_most: 4}}\n",
    ),
]
"""Edits that come as near to a finding as can be, and make none."""


def findings(tmp_path: Path, *texts: str) -> tuple[Finding, ...]:
    files = []
    for number, text in enumerate(texts, start=1):
        file = tmp_path / f"{number:04}.yaml"
        file.write_text(text, encoding="utf-8")
        files.append(file)
    return lint(read_rulebook(files))


def edited(text: str, *edits: Edit) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def codes(found: Sequence[Finding]) -> set[str]:
    return {finding.code for finding in found}


@pytest.mark.parametrize("file", [STARTER, COMPLETE], ids=["starter", "complete"])
def test_a_whole_rulebook_lints_clean(file: Path) -> None:
    assert lint(read_rulebook([file])) == ()


@pytest.mark.parametrize(("expected", "edit"), ONE_EDIT)
def test_one_edit_sets_off_one_rule(expected: str, edit: Edit, tmp_path: Path) -> None:
    assert codes(findings(tmp_path, edited(STARTER.read_text(encoding="utf-8"), edit))) == set(expected.split())


@pytest.mark.parametrize("edit", NO_FINDING)
def test_an_edit_that_just_keeps_to_the_rules_sets_off_none(edit: Edit, tmp_path: Path) -> None:
    assert codes(findings(tmp_path, edited(STARTER.read_text(encoding="utf-8"), edit))) == set()


def test_rounding_where_points_decide_nothing_changes_no_cut(tmp_path: Path) -> None:
    rounded = edited(
        STARTER.read_text(encoding="utf-8"),
        ("      points: 100\n      rule: sum\n", "      points: 100\n      rounding: ROUND\n      rule: sum\n"),
        ("          per: 100\n", "          per: 100\n          rounding: {decimals: 2, mode: half-up}\n"),
        ("          per: 40\n", "          per: 40\n          rounding: {decimals: 1, mode: half-up}\n"),
    )

    def on(text: str, decimals: int) -> list[str]:
        text = text.replace("ROUND", f"{{decimals: {decimals}, mode: half-up}}")
        found = findings(tmp_path, text)
        return [finding.values["measure"] for finding in found if finding.code == "DK203"]

    assert on(rounded, 1) == ["total", "benchmark", "expert"]
    assert on(rounded, 2) == ["benchmark", "expert"]
    everybody = edited(rounded, ("    seats: 2\n", "    seats: 4\n"))
    assert on(everybody, 1) == []
    assert on(edited(everybody, ("    minimum: 0\n", "    minimum: 60\n")), 1) == ["total", "benchmark", "expert"]


def test_a_tie_of_which_none_goes_on_leaves_seats_that_a_clause_must_answer(tmp_path: Path) -> None:
    text = edited(
        STARTER.read_text(encoding="utf-8"),
        ("      - {step: lot}\n", "      - {step: none-goes-on}\n"),
        (
            "    situation: fewer-remain-than-seats\n",
            "    situation: fewer-remain-than-seats\n    when: {tied: {at_most: 0}}\n",
        ),
    )
    (found,) = findings(tmp_path, text)
    assert found.code == "DK101"
    assert found.problem.what.format(**found.values) == (
        "2 teams are level on the cut line and none of them goes on, so that 1 pass where 2 seats are planned: no "
        "clause of stage-1 says what follows."
    )
    by_lot = edited(text, ("{step: none-goes-on}", "{step: lot}"))
    assert findings(tmp_path, by_lot) == ()


def test_more_can_leave_than_there_are_seats_where_all_level_teams_go_on(tmp_path: Path) -> None:
    text = edited(
        STARTER.read_text(encoding="utf-8"),
        (
            "    situation: withdrawal-after-decision\n",
            "    situation: withdrawal-after-decision\n    when: {withdrawn_after: {at_most: 2}}\n",
        ),
    )
    assert findings(tmp_path, text) == ()
    (found,) = findings(tmp_path, edited(text, ("{step: lot}", "{step: all-go-on}")))
    assert (found.code, found.values["withdrawn_after"]) == ("DK101", "3")


def without(text: str, clause: str) -> str:
    """The rulebook without a clause."""
    before, _, after = text.partition(f"  - id: {clause}\n")
    assert after, clause
    ends = (at for mark in ("\n  - id: ", "\n  # ") if (at := after.find(mark)) >= 0)
    position = min(ends, default=len(after))
    return before + after[position + 1 :]


@pytest.mark.parametrize(
    ("expected", "clause"),
    [
        ("DK101", "withdrawal-1"),
        ("DK101", "gate-undecided-1"),
        ("DK101", "nobody-remains-1"),
        ("DK101", "fewer-remain-1"),
        ("DK101", "withdrawal-after-1"),
        ("DK101", "objection-upheld-1"),
        ("DK106", "cut-1"),
        ("DK208 DK701", "score-1"),
        ("DK603", "objections-1"),
        ("DK605", "record-1"),
        ("DK701", "experts-1"),
        ("DK103", "independence-1"),
    ],
)
def test_a_missing_clause_is_missed(expected: str, clause: str, tmp_path: Path) -> None:
    assert codes(findings(tmp_path, without(STARTER.read_text(encoding="utf-8"), clause))) == set(expected.split())


def test_a_gate_by_points_is_never_undecided(tmp_path: Path) -> None:
    """It needs no clause for that, and one that there is can never be needed."""
    text = edited(
        STARTER.read_text(encoding="utf-8"),
        (
            "    evidence: ballots\n    quorum: {fail_at: 4, raters: 5}\n    panel: experts\n    reply_days: 5\n",
            "    evidence: points\n    thresholds: [{measure: expert, at_least: 40}]\n",
        ),
    )
    assert codes(findings(tmp_path, without(text, "gate-undecided-1"))) == set()
    assert {(each.code, each.clause) for each in findings(tmp_path, text)} == {("DK103", "gate-undecided-1")}


def test_the_smallest_uncovered_outcome_is_named_in_words(tmp_path: Path) -> None:
    text = without(COMPLETE.read_text(encoding="utf-8"), "fewer-remain-1")
    found = [finding for finding in findings(tmp_path, text) if finding.code == "DK101"]
    assert [finding.stage for finding in found] == ["stage-1"]
    assert found[0].problem.what.format(**found[0].values).startswith("3 pass where 4 seats are planned: no clause")


def test_the_finding_stands_where_the_clause_stands(tmp_path: Path) -> None:
    text = edited(STARTER.read_text(encoding="utf-8"), ("    order: gate-then-points\n", ""))
    (found,) = findings(tmp_path, text)
    line = 1 + text[: text.index("  - id: cut-1")].count("\n")
    assert (found.place.file, found.place.line, found.place.column) == (tmp_path / "0001.yaml", line, 5)


def test_a_stage_that_has_opened_changes_only_by_consent(tmp_path: Path) -> None:
    rules = STARTER.read_text(encoding="utf-8")
    assert codes(findings(tmp_path, rules, AMENDMENT + CHANGED_GATE)) == {"DK402"}
    assert codes(findings(tmp_path, rules, AMENDMENT + "  consented: [team-a]\n" + CHANGED_GATE)) == set()
    before = AMENDMENT.replace("2027-02-10", "2027-01-10").replace("2027-03-01", "2027-02-01")
    assert codes(findings(tmp_path, rules, before + CHANGED_GATE)) == set()
    assert codes(findings(tmp_path, rules, AMENDMENT + "repeals: [objections-1]\n")) == {"DK402", "DK603"}
    assert codes(findings(tmp_path, rules, AMENDMENT + "repeals: [never-there]\n")) == {"DK701"}
    elsewhere = AMENDMENT.replace("[stage-1]", "[stage-1, stage-9]")
    assert codes(findings(tmp_path, rules, elsewhere + "repeals: [never-there]\n")) == {"DK701"}


def test_a_change_cannot_put_off_the_opening_to_come_in_time(tmp_path: Path) -> None:
    rules = STARTER.read_text(encoding="utf-8")
    stage = "  - id: stage-1\n" + rules.partition("  - id: stage-1\n")[2].partition("\n  # The score")[0]
    later = edited(stage, ("opens: 2027-02-15", "opens: 2027-04-15"))
    found = findings(tmp_path, rules, AMENDMENT + CHANGED_GATE + later)
    assert [(finding.code, finding.clause) for finding in found] == [
        ("DK402", "independence-1"),
        ("DK402", "stage-1"),
    ]


def test_an_amendment_takes_effect_after_the_notice_that_the_rules_before_it_ask_for(tmp_path: Path) -> None:
    rules = STARTER.read_text(encoding="utf-8")
    consented = AMENDMENT + "  consented: [team-a]\n"
    shorter = consented.replace("02-10T09:00:00", "02-15T09:00:01")
    assert codes(findings(tmp_path, rules, shorter + CHANGED_GATE)) == {"DK409"}
    assert codes(findings(tmp_path, rules, shorter.replace("09:00:01", "09:00:00") + CHANGED_GATE)) == set()
    own = (
        "clauses:\n  - id: amendments\n    kind: amendments\n    text: {ko: 개정, en: Amendments}\n"
        "    notice_days: 0\n    consent: most-teams\n"
    )
    assert codes(findings(tmp_path, rules, shorter + own)) == {"DK409"}
    without = edited(rules, ("    notice_days: 14\n", ""))
    assert codes(findings(tmp_path, without, shorter + CHANGED_GATE)) == {"DK408"}


def test_a_rulebook_that_does_not_say_how_it_may_be_changed(tmp_path: Path) -> None:
    rules = STARTER.read_text(encoding="utf-8")
    start, end = rules.index("  # Amendments:"), rules.index("  # Disclosure:")
    (found,) = findings(tmp_path, rules[:start] + rules[end:])
    assert (found.code, found.clause) == ("DK408", None)


def test_a_rule_younger_than_what_it_rules_on_is_late_and_a_promise_is_not(tmp_path: Path) -> None:
    rules = STARTER.read_text(encoding="utf-8")
    found = findings(tmp_path, rules, AMENDMENT + NEW_GATE_AND_GOAL)
    assert [(finding.code, finding.clause) for finding in found] == [("DK401", "second-gate")]


def test_an_amendment_keeps_to_its_scope(tmp_path: Path) -> None:
    rules = COMPLETE.read_text(encoding="utf-8")
    goal = NEW_GATE_AND_GOAL.split("  - id: second-gate", maxsplit=1)[0]
    amendment = AMENDMENT.replace("my-programme", "dokpamo-complete").replace("[stage-1]", "[stage-2]")
    assert codes(findings(tmp_path, rules, amendment + goal)) == {"DK404"}
    repeal = amendment.replace("2027-03-01", "2025-06-21") + "repeals: [short-list]\n"
    assert "DK404" not in codes(findings(tmp_path, rules, repeal.replace("[short-list]", "[objections-2]")))
    assert "DK404" in codes(findings(tmp_path, rules, repeal.replace("[short-list]", "[objections-1]")))


def test_a_call_that_opens_by_date_brings_its_places(tmp_path: Path) -> None:
    rules = COMPLETE.read_text(encoding="utf-8")
    shortfall = ("    consequence: open-call\n    call: extra-call\n", "    consequence: go-on-with-fewer\n")
    dated = edited(rules, shortfall, ("    call: extra-call\n", "    call: extra-call\n    by_date: true\n"))
    assert codes(findings(tmp_path, dated)) == {"DK506"}
    assert (
        findings(tmp_path, edited(dated, ("    entrants: 4\n    seats: 3\n", "    entrants: 5\n    seats: 3\n")))
        == ()
    )


@pytest.mark.parametrize(
    ("expected", "edit"),
    [
        ("DK407", ("      opens: 2026-01-23T00:00:00+09:00\n", "      opens: 2026-01-16T00:00:00+09:00\n")),
        (
            "DK504",
            ("    consequence: open-call\n    call: extra-call\n", "    consequence: go-on-with-fewer\n"),
        ),
        (
            "DK504 DK701",
            ("    consequence: open-call\n    call: extra-call\n", "    consequence: open-call\n    call: lost\n"),
        ),
        ("DK506", ("    entrants: 4\n    seats: 3\n", "    entrants: 5\n    seats: 3\n")),
    ],
)
def test_stages_and_calls_fit_together(expected: str, edit: Edit, tmp_path: Path) -> None:
    found = codes(findings(tmp_path, edited(COMPLETE.read_text(encoding="utf-8"), edit)))
    assert found == set(expected.split())


def test_conditions_beyond_counting_are_refused_not_walked_through(tmp_path: Path) -> None:
    names = ("withdrawn", "undecided", "failed", "remaining", "tied", "contested")
    clauses = [
        CONTINGENCY.removesuffix("  # Objections:")
        .replace("another", f"another-{number}")
        .format(
            situation="nobody-remains",
            consequence="end-programme",
            when="{"
            + ", ".join(f"{name}: {{at_least: {(number * 7 + at) % 90}}}" for at, name in enumerate(names))
            + "}",
        )
        for number in range(120)
    ]
    text = edited(
        STARTER.read_text(encoding="utf-8"),
        ("  # Objections:", "".join(clauses) + "  # Objections:"),
        ("    entrants: 4\n    seats: 2\n", "    entrants: 100\n    seats: 90\n"),
        ("    places: 4\n", "    places: 100\n"),
    )
    assert "DK107" in codes(findings(tmp_path, text))


def test_every_rule_is_set_off_by_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in RULES if f"{code}" not in source] == []
