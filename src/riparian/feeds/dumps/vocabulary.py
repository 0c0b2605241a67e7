"""Which titles, artists and albums do we hold, so that columns of others can be told apart by what is in them?

A column that holds our artists holds artists.  What is kept is a set of 64-bit codes of names without case,
punctuation and spaces; of a large catalogue a part chosen by the codes themselves, which tells columns apart as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

KINDS: Final = ("title", "artist", "album")
CODES_MAX: Final = 2_000_000
_SPLIT: Final = r"\s*(?:,|;|&| feat\.? | ft\.? | featuring | with | and | x )\s*"
_PLAIN: Final = r"[^\p{L}\p{N}]+"
_BRACKETED: Final = r"\s*[\(\[].*$|\s+-\s.*$"

Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Names of ours.

    Parameters
    ----------
    codes
        Kind to sorted codes [shape=(names,)].
    share
        Kind to the share of names that were kept, above 0, at most 1.
    """

    codes: Mapping[str, Codes]
    share: Mapping[str, float]

    def hits(self, kind: str, values: pl.Series) -> float:
        """Say what share of values, none of them null, are names of ours of a kind.

        Examples
        --------
        >>> known = vocabulary_of([{"title": pl.Series(["Hello"]), "artist": pl.Series(["Adele"])}])
        >>> values = pl.Series(["ADELE", "Hello"])
        >>> known.hits("artist", values), known.hits("title", values), known.hits("album", values)
        (0.5, 0.5, 0.0)
        """
        held = self.codes.get(kind)
        if held is None or not len(held) or not len(values):
            return 0.0
        found = codes_of(kind, values)
        return float(np.isin(found, held).mean() / self.share[kind])


def codes_of(kind: str, values: pl.Series) -> Codes:
    """Write names as codes; of an artist the first one named, of a title what is outside brackets."""
    bare = values.cast(pl.String).str.to_lowercase()
    bare = bare.str.replace(_SPLIT + r".*$" if kind == "artist" else _BRACKETED, "")
    plain = bare.str.normalize("NFKD").str.replace_all(_PLAIN, "")
    return plain.hash(seed=7).to_numpy().astype(np.uint64)


def vocabulary_of(recordings: Iterable[Any]) -> Vocabulary:
    """Collect the names of our recordings; of mappings or batches, columns ``title``, ``artist`` and ``album``."""
    found: dict[str, list[Codes]] = {kind: [] for kind in KINDS}
    share = dict.fromkeys(KINDS, 1.0)
    for batch in recordings:
        frame = pl.DataFrame(batch)
        for kind in set(KINDS) & set(frame.columns):
            _add(found, share, kind, codes_of(kind, frame[kind].drop_nulls()))
    return Vocabulary({kind: _merged(found[kind]) for kind in KINDS}, share)


def _merged(some: list[Codes]) -> Codes:
    return np.unique(np.concatenate(some)) if some else np.zeros(0, np.uint64)


def _add(found: dict[str, list[Codes]], share: dict[str, float], kind: str, codes: Codes) -> None:
    found[kind].append(_within(codes, share[kind]))
    if sum(map(len, found[kind])) > 2 * CODES_MAX:
        merged = _merged(found[kind])
        while len(merged) > CODES_MAX:
            share[kind] /= 2
            merged = _within(merged, share[kind])
        found[kind] = [merged]


def _within(codes: Codes, share: float) -> Codes:
    return codes if share >= 1 else codes[codes < np.uint64(int(share * 2**64))]


NOTHING_HELD: Final = Vocabulary({}, {})
