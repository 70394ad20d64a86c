"""A programme with 50 teams, five stages and as many ballots as asked for; the same arguments give the same bytes.

Its rulebook covers every outcome, so the linter finds nothing. Each stage's teams are told apart by their benchmark,
so that the ballots, however many, never turn the decision around: 50 teams become 40, 30, 20, 10 and 5.

    python -m benchmarks.generate_programme FOLDER --ballots 100000
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TEAMS = (50, 40, 30, 20, 10, 5)
"""How many teams enter each stage, and how many go on from the last one."""

STAGES = len(TEAMS) - 1
SLOTS = sum(TEAMS[:-1])
"""Evaluations of one team in one stage."""

FOUNDED = datetime(2027, 1, 4, tzinfo=UTC)
_SEED = 20_270_104
OFFICE_ID, _SOURCE = "office", "announcement"
_MARKS = {"technology": [f"{15 + step / 2}" for step in range(17)], "plan": [f"{8 + step / 2}" for step in range(13)]}
_FIELDS = ("totals", "measures", "aggregates", "ranks", "gate-results", "reasons", "ballots", "raters")
_AUDIENCES = ("team-itself", "other-teams", "public")
_CONTINGENCIES = {
    "withdrawal-before-decision": "leave-the-ranking",
    "gate-undecided": "count-as-passed",
    "nobody-remains": "end-programme",
    "fewer-remain-than-seats": "go-on-with-fewer",
    "withdrawal-after-decision": "next-on-points",
    "objection-upheld-after-decision": "decide-again",
}

Fields = dict[str, Any]


def generate(folder: Path, ballots: int) -> None:
    """Write the programme into a folder that is made where it does not exist."""
    for part in ("rulebook", "acts"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    raters = -(-ballots // SLOTS)
    _write(folder / "programme.yaml", _about())
    _write(folder / "rulebook" / "0001-rules.yaml", _rulebook(max(raters, 1)))
    _write(folder / "acts" / "0001-opening.yaml", {"acts": list(_opening())})
    draw = random.Random(_SEED)
    left = ballots
    for stage in range(1, STAGES + 1):
        count = ballots * TEAMS[stage - 1] // SLOTS if stage < STAGES else left
        left -= count
        with (folder / "acts" / f"{stage * 10:04}-ballots-{stage}.jsonl").open("w", encoding="utf-8") as stream:
            stream.writelines(_ballots(stage, count, draw))
        _write(folder / "acts" / f"{stage * 10 + 1:04}-stage-{stage}.yaml", {"acts": list(_evaluation(stage))})


def _write(file: Path, tree: Mapping[str, Any]) -> None:
    yaml = YAML(typ="safe")
    yaml.allow_unicode, yaml.default_flow_style, yaml.width = True, False, 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(tree, stream)


def _say(ko: str, en: str) -> Fields:
    return {"ko": ko, "en": en}


def _when(days: int, seconds: int = 0) -> str:
    return (FOUNDED + timedelta(days=days, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(stage: int) -> int:
    """The day, counted from the founding, on which a stage opens."""
    return 60 + (stage - 1) * 180


def _team(number: int) -> str:
    return f"team-{number + 1:02}"


def _about() -> Fields:
    return {
        "dokja": "1",
        "id": "generated",
        "title": _say("만들어 낸 사업", "A generated programme"),
        "time_zone": "Asia/Seoul",
        "sources": [{"id": _SOURCE, "title": _say("공고", "The announcement"), "standing": "official"}],
    }


def _rulebook(raters: int) -> Fields:
    clauses = [*_call(), _amendments()]
    for stage in range(1, STAGES + 1):
        clauses += _stage(stage, raters)
    return {
        "dokja": "1",
        "rulebook": "generated",
        "number": 1,
        "title": _say("사업 규정", "The rules"),
        "announced": _when(0),
        "effective": _when(0),
        "source": _SOURCE,
        "clauses": clauses,
    }


def _clause(id_: str, kind: str, ko: str, en: str, **fields: object) -> Fields:
    return {"id": id_, "kind": kind, "text": _say(ko, en), **fields}


def _call() -> Iterator[Fields]:
    yield _clause(
        "first-call",
        "call",
        "역량 있는 기업이면 누구나 신청할 수 있고 최대 50개 팀을 선정한다.",
        "Any capable firm may apply; up to fifty teams are chosen.",
        call="first-call",
        title=_say("첫 공모", "First call"),
        stage="stage-1",
        places=TEAMS[0],
        eligible=[{"group": "any-capable-firm"}],
        panel="selection",
        majority="0.5",
        nobody_is_legal=True,
        sole_applicant="evaluated",
        nobody_applies="call-repeated",
        opens=_when(0),
        closes=_when(30),
    )
    yield _panel("selection-1", "stage-1", "selection", 7)


def _amendments() -> Fields:
    return _clause(
        "amendments",
        "amendments",
        "규정의 변경은 시행 14일 전에 공고하고, 시작된 단계의 규정은 모든 팀이 동의해야 바꾼다.",
        "Changes are announced fourteen days before their effect; what has begun is changed by every team's consent.",
        notice_days=14,
        consent="every-team",
    )


def _panel(id_: str, stage: str, panel: str, raters: int) -> Fields:
    quorum = raters // 2 + 1
    return _clause(
        id_,
        "panel",
        f"이해충돌을 확인한 위원 {raters}명이 평가하며 {quorum}명 이상이 참여해야 유효하다.",
        f"{raters} members, checked for conflicts of interest; {quorum} must take part.",
        stage=stage,
        panel=panel,
        title=_say("위원회", "Panel"),
        raters=raters,
        quorum=quorum,
        conflicts_checked=True,
    )


def _stage(number: int, raters: int) -> Iterator[Fields]:
    stage, entrants, seats = f"stage-{number}", TEAMS[number - 1], TEAMS[number]
    opens = _day(number)
    yield _clause(
        stage,
        "stage",
        f"{entrants}개 팀이 참여하고 {seats}개 팀이 다음 단계로 간다.",
        f"{entrants} teams enter and {seats} go on.",
        title=_say(f"{number}단계", f"Stage {number}"),
        entrants=entrants,
        seats=seats,
        calendar={
            "opens": _when(opens),
            "submission": _when(opens + 100),
            "evaluation": _when(opens + 120),
            "decision": _when(opens + 150),
        },
    )
    yield _clause(
        f"score-{number}",
        "score",
        "벤치마크 60점은 지수를 환산하고, 전문가 40점은 최고점과 최저점을 하나씩 뺀 평균이다.",
        "Benchmark, 60 points: the index scaled. Expert, 40 points: the mean without the highest and the lowest.",
        stage=stage,
        measure=_measure(),
    )
    yield _panel(f"experts-{number}", stage, "experts", raters)
    yield _panel(f"auditors-{number}", stage, "auditors", 7)
    yield _clause(
        f"independence-{number}",
        "gate",
        "위원 7명 가운데 5명 이상이 투표하고 4명 이상이 충족하지 않는다고 하면 탈락한다.",
        "At least five of seven vote; four who say that a team does not meet the criterion fail it.",
        stage=stage,
        title=_say("독자성", "Independence"),
        criterion=_say("모든 가중치를 스스로 학습할 것", "Every weight trained by the team"),
        evidence="audit",
        quorum={"fail_at": 4, "raters": 5},
        panel="auditors",
        reply_days=5,
    )
    yield _clause(
        f"cut-{number}",
        "cut",
        f"관문을 충족한 팀 가운데 점수가 높은 {seats}개 팀이 간다. 동점이면 전문가 점수, 추첨 순으로 가른다.",
        f"Of the teams that meet the gate, the first {seats} by points go on; ties by expert points, then by lot.",
        stage=stage,
        order="gate-then-points",
        ties=[{"step": "measure", "measure": "expert"}, {"step": "lot"}],
        minimum=0,
    )
    for situation, consequence in _CONTINGENCIES.items():
        yield _clause(
            f"{situation}-{number}",
            "contingency",
            f"“{situation}”의 경우에는 “{consequence}”에 따른다.",
            f"In the situation “{situation}”, “{consequence}” follows.",
            stage=stage,
            situation=situation,
            consequence=consequence,
        )
    yield _clause(
        f"objections-{number}",
        "objections",
        "결정에 대해 5일 동안 이의를 제기할 수 있고 3일 안에 답하며, 결정은 8일 뒤에 효력이 생긴다.",
        "Objections are taken for five days and answered within three; the decision takes effect after eight.",
        stage=stage,
        window_days=5,
        standstill_days=8,
        answer_days=3,
    )
    yield _clause(
        f"disclosure-{number}",
        "disclosure",
        "모든 항목을 결정일에 모두에게 공개한다.",
        "Everything is shown to everybody on the day of the decision.",
        stage=stage,
        levels=[
            {"field": field, "audience": audience, "level": "exact"} for field in _FIELDS for audience in _AUDIENCES
        ],
    )


def _measure() -> Fields:
    criteria = {"technology": ("기술", 25), "plan": ("계획", 15)}
    return {
        "id": "total",
        "title": _say("총점", "Total"),
        "points": 100,
        "rule": "sum",
        "items": [
            {
                "id": "benchmark",
                "title": _say("벤치마크", "Benchmark"),
                "points": 60,
                "rule": "index",
                "per": 100,
            },
            {
                "id": "expert",
                "title": _say("전문가", "Expert"),
                "points": 40,
                "rule": "panel",
                "panel": "experts",
                "combine": "trimmed-mean",
                "drop_highest": 1,
                "drop_lowest": 1,
                "per": 40,
                "criteria": [
                    {"id": id_, "title": _say(ko, id_.capitalize()), "points": points}
                    for id_, (ko, points) in criteria.items()
                ],
            },
        ],
    }


def _act(type_: str, id_: str, when: str, clause: str, **fields: object) -> Fields:
    return {"type": type_, "id": id_, "who": OFFICE_ID, "when": when, "clause": clause, "source": _SOURCE, **fields}


def _opening() -> Iterator[Fields]:
    published = _act("rulebook-published", "rules-published", _when(0), "first-call", number=1)
    del published["clause"]
    yield published
    yield _act("call-opened", "first-call-opened", _when(0, 3600), "first-call", call="first-call", closes=_when(30))
    for number in range(TEAMS[0]):
        team = _team(number)
        name = _say(f"{number + 1}번 팀", f"Team {number + 1}")
        fields: Fields = {"call": "first-call", "team": team, "name": name}
        yield _act("application", f"application-{team}", _when(10, number), "first-call", **fields)
    yield _act("call-closed", "first-call-closed", _when(30), "first-call", call="first-call", applications=TEAMS[0])
    for number in range(TEAMS[0]):
        fields = {
            "call": "first-call",
            "stage": "stage-1",
            "team": _team(number),
            "in_favour": 7,
            "panel_size": 7,
        }
        yield _act("admission", f"admission-{_team(number)}", _when(40, number), "first-call", **fields)


def _ballots(stage: int, count: int, draw: random.Random) -> Iterator[str]:
    """The ballots of a stage, spread evenly over its teams, as a marking tool writes them out."""
    teams = TEAMS[stage - 1]
    start = FOUNDED + timedelta(days=_day(stage) + 121)
    for position in range(count):
        rater, team = divmod(position, teams)
        at = start + timedelta(seconds=position % 864_000)
        ballot = {
            "type": "ballot",
            "who": f"rater-{rater + 1:05}",
            "when": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "clause": f"score-{stage}",
            "source": _SOURCE,
            "stage": f"stage-{stage}",
            "panel": "experts",
            "rater": f"rater-{rater + 1:05}",
            "team": _team(team),
            "measure": "expert",
            "marks": {criterion: draw.choice(marks) for criterion, marks in _MARKS.items()},
        }
        yield json.dumps(ballot, separators=(",", ":")) + "\n"


def _evaluation(stage: int) -> Iterator[Fields]:
    """What is measured and found of each team, and the decision: the first teams by their numbers go on."""
    name, day, teams = f"stage-{stage}", _day(stage), [_team(number) for number in range(TEAMS[stage - 1])]
    for number, team in enumerate(teams):
        value = f"{98 - number * 1.5:.1f}"
        fields = {"stage": name, "team": team, "measure": "benchmark", "value": value}
        when = _when(day + 120, number)
        yield _act("measurement-reported", f"{name}-benchmark-{team}", when, f"score-{stage}", **fields)
        fields = {"stage": name, "team": team, "gate": "independence-" + str(stage), "result": "meets"}
        when = _when(day + 130, number)
        yield _act("finding", f"{name}-finding-{team}", when, f"independence-{stage}", **fields)
    yield _act(
        "decision",
        f"{name}-decision",
        _when(day + 150),
        f"cut-{stage}",
        stage=name,
        goes_on=teams[: TEAMS[stage]],
        leaves=[{"team": team, "reason": "points"} for team in teams[TEAMS[stage] :]],
    )


def main() -> None:
    """Read the command line and write the programme."""
    parser = argparse.ArgumentParser(description="Write a programme of any size.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ballots", type=int, default=10_000)
    arguments = parser.parse_args()
    generate(arguments.folder, arguments.ballots)


if __name__ == "__main__":
    main()
