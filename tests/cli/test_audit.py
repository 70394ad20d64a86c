"""`dokja inspect` and `dokja audit` on the bundled entrants: words, pages, acts, and what cannot be asked."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from dokja.cli.audit import UNSCREENED, _names
from dokja.intake import take_in
from dokja.programme import open_programme
from dokja.record import open_record
from tests.cli.conftest import Dokja
from tests.lineage.saved import save

FIVE = Path(__file__).parents[2] / "examples" / "five-teams"
BORROWED = str(FIVE / "entrants" / "team-b")
LENDER = str(FIVE / "references" / "alder")
STRANGER = str(FIVE / "references" / "maple")
ACT = ("--team", "team-b", "--stage", "stage-1", "--gate", "independence-1", "--who", "auditor")
NO_DEVICE = "audit-device-absent" if find_spec("torch") else "audit-device-library"
WHEN = ("--when", "2027-08-24T10:00:00+09:00")


def test_what_a_checkpoint_holds_is_told_by_component_and_role(dokja: Dokja) -> None:
    said = dokja("inspect", BORROWED)
    assert said.code == 0
    assert "908,640" in said.out
    assert "vision encoder" in said.out
    found = json.loads(dokja("inspect", BORROWED, "--json").out)
    assert sum(share["parameters"] for share in found["shares"]) == found["parameters"] == 908_640
    assert "비전 인코더" in dokja("inspect", BORROWED, "--lang", "ko").out


def test_a_borrowed_encoder_is_found_and_a_stranger_is_not(dokja: Dokja) -> None:
    said = dokja("audit", BORROWED, "--against", LENDER, "--key", "3", "--json")
    assert said.code == 1
    words = {finding["component"]: finding["word"] for finding in json.loads(said.out)["findings"]}
    assert words["vision-encoder"] == words["audio-encoder"] == "derived"
    assert {word for component, word in words.items() if "encoder" not in component} == {"no-evidence"}
    assert dokja("audit", BORROWED, "--against", STRANGER, "--key", "3").code == 0


def test_references_whose_files_are_named_alike_are_told_apart(dokja: Dokja) -> None:
    files = [f"{folder}/model.safetensors" for folder in (LENDER, STRANGER)]
    against = [word for file in (*files, files[0]) for word in ("--against", file)]
    found = json.loads(dokja("audit", BORROWED, *against, "--key", "3", "--json").out)
    assert found["references"] == ["alder/model.safetensors", "maple/model.safetensors"]
    words = {each["reference"]: each["word"] for each in found["findings"] if each["component"] == "vision-encoder"}
    assert words == {"alder/model.safetensors": "derived", "maple/model.safetensors": "no-evidence"}


@pytest.mark.parametrize(
    ("against", "kept", "names"),
    [
        (["a/elm", "b/oak/"], (), ["elm", "oak"]),
        (["a/x/elm", "b/x/elm"], (), ["a/x/elm", "b/x/elm"]),
        (["a/elm", "a/elm/"], (), ["elm"]),
        (["refs/elm"], ("elm",), ["refs/elm"]),
        (["elm"], ("elm",), ["./elm"]),
        (["elm", "a/elm"], (), ["./elm", "a/elm"]),
    ],
)
def test_a_name_is_as_long_as_it_must_be(against: list[str], kept: tuple[str, ...], names: list[str]) -> None:
    assert list(_names(against, kept).values()) == names


def test_the_same_key_gives_the_same_bytes(dokja: Dokja) -> None:
    asked = ("audit", BORROWED, "--against", STRANGER, "--key", "5", "--json")
    assert dokja(*asked).out == dokja(*asked).out


def test_findings_become_an_act_that_the_record_takes(dokja: Dokja, tmp_path: Path) -> None:
    for name in (
        "programme.yaml",
        "rulebook/0001-rules.yaml",
        "acts/0001-opening.yaml",
        "acts/0002-submissions.yaml",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((FIVE / name).read_bytes())
    file = tmp_path / "acts" / "0003-audit.yaml"
    assert dokja("audit", BORROWED, "--against", LENDER, "--act", str(file), *ACT, *WHEN).code == 1
    assert (tmp_path / "evidence" / "0003-audit.audit.json").is_file()
    programme = open_programme(tmp_path)
    with open_record(programme.record_at) as record:
        taken = take_in(programme.act_files, programme.history, frozenset(programme.sources), record).taken
        assert [entry.act.type for entry in record.entries()][-1] == "audit-reported"
    assert taken == 23 + 1
    again = dokja("audit", "no-such-checkpoint", "--against", LENDER, "--act", str(file), *ACT, *WHEN)
    assert again.code == 2
    assert "act-file-exists" in again.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("audit", BORROWED), "audit-no-reference"),
        (("audit", BORROWED, "--against", LENDER, "--act", "x.yaml"), "audit-act-incomplete"),
        (("audit", "no-such-folder", "--against", LENDER), "checkpoint-absent"),
        (("audit", "no-such-folder", "--against", LENDER, "--device", "gpu"), "audit-device-unknown"),
        (("audit", "no-such-folder", "--against", LENDER, "--device", "cuda:999"), NO_DEVICE),
        (("inspect", str(FIVE / "README.md")), "checkpoint-format"),
        (("inspect", ""), "checkpoint-absent"),
        (("audit", BORROWED, "--against", ""), "checkpoint-absent"),
        (("audit", BORROWED, "--against", "nowhere2://a/b"), "nowhere2://a/b"),
        (("audit", BORROWED, "--library", "no-such-library"), "library"),
    ],
)
def test_what_cannot_be_asked_is_said(words: tuple[str, ...], code: str, dokja: Dokja) -> None:
    said = dokja(*words)
    assert said.code == 2
    assert code in said.err
    assert "Traceback" not in said.err


def test_the_page_is_written_in_both_languages(dokja: Dokja, tmp_path: Path) -> None:
    assert dokja("audit", BORROWED, "--against", LENDER, "--html", str(tmp_path / "page")).code == 1
    assert {file.name for file in (tmp_path / "page").iterdir()} >= {"audit.en.html", "audit.ko.html"}
    one = tmp_path / "one.html"
    said = dokja("audit", BORROWED, "--against", LENDER, "--lang", "en", "--html", str(one))
    assert '<html lang="en">' in one.read_text(encoding="utf-8")
    assert one.name in said.err


def test_no_line_of_the_terminal_is_wider_than_a_page(dokja: Dokja) -> None:
    asked = ("audit", str(FIVE / "entrants" / "team-e"), "--against", str(FIVE / "references" / "elm"))
    found = dokja(*asked)
    assert found.code == 1  # It is for a panel to look at.
    assert "key 0" in found.err
    assert max(map(len, found.out.splitlines())) <= 100
    words = {each["word"] for each in json.loads(dokja(*asked, "--json").out)["findings"]}
    assert words == {"rearranged", "no-evidence"}


def test_an_act_that_lacks_something_is_refused_before_weights_are_read(dokja: Dokja, tmp_path: Path) -> None:
    refused = dokja("audit", "no-such-checkpoint", "--against", "nor-this", "--act", str(tmp_path / "act.yaml"))
    assert refused.code == 2
    assert "audit-act-incomplete" in refused.err


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (("--when", "2027-08-24"), "act-schema"),
        (("--team", "Team B", *WHEN), "act-schema"),
        (("--who", "", *WHEN), "act-schema"),
        (("--html", "{file}", *WHEN), "system-refuses"),
        (("--act", "{file}/acts/act.yaml", *WHEN), "system-refuses"),
        (("--act", "{file}", *WHEN), "act-file-exists"),
    ],
)
def test_all_but_weights_is_checked_before_weights_are_read(
    changed: tuple[str, ...], code: str, dokja: Dokja, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    words = [word.format(file=file) for word in changed]
    refused = dokja(
        "audit", "no-such-checkpoint", "--against", "nor-this", "--act", str(tmp_path / "a"), *ACT, *words
    )
    assert refused.code == 2
    assert refused.err.split()[0] == code or code in refused.err
    assert "checkpoint" not in refused.err
    assert list(tmp_path.iterdir()) == [file]


def test_a_library_with_nothing_to_compare_makes_an_act_that_says_so(dokja: Dokja, tmp_path: Path) -> None:
    library = tmp_path / "library"
    named = [f"maple-{number}={STRANGER}" for number in range(UNSCREENED + 1)]
    assert dokja("library", "build", str(library), *named, "--key", "7", "--units", "8", "--workers", "1").code == 0
    file = tmp_path / "act.yaml"
    cedar = str(FIVE / "references" / "cedar")
    said = dokja("audit", cedar, "--library", str(library), "--act", str(file), *ACT, *WHEN, "--lang", "en")
    assert said.code == 0
    assert "none was audited" in said.out
    assert "not-assessed" in file.read_text(encoding="utf-8")
    assert "assessed: '0'" in file.read_text(encoding="utf-8")


def test_a_step_0_of_another_model_is_refused(dokja: Dokja, tmp_path: Path) -> None:
    begun = save(tmp_path / "begun.safetensors", {"weight": np.ones((4, 4), np.float32)})
    said = dokja("audit", BORROWED, "--against", LENDER, "--step0", str(begun))
    assert said.code == 2
    assert "audit-step0" in said.err
