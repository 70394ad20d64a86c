"""What a person or a system can get wrong: one line a problem with a code, exit code 2, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Dokja

WRONG = (
    (("nope",), "usage-verb"),
    (("record", "lst"), "usage-verb"),
    (("run",), "usage-missing"),
    (("run", "{folder}", "--wiht", "leaks"), "usage-option"),
    (("--lang", "jp", "run", "{folder}"), "usage-value"),
    (("lint", "{folder}", "--format", "sarif"), "usage-value"),
    (("run", "{folder}", "--without"), "usage-value-missing"),
    (("run", "{folder}", "{folder}"), "usage-other"),
    (("run", "{folder}/missing"), "programme-missing"),
    (("run", "{folder}/programme.yaml"), "programme-missing"),
    (("lint", "{folder}/missing.yaml"), "file-missing"),
    (("run", "{folder}", "--no-site", "--without", "gossip"), "programme-unknown-source"),
    (("why", "{folder}", "stage-9", "team-a.total"), "why-no-stage"),
    (("why", "{folder}", "stage-1", "team-c.total"), "why-no-team"),
    (("why", "{folder}", "stage-1", "team-a.totl"), "why-no-measure"),
    (("why", "{folder}", "stage-1", "team-z"), "why-no-team"),
    (("why", "{folder}", "stage-1", ""), "why-no-team"),
    (("rulebook", "show", "{folder}", "--at", "yesterday"), "usage-time"),
    (("rulebook", "show", "{folder}", "--at", "2027-13-01"), "usage-time"),
    (("rulebook", "show", "{folder}", "--at", "2027-01-04T09:00:00"), "usage-time"),
    (("record", "show", "{folder}", "no-such-act"), "record-no-act"),
    (("record", "show", "{folder}", "999"), "record-no-act"),
    (("record", "list", "{new}"), "record-missing"),
    (("init", "{folder}"), "init-not-empty"),
    (("init", "{folder}/programme.yaml"), "init-not-empty"),
)


@pytest.mark.parametrize(
    ("field", "code"), [("sources", "programme-duplicate-source"), ("parties", "programme-duplicate-party")]
)
def test_what_stands_twice_in_programme_yaml_is_named_with_its_line(
    field: str, code: str, decided: Path, tmp_path: Path, dokja: Dokja
) -> None:
    lines = (decided / "programme.yaml").read_text(encoding="utf-8").splitlines()
    begin = lines.index(f"{field}:") + 1
    end = next((at for at in range(begin + 1, len(lines)) if not lines[at].startswith("    ")), len(lines))
    twice = [*lines[:end], *lines[begin:end], *lines[end:]]
    (tmp_path / "programme.yaml").write_text("\n".join(twice), encoding="utf-8")
    said = dokja("run", tmp_path)
    assert (said.code, said.out) == (2, "")
    assert f"programme.yaml:{end + 1}:" in said.err
    assert code in said.err


@pytest.mark.parametrize(
    ("words", "code"), WRONG, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_wrong_command_is_told_in_a_line_with_its_code(
    words: tuple[str, ...], code: str, lang: str, decided: Path, tmp_path: Path, dokja: Dokja
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "programme.yaml").write_bytes((decided / "programme.yaml").read_bytes())
    asked = (word.format(folder=decided, new=new) for word in words)
    said = dokja(f"--lang={lang}", *asked)
    assert (said.code, said.out) == (2, "")
    assert f"{code} " in said.err
    assert len(said.err.splitlines()) == 1
    assert "{" not in said.err
    assert "Traceback" not in said.err


def test_names_that_look_like_it_are_offered(decided: Path, dokja: Dokja) -> None:
    assert "Did you mean list?" in dokja("record", "lst").err
    assert "Did you mean total?" in dokja("why", decided, "stage-1", "team-a.totl").err


def test_a_broken_act_is_told_with_its_place_and_nothing_is_taken_in(small: Path, dokja: Dokja) -> None:
    bad = small / "acts" / "0003-bad.yaml"
    bad.write_text(
        "acts:\n  - type: withdrawal\n    id: w\n    who: team-z\n    when: 2027-09-01T00:00:00+09:00\n"
        "    stage: stage-1\n    team: team-z\n",
        encoding="utf-8",
    )
    said = dokja("run", small)
    assert said.code == 2
    assert said.err.startswith(f"{bad}:")
    bad.unlink()
    assert (
        "26 in the record" in dokja("run", small, "--no-site").out
        or "26 acts" in dokja("run", small, "--no-site").out
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(small: Path, dokja: Dokja) -> None:
    (small / "programme.yaml").chmod(0)
    said = dokja("run", small)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_a_record_that_is_a_folder(small: Path, dokja: Dokja) -> None:
    file = small / "record" / "record.sqlite"
    file.unlink()
    file.mkdir()
    for verb in (("run", small, "--no-site"), ("record", "check", small), ("record", "list", small)):
        said = dokja(*verb)
        assert said.code == 2
        assert "Traceback" not in said.err
        assert said.err


def _process(
    *words: str, stdout: int = subprocess.PIPE, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; from dokja.cli import main; sys.exit(main())", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(environment or {})},
    )


def test_a_reader_that_goes_away_ends_the_command_quietly(decided: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = _process("record", "list", str(decided), "--ballots", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, "")


def test_a_terminal_that_cannot_show_korean_still_gets_an_answer(decided: Path) -> None:
    process = _process("--lang", "ko", "lint", str(decided), environment={"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert any(letter.isdigit() for letter in out)
    assert "Traceback" not in err


def test_the_command_as_a_process_ends_with_its_exit_code(decided: Path) -> None:
    for words, code in ((("--version",), 0), (("lint", str(EXAMPLES / "dokpamo")), 1), (("run", "/nowhere"), 2)):
        process = _process(*words)
        process.communicate(timeout=60)
        assert process.returncode == code
