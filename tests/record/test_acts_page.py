"""`docs/acts.md` is whole and true: every act, every field, what may be left out; examples and schema hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter

from dokja.errors import ActError
from dokja.record.about import About
from dokja.record.acts import ACT, ACTS_FILE, Act, AnyAct
from dokja.strict_yaml import read_yaml
from tests.rulebook.test_schema import as_an_editor_reads

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "acts.md").read_text(encoding="utf-8")
FILES = [*ROOT.glob("examples/*/acts/*.yaml"), *ROOT.glob("dokja/programme/starter/acts/*.yaml")]
SCHEMA = Draft202012Validator(ACTS_FILE.json_schema())

ACTS: Mapping[str, type[Act]] = {
    word: act for act in get_args(get_args(AnyAct)[0]) for word in get_args(act.model_fields["type"].annotation)
}
ROW = re.compile(r"^\| (`[^|]+`) \|.*\| *([^|]*) \|$", re.MULTILINE)


def sections() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each section on acts: the types it is on, and its text up to the next heading."""
    for part in re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE):
        heading, _, text = part.partition("\n")
        types = tuple(re.findall(r"`([a-z-]+)`", heading))
        if types:
            yield types, text


def test_every_type_has_a_section_and_no_other_has() -> None:
    assert sorted(each for types, _ in sections() for each in types) == sorted(ACTS)


def says_more(type_: str, name: str) -> bool:
    """Whether a field is not as every act has it; the id of a ballot is told with those of all acts."""
    common = Act.model_fields.get(name)
    differs = common is None or common.is_required() != ACTS[type_].model_fields[name].is_required()
    return differs and name != "type" and (type_, name) != ("ballot", "id")


@pytest.mark.parametrize(("types", "text"), [pytest.param(*each, id="-".join(each[0])) for each in sections()])
def test_every_field_is_told_with_whether_it_may_be_left_out(types: tuple[str, ...], text: str) -> None:
    table, _, _ = text.partition("| field of ")
    rows = {name: left.strip() for names, left in ROW.findall(table) for name in re.findall(r"`(\w+)`", names)}
    for each in types:
        own = {name: field for name, field in ACTS[each].model_fields.items() if says_more(each, name)}
        assert [name for name in own if f"`{name}`" not in text] == []
        assert {name for name in rows if name not in own} == set()
        for name, left in rows.items():
            assert bool(left) != own[name].is_required(), (each, name)


def test_what_every_act_says_and_what_a_programme_says_is_told() -> None:
    everybody, programme = PAGE.split("## A file of acts")[1].split("## Rules")[0], PAGE.split("## A file of acts")[0]
    assert [name for name in Act.model_fields if f"| `{name}` |" not in everybody] == []
    assert [name for name in About.model_fields if f"| `{name}` |" not in programme] == []


def parts(annotation: object) -> Iterator[object]:
    """Models and words that a type is made of, with those of the models' fields."""
    if isinstance(annotation, str):
        yield annotation
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from parts(field.annotation)
    else:
        for each in get_args(annotation):
            yield from parts(each)


def test_every_word_and_every_field_within_an_act_is_told() -> None:
    found = {each for act in ACTS.values() for each in parts(act)}
    words = {each for each in found if isinstance(each, str)}
    fields = {name for each in found if isinstance(each, type) for name in getattr(each, "model_fields", ())}
    assert {"best", "recused", "derived", "benchmark", "ko"} <= words | fields
    assert sorted(each for each in words | fields if f"`{each}`" not in PAGE) == []


def test_the_examples_on_the_page_are_read() -> None:
    programme, acts = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (line,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert TypeAdapter(About).validate_python(as_an_editor_reads(programme)).parties
    assert [ACT.validate_python(each).type for each in as_an_editor_reads(acts)["acts"]] == [
        "rulebook-published",
        "call-opened",
    ]
    assert ACT.validate_python(json.loads(line)).key == "ballot/stage-1/experts/expert/rater-1/team-a"


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-3:]))
def test_every_bundled_file_of_acts_fits_the_schema(file: Path) -> None:
    for tree in (read_yaml(file, ActError).tree, as_an_editor_reads(file.read_text(encoding="utf-8"))):
        assert [error.message for error in SCHEMA.iter_errors(tree)] == []


def test_the_schema_refuses_what_dokja_refuses() -> None:
    act = {
        "type": "withdrawal",
        "id": "w",
        "who": "team-a",
        "when": "2027-01-04T09:00:00Z",
        "stage": "s",
        "team": "a",
    }
    assert SCHEMA.is_valid({"acts": [act]})
    for wrong in ({"team": "A"}, {"when": "2027-01-04"}, {"type": "withdrew"}, {"teem": "a"}, {"id": None}):
        assert not SCHEMA.is_valid({"acts": [{**act, **wrong}]})
