"""The stories of the article, each a signed bundle with the answer that it must get.

    python -m tests.verify.article FOLDER

writes them anew, with `policy` and `stories.json` beside them. The keys are the tests' own: the same in every run.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dokja.record import canonical
from tests.verify.build import (
    AMENDMENTS,
    FOUNDED,
    POLICY,
    TEAMS,
    Json,
    Small,
    act,
    clause,
    decision,
    founded,
    votes,
)

STORIES_FILE = "stories.json"
GENESIS = f"sha256:{sha256(canonical(founded()[0])).hexdigest()}"
_OPENED = act("call-opened", "extra-opened", "2027-09-10T09:00:00", call="extra-call")


@dataclass(frozen=True)
class Story:
    """A story: its title, what happens after the opening, and the code that it must get with the act concerned."""

    title: str
    happens: Callable[[Small], None]
    code: str | None = None
    act: int | None = None


def _extra_call() -> Json:
    call = clause("first-call", id="extra-call", call="extra-call", stage="stage-2", opens=None, closes=None)
    return {name: value for name, value in call.items() if value is not None}


def _another_wording() -> Json:
    return clause("independence-1", criterion={"ko": "바뀐 기준", "en": "Another wording"})


def _call_without_clause(small: Small) -> None:
    small.add(decision(), _OPENED)


def _call_with_clause(small: Small) -> None:
    small.amend("2027-03-01T09:00:00", _extra_call(), effective="2027-03-15T09:00:00")
    small.add(decision(), {**_OPENED, "clause": "extra-call"})


def _amendment_by_consent(small: Small) -> None:
    digest = small.amend("2027-06-01T09:00:00", _another_wording(), effective="2027-06-15T09:00:00", consented=TEAMS)
    small.add(*(
        act("consent-given", f"consent-{team}", "2027-06-10T09:00:00", team, team=team, number=2, digest=digest)
        for team in TEAMS
    ), decision())  # fmt: skip


def _amendment_after_marks(small: Small) -> None:
    small.add(*votes("team-a", meets=True), *votes("team-b", meets=True))
    small.amend("2027-08-17T12:00:00", _another_wording(), effective="2027-08-31T12:00:00")
    small.add(decision())


def _wording_changed(small: Small) -> None:
    said = {
        "ko": "인코더를 포함한 모든 구성 요소를 처음부터 학습해야 한다.",
        "en": "Every component, the encoder included, must have been trained from the start.",
    }
    small.add(
        act("statement", "another-wording", "2027-08-10T09:00:00", stage="stage-1", note=said),
        act("finding", "finding-b", "2027-08-18T09:00:00", stage="stage-1", team="team-b", gate="independence-1",
            result="undecided", clause="independence-from-scratch"),
        decision(),
    )  # fmt: skip


def _reply_left_out(small: Small) -> None:
    small.add(
        act("finding", "finding-b", "2027-08-18T09:00:00", stage="stage-1", team="team-b", gate="independence-1",
            result="undecided", clause="independence-1"),
        act("reply", "reply-b", "2027-08-20T09:00:00", "team-b", team="team-b", to="finding-b", admits=False),
        decision(rests_on=["finding-b"]),
    )  # fmt: skip


_OPENING = FOUNDED + 6

STORIES: Mapping[str, Story] = {
    "extra-call-without-clause": Story(
        "An extra call is opened, and no clause knows it", _call_without_clause, "PROCEDURE_NOT_PINNED", _OPENING + 1
    ),
    "extra-call-with-clause": Story("The same call, by a clause that was there before", _call_with_clause),
    "amendment-by-consent": Story("The rules change, with notice and every team's consent", _amendment_by_consent),
    "amendment-after-marks": Story(
        "The rules change after the marks were given, and nobody consents",
        _amendment_after_marks,
        "RETROACTIVE_AMENDMENT",
        _OPENING + 10,
    ),
    "independence-reworded": Story(
        "A team is judged by a wording of independence that stands in no rulebook",
        _wording_changed,
        "CLAUSE_UNKNOWN",
        _OPENING + 1,
    ),
    "reply-left-out": Story(
        "A team replied in time, and the decision does not rest on it",
        _reply_left_out,
        "OBJECTION_UNANSWERED",
        _OPENING + 2,
    ),
}


def packed(name: str, folder: Path) -> Path:
    """The bundle of a story, made in a folder."""
    small = Small(folder / name, further=AMENDMENTS)
    STORIES[name].happens(small)
    return small.bundle(keys=True)


def main(target: str) -> None:
    """Write every story."""
    into = Path(target)
    into.mkdir(parents=True, exist_ok=True)
    (into / "policy").write_bytes(POLICY)
    listed = [
        {"story": name, "title": story.title, "code": story.code, "act": story.act, "genesis": GENESIS}
        for name, story in STORIES.items()
    ]
    (into / STORIES_FILE).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name in STORIES:
            shutil.rmtree(into / name, ignore_errors=True)
            shutil.copytree(packed(name, Path(folder)), into / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
