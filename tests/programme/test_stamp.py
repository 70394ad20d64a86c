"""Running twice: nothing is done or loaded where nothing changed, and everything where anything did."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import dokja
from dokja.errors import ActError, RulebookError
from dokja.programme import Programme, Run, open_programme, run

STARTER = Path(dokja.__file__).parent / "programme" / "starter"

STATEMENT = """acts:
  - {type: statement, id: said-later, who: office, when: 2030-01-01T09:00:00+09:00, note: {ko: 말, en: A word.}}
"""


@pytest.fixture
def programme(tmp_path: Path) -> Programme:
    """The starter programme, run once."""
    folder = tmp_path / "programme"
    shutil.copytree(STARTER, folder)
    done = run(open_programme(folder))
    assert done.publication is not None
    return open_programme(folder)


def again(programme: Programme) -> Run:
    return run(open_programme(programme.folder))


def test_a_second_run_finds_nothing_to_do(programme: Programme) -> None:
    written = programme.site_folder.stat().st_mtime_ns
    done = again(programme)
    assert (done.taken, done.publication, done.site) == (0, None, programme.site_folder)
    assert programme.site_folder.stat().st_mtime_ns == written


def test_a_run_tells_what_it_does(programme: Programme) -> None:
    told: list[str] = []

    def tell(message: str, values: Mapping[str, object]) -> None:
        told.append(message.format(**values))

    run(open_programme(programme.folder), tell=tell)
    assert told == []
    a_new_file(programme)
    run(open_programme(programme.folder), tell=tell)
    assert told == ["Taking acts in: 1", "Working out what follows from 5 acts", "Writing the pages"]


def test_a_second_run_loads_nothing_that_works_anything_out(programme: Programme) -> None:
    said = (
        "import sys; from dokja.cli import main; main(sys.argv[1:]);"
        "print([each for each in sys.modules if each.startswith(('dokja.adjudicate', 'dokja.report', 'jinja2'))])"
    )
    command = [sys.executable, "-c", said, "run", str(programme.folder), "--lang", "en"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Nothing new" in out
    assert out.endswith("[]\n")


def a_new_file(programme: Programme) -> None:
    (programme.folder / "acts" / "9000-later.yaml").write_text(STATEMENT, encoding="utf-8")


def another_title(programme: Programme) -> None:
    _reworded(programme.folder / "programme.yaml")


def another_rulebook(programme: Programme) -> None:
    _reworded(programme.rulebook_files[0])


def a_site_without_its_stamp(programme: Programme) -> None:
    (programme.site_folder / "outcome.json").unlink()


def a_site_with_half_a_stamp(programme: Programme) -> None:
    (programme.site_folder / "outcome.json").write_text('{"stamp": {"dokja": "0"}}', encoding="utf-8")


def _reworded(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [a_new_file, another_title, another_rulebook, a_site_without_its_stamp, a_site_with_half_a_stamp],
)
def test_whatever_changed_is_worked_out_anew(change: Callable[[Programme], None], programme: Programme) -> None:
    change(programme)
    assert again(programme).publication is not None
    assert again(programme).publication is None


def test_a_record_that_was_lost_is_made_again(programme: Programme) -> None:
    shutil.rmtree(programme.record_folder)
    done = again(programme)
    assert (done.taken, done.publication) == (4, None)
    assert again(programme).taken == 0


def test_what_is_left_out_is_worked_out_anew(programme: Programme) -> None:
    source = programme.about.sources[0].id
    assert run(open_programme(programme.folder), leave_out=[source]).publication is not None
    assert again(programme).publication is not None


def test_a_file_that_changed_is_read_again_even_where_the_record_and_the_site_did_not(programme: Programme) -> None:
    """The same acts in other words are in the record already; the file is looked at all the same."""
    file = programme.act_files[0]
    _reworded(file)
    done = again(programme)
    assert (done.taken, done.stamp.size, done.publication) == (0, 4, None)
    file.write_text("acts: nothing\n", encoding="utf-8")
    with pytest.raises(ActError, match="act-file-shape"):
        again(programme)


def test_a_bad_rulebook_is_told_before_a_record_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "programme"
    shutil.copytree(STARTER, folder)
    (folder / "rulebook" / "0001-rules.yaml").write_text("dokja: [", encoding="utf-8")
    with pytest.raises(RulebookError):
        run(open_programme(folder))
    assert not (folder / "record").exists()
