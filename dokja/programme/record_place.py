"""Where a programme's record lies: in its folder, or in the database that one line of `record.url` names.

Bundles and pages show `programme.yaml`, so the address of a database stands apart from it. No password stands there:
PostgreSQL's own library looks for one in `PGPASSWORD` and in `~/.pgpass`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import URL

from dokja.errors import NOWHERE, Place, Problem, ProgrammeError
from dokja.record.connecting import url_of
from dokja.record.transparency.tiles import write_whole

NAMED = "record.url"
LONGEST = 2_000


def own_file(folder: Path) -> Path:
    """Where the record lies if no other place is named."""
    return folder / "record" / "record.sqlite"


def record_place(folder: Path) -> Path | URL:
    """The record's file, or its database; raises `ProgrammeError` where the place is not named rightly."""
    own, named = own_file(folder), _named(folder)
    if named is None:
        return own
    if own.exists():
        raise _two_records(folder)
    return named


def moved_from(folder: Path, target: Path | URL) -> Path | URL:
    """Where a record lies that is to be moved to a place; the place itself where it lies there and nowhere else.

    A move that ended midway leaves it in two places: it comes from the one that it does not go to.
    """
    own, named = own_file(folder), _named(folder)
    places = [place for place in (named, own if own.exists() else None) if place is not None]
    others = [place for place in places if place != target]
    if len(others) > 1:
        raise _two_records(folder)
    return (others or places or [own])[0]


def _named(folder: Path) -> URL | None:
    """The database that `record.url` names; `None` where there is no such file."""
    file = folder / NAMED
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        written = stream.read(LONGEST + 1)
    return read_url(_line(written, file), Place(file))


def _two_records(folder: Path) -> ProgrammeError:
    return ProgrammeError(
        Problem(
            "programme-two-records",
            "There is a record in the folder ({own}), and another place is named for it.",
            "Where “dokja record move” did not come to its end, do it again, with the same address. Else remove "
            "{named}, and move the record with: dokja record move.",
            Place(folder / NAMED),
            {"own": str(own_file(folder)), "named": NAMED},
        )
    )


def read_url(written: str, place: Place = NOWHERE) -> URL:
    """The database that an address names; it holds no password."""
    url = url_of(written)
    if url.password is not None or "password" in url.query:
        raise ProgrammeError(
            Problem(
                "programme-record-password",
                "There is a password in the address of the record's database.",
                "Take it out. It is looked for in PGPASSWORD and in ~/.pgpass.",
                place,
            )
        )
    return url


def name_place(folder: Path, place: Path | URL) -> None:
    """Write down where the record lies from now on."""
    if isinstance(place, URL):
        write_whole(folder / NAMED, f"{place.render_as_string()}\n".encode())
    else:
        (folder / NAMED).unlink(missing_ok=True)


def set_aside(place: Path | URL) -> Path | None:
    """Give the file of a record that was moved another name; what is in a database stays where it is."""
    if isinstance(place, URL):
        return None
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = next(
        file for number in count(1) if not (file := place.with_name(f"{place.name}.moved-{number}")).exists()
    )
    return place.rename(aside)


def _line(written: bytes, file: Path) -> str:
    try:
        lines = written.decode("ascii").splitlines()
    except UnicodeDecodeError:
        lines = []
    if len(written) > LONGEST or len(lines) != 1 or "://" not in lines[0]:
        raise ProgrammeError(
            Problem(
                "programme-record-url",
                "It does not hold one line with the address of a database.",
                "Write one such as postgresql://USER@HOST/DATABASE, or remove the file.",
                Place(file),
            )
        )
    return lines[0].strip()
