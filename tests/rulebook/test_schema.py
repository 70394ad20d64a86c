"""The JSON Schema that editors check rulebooks by: it takes what dokja takes, as an editor reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from ruamel.yaml import YAML

from dokja.errors import RulebookError
from dokja.rulebook.reading import DOCUMENT
from dokja.strict_yaml import read_yaml

ROOT = Path(__file__).parents[2]
FILES = [*ROOT.glob("examples/*/rulebook/*.yaml"), *ROOT.glob("dokja/programme/starter/rulebook/*.yaml")]
STARTER = ROOT / "dokja" / "programme" / "starter" / "rulebook" / "0001-rules.yaml"
SCHEMA = Draft202012Validator(DOCUMENT.json_schema())


def as_an_editor_reads(text: str) -> Any:  # noqa: ANN401 - a tree of JSON
    """YAML 1.2 with its core schema: `4` is a number and `true` a boolean; times stay texts."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return json.loads(json.dumps(yaml.load(text), default=lambda time: time.isoformat()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_every_bundled_document_fits_the_schema_however_its_numbers_are_read(file: Path) -> None:
    assert FILES
    for tree in (read_yaml(file, RulebookError).tree, as_an_editor_reads(file.read_text(encoding="utf-8"))):
        assert [error.message for error in SCHEMA.iter_errors(tree)] == []


@pytest.mark.parametrize(
    ("line", "written", "takes"),
    [
        ("seats: 2", "seats: 3", True),
        ("seats: 2", "seats: '3'", True),
        ("seats: 2", "seats: 0", False),
        ("seats: 2", "seats: '0'", False),
        ("seats: 2", "seats: -1", False),
        ("seats: 2", "seats: '010'", False),
        ("seats: 2", "seats: 1.5", False),
        ("seats: 2", "seats: true", False),
        ("seats: 2", "seets: 2", False),
        ("majority: 0.5", "majority: '0.50'", True),
        ("majority: 0.5", "majority: -0.5", False),
        ("majority: 0.5", "majority: '-0.5'", False),
        ("majority: 0.5", "majority: 0,5", False),
        ("per: 100", "per: 0", False),
        ("per: 100", "per: '0.00'", False),
        ("per: 100", "per: '0.01'", True),
        ("nobody_is_legal: true", "nobody_is_legal: 'false'", True),
        ("nobody_is_legal: true", "nobody_is_legal: yes", False),
        ("announced: 2027-01-04T09:00:00+09:00", "announced: '2027-01-04T09:00:00'", False),
        ("announced: 2027-01-04T09:00:00+09:00", "announced: 2027-01-04", False),
        ("kind: cut", "kind: cuts", False),
        ('dokja: "1"', "dokja: 1", True),
        ('dokja: "1"', "dokja: 2", False),
    ],
)
def test_schema_and_reader_refuse_the_same(line: str, written: str, takes: bool, tmp_path: Path) -> None:
    text = STARTER.read_text(encoding="utf-8")
    assert line in text
    file = tmp_path / "0001.yaml"
    file.write_text(text.replace(line, written, 1), encoding="utf-8")
    assert SCHEMA.is_valid(as_an_editor_reads(file.read_text(encoding="utf-8"))) is takes
    try:
        DOCUMENT.validate_python(read_yaml(file, RulebookError).tree)
    except ValidationError:
        assert not takes
    else:
        assert takes
