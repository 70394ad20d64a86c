"""Nothing that a person reads is left without Korean, and nothing is documented that is not said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dokja.errors import Problem
from dokja.language import Voice, preferred
from tests.messages import catalogue, codes, in_python, messages, placeholders, written_codes

HANGUL = re.compile("[가-힣]")
ERRORS = Path(__file__).parents[1] / "docs" / "errors.md"
UNTRANSLATED = frozenset({"id"})
"""Messages that read the same in Korean."""


@pytest.fixture(scope="module")
def korean() -> dict[str, str]:
    return {str(entry.id): str(entry.string) for entry in catalogue() if entry.id}


def test_every_message_has_korean_and_no_korean_is_left_over(korean: dict[str, str]) -> None:
    said = messages()
    assert len(said) > 500
    assert sorted(message for message in said if not korean.get(message)) == []
    assert sorted(set(korean) - set(said)) == []


def test_korean_is_written_in_hangul(korean: dict[str, str]) -> None:
    bare = {message: re.sub(r"\{[^}]*\}", "", said) for message, said in korean.items()}
    foreign = [said for said in bare.values() if re.search("[a-z]", said) and not HANGUL.search(said)]
    assert set(foreign) <= UNTRANSLATED


def test_placeholders_agree(korean: dict[str, str]) -> None:
    wrong = [message for message, said in korean.items() if placeholders(message) != placeholders(said)]
    assert wrong == []


def test_particles_are_asked_for_only_where_a_name_stands(korean: dict[str, str]) -> None:
    pairs = {"은/는", "이/가", "을/를", "과/와", "으로/로", "이/", "이라는/라는", "이나/나", "이며/며", "아/야"}
    asked = {pair for said in korean.values() for pair in re.findall(r"\{\w+:([^}]+)\}", said)}
    assert asked <= pairs


def test_every_message_can_be_said_of_plain_texts(korean: dict[str, str]) -> None:
    for message in korean:
        named = placeholders(message)
        assert "서울" in Voice("ko")(message, dict.fromkeys(named, "서울")) or not named


def test_a_text_brings_its_particle() -> None:
    problem = Problem(
        "checkpoint-dtype",
        "The tensor {tensor} has the unknown type {dtype}.",
        "",
        values={"tensor": "a", "dtype": "F16"},
    )
    assert "F16은" in Voice("ko").problem(problem)
    assert "F16 " not in Voice("ko").problem(problem)


def test_a_message_is_found_wherever_it_stands() -> None:
    source = """
from pydantic import BaseModel
A = mark("a word")
face.voice("Said.", {})
Problem("code-one", "What is wrong.", "How to mend it.")
Problem("code-two", what, mend="Mend so.")
TABLE = {"x": "A sentence in a table."}
raise ValueError("not a number")
f"An f-string is none."
def f():
    "A docstring is none."
"""
    assert set(in_python(source)) == {
        "a word",
        "Said.",
        "What is wrong.",
        "How to mend it.",
        "Mend so.",
        "A sentence in a table.",
        "not a number",
    }


def test_every_code_is_documented_once_and_no_other() -> None:
    documented = re.findall(r"^### `([a-z0-9-]+)`$", ERRORS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == sorted(set(documented))
    assert set(documented) == codes()


def test_every_code_belongs_to_a_family() -> None:
    assert written_codes() <= codes()


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "DOKJA_LANG": "ko"}, "ko"),
        ({"LANG": "KO"}, "ko"),
    ],
)
def test_the_environment_is_asked_in_the_order_of_its_names(environment: dict[str, str], language: str) -> None:
    assert preferred(environment) == language


def test_a_voice_fills_placeholders_in_both_languages() -> None:
    values = {"name": "x"}
    assert Voice("en")("There is no stage “{name}”.", values) == "There is no stage “x”."
    assert Voice("ko")("There is no stage “{name}”.", values) == "“x”(이)라는 단계는 없습니다."
