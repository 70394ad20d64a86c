"""Checkpoints of weights: checked, opened and read as float32, without believing a byte before it was looked at."""

from dokja.lineage.checkpoint.reading import Checkpoint, Digests, TensorInfo, natural, open_checkpoint
from dokja.lineage.checkpoint.refusals import CODES, problem

__all__ = ["CODES", "Checkpoint", "Digests", "TensorInfo", "natural", "open_checkpoint", "problem"]
