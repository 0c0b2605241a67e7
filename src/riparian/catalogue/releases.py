"""What is said of a recording that is delivered, and what do we know of those that we hold?

A delivery says titles, artists, codes.  The catalogue says whose each recording is, and who else may deliver it.  Names
are compared as :mod:`.names` does, codes without hyphens.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
import pyarrow as pa

from riparian.catalogue.names import folded, look, parts

_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_TAGS: Final = {
    "title": "title",
    "artist": "artist album_artist albumartist performer author",
    "isrc": "isrc tsrc",
    "rights": "label publisher organization copyright tpub tcop",
}


def isrc_of(text: str) -> str:
    """Give a code without hyphens and spaces, or nothing when it is none.

    Examples
    --------
    >>> isrc_of("us-wb1-17-00001"), isrc_of("none")
    ('USWB11700001', '')
    """
    plain = re.sub(r"[-\s]", "", text).upper()
    return plain if _ISRC.fullmatch(plain) else ""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of a recording; texts are empty where they say nothing.

    Parameters
    ----------
    isrc
        Without hyphens.
    rights
        Who is said to own it.
    """

    title: str = ""
    artist: str = ""
    isrc: str = ""
    rights: str = ""


def said_of(tags: Mapping[str, str]) -> Said:
    """Read what a file's tags say.

    Examples
    --------
    >>> said_of({"TITLE": "Harbour Lights", "TSRC": "GB-ABC-12-00001"})
    Said(title='Harbour Lights', artist='', isrc='GBABC1200001', rights='')
    """
    plain = {name.lower(): text.strip() for name, text in tags.items()}
    found = {
        into: next((plain[name] for name in names.split() if plain.get(name)), "") for into, names in _TAGS.items()
    }
    return Said(found["title"], found["artist"], isrc_of(found["isrc"]), found["rights"])


@dataclass(frozen=True, slots=True)
class Row:
    """What the catalogue says of a recording; texts are empty where it says nothing.

    Parameters
    ----------
    owners
        Who delivers it, and who else may, as they are compared.
    owner
        The first of them, as it is written.
    """

    recording: str
    title: str
    artist: str
    isrc: str
    owner: str
    owners: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Releases:
    """The catalogue, as deliveries are compared with it."""

    table: pl.DataFrame

    @classmethod
    def of(cls, recordings: pa.Table | None) -> "Releases":
        """Take a catalogue of schema ``RECORDING``; none at all is an empty one.

        Examples
        --------
        >>> table = pa.table({"recording": ["r-1"], "isrc": ["GB-ABC-12-00001"], "owner": ["Reed"]})
        >>> table = table.append_column("licensed", [["A;B"]])
        >>> row, = Releases.of(table).with_isrcs(["GBABC1200001"])["GBABC1200001"]
        >>> row.recording, sorted(row.owners)
        ('r-1', ['a', 'b', 'reed'])
        """
        wanted = ("recording", "title", "artist", "isrc", "owner", "licensed")
        found = pl.DataFrame(recordings) if recordings is not None else pl.DataFrame({"recording": []})
        columns = [
            (pl.col(name) if name in found.columns else pl.lit("").alias(name)).cast(pl.String).fill_null("")
            for name in wanted
        ]
        plain = found.select(columns)
        return cls(plain.with_columns(pl.col("isrc").str.replace_all(r"[-\s]", "").str.to_uppercase()))

    @property
    def names_owners(self) -> bool:
        """Say whether it says of any recording whose it is."""
        return bool((self.table["owner"] != "").any())

    def rows(self, recordings: Iterable[str]) -> dict[str, Row]:
        """Find recordings by their identifiers."""
        found = self.table.filter(pl.col("recording").is_in(list(recordings)))
        return {row.recording: row for row in map(_row, found.iter_rows(named=True))}

    def with_isrcs(self, isrcs: Iterable[str]) -> dict[str, list[Row]]:
        """Find recordings by their codes."""
        wanted = [isrc for isrc in isrcs if isrc]
        by_isrc: dict[str, list[Row]] = {}
        for row in map(_row, self.table.filter(pl.col("isrc").is_in(wanted)).iter_rows(named=True)):
            by_isrc.setdefault(row.isrc, []).append(row)
        return by_isrc

    def artists(self, names: Iterable[str]) -> dict[str, list["Artist"]]:
        """Find whom of ours lines of artists name, or look like; of artists whose recordings nobody owns, none."""
        asked = {name: [(part, folded(part), look(part)) for part in parts(name)] for name in names if name}
        plain = {fold for each in asked.values() for _, fold, _ in each}
        looks = {seen for each in asked.values() for _, _, seen in each}
        exact: dict[str, dict[str, set[str]]] = {}
        alike: dict[str, dict[str, set[str]]] = {}
        ours = self.table.filter((pl.col("artist") != "") & (pl.col("owner") != ""))
        held = ours.group_by("artist", maintain_order=True).agg(pl.col("owner").unique(), pl.col("licensed").unique())
        for line, owners, licensed in held.iter_rows():
            may = {fold for owner in owners for fold in owners_of(owner, "")}
            may |= {fold for some in licensed for fold in owners_of("", some)}
            for part in parts(line):
                if (fold := folded(part)) in plain:
                    exact.setdefault(fold, {}).setdefault(part, set()).update(may)
                if (seen := look(part)) in looks:
                    alike.setdefault(seen, {}).setdefault(part, set()).update(may)
        return {name: list(_artists(each, exact, alike)) for name, each in asked.items()}


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist of ours: as the delivery and as the catalogue writes the name, and with whom the recordings are."""

    written: str
    ours: str
    owners: frozenset[str]
    is_same: bool
    """Whether the names are the same, and do not only look so."""


def _artists(
    asked: list[tuple[str, str, str]],
    exact: Mapping[str, Mapping[str, set[str]]],
    alike: Mapping[str, Mapping[str, set[str]]],
) -> Iterable[Artist]:
    for part, fold, seen in asked:
        if fold in exact:
            name = next(iter(exact[fold]))
            yield Artist(part, name, frozenset().union(*exact[fold].values()), is_same=True)
        elif seen in alike:
            name = next(iter(alike[seen]))
            yield Artist(part, name, frozenset().union(*alike[seen].values()), is_same=False)


def owners_of(owner: str, licensed: str) -> frozenset[str]:
    """List who may deliver, as they are compared.

    Examples
    --------
    >>> sorted(owners_of("Reed Records", "North-Wire; Third"))
    ['northwire', 'reedrecords', 'third']
    """
    return frozenset(fold for name in (owner, *licensed.split(";")) if (fold := folded(name)))


def _row(row: Mapping[str, str]) -> Row:
    may = owners_of(row["owner"], row["licensed"])
    return Row(row["recording"], row["title"], row["artist"], row["isrc"], row["owner"], may)
