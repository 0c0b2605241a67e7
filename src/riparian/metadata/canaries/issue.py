"""What is in the list of this tenant?

The catalogue as it was when the epoch was planted, each cell in the form that the tenant's bit says, and of the rows
that stand for nothing those that its bits say; in order of identifier, so that the order says nothing.

Nothing is changed but durations and the writing of texts, as :class:`Plan` says, and only in recordings of labels that
agreed.  Identifiers, owners, credits, dates and terms are never touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.metadata.canaries import code, rows, seconds
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.text import VARIANTS, Variant

SECONDS: Final = "duration"
CANARY: Final = "canary"
"""The column of a planted table that says which rows stand for nothing; in nobody's list."""


class Purpose(StrEnum):
    """What a list is for, as whoever exports it declares."""

    PARTNER = "partner"
    RESEARCH = "research"
    REVIEW = "review"
    SEARCH = "search"
    ROYALTIES = "royalties"
    REPORTING = "reporting"
    CHARTS = "charts"
    REGISTRATION = "registration"


EXACT: Final = frozenset({Purpose.ROYALTIES, Purpose.REPORTING, Purpose.CHARTS, Purpose.REGISTRATION})
"""Purposes for which every row and every field has to be what it is: no list of canaries is made for them."""


class Channel(StrEnum):
    """What may be planted."""

    SECONDS = "seconds"
    TEXT = "text"
    ORDER = "order"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planted, and for whom.

    Parameters
    ----------
    channels
        Which.
    labels
        Owners that agreed to it; None when all did.
    reach_ms
        How near a boundary a duration has to be, and so how far it is moved at most: 1 to 200.

    Raises
    ------
    InputError
        When the reach is out of range, or nothing is to be planted.
    """

    channels: frozenset[Channel] = frozenset(Channel)
    labels: frozenset[str] | None = None
    reach_ms: int = seconds.REACH_MS

    def __post_init__(self) -> None:
        if not 1 <= self.reach_ms <= 200:
            raise InputError(
                f"durations are to be moved by up to {self.reach_ms} ms, wanted 1 to 200", hint="Leave it at 150."
            )
        if not self.channels:
            raise InputError("nothing is to be planted, wanted a channel or more", hint="Name one of them.")

    def said(self) -> dict[str, Any]:
        """Write it as the ledger holds it.

        Examples
        --------
        >>> plan = Plan(labels=frozenset({"North"}))
        >>> Plan.heard(plan.said()) == plan
        True
        """
        return {
            "channels": sorted(self.channels),
            "labels": None if self.labels is None else sorted(self.labels),
            "reach_ms": self.reach_ms,
        }

    @classmethod
    def heard(cls, said: dict[str, Any]) -> "Plan":
        """Read it back."""
        labels = said["labels"]
        return cls(
            frozenset(Channel(name) for name in said["channels"]),
            None if labels is None else frozenset(labels),
            int(said["reach_ms"]),
        )

    def variants(self) -> tuple[Variant, ...]:
        """List the ways of writing that are planted."""
        return tuple(
            one
            for one in VARIANTS
            if (Channel.ORDER if one.name.startswith("artist") else Channel.TEXT) in self.channels
        )


@dataclass(frozen=True)
class Planted:
    """A catalogue as it was planted in one epoch.

    Parameters
    ----------
    table : pa.Table
        Of :data:`riparian.schema.RECORDING`, with :data:`CANARY`; each recording once.
    plan
        What was planted in it.
    """

    table: pa.Table
    plan: Plan

    @cached_property
    def agreed(self) -> NDArray[np.bool_]:
        """Which rows may be changed; shape=(n,)."""
        if self.plan.labels is None:
            return np.ones(self.table.num_rows, bool)
        if "owner" not in self.table.column_names:
            return np.zeros(self.table.num_rows, bool)
        of = pa.array(sorted(self.plan.labels), pa.string())
        agreed: NDArray[np.bool_] = pc.is_in(self.table["owner"], of).to_numpy(zero_copy_only=False)
        return agreed

    @cached_property
    def canaries(self) -> NDArray[np.int64]:
        """Places of the rows that stand for nothing; shape=(k,)."""
        return np.flatnonzero(self.table[CANARY].to_numpy(zero_copy_only=False))

    @cached_property
    def recordings(self) -> list[str]:
        """Identifiers, in order of rows."""
        names: list[str] = self.table["recording"].to_pylist()
        return names

    @cached_property
    def ms(self) -> NDArray[np.int64]:
        """Durations, 0 where unknown; shape=(n,)."""
        if "duration_ms" not in self.table.column_names:
            return np.zeros(self.table.num_rows, np.int64)
        known = pc.fill_null(self.table["duration_ms"], 0)
        ms: NDArray[np.int64] = known.to_numpy(zero_copy_only=False).astype(np.int64)
        return ms

    @cached_property
    def boundaries(self) -> NDArray[np.int64]:
        """Where a duration carries a bit, the boundary; else -1; shape=(n,)."""
        if Channel.SECONDS not in self.plan.channels or not seconds.means_anything(self.ms):
            return np.full(self.ms.size, -1)
        return np.where(self.agreed, seconds.boundaries(self.ms, self.plan.reach_ms), -1)

    def texts(self, column: str) -> list[str]:
        """Give the texts of a column, empty where there is none."""
        if column not in self.table.column_names:
            return [""] * self.table.num_rows
        return [text or "" for text in self.table[column].to_pylist()]

    def fitting(self, variant: Variant, among: NDArray[np.int64] | None = None) -> tuple[NDArray[np.int64], list[str]]:
        """Find the rows that a variant can be written in, and what its cells are named by.

        Parameters
        ----------
        among : np.ndarray [shape=(m,), int64]
            Rows that matter; None for all.
        """
        texts, titles = self.originals(variant.column), self.originals("title")
        places = range(self.table.num_rows) if among is None else among.tolist()
        found = [i for i in places if texts[i] and self.agreed[i] and variant.fits(texts[i], titles[i])]
        named = [texts[i] if variant.by_text else self.recordings[i] for i in found]
        return np.array(found, dtype=np.int64), named

    @cached_property
    def _read(self) -> dict[str, list[str]]:
        return {}

    def originals(self, column: str) -> list[str]:
        """Give the same, read once; not to be changed."""
        if column not in self._read:
            self._read[column] = self.texts(column)
        return self._read[column]


def planted(catalogue: pa.Table, plan: Plan, made: pa.Table | None = None) -> Planted:
    """Put a catalogue and rows that stand for nothing together.

    Raises
    ------
    InputError
        When a recording is in it twice.
    """
    both = [catalogue.append_column(CANARY, pa.array(np.zeros(catalogue.num_rows, bool)))]
    if made is not None and Channel.ROWS in plan.channels:
        both.append(made.append_column(CANARY, pa.array(np.ones(made.num_rows, bool))))
    table = pa.concat_tables(both).sort_by("recording")
    if pc.count_distinct(table["recording"]).as_py() < table.num_rows:
        raise InputError(
            f"{table.num_rows} rows have fewer identifiers, wanted each recording once", hint="Clean the catalogue."
        )
    return Planted(table, plan)


def issue(key: CanaryKey, of: Planted, tenant: str) -> pa.Table:
    """Make the list of one tenant.

    Parameters
    ----------
    key
        Of the epoch.
    of
        What was planted in it.
    tenant
        To whom; not empty.

    Returns
    -------
    rows : pa.Table
        Columns as planted, without :data:`CANARY`.

    Raises
    ------
    InputError
        When the tenant is empty.
    """
    if not tenant:
        raise InputError("the tenant is empty, wanted whom the list is issued to", hint="Name them.")
    seed = code.seeds(key, [tenant])
    table = of.table
    for column, values in _changed(key, of, seed):
        place = table.schema.get_field_index(column)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return table.filter(pa.array(_kept(key, of, seed))).drop_columns([CANARY])


def _kept(key: CanaryKey, of: Planted, seed: NDArray[np.uint64]) -> NDArray[np.bool_]:
    kept = np.ones(of.table.num_rows, bool)
    cells = code.cells(key, rows.KIND, [of.recordings[i] for i in of.canaries.tolist()])
    kept[of.canaries] = code.bits(key, seed, cells)[0]
    return kept


def _changed(key: CanaryKey, of: Planted, seed: NDArray[np.uint64]) -> Iterator[tuple[str, Any]]:
    at = of.boundaries
    carry = np.flatnonzero(at >= 0)
    if carry.size:
        cells = code.cells(key, SECONDS, [of.recordings[i] for i in carry.tolist()])
        later = code.bits(key, seed, cells)[0]
        ms = of.ms.copy()
        ms[carry] = seconds.moved(of.ms[carry], at[carry], later, cells ^ seed)
        known = of.table["duration_ms"].is_valid().to_numpy(zero_copy_only=False)
        yield "duration_ms", pa.array(ms, mask=~known)
    texts: dict[str, list[str]] = {}
    for variant in of.plan.variants():
        fitting, named = of.fitting(variant)
        if fitting.size:
            column = texts.setdefault(variant.column, of.texts(variant.column))
            drawn = code.bits(key, seed, code.cells(key, variant.name, named))[0]
            for i, bit in zip(fitting.tolist(), drawn.tolist(), strict=True):
                column[i] = variant.write(column[i], bit)
    for name, column in texts.items():
        valid = of.table[name].is_valid().to_numpy(zero_copy_only=False)
        yield name, pa.array(column, pa.string(), mask=~valid)
