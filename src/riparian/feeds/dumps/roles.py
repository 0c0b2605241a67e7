"""Which column is which, told by its values first and by its name second?

A column of identifiers shows it by its pattern whatever it is called, and is not believed when it is only called so.
Titles, artists and albums are told apart by which of our own names are in them; where none of ours is, by the names of
the columns; and without these by how often values repeat themselves, since an artist has many titles.  Columns are
given to fields so that all likenesses together are largest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from riparian.errors import InputError
from riparian.feeds.dumps.naming import FIELDS, is_a_name, named, surest_first
from riparian.feeds.dumps.values import LIKENESS, SUGGESTED, dashed, lit, repeated
from riparian.feeds.dumps.vocabulary import KINDS, Vocabulary

LINE: Final = "line"
"""The role of a column that holds artist and title in one."""
SAMPLE_ROWS: Final = 2000
_DASHED: Final = 0.5
_TOLD: Final = 0.5
_NAMED: Final = 0.6
_UNNAMED: Final = 0.15
_HIT_WEIGHT: Final = 2.0
_HITS_MIN: Final = 0.01
_ONLY_BY_NAME: Final = frozenset(("album", "label", "added"))
_WITHOUT_A_NAME: Final = frozenset(("duration_ms", "added"))
_PATTERNS: Final = frozenset(("isrc", "upc", "iswc", "mbid", "path", "territory"))


@dataclass(frozen=True, slots=True)
class Role:
    """What a column is.

    Parameters
    ----------
    column
        Its name.
    why
        How that is known, for people.
    """

    column: str
    why: str


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a sheet are.

    Parameters
    ----------
    of
        Field, or :data:`LINE`, to its column.
    title_first
        Whether a line has the title first.
    """

    of: Mapping[str, Role]
    title_first: bool = False


def roles_of(rows: pl.DataFrame, vocabulary: Vocabulary, said: Mapping[str, str], *, has_names: bool = True) -> Roles:
    """Give every field the column that is most like it.

    Parameters
    ----------
    rows
        The first rows of a sheet, as text.
    vocabulary
        Names of ours.
    said
        Field to column, as the operator says; believed.
    has_names
        Whether the names of the columns are their own.

    Raises
    ------
    InputError
        When the operator names a column that is not there.

    Examples
    --------
    >>> rows = pl.DataFrame({"a": ["Hello", "Skyfall"], "b": ["Adele", "Adele"], "c": ["4:55", "4:46"]})
    >>> {field: role.column for field, role in roles_of(rows, Vocabulary({}, {}), {}, has_names=False).of.items()}
    {'duration_ms': 'c', 'title': 'a', 'artist': 'b'}
    """
    found = {field: Role(_there(rows, column, field), "as it is called") for field, column in said.items()}
    some = rows.gather_every(max(1, rows.height // SAMPLE_ROWS)).head(SAMPLE_ROWS)
    taken = {role.column for field, role in found.items() if field != LINE}
    values = {name: lit(some[name]) for name in rows.columns if name not in taken}
    values = {name: series for name, series in values.items() if len(series)}
    _assign(values, vocabulary, found, has_names=has_names)
    _unnamed_texts(values, found)
    return _lines(values, vocabulary, found)


def _there(rows: pl.DataFrame, column: str, field: str) -> str:
    if column not in rows.columns:
        there = ", ".join(f"`{name}`" for name in rows.columns[:20])
        raise InputError(
            f"`--map {field}={column}` names no column, wanted one of {there}",
            hint="Name a column as the list has it.",
        )
    return column


def _assign(
    values: Mapping[str, pl.Series], vocabulary: Vocabulary, found: dict[str, Role], *, has_names: bool
) -> None:
    fields = [field for field in FIELDS if field not in found]
    columns = [name for name in values if LINE not in found or name != found[LINE].column]
    if not columns or not fields:
        return
    said = [[_like(field, name, values[name], vocabulary, has_names=has_names) for field in fields] for name in columns]
    worth = np.array([[likeness for likeness, _ in row] for row in said])
    for row, place in zip(*linear_sum_assignment(-worth), strict=True):
        if worth[row, place] > _UNNAMED:
            found[fields[place]] = Role(columns[row], said[row][place][1])


def _like(field: str, name: str, values: pl.Series, vocabulary: Vocabulary, *, has_names: bool) -> tuple[float, str]:
    """Say how much a column is like a field, and why."""
    alike = LIKENESS[field](values)
    is_named = has_names and named(name) == field
    called = _NAMED - 0.01 * surest_first(name, field) if is_named else 0.0
    if field in KINDS:
        return _like_text(field, values, vocabulary, alike, called)
    if field in _PATTERNS:
        # What is called so and is not like it is something else.
        return (2 * alike + called / 2, f"{alike:.0%} of its values are like it") if alike > _TOLD else (0.0, "")
    if field == "platform_id":
        if alike > _TOLD:
            return 2 * alike + called / 2, f"{alike:.0%} of its values are like it"
        return (called / 2 + 0.1 * (1 - repeated(values)), "called so") if is_named else (0.0, "")
    if alike > SUGGESTED and field not in _ONLY_BY_NAME:
        return alike + called / 2, f"{alike:.0%} of its values are like it"
    if is_named and alike > 0:
        return called + alike, "called so, and its values may be"
    is_nameless = not has_names or not is_a_name(name)
    return (alike / 2, "its values may be") if is_nameless and field in _WITHOUT_A_NAME else (0.0, "")


def _like_text(field: str, values: pl.Series, vocabulary: Vocabulary, alike: float, called: float) -> tuple[float, str]:
    if alike < _TOLD:
        return 0.0, ""
    hits = {kind: vocabulary.hits(kind, values) for kind in KINDS}
    most = max(hits.values())
    if most < _HITS_MIN:
        return (called, "called so") if called else (0.05 if field == "album" else 0.1, "")
    # Of the names that are ours, how many more are of this kind than of the likeliest other.
    share = (hits[field] - max(each for kind, each in hits.items() if kind != field)) / most
    sure = min(1.0, most * len(values) / 20)
    why = f"{min(1.0, hits[field]):.0%} of its values are our {field}s" if hits[field] == most else "called so"
    return max(0.0, called + _HIT_WEIGHT * share * sure * (0.5 if field == "album" else 1.0)), why


def _unnamed_texts(values: Mapping[str, pl.Series], found: dict[str, Role]) -> None:
    if "title" in found or "path" in found or LINE in found:
        return
    taken = {role.column for role in found.values()}
    texts = [name for name, series in values.items() if name not in taken and LIKENESS["title"](series) > _TOLD]
    texts = sorted(texts, key=lambda name: repeated(values[name]))
    if texts:
        found["title"] = Role(texts[0], "text, and repeats itself least")
    if len(texts) > 1 and "artist" not in found:
        found["artist"] = Role(texts[-1], "text, and repeats itself most")


def _lines(values: Mapping[str, pl.Series], vocabulary: Vocabulary, found: dict[str, Role]) -> Roles:
    """See whether what there is of artist or title is both in one."""
    share = {name: dashed(series) for name, series in values.items()}
    column = max(share, key=share.__getitem__, default="")
    of = {field for field, role in found.items() if role.column == column}
    if LINE in found:
        column = found[LINE].column
    elif {"title", "artist"} <= set(found) or share.get(column, 0.0) < _DASHED or of - {"title", "artist", "album"}:
        return Roles(found)
    else:
        for field in of | ({"title"} & set(found)):
            del found[field]
        found[LINE] = Role(column, f"{share[column]:.0%} of its values are two things with a dash between them")
    left, right = halves(values[column]) if column in values else (pl.Series([""]), pl.Series([""]))
    as_said = vocabulary.hits("artist", left.drop_nulls()) + vocabulary.hits("title", right.drop_nulls())
    turned = vocabulary.hits("title", left.drop_nulls()) + vocabulary.hits("artist", right.drop_nulls())
    return Roles(found, title_first=turned > as_said)


def halves(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Cut texts at the first dash that has spaces about it; without one all of it is the second.

    Examples
    --------
    >>> [part.to_list() for part in halves(pl.Series(["Adele - Hello", "A - B - C", "Hello"]))]
    [['Adele', 'A', None], ['Hello', 'B - C', 'Hello']]
    """
    parts = values.str.extract_groups(r"^(?s)(?:(.*?)\s+[-\x{2010}-\x{2015}\x{2212}~|]\s+)?(.*)$").struct.unnest()
    return parts.to_series(0), parts.to_series(1)
