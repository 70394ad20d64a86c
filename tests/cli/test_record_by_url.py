"""`record.url`: the verbs over a record on a real PostgreSQL server say what they say over one in the folder."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dokja.record import ACT, canonical
from dokja.record.transparency.signing import signed
from tests.cli.conftest import Dokja
from tests.record.databases import Database
from tests.record.server import Server
from tests.record.test_crashes import LIVES
from tests.verify.build import KEYS, Small, act

ROOT = Path(__file__).parents[2]
NAMED = "record.url"
LATE = """acts:
  - type: statement
    id: late
    who: office
    when: 2027-09-01T09:00:00+09:00
    note: {ko: 말, en: word}
"""
HEADS = "SELECT size, at, files FROM heads, (SELECT count(*) AS files FROM files) AS f ORDER BY size"


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def address(server: Server) -> str:
    """An empty schema, as people write addresses; the tests' server asks for no password."""
    return server.new().replace("+psycopg", "")


@pytest.fixture
def by_url(small: Path, address: str, tmp_path: Path) -> Path:
    """The same programme as `small`, its acts not taken in yet, with its record on a server."""
    folder = Path(shutil.copytree(small, tmp_path / "by-url", ignore=shutil.ignore_patterns("record")))
    (folder / NAMED).write_text(f"{address}\n", encoding="utf-8")
    return folder


def test_every_page_and_root_is_the_same(small: Path, by_url: Path, dokja: Dokja) -> None:
    first = dokja("run", small)
    assert first.code == 0, first.err
    said = dokja("run", by_url)
    assert said.code == 0, said.err
    assert not (by_url / "record" / "record.sqlite").exists()
    assert files(by_url / "site") == files(small / "site")
    again = dokja("run", by_url)
    assert "Nothing new" in again.out
    assert files(by_url / "site") == files(small / "site")
    for verb in (("list",), ("list", "--json"), ("check",), ("export",), ("show", "decision-1", "--json")):
        on_server, in_folder = (dokja("record", verb[0], folder, *verb[1:]) for folder in (by_url, small))
        assert (on_server.code, on_server.out) == (in_folder.code, in_folder.out), verb
    assert dokja("why", by_url, "team-a").out == dokja("why", small, "team-a").out


def test_a_record_moves_there_and_back_with_all_that_was_signed(address: str, tmp_path: Path, dokja: Dokja) -> None:
    small = Small(tmp_path / "mine")
    small.bundle(keys=True)
    folder = small.folder
    assert dokja("export", folder, tmp_path / "before", "--at", "2027-12-01").code == 0
    listed = dokja("record", "list", folder, "--json").out
    moved = dokja("record", "move", folder, address)
    assert moved.code == 0, moved.err
    assert (
        (folder / NAMED).read_text(encoding="ascii").startswith(address.replace("postgresql", "postgresql+psycopg"))
    )
    assert not (folder / "record" / "record.sqlite").exists()
    old = folder / "record" / "record.sqlite.moved-1"
    assert str(old) in moved.err
    with closing(sqlite3.connect(old)) as connection, pytest.raises(sqlite3.DatabaseError, match="was moved"):
        connection.execute("INSERT INTO acts SELECT max(\"index\") + 1, 'x', type, at, '', '', body, leaf FROM acts")
    heads = Database(old).rows(HEADS)
    assert dokja("record", "list", folder, "--json").out == listed
    assert dokja("record", "check", folder).code == 0
    assert dokja("export", folder, tmp_path / "there", "--at", "2027-12-01").code == 0
    assert files(tmp_path / "there" / "data") == files(tmp_path / "before" / "data")
    back = dokja("record", "move", folder)
    assert (back.code, back.err) == (0, "")
    assert not (folder / NAMED).exists()
    assert Database(folder / "record" / "record.sqlite").rows(HEADS) == heads
    again = dokja("record", "move", folder, address)
    assert (again.code, "record-not-empty" in again.err) == (2, True)
    assert dokja("record", "check", folder).code == 0
    (folder / NAMED).write_text(address, encoding="ascii")
    (folder / "record" / "record.sqlite").rename(tmp_path / "away.sqlite")
    late = tmp_path / "late.jsonl"
    said = act("statement", "late", "2027-03-01T09:00:00", note={"ko": "말", "en": "word"})
    late.write_bytes(canonical(signed(ACT.validate_python(said), KEYS["office"])) + b"\n")
    assert "record-moved" in dokja("record", "append", folder, late).err, "what was moved is closed"
    back = dokja("record", "move", folder)
    assert (back.code, "record-moved" in back.err) == (2, True), "nor does it become a second record"
    assert not (folder / "record" / "record.sqlite").exists()


def test_two_places_are_one_too_many(small: Path, address: str, server: Server, dokja: Dokja) -> None:
    (small / NAMED).write_text(address, encoding="ascii")
    elsewhere = server.new()
    for verb in (("run", small), ("record", "list", small), ("record", "move", small, elsewhere)):
        refused = dokja(*verb)
        assert (refused.code, "programme-two-records" in refused.err) == (2, True)
    back = dokja("record", "move", small)
    assert (back.code, "record-missing" in back.err) == (2, True), "there is nothing yet at the address"
    assert dokja("record", "move", small, address).code == 0
    assert dokja("record", "check", small).code == 0
    there = dokja("record", "move", small, address)
    assert (there.code, "already" in there.out) == (0, True)


def test_a_move_that_is_killed_at_any_step_is_gone_on_with_by_doing_it_again(small: Path, server: Server) -> None:
    every = 1 if LIVES >= 2_000 else 5
    address = f"postgresql://{server.address}"
    command = [sys.executable, "-m", "tests.cli.moves", str(small), address, str(every)]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    found = json.loads(said)
    assert found["wrong"] == []
    assert min(found["killed_there"], found["killed_back"]) > 40 // every


def test_a_record_that_went_on_is_not_moved_over(
    small: Path, address: str, server: Server, tmp_path: Path, dokja: Dokja
) -> None:
    old = shutil.copytree(small, tmp_path / "old")
    assert dokja("record", "move", small, address).code == 0
    (small / "acts" / "0099-late.yaml").write_text(LATE, encoding="utf-8")
    assert dokja("run", small, "--no-site").code == 0
    refused = dokja("record", "move", old, address)
    assert (refused.code, "record-not-empty" in refused.err) == (2, True)
    assert not (old / NAMED).exists()
    assert dokja("record", "check", old).code == 0


def test_no_password_stands_in_the_folder_nor_is_ever_shown(
    by_url: Path, small: Path, address: str, dokja: Dokja
) -> None:
    before = files(small)
    for secret in (address.replace("dokja@", "dokja:geheim@"), f"{address}&password=geheim"):
        (by_url / NAMED).write_text(secret, encoding="ascii")
        for said in (dokja("run", by_url), dokja("record", "move", small, secret)):
            assert (said.code, "programme-record-password" in said.err) == (2, True)
            assert "geheim" not in said.err + said.out
    malformed = dokja("record", "move", small, "postgresql://dokja:geheim@host:port/x")
    assert (malformed.code, "record-unknown-database" in malformed.err) == (2, True)
    assert "geheim" not in malformed.err + malformed.out
    assert files(small) == before


def test_a_password_comes_from_the_environment(
    by_url: Path, server: Server, address: str, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ask_for_password("guarded", "geheim")
    (by_url / NAMED).write_text(address.replace("dokja@", "guarded@"), encoding="ascii")
    monkeypatch.setenv("PGPASSWORD", "wrong")
    refused = dokja("run", by_url, "--no-site")
    assert (refused.code, "record-unreachable" in refused.err, "PGPASSWORD" in refused.err) == (2, True, True)
    monkeypatch.setenv("PGPASSWORD", "geheim")
    said = dokja("run", by_url, "--no-site")
    assert said.code == 0, said.err
    assert "geheim" not in said.err + said.out


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("/postgres", "/nowhere"), "record-unreachable"),
        (("dokja@", "stranger@"), "record-unreachable"),
        (("127.0.0.1:", "127.0.0.1:1"), "record-unreachable"),
        (("search_path%3D", "search_path%3Dno"), "record-unreachable"),
        (("postgresql://", "mysql://"), "record-unknown-database"),
        (("postgresql://", "postgresql+psycopg2://"), "record-unknown-database"),
        (("postgresql://", ""), "programme-record-url"),
        (("postgresql://", "postgresql://\n"), "programme-record-url"),
    ],
)
def test_what_cannot_be_reached_is_told_with_its_mending(
    change: tuple[str, str], code: str, by_url: Path, address: str, dokja: Dokja
) -> None:
    port = address.split(":")[2].partition("/")[0]
    wrong = address.replace(f":{port}", ":1") if change[0].startswith("127") else address.replace(*change)
    (by_url / NAMED).write_text(wrong, encoding="utf-8")
    for language in ("en", "ko"):
        said = dokja("run", by_url, "--lang", language)
        assert (said.code, code in said.err) == (2, True), said.err
        assert said.err.count("\n") == 1
    assert not (by_url / "site").exists()


def test_tables_of_something_else_are_left_alone(by_url: Path, address: str, dokja: Dokja) -> None:
    with Database(address).connected() as connection:
        connection.execute("CREATE TABLE acts (play text, act int)")
    said = dokja("run", by_url)
    assert (said.code, "record-other-tables" in said.err) == (2, True)
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    assert Database(address).rows(tables) == [("acts",)]


def test_two_programmes_with_one_address_are_told_apart_at_once(by_url: Path, tmp_path: Path, dokja: Dokja) -> None:
    other = Path(shutil.copytree(by_url, tmp_path / "other"))
    about = other / "programme.yaml"
    about.write_text(about.read_text(encoding="utf-8").replace("id: my-programme", "id: another"), encoding="utf-8")
    assert dokja("run", by_url, "--no-site").code == 0
    before = dokja("record", "list", by_url, "--json").out
    for verb in (("run", other), ("record", "list", other), ("record", "check", other), ("record", "move", other)):
        for language in ("en", "ko"):
            said = dokja(*verb, "--lang", language)
            assert (said.code, "record-other-programme" in said.err) == (2, True), said.err
            assert "my-programme" in said.err
            assert "another" in said.err
    assert dokja("record", "list", by_url, "--json").out == before
    there = (other / "record.url").read_text(encoding="ascii").strip()
    (other / "record.url").unlink()
    assert dokja("run", other, "--no-site").code == 0
    refused = dokja("record", "move", other, there)
    assert (refused.code, "record-other-programme" in refused.err) == (2, True)


def test_a_record_from_before_programmes_were_named_is_claimed(small: Path, address: str, dokja: Dokja) -> None:
    file = small / "record" / "record.sqlite"
    Database(file).run("DROP TABLE programme")
    for verb in ("check", "list"):
        assert dokja("record", verb, small).code == 0
    (small / "acts" / "0099-late.yaml").write_text(LATE, encoding="utf-8")
    said = dokja("run", small, "--no-site")
    assert said.code == 0, said.err
    assert Database(file).rows("SELECT id FROM programme") == [("my-programme",)]
    assert dokja("record", "check", small).code == 0
    Database(file).run("DROP TRIGGER programme_no_update")
    checked = dokja("record", "check", small)
    assert (checked.code, "programme_no_update" in checked.out) == (1, True)


def test_without_the_driver_it_is_said_what_to_install(
    by_url: Path, dokja: Dokja, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = dokja("run", by_url)
    assert (said.code, "record-no-driver" in said.err) == (2, True)
    assert "pip install 'dokja[postgresql]'" in said.err
