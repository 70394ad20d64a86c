"""`docs/record.md` is right: its recipe gives the root, its tables are the tables, its example is canonical."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dokja.record import act_of, canonical, open_record
from dokja.record.tables import METADATA
from tests.record.at_hand import ballot, mixed

PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_recipe_computes_the_root(tmp_path: Path) -> None:
    for acts in (1, 8, 13):
        folder = tmp_path / str(acts)
        with open_record(folder / "record" / "record.sqlite") as record:
            record.append(mixed(acts))
            root = record.root.hex()
        said = subprocess.run(
            [sys.executable, "-c", block("python")], cwd=folder, capture_output=True, text=True, check=True
        )
        assert said.stdout == f"{root}\n"


def test_every_table_and_column_is_described() -> None:
    for table in METADATA.tables.values():
        section = PAGE.split(f"### `{table.name}`")[1].split("\n#")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [column.name for column in table.columns]


def test_the_example_is_canonical() -> None:
    example = block("json").strip().encode()
    assert canonical(act_of(example)) == example == canonical(ballot(1))


def test_every_code_of_the_check_is_described() -> None:
    rooms = Path(__file__).parents[2] / "dokja" / "record"
    said = {
        code
        for name in ("check.py", "examining.py")
        for code in re.findall(r'"(record-[a-z-]+)"', (rooms / name).read_text(encoding="utf-8"))
    }
    assert said == set(re.findall(r"^\| `(record-[a-z-]+)` \|", PAGE, re.MULTILINE))
