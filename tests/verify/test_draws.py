"""Draws in a published record: a true one is valid, and every way to bend one has its code.

The stories happen in 2023, when round 1000 was published, one week before the decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from dokja.record import ACT, Entry
from dokja.record.beacon import CHAIN, time_of
from dokja.record.draws import ranking
from dokja.verify import Audience, Verdict, verify
from dokja.verify.draws import on_its_word
from tests.record.rounds import FOREIGN, SIGNATURES
from tests.verify.build import POLICY, PUBLIC, RULES, Json, Small, act, clause, decision, digest, told, votes
from verifier import dokja_verify as second

BEACON = SIGNATURES[1000]
JUDGES = tuple(f"rater-{number}" for number in range(1, 13))
LOT, SEATS = "lot-1", "judges-1"


@dataclass
class In2023(Small):
    """The same programme four years earlier."""

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = self.folder / "rulebook" / "0001-rules.yaml"
        rules.write_text(RULES.read_text(encoding="utf-8").replace("2027-", "2023-"), encoding="utf-8")
        self.acts[0]["digest"] = digest(rules)

    def amend(
        self,
        when: str,
        *clauses: Json,
        consented: Sequence[str] = (),
        repeals: Sequence[str] = (),
        published: str | None = None,
        effective: str | None = None,
    ) -> str:
        super().amend(when, *clauses, consented=consented, repeals=repeals, published=published, effective=effective)
        file = self.folder / "rulebook" / f"{self.documents:04d}-amendment.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("2027-", "2023-"), encoding="utf-8")
        self.acts[-1]["digest"] = digest(file)
        return digest(file)

    def bundle(self, *, keys: bool = False, audience: Audience = PUBLIC, at: datetime | None = None) -> Path:
        self.acts = json.loads(json.dumps(self.acts).replace("2027-", "2023-"))
        return super().bundle(keys=keys, audience=audience, at=at)

    def verdict(self, *, keys: bool = False) -> Verdict:
        return verify(self.bundle(keys=keys), POLICY)


def announced(draw: str = LOT, when: str = "2027-08-20T10:00:00", **said: object) -> Json:
    usual: Json = {"purpose": "lot", "stage": "stage-1", "pool": ["team-a", "team-b"], "drawn": 1, "chain": CHAIN}
    return act("draw-announced", draw, when, **{**usual, "round": 1000, **said})


def made(draw: str = LOT, pool: tuple[str, ...] = ("team-a", "team-b"), **said: object) -> Json:
    usual: Json = {"draw": draw, "round": 1000, "beacon": BEACON}
    ranked = list(ranking(draw, pool, bytes.fromhex(BEACON)))
    return act("draw-made", f"{draw}-made", "2027-08-24T01:00:00", **{**usual, "ranking": ranked, **said})


def recusal(member: str, successor: str | None, number: int = 1, **said: object) -> Json:
    named = f"{SEATS}-recusal-{number}"
    reason = {"ko": "이해충돌", "en": "Conflict of interest"}
    given = {"successor": successor} if successor else {}
    return act("recusal", named, "2027-08-24T09:00:00", draw=SEATS, member=member, reason=reason, **given, **said)


FIRST, SECOND = ranking(LOT, ("team-a", "team-b"), bytes.fromhex(BEACON))
RANKED = ranking(SEATS, JUDGES, bytes.fromhex(BEACON))


def level(small: Small) -> None:
    """Two teams for one seat, level in everything."""
    calendar = {
        name: f"2027-{at}+09:00"
        for name, at in (
            ("opens", "02-15T09:00:00"),
            ("submission", "07-30T18:00:00"),
            ("evaluation", "08-16T09:00:00"),
            ("decision", "08-31T14:00:00"),
        )
    }
    small.amend("2027-02-06T09:00:00", clause("stage-1", seats=1, calendar=calendar))
    for team in ("team-a", "team-b"):
        small.add(
            act("measurement-reported", f"benchmark-{team}", "2027-08-16T10:00:00", stage="stage-1", team=team,
                measure="benchmark", value="50"),
            *(
                act("ballot", "ballot", "2027-08-17T09:00:00", f"rater-{number}", stage="stage-1", panel="experts",
                    rater=f"rater-{number}", team=team, measure="expert", marks={"technology": "20", "plan": "10"})
                for number in range(1, 6)
            ),
            *votes(team, meets=True),
        )  # fmt: skip


def wins(team: str) -> Json:
    other = "team-b" if team == "team-a" else "team-a"
    return decision(team, leaves=[{"team": other, "reason": "points"}])


ORDER = "order-1"


def in_order(*teams: str, first: int = 9) -> list[Json]:
    """The order is drawn, and teams present one after the other, an hour each."""
    return [
        announced(ORDER, purpose="order", drawn=2),
        made(ORDER),
        *(
            act("presentation-held", f"presented-{number}", f"2027-08-25T{first + number:02d}:00:00", stage="stage-1",
                team=team)
            for number, team in enumerate(teams)
        ),
    ]  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return In2023(tmp_path / "mine")


def test_a_lot_that_was_drawn_decides(small: Small) -> None:
    level(small)
    small.add(announced(), made(), wins(FIRST))
    verdict = small.verdict()
    assert (told(verdict), verdict.answer) == ([], "valid")


def test_whether_a_witness_had_seen_the_announcement_is_told(small: Small) -> None:
    small.add(announced(), made())
    said = [each.values for each in small.verdict().unchecked if "only the dates" in each.what]
    assert said == [{"draws": LOT}]
    entry = Entry(6, ACT.validate_python(announced(when="2023-08-20T10:00:00")))
    known = int(time_of(1000).timestamp())
    assert not list(on_its_word([entry], [(7, known - 1)]))
    for vouched in ([], [(6, known - 1)], [(7, known)]):
        assert [each.values for each in on_its_word([entry], vouched)] == [{"draws": LOT}]


def test_a_decision_against_the_lot(small: Small) -> None:
    level(small)
    small.add(announced(), made(), wins(SECOND))
    assert {code for code, _ in told(small.verdict())} == {"OUTCOME_MISMATCH"}


def test_a_decision_between_level_teams_without_a_lot(small: Small) -> None:
    level(small)
    small.add(wins(FIRST))
    verdict = small.verdict()
    assert [code for code, _ in told(verdict)] == ["DRAW_MISSING"]
    assert verdict.problems[0].values["teams"] == "team-a, team-b"


Bend = tuple[list[Json], list[str]]
BENT: dict[str, Callable[[], Bend]] = {
    "announced-late": lambda: ([announced(when="2027-08-24T00:59:24"), made()], ["DRAW_NOT_IN_ADVANCE"]),
    "announced-a-second-before": lambda: ([announced(when="2027-08-24T00:59:23"), made()], []),
    "not-announced": lambda: ([made()], ["DRAW_NOT_ANNOUNCED"]),
    "announced-after": lambda: ([made(), announced()], ["DRAW_NOT_ANNOUNCED"]),
    "another-chain": lambda: ([announced(chain="0" * 64), made()], ["DRAW_CHAIN"]),
    "another-round": lambda: ([announced(round=1001), made()], ["DRAW_ROUND"]),
    "another-round-said-right": lambda: ([announced(round=1001), made(round=1001)], ["DRAW_SIGNATURE"]),
    "before-the-round": lambda: ([announced(), {**made(), "when": "2027-08-24T00:59:23+09:00"}], ["DRAW_ROUND"]),
    "a-made-up-signature": lambda: ([announced(), forged(bytes(48).hex())], ["DRAW_SIGNATURE"]),
    "a-signature-of-another-chain": lambda: ([announced(), forged(FOREIGN)], ["DRAW_SIGNATURE"]),
    "a-wrong-ranking": lambda: ([announced(), made(ranking=[SECOND, FIRST])], ["DRAW_RANKING"]),
    "one-left-out": lambda: ([announced(), made(ranking=[FIRST])], ["DRAW_RANKING", "DRAW_POOL"]),
    "one-added": lambda: ([announced(), made(ranking=[FIRST, SECOND, "x"])], ["DRAW_RANKING", "DRAW_POOL"]),
    "announced-twice": lambda: ([announced(), announced("lot-2"), made()], ["DRAW_REDRAWN"]),
    "made-twice": lambda: ([announced(), made(), {**made(), "id": "again"}], ["DRAW_REDRAWN"]),
    "one-who-is-no-team": lambda: ([announced(pool=["team-a", "team-x"])], ["ACT_NOT_ALLOWED"]),
    "a-pool-with-twins": lambda: ([announced(pool=["team-a", "team-a"])], ["ACT_NOT_ALLOWED"]),
}  # fmt: skip


def forged(beacon: str) -> Json:
    """The ranking that would follow, were the signature the beacon's."""
    return made(beacon=beacon, ranking=list(ranking(LOT, ("team-a", "team-b"), bytes.fromhex(beacon))))


@pytest.mark.parametrize("name", BENT)
def test_a_bent_draw_has_its_code(name: str, small: Small) -> None:
    acts, expected = BENT[name]()
    if expected == ["ACT_NOT_ALLOWED"]:
        # No typed record takes these in; the replay reads what a forger wrote.
        from dokja.verify.replay import replay
        from dokja.verify.verifying import _contents

        bundle = small.bundle()
        bodies = [json.dumps(each).replace("2027-", "2023-").encode() for each in [*small.acts, *acts]]
        assert [fault.code for fault in replay(_contents(bundle), bodies).faults] == expected
        return
    small.add(*acts)
    assert [code for code, _ in told(small.verdict())] == expected


def test_a_lot_that_nothing_asks_for(small: Small) -> None:
    cut = clause("cut-1", ties=[{"step": "none-goes-on"}])
    small.amend("2027-02-06T09:00:00", cut)
    small.add(announced())
    assert [code for code, _ in told(small.verdict())] == ["PROCEDURE_NOT_PINNED"]


def test_a_draw_after_the_decision(small: Small) -> None:
    small.add(announced(), decision(when="2027-08-23T14:00:00"), made())
    assert [code for code, _ in told(small.verdict())] == ["DEADLINE"]


def drawn_panel(small: Small, **said: object) -> None:
    both = {"ko": "평가위원은 추첨으로 정한다.", "en": "The raters are drawn."}
    rule = {"id": "judges-drawn", "kind": "draw", "text": both, "stage": "stage-1", "purpose": "judges"}
    small.amend("2027-02-06T09:00:00", {**rule, "panel": "experts", **said})


def judges(**said: object) -> list[Json]:
    usual: Json = {"purpose": "judges", "panel": "experts", "pool": list(JUDGES), "drawn": 5}
    return [announced(SEATS, **{**usual, **said}), made(SEATS, JUDGES)]


def vote(rater: str, team: str = "team-a") -> Json:
    return act("ballot", "ballot", "2027-08-25T10:00:00", rater, stage="stage-1", panel="experts", rater=rater,
               team=team, gate="independence-1", meets=True)  # fmt: skip


def test_drawn_judges_vote_and_recused_ones_are_followed_by_the_next(small: Small) -> None:
    drawn_panel(small)
    small.add(*judges(), recusal(RANKED[1], RANKED[5]), recusal(RANKED[8], None, 2), recusal(RANKED[0], RANKED[6], 3))
    small.add(*(vote(rater) for rater in (*RANKED[2:7],)), decision())
    verdict = small.verdict()
    assert told(verdict) == []
    assert second.verify(str(small.folder / "bundle"), POLICY) == []


STORIES: dict[str, Callable[[], Bend]] = {
    "no-draw": lambda: ([decision()], ["DRAW_MISSING"]),
    "announced-only": lambda: ([judges()[0], decision()], ["DRAW_MISSING"]),
    "one-who-was-not-drawn": lambda: ([*judges(), vote(RANKED[5])], ["DRAW_NOT_DRAWN"]),
    "before-the-draw": lambda: ([judges()[0], vote(RANKED[0])], ["DRAW_NOT_DRAWN"]),
    "one-who-left": lambda: ([*judges(), recusal(RANKED[0], RANKED[5]), vote(RANKED[0])], ["DRAW_NOT_DRAWN"]),
    "the-next-but-one": lambda: ([*judges(), recusal(RANKED[0], RANKED[6])], ["DRAW_SUCCESSOR"]),
    "nobody-follows": lambda: ([*judges(), recusal(RANKED[0], None)], ["DRAW_SUCCESSOR"]),
    "one-follows-who-has-a-seat": lambda: ([*judges(), recusal(RANKED[0], RANKED[1])], ["DRAW_SUCCESSOR"]),
    "a-stranger-leaves": lambda: ([*judges(), recusal("rater-99", None)], ["DRAW_RECUSAL"]),
    "one-leaves-twice": lambda: (
        [*judges(), recusal(RANKED[0], RANKED[5]), recusal(RANKED[0], RANKED[6], 2)], ["DRAW_RECUSAL"]
    ),
    "one-leaves-before-the-draw": lambda: ([judges()[0], recusal(RANKED[0], RANKED[5])], ["DRAW_RECUSAL"]),
    "one-leaves-after-marking": lambda: (
        [*judges(), vote(RANKED[0]), {**recusal(RANKED[0], RANKED[5]), "when": "2027-08-26T09:00:00+09:00"}],
        ["DRAW_RECUSAL"],
    ),
    "drawn-anew": lambda: ([*judges(), announced("judges-2", purpose="judges", panel="experts", pool=list(JUDGES),
                                                 when="2027-08-21T10:00:00")], ["DRAW_REDRAWN"]),
}  # fmt: skip


@pytest.mark.parametrize("together", [1, 2_000])
@pytest.mark.parametrize("name", STORIES)
def test_a_panel_that_was_bent_has_its_code(
    name: str, together: int, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read one by one, ballots are judged as those are that fill a batch, many at once."""
    monkeypatch.setattr("dokja.verify.reading._BATCH", together)
    drawn_panel(small)
    acts, expected = STORIES[name]()
    small.add(*acts)
    assert [code for code, _ in told(small.verdict())] == expected


def test_a_draw_is_announced_as_long_ahead_as_the_clause_says(small: Small) -> None:
    drawn_panel(small, ahead_hours=87)
    small.add(*judges())
    assert [code for code, _ in told(small.verdict())] == ["DRAW_NOT_IN_ADVANCE"]
    enough = In2023(small.folder.parent / "enough")
    drawn_panel(enough, ahead_hours=86)
    enough.add(*judges())
    assert told(enough.verdict()) == []


def test_items_that_were_not_drawn(small: Small) -> None:
    items: Json = {"purpose": "items", "measure": "benchmark", "pool": ["item-1", "item-2"], "drawn": 1}
    small.add(announced("items-1", **items))
    assert [code for code, _ in told(small.verdict())] == ["PROCEDURE_NOT_PINNED"]


ORDERED = ranking(ORDER, ("team-a", "team-b"), bytes.fromhex(BEACON))
ORDER_CLAUSE: Json = {
    "id": "order-of-presentation",
    "kind": "draw",
    "text": {"ko": "발표 순서는 추첨한다.", "en": "The order of presentation is drawn."},
    "stage": "stage-1",
    "purpose": "order",
}


@pytest.mark.parametrize(
    ("teams", "codes"),
    [
        (ORDERED, []),
        (ORDERED[:1], []),
        (ORDERED[::-1], ["DRAW_ORDER"]),
        ((ORDERED[0], ORDERED[0]), ["DRAW_ORDER"]),
        ((ORDERED[0], "team-c"), ["ACT_NOT_ALLOWED", "DRAW_ORDER"]),
    ],
)
def test_teams_present_in_the_order_that_was_drawn(small: Small, teams: Sequence[str], codes: list[str]) -> None:
    small.amend("2027-02-06T09:00:00", ORDER_CLAUSE)
    small.add(*in_order(*teams))
    verdict = small.verdict()
    assert [code for code, _ in told(verdict)] == codes
    assert not any("who presented when" in each.what for each in verdict.unchecked)


def test_who_left_the_stage_is_passed_over(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", ORDER_CLAUSE)
    drawn, rest = in_order(ORDERED[1])[:2], in_order(ORDERED[1])[2:]
    gone = act("withdrawal", "gone", "2027-08-25T08:00:00", ORDERED[0], stage="stage-1", team=ORDERED[0])
    small.add(*drawn, gone, *rest)
    assert "DRAW_ORDER" not in [code for code, _ in told(small.verdict())]


def test_nobody_presents_before_the_order_is_drawn_nor_is_dated_back(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", ORDER_CLAUSE)
    told_first, drawn, one, other = in_order(*ORDERED)
    other["when"] = one["when"].replace("T09", "T08")
    small.add(told_first, {**one, "id": "early"}, drawn, one, other)
    assert [code for code, _ in told(small.verdict())] == ["DRAW_ORDER", "DRAW_ORDER", "DRAW_ORDER"]


def test_an_order_of_which_nothing_is_told_is_not_checked(small: Small) -> None:
    small.amend("2027-02-06T09:00:00", ORDER_CLAUSE)
    small.add(*in_order())
    verdict = small.verdict()
    assert told(verdict) == []
    assert [each.values["draw"] for each in verdict.unchecked if "who presented when" in each.what] == [ORDER]
