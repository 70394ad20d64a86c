"""Why something published is refused: one exception, and the table of stable codes with what each means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dokja.language import mark

CODES: Mapping[str, str] = {
    "BAG_DECLARATION": mark("The folder does not say that it is a BagIt 1.0 bag."),
    "BAG_FETCH": mark("The bag names files to be fetched from elsewhere."),
    "BAG_PATH": mark(
        "The bag has a path that is not allowed: one that leads out of it, a link, or unusual characters."
    ),
    "BAG_MANIFEST": mark("A manifest of the bag is missing or malformed."),
    "BAG_MISSING": mark("A file that a manifest names is not in the bag."),
    "BAG_EXTRA": mark("The bag holds a file that no manifest names."),
    "BAG_DIGEST": mark("A file of the bag is not the one that was packed."),
    "NOTE_ENCODING": mark("The note is not plain UTF-8 text with simple line ends."),
    "NOTE_FORM": mark("The note is not a text with signature lines beneath, or is too long."),
    "NOTE_SIGNATURE": mark("A signature by a known key does not fit the note."),
    "NOTE_UNSIGNED": mark("No log that the policy names has signed the note."),
    "NOTE_CHECKPOINT": mark("The signed text is no checkpoint."),
    "NOTE_ORIGIN": mark("The checkpoint is signed by another log than the one it names."),
    "QUORUM_POLICY": mark("The policy is malformed."),
    "QUORUM_NAME": mark("The policy uses a name before it is defined, or twice."),
    "QUORUM_DUPLICATE_KEY": mark("The policy names one public key twice."),
    "QUORUM_NOT_MET": mark("Too few witnesses have cosigned the checkpoint."),
    "TREE_PATH": mark("There is a tile that a log of this size does not have."),
    "TREE_TILE_MISSING": mark("A tile is missing."),
    "TREE_TILE_SIZE": mark("A tile has another length than its name says."),
    "TREE_ENTRIES": mark("A bundle of entries does not hold as many entries as its name says."),
    "TREE_LEAF": mark("An entry is not the one that was hashed into the tree."),
    "TREE_NODE": mark("A tile does not follow from the tiles beneath it."),
    "TREE_ROOT": mark("The tiles do not lead to the root that was signed."),
    "TREE_PROOF_FORM": mark("The proof is malformed."),
    "TREE_PROOF_INDEX": mark("The proof names an index that the log does not have."),
    "TREE_INCLUSION": mark("The proof does not lead from the entry to the root that was signed."),
    "TREE_CONSISTENCY": mark("The proof does not lead from the earlier root to the later one."),
    "FORK": mark("The log has signed two histories that contradict each other."),
    "ROLLED_BACK": mark(
        "The log had signed more than the bundle holds: the bundle is old, or the log was rolled back."
    ),
    "RECEIPT_FORM": mark("The receipt is malformed."),
    "RECEIPT_NOT_MERGED": mark(
        "An act that the log gave a receipt for is not in the record, though its time has passed."
    ),
    "ENTRY_NOT_CANONICAL": mark("An entry is not an act in canonical bytes."),
    "ENTRY_HIDDEN_TEXT": mark("An entry holds characters that hide or reorder what a reader sees."),
    "ACT_UNSIGNED": mark("An act is not signed, in a record whose acts are."),
    "ACT_SIGNATURE": mark("The signature of an act does not fit the act."),
    "SIGNER_NOT_AUTHORISED": mark("An act is signed with a key that its actor did not hold at that moment."),
    "ACT_SEQUENCE": mark("An act's running number is not the next one of its actor in its stage: one was left out."),
    "KEY_FORM": mark("A key in the record is malformed."),
    "KEY_TWICE": mark("One public key stands twice in the registry."),
    "KEY_THRESHOLD": mark("A change of keys is approved by too few of those who must approve it."),
    "GENESIS": mark("The record does not begin with the founding act that was named from outside."),
    "DRAW_NOT_ANNOUNCED": mark("A draw was made, or mended, that nobody had announced."),
    "DRAW_RANKING": mark(
        "The ranking of a draw does not follow from the pool that was announced and its randomness."
    ),
    "DRAW_RECUSAL": mark("One leaves whom the draw did not rank, who has left already, or who has marked already."),
    "DRAW_SUCCESSOR": mark("The seat of one who left went to another than the next in rank."),
    "GRID_FORM": mark("An act of sealing is malformed."),
    "GRID_INCOMPLETE": mark("Cells are missing in the grid of sealed marks, or there are too many."),
    "GRID_TWICE": mark("Marks are sealed twice, or two cells have one digest."),
    "GRID_ORDER": mark("Marks were sealed after the root of their stage, or opened before it."),
    "GRID_ROOT": mark("The root of a stage's sealed marks does not follow from them."),
    "OPENING_FORM": mark("An opening is malformed."),
    "OPENING_SALT": mark("An opening has no salt of 256 bits, or one that was used before."),
    "OPENING_UNKNOWN": mark("An opening is of no cell that was sealed."),
    "OPENING_WRONG": mark("An opening is not what was sealed in its cell."),
    "OPENING_TWICE": mark("A cell is opened twice."),
}
"""Every code of the integrity check, and what it says to a person."""


class RefusedError(Exception):
    """Something published is not what it claims to be.

    code: one of `CODES`. detail: for the person who looks into it: the file or the line. index: the act concerned.
    """

    def __init__(self, code: str, detail: str = "", index: int | None = None) -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail
        self.index = index

    @property
    def meaning(self) -> str:
        """What the code says to a person, as a message id."""
        return CODES[self.code]


def refuse_first(code: str, paths: Iterable[str]) -> None:
    """Refuse the first of the paths that are wrong, in their order; none where there is none."""
    for path in sorted(paths):
        raise RefusedError(code, path)
