"""An audit as lines of text: the summary first, nothing said twice, nothing that a finding does not bear out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dokja.language import LANGUAGES, Voice
from dokja.lineage import Audit, audit, open_checkpoint, reference
from dokja.lineage.findings import Screen
from dokja.lineage.page import render
from dokja.lineage.pair.evidence import TESTS as EVERY_TEST
from dokja.lineage.telling import lines, summary, to_json, visible
from dokja.lineage.words import OVERLAP, SILENT_TESTS, TESTS, UNSEEN, WORDS, p_in_words
from tests.lineage.audits import COMMAND, HOSTILE, every_word, finding
from tests.lineage.audits import audit as made

FIVE = Path(__file__).parents[2] / "examples" / "five-teams"
EN = Voice("en")


def said(team: str, *others: str) -> Audit:
    with open_checkpoint(FIVE / "entrants" / team) as mine:
        references = [reference(each, open_checkpoint(FIVE / "references" / each), 7) for each in others]
        return audit(reference(team, mine, 7), references, key=7)


@pytest.fixture(scope="module")
def deepened() -> Audit:
    return said("team-d", "cedar", "alder")


@pytest.fixture(scope="module")
def rearranged() -> Audit:
    return said("team-e", "elm")


def test_what_was_found_comes_first_one_line_for_each_component(deepened: Audit) -> None:
    told = list(summary(deepened, EN))
    assert told[0] == "text decoder: deepened (against cedar)"
    assert told[1] == "embeddings: derived (against cedar)"
    assert "projector: no evidence, references asked: 1" in told
    assert len(told) == len({each.component for each in deepened.findings})
    text = list(lines(deepened, EN))
    assert text[3 : 3 + len(told)] == [f"  {line}" for line in told]


def test_the_map_of_layers_is_told(deepened: Audit) -> None:
    assert any("0 ← 0; 1 ← 1; 2 ← 2; 3 ← 1; 4 ← 2; 5 ← 3" in line for line in lines(deepened, EN))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_must_not_be_read_into_it_is_said_once(language: str, deepened: Audit) -> None:
    voice = Voice("ko") if language == "ko" else EN
    text = "\n".join(lines(deepened, voice))
    for message in (WORDS["no-evidence"].meaning, WORDS["no-evidence"].innocent, UNSEEN, OVERLAP):
        assert text.count(voice(message)) == 1
    assert "-0.000" not in text


def test_what_rests_on_answers_alone_is_not_said_to_be_chance(rearranged: Audit) -> None:
    text = "\n".join(lines(rearranged, EN))
    full = text[text.index("Against elm") : text.index("  embeddings: no evidence, p")]
    assert EN(p_in_words(0.0)) not in full
    assert full.count(EN(SILENT_TESTS, {"p": "1"})) == 2


def test_encoders_answer_inputs_and_decoders_words(rearranged: Audit) -> None:
    text = list(lines(rearranged, EN))
    decoder, encoder = (text.index(f"  {name}: rearranged", 10) for name in ("text decoder", "vision encoder"))
    assert any(line.startswith("    answers to shared words: ") for line in text[decoder:encoder])
    assert any(line.startswith("    answers to the same inputs: ") for line in text[encoder:])


def test_every_word_is_told_and_names_from_outside_are_made_visible() -> None:
    audits = every_word()
    text = "\n".join(lines(audits, EN))
    for word, each in WORDS.items():
        assert EN(each.label) in text, word
    hostile = made(finding("“x”", HOSTILE, "derived"))
    for line in lines(hostile, EN):
        assert line == "".join(visible(letter) for letter in line) or not line


def test_what_a_screen_passed_over_is_corrected_for_and_told() -> None:
    with open_checkpoint(FIVE / "entrants" / "team-b") as mine, open_checkpoint(FIVE / "references" / "alder") as his:
        sides = reference("team-b", mine, 7), [reference("alder", his, 7)]
        named, chosen = (audit(*sides, key=7, screen=screen) for screen in (None, Screen(1001, 1, 0.18)))
    # Of each of 1,000 others six components by eight tests, beside what was asked.
    asked = sum(test.groups > 0 for finding in named.findings for test in finding.tests)
    smallest = [min(each.log10_p or 0.0 for each in told.findings) for told in (named, chosen)]
    assert smallest[1] == pytest.approx(smallest[0] + np.log10((48_000 + asked) / asked))
    for before, after in zip(named.findings, chosen.findings, strict=True):
        if before.power is not None and after.power is not None:
            assert after.power.needed > before.power.needed
    assert not any("1,001" in line for line in lines(named, EN))
    [told] = [line for line in lines(chosen, EN) if "1,001" in line]
    assert "0.18" in told
    assert json.loads(to_json(chosen))["screen"] == {"references": 1001, "near": 1, "would_miss": 0.18, "unasked": []}
    assert "1,001 references" in render(chosen, COMMAND, "en")


def test_where_a_screen_found_nothing_near_every_component_is_said_not_to_be_assessed() -> None:
    with open_checkpoint(FIVE / "entrants" / "team-b") as mine:
        alone = audit(reference("team-b", mine, 7), [], key=7, screen=Screen(1001, 0, 0.18))
    told = list(summary(alone, EN))
    assert told[0] == "text decoder: not assessed against any reference"
    assert len(told) == len(alone.coverage)


def test_every_test_has_a_name_for_people() -> None:
    assert set(EVERY_TEST) == set(TESTS)
    assert {test.name for finding in said("team-b", "alder").findings for test in finding.tests} <= set(EVERY_TEST)
