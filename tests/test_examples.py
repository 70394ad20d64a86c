"""The bundled programmes: read whole, sourced throughout, and the same acts under both rulebooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dokja.errors import ActError
from dokja.programme import Programme, open_programme
from dokja.record.acts import ACT, AnyAct, Decision, Disclosure, RulebookAmended, RulebookPublished
from dokja.rulebook import Call, lint
from dokja.rulebook.clauses import Goal
from dokja.strict_yaml import read_yaml

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("dokpamo", "dokpamo-complete")


@pytest.fixture(params=NAMES)
def programme(request: pytest.FixtureRequest) -> Programme:
    return open_programme(EXAMPLES / str(request.param))


def _acts(programme: Programme) -> list[AnyAct]:
    return list(_read(programme))


def _read(programme: Programme) -> Iterator[AnyAct]:
    for file in programme.act_files:
        tree = read_yaml(file, ActError).tree
        assert isinstance(tree, dict)
        assert set(tree) == {"acts"}
        yield from (ACT.validate_python(act) for act in tree["acts"])


def _shared(name: str) -> dict[str, bytes]:
    files = (EXAMPLES / name / "acts").iterdir()
    return {file.name: file.read_bytes() for file in files if "-rulebook-" not in file.name}


def test_both_programmes_hold_the_same_acts_byte_for_byte() -> None:
    shared = _shared("dokpamo")
    assert len(shared) >= 5
    assert shared == _shared("dokpamo-complete")


def test_files_that_differ_only_publish_rulebooks(programme: Programme) -> None:
    own = [file for file in programme.act_files if "-rulebook-" in file.name]
    for file in own:
        tree = read_yaml(file, ActError).tree
        assert isinstance(tree, dict)
        assert {act["type"] for act in tree["acts"]} <= {"rulebook-published", "rulebook-amended"}


def test_acts_are_in_the_order_of_time_with_ids_of_their_own(programme: Programme) -> None:
    acts = _acts(programme)
    times = [act.when for act in acts]
    assert times == sorted(times)
    assert len({act.id for act in acts}) == len(acts)


def test_every_act_and_every_clause_rests_on_a_source_that_exists(programme: Programme) -> None:
    cited = {act.source for act in _acts(programme)}
    cited |= {document.source for document in programme.history.documents}
    cited |= {clause.source for document in programme.history.documents for clause in document.clauses}
    assert None not in cited
    assert cited <= set(programme.sources)


def test_an_act_names_a_clause_that_was_in_force_on_its_day(programme: Programme) -> None:
    for act in _acts(programme):
        assert act.clause is None or act.clause in programme.history.at(act.when).enacted, act.id


def test_every_rulebook_document_is_published_by_an_act_of_its_day(programme: Programme) -> None:
    published = {
        act.number: act.when for act in _acts(programme) if isinstance(act, RulebookPublished | RulebookAmended)
    }
    assert published == {document.number: document.announced for document in programme.history.documents}


def test_consent_in_the_acts_is_the_consent_in_the_rulebook(programme: Programme) -> None:
    said = {act.number: act.consented for act in _acts(programme) if isinstance(act, RulebookAmended)}
    amended = [document for document in programme.history.documents if document.amendment]
    assert said == {document.number: document.amendment.consented for document in amended if document.amendment}


def test_what_is_said_in_korean_is_korean_and_in_english_is_not(programme: Programme) -> None:
    clauses = [clause for document in programme.history.documents for clause in document.clauses]
    for clause in clauses:
        assert _has_hangul(clause.text.ko), clause.id
        assert not _has_hangul(clause.text.en), clause.id
    for act in _acts(programme):
        if act.note:
            assert _has_hangul(act.note.ko), act.id
            assert not _has_hangul(act.note.en), act.id


def test_texts_hold_no_control_character(programme: Programme) -> None:
    clauses = [clause.text for document in programme.history.documents for clause in document.clauses]
    notes = [act.note for act in _acts(programme) if act.note]
    for text in (*clauses, *notes):
        assert (text.ko + text.en).isprintable()


def _has_hangul(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def test_figures_name_measures_of_their_stage_and_teams_that_were_in_it(programme: Programme) -> None:
    acts = _acts(programme)
    decided = {
        act.stage: {*act.goes_on, *(left.team for left in act.leaves)} for act in acts if isinstance(act, Decision)
    }
    for act in acts:
        if isinstance(act, Disclosure):
            measures = {measure.id for measure in programme.history.whole.measures(act.stage)}
            for figure in act.figures:
                assert figure.measure in measures
                assert set(figure.teams) <= decided[act.stage]


def test_only_the_leak_is_marked_as_one() -> None:
    sources = open_programme(EXAMPLES / "dokpamo").about.sources
    assert [source.id for source in sources if source.standing == "leak"] == ["leak-2026-08-27"]
    assert [source.id for source in sources if source.standing == "own"] == []


def test_the_extra_call_has_no_clause_on_the_day_it_was_announced_but_has_one_in_the_complete_rulebook() -> None:
    for name, known in (("dokpamo", False), ("dokpamo-complete", True)):
        programme = open_programme(EXAMPLES / name)
        decision = next(act for act in _acts(programme) if isinstance(act, Decision) and act.stage == "stage-1")
        calls = {clause.call for clause in programme.history.at(decision.when).of(Call)}
        assert decision.opens_call == "extra-call"
        assert ("extra-call" in calls) is known


def test_weights_of_the_index_add_up_to_a_hundred() -> None:
    rules = open_programme(EXAMPLES / "dokpamo").history.whole
    (weights,) = (goal for goal in rules.of(Goal) if goal.id == "aaii-weights")
    parts = weights.text.en.split("per cent: ")[1].rstrip(".").split(", ")
    assert sum(int(part.rsplit(" ", 1)[1]) for part in parts) == 100


def test_the_complete_rulebook_lints_clean() -> None:
    assert lint(open_programme(EXAMPLES / "dokpamo-complete").history) == ()
