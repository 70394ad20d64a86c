"""However many entries are read in one go, the same is found: batches of plain ballots are judged as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from dokja.record import ACT, canonical
from dokja.record.transparency.signing import signed
from dokja.verify import reading
from dokja.verify.replay import replay
from dokja.verify.verifying import _contents
from tests.verify.build import KEYS, TEAMS, Json, Small, decision, founded, votes

CAST = [each for team in TEAMS for each in votes(team, meets=True)]
LATE = [{**each, "when": "2027-09-02T10:00:00+09:00"} for each in votes("team-a", 1, meets=False)]
KEEPING = """
  - id: keeping-1
    kind: record
    stage: stage-1
    numbered: true
    text: {ko: 기록, en: Records}
"""


def bodies(acts: Iterable[Json], *, keys: bool) -> list[bytes]:
    made = [ACT.validate_python(each) for each in acts]
    if not keys:
        return [canonical(each) for each in made]
    return [canonical(each) for each in (*founded(), *(signed(each, KEYS[each.who]) for each in made))]


STORIES: dict[str, tuple[list[Json], list[str]]] = {
    "cast": ([*CAST, decision()], []),
    "cast twice": ([*CAST, CAST[3]], ["ACT_NOT_ALLOWED"]),
    "cast twice at once": ([CAST[3], CAST[3], *CAST[4:]], ["ACT_NOT_ALLOWED"]),
    "after the decision": ([*CAST[1:], decision(), *LATE], ["DEADLINE"]),
    "before the team came in": (
        [{**CAST[0], "when": "2027-02-01T10:00:00+09:00"}, *CAST[1:]],
        ["ACT_NOT_ALLOWED"],
    ),
    "for a team that is none": ([*CAST, {**CAST[0], "team": "team-z"}], ["ACT_NOT_ALLOWED"]),
    "with a clause": ([{**each, "clause": "independence-1"} for each in CAST], []),
    "with a clause that is none": ([*CAST[1:], {**CAST[0], "clause": "no-such"}], ["CLAUSE_UNKNOWN"]),
    "on a panel that is none": ([*CAST[1:], {**CAST[0], "panel": "others"}], ["ACT_NOT_ALLOWED"]),
}


@pytest.mark.parametrize("keys", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("name", STORIES)
def test_ballots_in_batches_of_any_size(
    name: str, keys: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts, expected = STORIES[name]
    small = Small(tmp_path)
    contents, opening = _contents(_laid_out(small)), small.acts
    acts = [{**each, "who": each["rater"] if each["type"] == "ballot" else each["who"]} for each in acts]
    entries = bodies([*_by_keys(opening), *acts], keys=keys)
    found = {}
    for size in (1, 3, 2_000):
        monkeypatch.setattr(reading, "_BATCH", size)
        found[size] = replay(contents, entries)
    assert found[1] == found[3] == found[2_000]
    assert [fault.code for fault in found[1].faults] == expected


@pytest.mark.parametrize(
    ("further", "changed", "expected"),
    [
        ("", {"who": "rater-2"}, "SIGNER_NOT_AUTHORISED"),
        (KEEPING, {}, "ACT_SEQUENCE"),
    ],
)
def test_what_is_asked_of_signed_ballots_alone(
    further: str, changed: Json, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ballot in another's voice, or without a number where there must be one; unsigned neither is told."""
    small = Small(tmp_path, further=further)
    contents = _contents(_laid_out(small))
    acts = [*_by_keys(small.acts), *CAST[1:], {**CAST[0], **changed}]
    for size in (1, 2_000):
        monkeypatch.setattr(reading, "_BATCH", size)
        told = [fault for fault in replay(contents, bodies(acts, keys=True)).faults if fault.code == expected]
        assert told and told[-1].act == len(KEYS) + len(acts) - 1
        assert [fault.code for fault in replay(contents, bodies(acts, keys=False)).faults] == []


def _by_keys(acts: Iterable[Json]) -> list[Json]:
    return [{**each, "who": each["who"] if each["who"] in KEYS else "office"} for each in acts]


def _laid_out(small: Small) -> Path:
    """The programme and its rulebook where a bundle holds them."""
    data = small.folder / "bundle" / "data"
    data.mkdir(parents=True)
    (data / "programme.yaml").symlink_to(small.folder / "programme.yaml")
    (data / "rulebook").symlink_to(small.folder / "rulebook")
    return small.folder / "bundle"
