"""What is written about rulebooks is whole and true: every field, every code, and every example does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from dokja.errors import RulebookError
from dokja.rulebook import RULES, SITUATIONS, History, Rule, explain, lint
from dokja.rulebook.clauses import Audience, Consequence, DisclosureLevel, EvidenceKind, Field_, TieStep
from dokja.rulebook.measures import RoundingMode
from dokja.rulebook.reading import DOCUMENT
from dokja.rulebook.versions import RulebookDocument
from dokja.strict_yaml import MAXIMUM_BYTES, MAXIMUM_DEPTH, MAXIMUM_NODES, read_yaml
from dokja.values import LanguageCode

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "dokja" / "programme" / "starter" / "rulebook" / "0001-rules.yaml"
PAGE = (ROOT / "docs" / "rulebook.md").read_text(encoding="utf-8")
HEADINGS: dict[LanguageCode, tuple[str, ...]] = {
    "en": ("What it finds", "Why that matters", "Example", "How to mend it"),
    "ko": ("무엇을 찾는가", "왜 문제인가", "예", "고치는 법"),
}
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TEXT = {"ko": "글", "en": "text"}
TOO_LONG_TO_SHOW = {"DK107"}
"""Rules that no example of a page's length sets off; `test_lint_rules` does."""


def models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a type is made of, each with those of its fields."""
    seen: set[type[BaseModel]] = set()
    waiting = [annotation]
    while waiting:
        each = waiting.pop()
        if isinstance(each, type) and issubclass(each, BaseModel):
            if each in seen:
                continue
            seen.add(each)
            yield each
            waiting += [field.annotation for field in each.model_fields.values()]
        waiting += get_args(each)


MODELS = sorted(models(RulebookDocument), key=lambda model: model.__name__)


def test_the_models_are_walked_to_their_ends() -> None:
    assert {"Stage", "Goal", "MinMax", "Criterion", "Rounding", "Bounds", "Bilingual", "Amendment"} <= {
        model.__name__ for model in MODELS
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_explained(model: type[BaseModel]) -> None:
    assert [field for field in model.model_fields if f"`{field}`" not in PAGE] == []


def test_every_word_that_a_field_takes_is_explained() -> None:
    kinds = (Audience, Consequence, DisclosureLevel, EvidenceKind, Field_, RoundingMode, TieStep)
    words = {*SITUATIONS, *(word for kind in kinds for word in get_args(kind))}
    for model in MODELS:
        words |= {word for field in model.model_fields.values() for word in _literals(field.annotation)}
    assert sorted(word for word in words if f"`{word}`" not in PAGE) == []


def _literals(annotation: object) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)


def test_the_limits_are_those_that_hold() -> None:
    for limit in (f"{MAXIMUM_BYTES // 1024**2} MiB", f"{MAXIMUM_DEPTH} levels", f"{MAXIMUM_NODES:,}"):
        assert limit in PAGE


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_code_is_listed_and_linked(rule: Rule) -> None:
    row = f"| [{rule.code}](../dokja/rulebook/linter/pages/en/{rule.code}.md) | `{rule.name}` | {rule.summary} |"
    assert row in PAGE


def test_there_is_no_page_without_a_rule() -> None:
    for language in HEADINGS:
        folder = ROOT / "dokja" / "rulebook" / "linter" / "pages" / language
        assert {file.name for file in folder.iterdir()} == {f"{code}.md" for code in RULES}


@pytest.mark.parametrize("language", HEADINGS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_page_has_its_parts(rule: Rule, language: LanguageCode) -> None:
    page = explain(rule.code, language)
    assert page.startswith(f"# {rule.code} {rule.name}\n")
    assert tuple(re.findall(r"^## (.+)$", page, re.MULTILINE)) == HEADINGS[language]
    assert all(part.strip() for part in re.split(r"^## .+$", page, flags=re.MULTILINE))
    assert FENCE.findall(page) == FENCE.findall(explain(rule.code, "en"))
    assert len(FENCE.findall(page)) == 2


@pytest.mark.parametrize(
    "rule", [rule for code, rule in RULES.items() if code not in TOO_LONG_TO_SHOW], ids=lambda rule: rule.code
)
def test_the_example_sets_the_rule_off_and_the_mended_one_does_not(rule: Rule, tmp_path: Path) -> None:
    example, mended = (fragment(text, tmp_path) for text in FENCE.findall(explain(rule.code, "en")))
    stages = [clause for clause in example if clause.get("kind") == "stage"] if isinstance(example, list) else []
    assert rule.code in found(example)
    assert rule.code not in found([*stages, *mended] if isinstance(mended, list) else mended)


def test_the_shown_examples_are_clauses(tmp_path: Path) -> None:
    for code in TOO_LONG_TO_SHOW:
        for text in FENCE.findall(explain(code, "en")):
            found(fragment(text, tmp_path))


def test_the_page_shows_yaml_that_is_read(tmp_path: Path) -> None:
    shown = FENCE.findall(PAGE)
    assert shown
    for text in shown:
        DOCUMENT.validate_python(fragment(text, tmp_path))


def fragment(text: str, folder: Path) -> Any:  # noqa: ANN401 - a tree of texts
    file = folder / "fragment.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file, RulebookError).tree


def found(shown: Any) -> set[str]:  # noqa: ANN401
    """The codes that the starter's rulebook gets when the shown clauses, or the shown document, are put into it."""
    first: Any = read_yaml(STARTER, RulebookError).tree
    documents = [first]
    if isinstance(shown, list):
        named = {clause["id"]: clause for clause in first["clauses"]}
        first["clauses"] = list((named | {clause["id"]: clause for clause in shown}).values())
    elif shown["number"] == "1":
        documents = [first | shown]
    else:
        documents.append({"dokja": "1", "rulebook": first["rulebook"], "title": TEXT} | shown)
        documents[1]["amendment"].setdefault("reason", TEXT)
    for document in documents:
        for clause in document["clauses"]:
            _filled(clause)
    return {finding.code for finding in lint(History(tuple(map(DOCUMENT.validate_python, documents))))}


def _filled(clause: dict[str, Any]) -> None:
    """Pages leave texts and titles out; here they are put in."""
    clause.setdefault("text", TEXT)
    if clause["kind"] in ("stage", "gate", "panel", "call"):
        clause.setdefault("title", TEXT)
    if clause["kind"] == "score":
        _titled(clause["measure"])


def _titled(measure: dict[str, Any]) -> None:
    for each in (measure, *measure.get("criteria", ())):
        each.setdefault("title", TEXT)
    for item in measure.get("items", ()):
        _titled(item)
