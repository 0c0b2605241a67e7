"""Which of these sounds are the same?

A delivery of a thousand files with one sound in a hundred of them, each a little faster or higher than the other, is no
catalogue of a thousand recordings.  So the sounds are made a small catalogue of their own, and each is looked for among
the others.

Conventions
-----------
* Two are the same when stretches that go together as a copy does cover half of the shorter one, at any speed and pitch
  that is searched.
* Those that are the same as the same one are one group.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.prints.build import build
from riparian.prints.clusters import joined
from riparian.prints.hashes import Asking
from riparian.prints.index import Candidates, Index
from riparian.prints.keys import PrintKey
from riparian.prints.match import is_copy
from riparian.prints.null import Kind, Null, posterior
from riparian.prints.peaks import Peaks
from riparian.prints.search import covered_s, search
from riparian.prints.sketch import asked, sketch

ALIKE: Final = 0.5
"""Of the shorter of two."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sounds that are the same.

    Parameters
    ----------
    members
        At least two, ascending.
    error
        The chance that the least sure of the pairs that join them is a mistake.
    """

    members: tuple[int, ...]
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """Sounds as a catalogue: see :class:`riparian.prints.ours.Ours`."""

    key: PrintKey
    k: int
    prints: tuple[Peaks, ...]
    index: Index

    @classmethod
    def of(cls, prints: Sequence[Peaks], key: PrintKey, k: int) -> "Among":
        """Make an index of them, with ``k`` values a sketch."""
        sketches = [sketch(one, key, k) for one in prints]
        whose = np.repeat(np.arange(len(prints)), [one.size for one in sketches])
        values = np.concatenate([np.empty(0, np.uint64), *sketches])
        return cls(key, k, tuple(prints), Index((build(values, whose, key, k),)))

    @property
    def recordings(self) -> int:
        """How many there are."""
        return len(self.prints)

    def candidates(self, heard: Peaks, most: int, asking: Asking = Asking.NEAR) -> Candidates:
        """Find those that a sound may be the same as."""
        return self.index.candidates(asked(heard, self.key, self.k, asking), most)

    def peaks(self, recording: int) -> Peaks:
        """Give one of them."""
        return self.prints[recording]

    def cluster(self, recording: int) -> int:
        """Say that each is one by itself, as far as a search is concerned."""
        return recording

    def same(self, number: int, null: Null) -> list[tuple[int, float]]:
        """Find those that are the same as one, each with the chance that this is a mistake."""
        query = self.prints[number]
        found: list[tuple[int, float]] = []
        if not len(query):
            return found
        density = len(query) / query.seconds
        for find in search(query, self, without=number).finds:
            p = null.chance(
                Kind.COPY, find.best.score, seconds=query.seconds, density=density, recordings=self.recordings
            ).p
            shorter_s = min(query.seconds, self.prints[find.recording].seconds)
            if is_copy(find.best) and covered_s(find.spans, 0.0, query.seconds) >= ALIKE * shorter_s:
                found.append((find.recording, posterior(p)))
        return found


def groups(among: Among, null: Null, error_max: float, told: Callable[[int], None]) -> list[Group]:
    """Find groups of sounds that are the same.

    Parameters
    ----------
    among
        The sounds.
    null
        What mistakes look like.
    error_max
        The chance of a mistake up to which two are taken to be the same.
    told
        Is told how many have been looked for.
    """
    pairs: dict[tuple[int, int], float] = {}
    for number in range(among.recordings):
        for other, error in among.same(number, null):
            if error <= error_max:
                pair = min(number, other), max(number, other)
                pairs[pair] = min(error, pairs.get(pair, 1.0))
        told(number + 1)
    labels = joined(np.arange(among.recordings, dtype=np.int64), pairs)
    return [
        Group(members, max(error for (one, _), error in pairs.items() if one in members))
        for members in members_of(labels)
    ]


def members_of(labels: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """List the members of groups of at least two.

    Examples
    --------
    >>> members_of(np.array([0, 1, 0, 3, 1]))
    [(0, 2), (1, 4)]
    """
    found: dict[int, list[int]] = {}
    for number, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(number)
    return [tuple(group) for group in found.values() if len(group) > 1]
