"""Every verb, as text and as JSON, in both languages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dokja import __version__
from dokja.rulebook.linter import RULES
from tests.cli.conftest import EXAMPLES, Dokja

HANGUL = re.compile("[가-힣]")

VERBS = (
    ("lint", "{folder}"),
    ("run", "{folder}", "--no-site"),
    ("why", "{folder}", "stage-1", "team-a.total"),
    ("why", "{folder}", "stage-1", "team-a"),
    ("why", "{folder}", "stage-1"),
    ("rulebook", "show", "{folder}"),
    ("rulebook", "schema"),
    ("record", "list", "{folder}"),
    ("record", "show", "{folder}", "decision-1"),
    ("record", "export", "{folder}", "--ballots"),
    ("record", "check", "{folder}"),
)
SAME_IN_EVERY_LANGUAGE = ("schema", "show")


def call(verb: tuple[str, ...], folder: Path) -> list[str]:
    return [word.format(folder=folder) for word in verb]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_speaks_korean_and_english(verb: tuple[str, ...], decided: Path, dokja: Dokja) -> None:
    english = dokja(*call(verb, decided))
    korean = dokja(*call(verb, decided), "--lang", "ko")
    assert english.code == korean.code == 0
    assert english.out
    assert "\x1b" not in english.out + korean.out
    if verb[:2] != ("rulebook", "schema"):
        assert HANGUL.search(korean.out)
        # The last line that shows an act is its bytes, in whichever language they are.
        said = english.out.rsplit("\n", 2)[0] if verb[:2] == ("record", "show") else english.out
        assert not HANGUL.search(said)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_prints_json_whose_data_does_not_depend_on_the_language(
    verb: tuple[str, ...], decided: Path, dokja: Dokja
) -> None:
    first = dokja("--json", *call(verb, decided))
    second = dokja(*call(verb, decided), "--json", "--lang=ko")
    assert first.code == second.code == 0
    assert first.out == second.out
    assert json.loads(first.out) is not None


@pytest.mark.parametrize("before", [True, False])
def test_options_for_all_verbs_stand_before_or_after_the_verb(before: bool, decided: Path, dokja: Dokja) -> None:
    asked = ["--lang", "ko", "--json"]
    words = ["record", "list", str(decided)]
    said = dokja(*asked, *words) if before else dokja(*words, *asked)
    middle = dokja("record", "--json", "--lang=ko", "list", decided)
    assert said.code == middle.code == 0
    assert json.loads(said.out) == json.loads(middle.out)


def test_what_follows_two_dashes_is_no_option(dokja: Dokja) -> None:
    said = dokja("lint", "--", "--json")
    assert said.code == 2
    assert "--json" in said.err


@pytest.mark.parametrize("variable", ["DOKJA_LANG", "LC_ALL", "LANG"])
def test_the_environment_chooses_the_language_unless_the_command_does(
    variable: str, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "ko_KR.UTF-8")
    assert "사용법" in dokja("--help").out
    assert "Usage" in dokja("--help", "--lang", "en").out


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    "verb",
    [(), ("init",), ("lint",), ("run",), ("why",), ("demo",), ("rulebook",), ("rulebook", "show"), ("record",)],
    ids=" ".join,
)
def test_help_in_both_languages(verb: tuple[str, ...], lang: str, dokja: Dokja) -> None:
    said = dokja(*verb, "--help", "--lang", lang)
    assert said.code == 0
    assert bool(HANGUL.search(said.out)) is (lang == "ko")
    assert "--json" in said.out
    assert all(line == line.rstrip() for line in said.out.splitlines())


def test_without_a_verb_the_help_is_shown(dokja: Dokja) -> None:
    assert dokja().out == dokja("--help").out
    assert dokja("record").out == dokja("record", "--help").out


def test_version(dokja: Dokja) -> None:
    assert dokja("--version").out == f"dokja {__version__}\n"


def test_run_tells_where_decision_and_rules_part(decided: Path, dokja: Dokja) -> None:
    said = dokja("run", decided, "--no-site")
    parting = said.out.split("Where decisions and rules part")[1]
    assert re.search(r"Number of teams: 1 go on +contradicted", parting)
    assert re.search(r"Team B: leaves on points +contradicted", parting)
    assert "Team A" not in parting


def test_run_prints_the_same_bytes_every_time(decided: Path, dokja: Dokja) -> None:
    assert dokja("run", decided, "--no-site").out == dokja("run", decided, "--no-site").out


def test_run_in_json_holds_exact_numbers(decided: Path, dokja: Dokja) -> None:
    said = json.loads(dokja("run", decided, "--no-site", "--json").out)
    (stage,) = said["outcome"]["stages"]
    totals = {score["team"]: score["interval"] for score in stage["scores"] if score["measure"] == "total"}
    assert totals == {
        "team-a": {"lower": "77.7", "upper": "77.7"},
        "team-b": {"lower": "66.7", "upper": "66.7"},
    }
    assert said["taken"] == 0
    assert said["stamp"]["size"] == 26


def test_why_of_a_team_tells_its_place_its_gates_and_its_fate(decided: Path, dokja: Dokja) -> None:
    """Team B was sent away although both teams have a seat: place, gate, fate and verdict stand below each other."""
    said = dokja("why", decided, "stage-1", "team-b").out
    assert re.search(r"place on points: 2 of 2 teams, \d seats", said)
    assert "ahead for certain: Team A" in said
    assert said.index("gate “") < said.index("goes on for certain") < said.index("decided: leaves on points")
    assert "Held against the rules: contradicted." in said
    told = json.loads(dokja("why", decided, "stage-1", "team-b", "--json").out)
    assert (told["position"]["best"], told["position"]["worst"]) == (2, 2)
    assert [held["verdict"] for held in told["holdings"]] == ["contradicted"]


def test_why_of_a_gate_tells_the_result_and_the_acts_that_say_so(decided: Path, dokja: Dokja) -> None:
    told = json.loads(dokja("why", decided, "stage-1", "team-b.independence-1", "--json").out)
    assert told["gate"]["result"] == "meets"
    assert [each["index"] for each in told["acts"]] == told["gate"]["acts"]
    assert "gate “" in dokja("why", decided, "stage-1", "team-b.independence-1").out


def test_why_of_a_gate_by_points_tells_what_each_measure_came_to(small: Path, dokja: Dokja) -> None:
    rules = small / "rulebook" / "0001-rules.yaml"
    text = rules.read_text(encoding="utf-8")
    least = (
        "  - id: least-1\n    kind: gate\n    stage: stage-1\n    text: {ko: 과락, en: Least points}\n"
        "    title: {ko: 과락, en: Least points}\n    criterion: {ko: 기준, en: Least}\n    evidence: points\n"
        "    thresholds: [{measure: expert, at_least: 24.8}]\n"
    )
    rules.write_text(text.replace("  # Objections:", least + "\n  # Objections:", 1), encoding="utf-8")
    said = dokja("why", small, "stage-1", "team-b.least-1")
    assert "gate “Least points”: does not meet it" in said.out
    assert "Expert: 24.7, at least 24.8 asked" in said.out


def test_why_of_a_stage_tells_every_part_of_its_decision_with_its_reasons(decided: Path, dokja: Dokja) -> None:
    said = dokja("why", decided, "stage-1").out
    assert "Team B: leaves on points. Held against the rules: contradicted." in said
    assert said.index("Team B: ") < said.rindex("goes on for certain")
    told = json.loads(dokja("why", decided, "stage-1", "--json").out)
    assert {held["subject"] for held in told["holdings"]} == {"team-a", "team-b", "stage-1"}


def test_why_leads_from_the_total_to_ballots(decided: Path, dokja: Dokja) -> None:
    said = dokja("why", decided, "stage-1", "team-b.total")
    assert re.search(r"Total +66\.7 +of 100", said.out)
    assert re.search(r"Expert +24\.7 +of 40", said.out)
    assert said.out.count("ballot ") == 5
    assert "and 2 more acts" in said.out


def test_rulebook_show_at_a_day_before_any_rule(decided: Path, dokja: Dokja) -> None:
    said = dokja("rulebook", "show", decided, "--at", "2026-12-31")
    assert (said.code, said.out) == (0, "")
    assert "No rule was in force then." in said.err


@pytest.mark.parametrize(
    ("at", "clauses"), [("2025-11-19", 12), ("2025-11-20", 12), ("2026-01-15T00:00:00+09:00", None)]
)
def test_rulebook_show_tells_the_rules_of_a_day(at: str, clauses: int | None, dokja: Dokja) -> None:
    said = json.loads(dokja("rulebook", "show", EXAMPLES / "dokpamo", "--at", at, "--json").out)
    known = {each["clause"]["id"] for each in said["clauses"]}
    assert ("score-1" in known) is (at > "2026")
    documents = {each["document"] for each in said["clauses"]}
    assert max(documents) == {"2025-11-19": 1, "2025-11-20": 2}.get(at, 3)


def test_the_schema_is_one_of_json_schema_with_every_kind_of_clause(dokja: Dokja) -> None:
    schema = json.loads(dokja("rulebook", "schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert {"Stage", "Cut", "Contingency", "Gate", "Call"} <= set(schema["$defs"])


def test_record_list_chooses_by_type_team_and_stage(decided: Path, dokja: Dokja) -> None:
    def ids(*words: str) -> list[str]:
        return [row["act"]["id"] for row in json.loads(dokja("record", "list", decided, "--json", *words).out)]

    assert ids("--type", "decision") == ["decision-1"]
    assert ids("--team", "team-a", "--stage", "stage-1", "--type", "finding") == ["independence-team-a"]
    assert len(ids("--type", "ballot")) == 14
    assert len(ids()) + 14 == len(ids("--ballots")) == 26
    assert ids("--type", "nothing-such") == []


def test_a_row_of_the_list_is_one_line_with_its_whole_id(decided: Path, dokja: Dokja) -> None:
    acts = [row["act"]["id"] for row in json.loads(dokja("record", "list", decided, "--json").out)]
    _, *rows = dokja("record", "list", decided).out.splitlines()
    assert [row.split()[4] for row in rows] == acts


def test_record_show_finds_an_act_by_index_and_by_id(decided: Path, dokja: Dokja) -> None:
    by_id = json.loads(dokja("record", "show", decided, "decision-1", "--json").out)
    by_index = json.loads(dokja("record", "show", decided, by_id["index"], "--json").out)
    assert by_id == by_index
    assert by_id["act"]["goes_on"] == ["team-a"]
    assert re.fullmatch("[0-9a-f]{64}", by_id["leaf"])
    assert (by_id["size"], len(by_id["path"]), by_id["proof"]) == (26, 3, None)


def test_a_person_reads_who_did_what_when_and_by_which_clause(decided: Path, dokja: Dokja) -> None:
    shown = dokja("record", "show", decided, "decision-1").out
    exported = dokja("record", "export", decided, "--ballots").out
    for title in ("When", "Who", "What", "Clause", "Signature", "Leaf hash"):
        assert f"\n{title} " in shown
        assert exported.count(f"\n{title} ") == 26
    assert "Stage 1 is decided." in shown
    assert re.search("\nRoot of the record +[0-9a-f]{64}\n", shown)
    assert "A ballot on" in exported
    assert "ballot on" not in dokja("record", "export", decided).out


def test_record_check_finds_a_flipped_letter(small: Path, dokja: Dokja) -> None:
    file = small / "record" / "record.sqlite"
    body = file.read_bytes()
    assert b"first-call-opened" in body
    file.write_bytes(body.replace(b"first-call-opened", b"first-call-openeb"))
    said = dokja("record", "check", small)
    assert said.code == 1
    assert "record-" in said.out
    assert json.loads(dokja("record", "check", small, "--json").out)["problems"]


@pytest.mark.parametrize(("word", "verbs"), [("re", "record"), ("lin", "lint"), ("wh", "why")])
def test_a_shell_completes_verbs(word: str, verbs: str) -> None:
    asked = {"_DOKJA_COMPLETE": "complete_bash", "COMP_WORDS": f"dokja {word}", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from dokja.cli import main; main([])"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [verbs]


@pytest.mark.parametrize("code", sorted(RULES))
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_lint_code_is_explained(code: str, lang: str, dokja: Dokja) -> None:
    said = dokja("lint", "--explain", code.lower(), "--lang", lang)
    assert said.code == 0
    assert code in said.out
    prose = re.sub("```.*?```", "", said.out, flags=re.DOTALL)
    assert bool(HANGUL.search(prose)) is (lang == "ko")
    as_json = json.loads(dokja("lint", "--explain", code, "--lang", lang, "--json").out)
    assert as_json["code"] == code
    assert as_json["page"] in said.out


def test_an_admission_against_the_panel_s_vote_stands_among_what_parts(small: Path, dokja: Dokja) -> None:
    acts = small / "acts" / "0003-late.yaml"
    acts.write_text(
        "acts:\n  - {type: application, id: late, who: team-c, when: 2027-01-30T09:00:00+09:00, call: first-call, "
        "team: team-c, name: {ko: 다 팀, en: Team C}}\n"
        "  - {type: admission, id: late-in, who: office, when: 2027-02-10T11:00:00+09:00, call: first-call, "
        "stage: stage-1, team: team-c, in_favour: 4, panel_size: 10}\n",
        encoding="utf-8",
    )
    said = dokja("run", small)
    parts = said.out[said.out.index("Where decisions and rules part") :]
    assert re.search(r"Call “First call” +Team C: admitted +contradicted", parts)
    page = (small / "site" / "en" / "index.html").read_text(encoding="utf-8")
    assert "4 of the panel's 10 were in favour." in page
