"""Judge sequences: HOTA, CLEAR, identity and the unique count, of each and of all together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

from sightline.errors import Rejected
from sightline.evaluation.clear import Clear, clear
from sightline.evaluation.counts import Counts, count
from sightline.evaluation.hota import Hota, hota
from sightline.evaluation.identity import Identity, identity
from sightline.evaluation.matching import Overlaps
from sightline.evaluation.rules import Rule, plain
from sightline.evaluation.sequence import Sequence

__all__ = ["COMBINED", "Report", "Row", "evaluate"]

COMBINED = "COMBINED"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Every metric of one sequence, or of all."""

    name: str
    hota: Hota
    clear: Clear
    identity: Identity
    counts: Counts

    def figures(self) -> dict[str, float | int]:
        """What is printed: shares from 0 to 1 (MOTA may be negative), and numbers of events and objects."""
        return {
            "HOTA": self.hota.hota,
            "DetA": self.hota.det_a,
            "AssA": self.hota.ass_a,
            "LocA": self.hota.loc_a,
            "MOTA": self.clear.mota,
            "MOTP": self.clear.motp,
            "IDF1": self.identity.idf1,
            "IDP": self.identity.idp,
            "IDR": self.identity.idr,
            "IDSW": self.clear.switches,
            "FP": self.clear.fp,
            "FN": self.clear.fn,
            "Frag": self.clear.fragmentations,
            "MT": self.clear.mostly_tracked,
            "PT": self.clear.partly_tracked,
            "ML": self.clear.mostly_lost,
            "true": self.counts.true,
            "counted": self.counts.predicted,
            "ids": self.counts.ids,
            "count_error": self.counts.error,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A row for each sequence, in the order given, and one for all together.

    The combined row is made of sums, as TrackEval combines: long sequences weigh more than short ones.
    """

    rows: tuple[Row, ...]
    combined: Row


def evaluate(sequences: Iterable[Sequence], rule: Rule = plain) -> Report:
    """Judge predictions against truth.

    Args:
        sequences: one video each; they are taken one at a time.
        rule: which boxes are judged: `rules.plain`, `rules.mot_challenge(...)`, `rules.visdrone(...)`.

    Raises:
        Rejected: no sequences, two of one name, or an id with two boxes in a frame; names the sequence.
    """
    rows: list[Row] = []
    for sequence in sequences:
        if any(row.name == sequence.name for row in rows):
            raise Rejected(f"two sequences are called {sequence.name}; name them apart")
        rows.append(_row(sequence, rule))
    if not rows:
        raise Rejected("no sequences to evaluate: no file of ground truth has a prediction of its name")
    combined = Row(
        COMBINED,
        reduce(add, (row.hota for row in rows)),
        reduce(add, (row.clear for row in rows)),
        reduce(add, (row.identity for row in rows)),
        reduce(add, (row.counts for row in rows)),
    )
    return Report(tuple(rows), combined)


def _row(sequence: Sequence, rule: Rule) -> Row:
    prepared = rule(sequence)
    prepared.truth.require_unique_ids(f"{sequence.name}: ground truth")
    prepared.prediction.require_unique_ids(f"{sequence.name}: prediction")
    overlaps = Overlaps.of(prepared.truth, prepared.prediction)
    return Row(
        sequence.name,
        hota(overlaps),
        clear(overlaps),
        identity(overlaps),
        count(prepared.truth, prepared.counted, sequence.min_hits),
    )
