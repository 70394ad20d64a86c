"""The acts that a rulebook may call due are those that name a stage: two rooms that do not know each other agree."""

from __future__ import annotations

from typing import get_args

from dokja.record.acts import AnyAct
from dokja.rulebook.clauses import DueAct


def test_every_act_that_must_name_its_stage_can_be_due_and_no_other() -> None:
    acts = get_args(get_args(AnyAct)[0])
    of_a_stage = [act for act in acts if "stage" in act.model_fields and act.model_fields["stage"].is_required()]
    words = {word for act in of_a_stage for word in get_args(act.model_fields["type"].annotation)}
    assert set(get_args(DueAct)) == words
