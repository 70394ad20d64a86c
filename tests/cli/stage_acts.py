"""Acts that take the starter programme through its first stage: two teams, one of which stays below the other."""

from __future__ import annotations

RATERS = tuple(f"rater-{number}" for number in range(1, 8))

HEAD = """acts:
  - type: call-closed
    id: first-call-closed
    who: office
    when: 2027-02-01T18:00:00+09:00
    clause: first-call
    call: first-call
    applications: 2
"""

ADMISSION = """  - type: admission
    id: admission-{team}
    who: office
    when: 2027-02-10T10:00:00+09:00
    clause: first-call
    call: first-call
    stage: stage-1
    team: {team}
    in_favour: 5
    panel_size: 7
"""

MEASURED = """  - type: measurement-reported
    id: benchmark-{team}
    who: office
    when: 2027-08-16T10:00:00+09:00
    clause: score-1
    stage: stage-1
    team: {team}
    measure: benchmark
    value: {value}
"""

BALLOT = """  - type: ballot
    who: {rater}
    when: 2027-08-17T10:00:00+09:00
    stage: stage-1
    panel: experts
    rater: {rater}
    team: {team}
    measure: expert
    marks: {{technology: {technology}, plan: 10}}
"""

GATE = """  - type: finding
    id: independence-{team}
    who: office
    when: 2027-08-20T10:00:00+09:00
    clause: independence-1
    stage: stage-1
    team: {team}
    gate: independence-1
    result: meets
"""

DECISION = """  - type: decision
    id: decision-1
    who: office
    when: 2027-08-31T14:00:00+09:00
    clause: cut-1
    source: announcement
    stage: stage-1
    goes_on: [team-a]
    leaves:
      - {team: team-b, reason: points}
"""

TEAMS = {"team-a": ("80", 20), "team-b": ("70", 15)}
"""The index and the first rater's marks for technology; every later rater gives a tenth of a mark less."""

ACTS = (
    HEAD
    + "".join(ADMISSION.format(team=team) for team in TEAMS)
    + "".join(MEASURED.format(team=team, value=value) for team, (value, _) in TEAMS.items())
    + "".join(
        BALLOT.format(rater=rater, team=team, technology=f"{best - number / 10:.1f}")
        for team, (_, best) in TEAMS.items()
        for number, rater in enumerate(RATERS)
    )
    + "".join(GATE.format(team=team) for team in TEAMS)
    + DECISION
)
