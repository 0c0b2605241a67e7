"""Which recordings of ours are one and the same?

A catalogue has the same sound under several numbers: a single and its album, a compilation, a release anew.  Which of
them a copy was made of cannot be told, so they are told as one *cluster*.  A recording is looked for among the others
as a stranger's would be, and is another's *twin* when nearly all of either goes together with nearly all of the other,
at one speed and pitch.

Conventions
-----------
* A *passage* that two recordings have in common, as an edit and its original have, makes them no twins; but finding one
  by the other is no mistake.
* A cluster is called by the least number in it.
* Twins of twins are one cluster.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.align import Query, align
from riparian.prints.ours import Ours
from riparian.prints.search import MOST, PATIENCE, covered_s
from riparian.prints.spans import Span

BOTH_WAYS: Final = 0.8
"""Of either recording, in stretches that are the same."""
SAME_MIN: Final = 0.45
"""How much goes together along a stretch of twins, at least."""
PASSAGE_S: Final = 3.0
PASSAGE_MIN: Final = 0.6
"""How much goes together along a passage, at least."""
PASSAGE_VOTES: Final = 2.0
"""Shapes a second that do, at least."""
_SPEED_OFF: Final = 0.005
_OCTAVES_OFF: Final = 0.01


def twins(recording: int, ours: Ours) -> tuple[int, ...]:
    """Find recordings outside its cluster that are the same sound.

    Parameters
    ----------
    recording
        Of ours.
    ours
        The catalogue; the recording itself may be in it or not yet.
    """
    whole = ours.peaks(recording)
    cluster = ours.cluster(recording)
    query = Query(whole)
    found: list[int] = []
    idle = 0
    for other in ours.candidates(whole, MOST[0]).recording.tolist():
        if other == recording or ours.cluster(other) == cluster:
            continue
        theirs = ours.peaks(other)
        if are_twins(align(query, theirs), whole.seconds, theirs.seconds):
            found.append(other)
            idle = 0
        else:
            idle += 1
        if idle == PATIENCE:
            break
    return tuple(found)


def are_twins(spans: Sequence[Span], query_s: float, ours_s: float) -> bool:
    """Say whether two recordings are one, by the stretches along which they run.

    Parameters
    ----------
    spans
        Of one as the query, the other as ours.
    query_s, ours_s
        How long they are.
    """
    same = [
        span
        for span in spans
        if abs(span.speed - 1) <= _SPEED_OFF
        and abs(span.pitch_octaves) <= _OCTAVES_OFF
        and span.share >= SAME_MIN
        and span.our_hits >= SAME_MIN * span.our_peaks
    ]
    query_covered = covered_s(same, 0.0, query_s)
    return query_covered >= BOTH_WAYS * query_s and query_covered >= BOTH_WAYS * ours_s


def has_passage(spans: Iterable[Span]) -> bool:
    """Say whether a passage of two recordings of ours is the same sound, as one take in two edits is.

    Both are as they were mastered, so that hardly a peak differs; no two performances are that alike.
    """
    return any(
        span.seconds >= PASSAGE_S
        and span.share >= PASSAGE_MIN
        and span.votes >= PASSAGE_VOTES * span.seconds
        and abs(span.speed - 1) <= _SPEED_OFF
        and abs(span.pitch_octaves) <= _OCTAVES_OFF
        for span in spans
    )


def joined(labels: NDArray[np.int64], pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Join the clusters of twins.

    Parameters
    ----------
    labels : np.ndarray [shape=(n,), int64]
        Of each recording the least number in its cluster; of new ones their own.
    pairs
        Recordings that are the same.

    Returns
    -------
    labels : np.ndarray [shape=(n,), int64]

    Examples
    --------
    >>> joined(np.arange(6), [(4, 2), (5, 4)]).tolist()
    [0, 1, 2, 3, 2, 2]
    >>> joined(joined(np.arange(6), [(5, 4)]), [(4, 2)]).tolist()
    [0, 1, 2, 3, 2, 2]
    """
    parent = labels.copy()

    def root(recording: int) -> int:
        while parent[recording] != recording:
            parent[recording] = parent[parent[recording]]
            recording = int(parent[recording])
        return recording

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return np.array([root(recording) for recording in range(parent.size)], dtype=np.int64)
