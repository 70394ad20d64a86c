"""What each tensor is: components, roles and symmetries, from tables of data, and by shapes where no table fits."""

from dokja.lineage.architecture.assign import assign, assigned
from dokja.lineage.architecture.by_shape import BY_SHAPE, by_shape
from dokja.lineage.architecture.parts import (
    Assignment,
    Axis,
    Contradiction,
    Part,
    part_columns,
    part_matrix,
    part_rows,
    part_shape,
    shape_in,
)
from dokja.lineage.architecture.tables import families

__all__ = [
    "BY_SHAPE",
    "Assignment",
    "Axis",
    "Contradiction",
    "Part",
    "assign",
    "assigned",
    "by_shape",
    "families",
    "part_columns",
    "part_matrix",
    "part_rows",
    "part_shape",
    "shape_in",
]
