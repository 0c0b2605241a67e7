"""Which request is a fetch of which recording?

A pattern turns a request path into an action, a recording and whatever else the path tells.  The
language is that of ``patterns.toml`` beside this module, which holds the shipped examples: templates
with ``{fields}``, or regular expressions with named groups, tried in order; the first that fits wins.
A request that none fits is no fetch; it is counted and passed over.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from riparian.errors import InputError
from riparian.feeds.actions import action_of

FIELDS: Final = (
    "recording",
    "recordings",
    "account",
    "session",
    "route",
    "number",
    "position_ms",
    "media_ms",
    "rows",
)
_KEYS: Final = frozenset(("name", "path", "regex", "has", "query", "action", "media_ms", "example"))
_TOKEN: Final = re.compile(r"/\*\*/|\*\*|\*|\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of request; every path of it contains one of the texts in ``has``, when there are any."""

    name: str
    regex: str
    action: int
    query: Mapping[str, str] = field(default_factory=dict)
    media_ms: int | None = None
    has: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Fields that the path itself gives."""
        return tuple(re.compile(self.regex).groupindex)


@dataclass(frozen=True, slots=True)
class Matched:
    """What the paths of one chunk say.

    Parameters
    ----------
    rows : np.ndarray [shape=(m,), int64]
        Which request each access comes from, ascending; a request for several recordings comes several times.
    action : np.ndarray [shape=(m,), uint8]
    columns
        Field to strings [shape=(m,)], null where the request does not say.
    unmatched
        Requests that no pattern knows.
    """

    rows: npt.NDArray[np.int64]
    action: npt.NDArray[np.uint8]
    columns: Mapping[str, pa.Array]
    unmatched: int


def _regex_of(template: str) -> str:
    # Any folders before and none behind: a match that may begin anywhere says the same, three times as fast.
    anywhere = template.startswith("/**/") and template.count("**") == 1
    template = template.removeprefix("/**") if anywhere else template
    parts = [] if anywhere else ["^"]
    place = 0
    for token in _TOKEN.finditer(template):
        parts.append(re.escape(template[place : token.start()]))
        text = token.group()
        if text == "/**/":
            parts.append("/(?:.*/)?")
        elif text == "**":
            parts.append(".*")
        elif text == "*":
            parts.append("[^/]*")
        else:
            inner = r"\d+" if token.group(1) == "number" else "[^/]+?"
            parts.append(f"(?P<{token.group(1)}>{inner})")
        place = token.end()
    return "".join([*parts, re.escape(template[place:]), "$"])


def _literals(template: str) -> tuple[str, ...]:
    # What stands between the fields; the slashes around ``/**/`` may be one and the same.
    longest = max((part.strip("/") for part in re.split(r"\*+|\{\w+\}", template)), key=len, default="")
    return (longest,) if longest else ()


def _pattern(entry: Mapping[str, Any], source: str) -> Pattern:
    name = str(entry.get("name", entry.get("path", entry.get("regex", "?"))))
    where = f"pattern `{name}` in `{source}`"
    if unknown := set(entry) - _KEYS:
        raise InputError(
            f"{where} has the key `{min(unknown)}`, wanted one of {', '.join(sorted(_KEYS))}",
            hint="Correct the key.",
        )
    if ("path" in entry) == ("regex" in entry):
        raise InputError(f"{where} has {'both' if 'path' in entry else 'neither'}, wanted `path` or `regex`")
    regex = str(entry["regex"]) if "regex" in entry else _regex_of(str(entry["path"]))
    try:
        groups = set(re.compile(regex).groupindex)
        pl.Series([""]).str.contains(regex)
    except (re.error, pl.exceptions.PolarsError) as error:
        raise InputError(f"{where} is no regular expression: {error}", hint="Look-around is not supported.") from error
    query = {str(key): str(value) for key, value in dict(entry.get("query", {})).items()}
    if strange := (groups | set(query.values())) - set(FIELDS):
        raise InputError(
            f"{where} names `{min(strange)}`, wanted one of {', '.join(FIELDS)}", hint="Correct the field."
        )
    action = action_of(str(entry.get("action", "")))
    if not action:
        raise InputError(f"{where} has the action `{entry.get('action')}`, wanted one of ours, such as play")
    media_ms = int(entry["media_ms"]) if "media_ms" in entry else None
    has = tuple(map(str, entry["has"])) if "has" in entry else _literals(str(entry.get("path", "")))
    pattern = Pattern(name, regex, action, query, media_ms, has)
    if "example" in entry and match_paths([pattern], pa.array([str(entry["example"])])).unmatched:
        raise InputError(f"{where} does not fit its own example `{entry['example']}`", hint="Correct one of them.")
    return pattern


def parse_patterns(text: str, source: str) -> tuple[Pattern, ...]:
    r"""Read patterns from TOML.

    Raises
    ------
    InputError
        When it is not TOML, a key or field is unknown, or a pattern does not fit its own example.

    Examples
    --------
    >>> toml = '[[pattern]]\npath = "/get/{recording}"\naction = "play"\nexample = "/get/r1"'
    >>> parse_patterns(toml, "mine.toml")[0].regex
    '^/get/(?P<recording>[^/]+?)$'
    """
    try:
        entries = tomllib.loads(text).get("pattern", [])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"`{source}` is not TOML: {error}", hint="Correct the file.") from error
    return tuple(_pattern(entry, source) for entry in entries)


def shipped_patterns() -> tuple[Pattern, ...]:
    """Give the patterns that come with Riparian."""
    text = resources.files("riparian.feeds").joinpath("patterns.toml").read_text(encoding="utf-8")
    return parse_patterns(text, "patterns.toml")


def _decoded(values: pl.Series) -> pl.Series:
    if not values.str.contains("%", literal=True).any():
        return values
    distinct = values.drop_nulls().unique()
    return values.replace_strict(distinct, pl.Series([unquote(value) for value in distinct]), default=None)


def _frame_of(pattern: Pattern, rows: npt.NDArray[np.int64], paths: pl.Series, queries: pl.Series) -> pl.DataFrame:
    out: dict[str, pl.Series] = {"row": pl.Series(rows)}
    if pattern.groups:
        found = paths.str.extract_groups(pattern.regex).struct.unnest()
        out.update({name: found[name] for name in pattern.groups})
    for parameter, name in pattern.query.items():
        value = queries.str.extract(rf"(?:^|[?&]){re.escape(parameter)}=([^&#]*)")
        out[name] = value if name not in out else out[name].fill_null(value)
    for name in ("recording", "recordings", "account", "session", "route"):
        if name in out:
            out[name] = _decoded(out[name])
    frame = pl.DataFrame(out).with_columns(pl.lit(pattern.action, pl.UInt8).alias("action"))
    if pattern.media_ms is not None:
        frame = frame.with_columns(pl.lit(str(pattern.media_ms)).alias("media_ms"))
        if "number" in out:
            at = pl.col("number").cast(pl.Int64, strict=False) * pattern.media_ms
            frame = frame.with_columns(at.cast(pl.String).alias("position_ms"))
    if "recordings" in out:
        several = pl.col("recordings").is_not_null() & (pl.col("recordings") != "")
        frame = frame.with_columns(
            pl.when(several)
            .then(pl.lit("1"))
            .otherwise(pl.col("rows") if "rows" in frame.columns else None)
            .alias("rows"),
            pl.col("recordings").str.split(",").alias("recording"),
        ).explode("recording")
    return frame.drop([name for name in ("number", "recordings") if name in frame.columns])


def _fits(pattern: Pattern, paths: pl.Series) -> npt.NDArray[np.bool_]:
    if not pattern.has:
        return paths.str.contains(pattern.regex).to_numpy()
    # Looking for a text is far cheaper than an expression, and rules out most paths.
    hit = paths.str.contains_any(list(pattern.has)).to_numpy().copy()
    rows = np.flatnonzero(hit)
    hit[rows] = paths.gather(rows).str.contains(pattern.regex).to_numpy()
    return hit


def match_paths(patterns: Sequence[Pattern], paths: pa.Array | pa.ChunkedArray) -> Matched:
    """Match request paths, the first pattern that fits.

    Parameters
    ----------
    patterns
        In order of preference.
    paths : [shape=(n,)]
        Paths with their query, or whole addresses.

    Examples
    --------
    >>> found = match_paths(shipped_patterns(), pa.array(["/hls/r1/seg_3.ts", "/v1/tracks?ids=r1,r2", "/logo.png"]))
    >>> found.rows.tolist(), found.columns["recording"].to_pylist(), found.unmatched
    ([0, 1, 1], ['r1', 'r1', 'r2'], 1)
    """
    whole = pl.Series("path", paths).cast(pl.String)
    if whole.str.contains("://", literal=True).any():
        whole = whole.str.replace(r"^https?://[^/?#]*", "")
    if whole.str.contains("#", literal=True).any():
        whole = whole.str.replace("#.*$", "")
    parts = whole.str.splitn("?", 2).struct.unnest()
    path, query = parts.to_series(0), parts.to_series(1).fill_null("")
    left = np.flatnonzero(path.is_not_null().to_numpy())
    frames = []
    for pattern in patterns:
        if not left.size:
            break
        hit = _fits(pattern, path.gather(left))
        if hit.any():
            rows = left[hit]
            frames.append(_frame_of(pattern, rows, path.gather(rows), query.gather(rows)))
            left = left[~hit]
    if not frames:
        return Matched(np.zeros(0, np.int64), np.zeros(0, np.uint8), {}, len(whole))
    frame = pl.concat(frames, how="diagonal_relaxed").sort("row", maintain_order=True)
    matched = int(frame["row"].n_unique())
    columns = {name: frame[name].to_arrow() for name in frame.columns if name not in ("row", "action")}
    return Matched(frame["row"].to_numpy(), frame["action"].to_numpy(), columns, len(whole) - matched)
