"""Small programmes made on the spot, recorded, signed and packed: each test adds what its story needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dokja.record import ACT, AnyAct, open_record
from dokja.record.transparency.signing import genesis, sign_checkpoint, signed, snapshot
from dokja.verify import Audience, Source, Verdict, export, verify
from tests.record.transparency.at_hand import OFFICE, signer
from verifier import dokja_verify as second

RULES = Path(__file__).parents[1] / "intake" / "programme" / "0001-rules.yaml"
POLICY = f"log {OFFICE.key()}\nquorum none\n".encode()
TEAMS = ("team-a", "team-b")
RATERS = tuple(f"rater-{number}" for number in range(1, 6))
KEYS = {"office": OFFICE, **{holder: signer(f"{holder}.example/key") for holder in (*TEAMS, *RATERS)}}
AMENDMENTS = """
  - id: amendments
    kind: amendments
    text:
      ko: 개정은 시행 14일 전에 공고하고, 이미 시작된 것은 모든 팀이 동의해야 바꾼다.
      en: Fourteen days of notice; what has begun is changed with every team's consent.
    notice_days: 14
    consent: every-team
"""
"""A clause for the end of the founding rules."""
PUBLIC = Audience()
Json = dict[str, Any]

ABOUT = """\
dokja: "1"
id: small
title: {ko: 사업, en: Programme}
time_zone: Asia/Seoul
sources:
  - {id: announcement, title: {ko: 공고, en: Announcement}, standing: official}
"""


def act(kind: str, named: str, when: str, by: str = "office", /, **said: object) -> Json:
    return {"type": kind, "id": named, "who": by, "when": f"{when}+09:00", **said}


def digest(file: Path) -> str:
    return f"sha256:{sha256(file.read_bytes()).hexdigest()}"


def opening() -> list[Json]:
    """The rules are published, two teams apply, both are admitted."""
    return [
        act("rulebook-published", "rules", "2027-01-04T09:00:00", number=1, digest=digest(RULES)),
        act("call-opened", "opened", "2027-01-04T10:00:00", clause="first-call", call="first-call"),
        *(application(team, "2027-01-20T11:00:00") for team in TEAMS),
        *(
            act("admission", f"admission-{team}", "2027-02-05T11:00:00", call="first-call", stage="stage-1",
                team=team, in_favour=5, panel_size=7)
            for team in TEAMS
        ),
    ]  # fmt: skip


def application(team: str, when: str) -> Json:
    return act(
        "application",
        f"application-{team}",
        when,
        team,
        call="first-call",
        team=team,
        name={"ko": "팀", "en": "Team"},
    )


def decision(*goes_on: str, when: str = "2027-08-31T14:00:00", **said: object) -> Json:
    return act(
        "decision", "decision-1", when, clause="cut-1", stage="stage-1", goes_on=list(goes_on or TEAMS), **said
    )


def votes(team: str, raters: int = 5, *, meets: bool) -> list[Json]:
    """Raters who say whether a team meets the gate."""
    return [
        act("ballot", "ballot", "2027-08-17T10:00:00", f"rater-{number}", stage="stage-1", panel="experts",
            rater=f"rater-{number}", team=team, gate="independence-1", meets=meets)
        for number in range(1, raters + 1)
    ]  # fmt: skip


def clause(name: str, **changed: object) -> Json:
    """A clause of the founding rules, changed."""
    tree = YAML(typ="safe", pure=True).load(RULES.read_text(encoding="utf-8"))
    found: Json = next(each for each in tree["clauses"] if each["id"] == name)
    return {**found, **changed}


@dataclass
class Small:
    """A programme in the making. further: clauses at the end of the founding rules, as they stand in the file."""

    folder: Path
    acts: list[Json] = field(default_factory=opening)
    documents: int = 1
    further: str = ""

    def __post_init__(self) -> None:
        (self.folder / "rulebook").mkdir(parents=True)
        (self.folder / "programme.yaml").write_text(ABOUT, encoding="utf-8")
        founding = self.folder / "rulebook" / "0001-rules.yaml"
        founding.write_text(RULES.read_text(encoding="utf-8") + self.further, encoding="utf-8")
        self.acts[0] = {**self.acts[0], "digest": digest(founding)}

    def amend(
        self,
        when: str,
        *clauses: Json,
        consented: Sequence[str] = (),
        repeals: Sequence[str] = (),
        published: str | None = None,
        effective: str | None = None,
    ) -> str:
        """A document is announced and takes effect, then or later; an act publishes it then, or when it is said.

        The digest of the document.
        """
        self.documents += 1
        file = self.folder / "rulebook" / f"{self.documents:04d}-amendment.yaml"
        tree = {
            "dokja": "1",
            "rulebook": "intake-tests",
            "number": self.documents,
            "title": {"ko": "개정", "en": "Amendment"},
            "announced": f"{when}+09:00",
            "effective": f"{effective or when}+09:00",
            "amendment": {"scope": ["stage-1"], "reason": {"ko": "이유", "en": "Reason"}, "consented": [*consented]},
            "clauses": [*clauses],
            "repeals": [*repeals],
        }
        with file.open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(tree, stream)
        name = f"rulebook-{self.documents}"
        self.add(
            act("rulebook-amended", name, published or when, number=self.documents, consented=[*consented],
                digest=digest(file))
        )  # fmt: skip
        return digest(file)

    def add(self, *acts: Json) -> None:
        self.acts.extend(acts)

    def bundle(self, *, keys: bool = False, audience: Audience = PUBLIC, at: datetime | None = None) -> Path:
        """Record, sign and pack it; `keys`: every act is signed by who does it.

        What was recorded already is packed once more, for another audience.
        """
        made = [ACT.validate_python(each) for each in self.acts]
        if keys:
            made = [*founded(), *(signed(each, KEYS[each.who]) for each in made)]
        log = self.folder / "record" / "log"
        target = self.folder / (f"bundle-{audience}-{at:%m%d}" if at else "bundle")
        with open_record(self.folder / "record" / "record.sqlite") as record:
            record.append(made[record.size :])
            sign_checkpoint(log, snapshot(record), OFFICE)
            files = sorted((self.folder / "rulebook").iterdir())
            source = Source(
                self.folder / "programme.yaml", files, log, self.folder / "evidence", self.folder / "openings"
            )
            export(source, record, target, audience, at)
        return target

    def verdict(self, *, keys: bool = False) -> Verdict:
        """The verdict on it; the second verifier, which knows no rules, finds nothing wrong with any of these."""
        bundle = self.bundle(keys=keys)
        assert second.verify(str(bundle), POLICY) == []
        return verify(bundle, POLICY)


def founded() -> list[AnyAct]:
    """The office founds the record and registers the keys of teams and raters."""
    founding = genesis([("office", OFFICE)], 1, "office", datetime(2027, 1, 1, tzinfo=UTC))
    registered = (
        act("key-registered", f"key-{holder}", "2027-01-02T09:00:00", holder=holder,
            role="team" if holder in TEAMS else "rater", vkey=str(KEYS[holder].key()))
        for holder in KEYS
        if holder != "office"
    )  # fmt: skip
    return [founding, *(signed(ACT.validate_python(each), OFFICE) for each in registered)]


FOUNDED = len(KEYS)
"""Acts that a record with keys has before all others."""


def told(verdict: Verdict) -> list[tuple[str, int | None]]:
    """The codes, each with its act."""
    return [(fault.code, fault.act) for fault in verdict.problems]
