"""Names in Korean sentences bring the particle that fits how they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dokja.particles import particle
from dokja.report.names import Name, filled, linked, listed, name


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("네이버클라우드", "은/는", "는"),
        ("SK텔레콤", "은/는", "은"),
        ("NC AI", "이/가", "가"),
        ("KT", "을/를", "를"),
        ("서울", "으로/로", "로"),
        ("대전", "으로/로", "으로"),
        ("2단계 (2)", "이/가", "가"),
        ("lowercase", "은/는", "은(는)"),
    ],
)
def test_a_name_brings_the_particle_that_fits(word: str, pair: str, expected: str) -> None:
    assert particle(word, pair) == expected


def test_a_list_of_names_brings_the_particle_of_the_last_one() -> None:
    both = listed((name("KT"), name("SK텔레콤")), ", ", ", ")
    assert f"{both:이/가}" == "KT, SK텔레콤이"


def test_the_particle_stands_outside_the_link() -> None:
    said = Markup("{team:이/가} 간다").format(team=linked("<KT>", "team-kt.html"))
    assert said == '<a href="team-kt.html"><bdi>&lt;KT&gt;</bdi></a>이(가) 간다'


texts = st.lists(
    st.sampled_from(
        ["<b>", "{{", "}}", "{team}", "{team:은/는}", "{team:으로/로}", "{number}", "{said}", "말", " & "]
    )
).map(lambda parts: Markup("".join(parts)))
names = st.text(max_size=5).map(name) | st.text(max_size=5).map(lambda text: linked(text, "a.html#b&c"))


@given(text=texts, team=names, number=st.integers(), said=st.text(max_size=5) | st.text(max_size=5).map(Markup))
def test_a_text_is_filled_as_markup_is_formatted(text: Markup, team: Name, number: int, said: str) -> None:
    values = {"team": team, "number": number, "said": said}
    shown = filled(text, values)
    assert shown == text.format(**values)
    assert isinstance(shown, Markup)
