"""Files of acts into the record: read strictly, held against the rulebook and the acts before, all or nothing."""

from dokja.intake.rows import rows_in
from dokja.intake.taking_in import Intake, take_in

__all__ = ["Intake", "rows_in", "take_in"]
