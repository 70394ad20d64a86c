"""What happened: typed acts in an append-only log, with a Merkle root that anyone can compute again."""

from dokja.record.acts import ACT, Act, AnyAct
from dokja.record.canonical import act_of, canonical
from dokja.record.entries import BallotRow, Entry
from dokja.record.storage import Head, Record, open_record, record_if_any

__all__ = [
    "ACT",
    "Act",
    "AnyAct",
    "BallotRow",
    "Entry",
    "Head",
    "Record",
    "act_of",
    "canonical",
    "open_record",
    "record_if_any",
]
