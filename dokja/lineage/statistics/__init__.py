"""The statistics of the weight audit: pure functions of arrays, each of which says what its p-value rests on."""

from dokja.lineage.statistics.anchored import Agreement, agreement, answering, named_alike, signatures
from dokja.lineage.statistics.attention import word_maps
from dokja.lineage.statistics.cka import (
    GramCorrelation,
    JointGram,
    RelativeLabels,
    channel_gram,
    gram,
    gram_correlation,
    halved,
    monte_carlo_log10_p,
    neuron_grams,
    recurrent_pairs,
    relative,
    relative_labels,
)
from dokja.lineage.statistics.combine import (
    conformal_log10_p,
    fisher,
    holm,
    log10_e_value,
    mean_of_e_values,
    smallest,
    stouffer,
)
from dokja.lineage.statistics.copies import Cells, Rows, equal_rows, in_cells
from dokja.lineage.statistics.joint import JointTrace
from dokja.lineage.statistics.labels import (
    Cosines,
    Matches,
    cosines,
    fixed_point_log10_p,
    fixed_points,
    increasing_log10_p,
    match_cosines,
    mean_cosines,
    mutual_neighbours,
    partners,
)
from dokja.lineage.statistics.merges import MergeFit, Shares
from dokja.lineage.statistics.order import Constants, Order, constants, order, shared_order
from dokja.lineage.statistics.partial import Partial, partial_correlation
from dokja.lineage.statistics.selftest import Kin, kinship_map, layer_table, self_test
from dokja.lineage.statistics.trace import TraceTest, trace_test, unit_trace
from dokja.lineage.statistics.units import Units, joined, unit_rows

__all__ = [
    "Agreement",
    "Cells",
    "Constants",
    "Cosines",
    "GramCorrelation",
    "JointGram",
    "JointTrace",
    "Kin",
    "Matches",
    "MergeFit",
    "Order",
    "Partial",
    "RelativeLabels",
    "Rows",
    "Shares",
    "TraceTest",
    "Units",
    "agreement",
    "answering",
    "channel_gram",
    "conformal_log10_p",
    "constants",
    "cosines",
    "equal_rows",
    "fisher",
    "fixed_point_log10_p",
    "fixed_points",
    "gram",
    "gram_correlation",
    "halved",
    "holm",
    "in_cells",
    "increasing_log10_p",
    "joined",
    "kinship_map",
    "layer_table",
    "log10_e_value",
    "match_cosines",
    "mean_cosines",
    "mean_of_e_values",
    "monte_carlo_log10_p",
    "mutual_neighbours",
    "named_alike",
    "neuron_grams",
    "order",
    "partial_correlation",
    "partners",
    "recurrent_pairs",
    "relative",
    "relative_labels",
    "self_test",
    "shared_order",
    "signatures",
    "smallest",
    "stouffer",
    "trace_test",
    "unit_rows",
    "unit_trace",
    "word_maps",
]
