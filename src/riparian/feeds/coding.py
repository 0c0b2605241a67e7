"""From an operator's columns to coded accesses: the one way through the door, whatever the format.

A reader hands over a table of the operator's columns and a :class:`riparian.feeds.fields.Plan` that
says which is which.  Here times become microseconds, identifiers become codes, paths become actions
and recordings, and rows that are no fetch by an account are taken out and counted.

What is no fetch
----------------
``refused``            the status is 400 or above: nothing was delivered; with ``Door.refusals`` what was asked for
                       and met 429 or 503 stays, with its status, for whoever looks at what is asked for.  What
                       our own gate answered with a preview, or sent on with a fresh grant, is refused, too, whatever
                       its status
``not a fetch``        the method is HEAD or OPTIONS
``no known path``      no URL pattern fits the request
``other action``       the action is none of ours (a login, a pause)
``no account``         nobody is named: empty, ``-`` or null
``unknown session``    the sessions table has no account for it
``no recording``       something is played, but not said what
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts.agents import with_platforms
from riparian.codes import RECORDING_KEY, codes_of
from riparian.feeds.actions import NEED_RECORDING, actions_of
from riparian.feeds.fields import Plan
from riparian.feeds.geography import Geography
from riparian.feeds.patterns import Matched, Pattern, match_paths
from riparian.feeds.seen import Seen
from riparian.feeds.sessions import Sessions
from riparian.feeds.times import NO_TIME, times_us
from riparian.feeds.works import recording_ids
from riparian.schema import ACCESS, ACCESS_REQUIRED

_REFUSED_FROM: Final = 400
_REFUSALS: Final = (429, 503)
_BY_US: Final = ("evidence", "novelty", "parent", "rows", "limit", "person", "grant")
_NO_FETCH: Final = ("HEAD", "OPTIONS")
_CODED: Final = ("session", "device", "agent", "network", "route", "given_to")
_NUMBERS: Final = ("position_ms", "bytes", "rows", "media_ms", "status", "lat", "lon")
_TRUTHS: Final = ("heartbeat", "surfaced", "elevated")
_TRUE: Final = frozenset(("true", "t", "yes", "y", "1"))
_FALSE: Final = frozenset(("false", "f", "no", "n", "0"))
_LETTERS: Final = 2

Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Door:
    """What is needed to let a log in.

    Parameters
    ----------
    key
        The workspace's secret.
    patterns
        URL patterns, in order.
    sessions
        The sessions table in codes, when there is one.
    wanted
        Optional columns of ``ACCESS`` to give; None for all.
    refusals
        Let refused requests for a recording in, with their status.
    seen
        Accounts met so far in this reading.
    geography
        Where addresses are, when the operator has said how to know.
    """

    key: bytes
    patterns: Sequence[Pattern] = ()
    sessions: Sessions | None = None
    wanted: frozenset[str] | None = None
    refusals: bool = False
    seen: Seen = field(default_factory=Seen)
    geography: Geography | None = None

    @property
    def gives(self) -> frozenset[str]:
        """What need not stand in a column: see :func:`riparian.feeds.fields.recognise`."""
        found = {name for each in self.patterns for name in (*each.groups, *each.query.values())}
        return frozenset(found & {"account", "session"}) | (frozenset(("sessions",)) if self.sessions else frozenset())


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded table, and what was left out.

    Parameters
    ----------
    accesses
        Columns of ``ACCESS``.
    ids
        Accounts met for the first time.
    dropped
        Reason to count.
    bad : np.ndarray [shape=(m,)]
        Rows without a time; ``bad_because`` says why, row by row.
    """

    accesses: pa.Table
    ids: tuple[Codes, list[str]]
    dropped: Mapping[str, int]
    bad: npt.NDArray[np.int64]
    bad_because: Sequence[str]


def _column(table: pa.Table, plan: Plan, name: str) -> pa.ChunkedArray | None:
    return table.column(plan.columns[name]) if name in plan.columns else None


def _identifiers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_floating(kind):
        # Writers turn a column of integers with gaps into doubles.
        return pc.cast(values, pa.int64(), safe=False)
    if pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.chunked_array(
            [pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.large_string())]
        )
    return values


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _coded(values: pa.ChunkedArray, key: bytes) -> Codes:
    codes = codes_of(_identifiers(values), key)
    blank = codes_of(pa.array(["-", "null"]), key)
    codes[(codes == blank[0]) | (codes == blank[1])] = 0
    return codes


def _numbers(values: pa.ChunkedArray, name: str) -> pa.Array:
    kind = ACCESS.field(name).type
    series = pl.Series(values)
    if series.dtype in (pl.String, pl.Categorical):
        series = series.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    if not series.dtype.is_numeric():
        series = series.cast(pl.Float64, strict=False)
    if pa.types.is_integer(kind):
        info = np.iinfo(kind.to_pandas_dtype())
        if series.dtype.is_float():
            # 2**63 is a double that no int64 holds.
            low, high = float(info.min), float(np.nextafter(float(info.max), 0.0))
            series = series.fill_nan(None).clip(low, high).round().cast(pl.Int64, strict=False)
        series = series.clip(*_within(series.dtype, info))
    return series.to_arrow().cast(kind, safe=False)


def _within(dtype: pl.DataType, info: np.iinfo[Any]) -> tuple[int, int]:
    low, high = pl.select(dtype.min(), dtype.max().alias("max")).row(0)  # type: ignore[attr-defined]
    return max(int(info.min), int(low)), min(int(info.max), int(high))


def _by_word(values: pa.ChunkedArray, meaning: Any, kind: pa.DataType) -> pa.Array:
    coded = values.combine_chunks()
    coded = coded if pa.types.is_dictionary(coded.type) else pc.dictionary_encode(coded)
    words = [None if word is None else meaning(str(word)) for word in coded.dictionary.to_pylist()]
    return pa.array(words, kind).take(coded.indices)


def _truth(word: str) -> bool | None:
    low = word.strip().lower()
    return True if low in _TRUE else False if low in _FALSE else None


def _country(word: str) -> int | None:
    letters = word.strip().upper()
    if len(letters) != _LETTERS or not (letters.isascii() and letters.isalpha()):
        return None
    return ord(letters[0]) << 8 | ord(letters[1])


def _addresses(values: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = pc.cast(values, pa.large_string())
    if not pc.any(pc.match_substring_regex(texts, r"[,\]]|\d:\d+$")).as_py():
        return texts
    # The first of a list of forwarders; a port is not part of an address.
    first = pc.replace_substring_regex(texts, r"\s*,.*$", "")
    bare = pc.replace_substring_regex(first, r"^\[(.*)\](:\d+)?$", r"\1")
    return pc.replace_substring_regex(bare, r"^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1")


def _requests(table: pa.Table, plan: Plan) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None] | None:
    if "request" in plan.columns:
        fields = pl.Series(_column(table, plan, "request")).cast(pl.String).str.splitn(" ", 3).struct.unnest()
        return fields.to_series(1).to_arrow(), fields.to_series(0).to_arrow()
    path = _column(table, plan, "path")
    if path is None:
        return None
    query = _column(table, plan, "query")
    if query is not None:
        given = pc.and_kleene(pc.is_valid(query), pc.not_equal(pc.cast(query, pa.large_string()), "-"))
        given = pc.and_kleene(given, pc.not_equal(pc.cast(query, pa.large_string()), ""))
        whole = pc.binary_join_element_wise(
            pc.cast(path, pa.large_string()), pc.fill_null(pc.cast(query, pa.large_string()), _text("")), _text("?")
        )
        path = pc.if_else(given, whole, pc.cast(path, pa.large_string()))
    return path, _column(table, plan, "method")


def _times(table: pa.Table, plan: Plan) -> npt.NDArray[np.int64]:
    if "at" in plan.columns:
        return times_us(table.column(plan.columns["at"]), unit=plan.unit)
    date, time = (pc.cast(table.column(plan.columns[name]), pa.large_string()) for name in ("date", "time"))
    return times_us(pc.binary_join_element_wise(date, time, _text("T")))


def _why_no_time(table: pa.Table, plan: Plan, rows: npt.NDArray[np.int64]) -> list[str]:
    name = plan.columns["at"] if "at" in plan.columns else plan.columns["date"]
    values = table.column(name).take(pa.array(rows)).to_pylist()
    return [
        f"`{name}` is missing, wanted a time"
        if value is None or value == ""
        else f"`{name}` is `{str(value)[:40]}`, wanted a time"
        for value in values
    ]


@dataclass(slots=True)
class _Sieve:
    """Rows that stay, and why the others do not."""

    keep: npt.NDArray[np.bool_]
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, rows: npt.NDArray[np.bool_], reason: str) -> None:
        gone = int(np.count_nonzero(rows & self.keep))
        if gone:
            self.dropped[reason] += gone
            self.keep &= ~rows


def _is_in(values: pa.ChunkedArray, words: Sequence[str]) -> npt.NDArray[np.bool_]:
    answer: npt.NDArray[np.bool_] = np.asarray(
        pc.is_in(pc.cast(values, pa.large_string()), value_set=pa.array(words, pa.large_string()))
    )
    return answer


def _status(table: pa.Table, plan: Plan) -> pa.Array | None:
    values = _column(table, plan, "status")
    return None if values is None else _numbers(values, "status")


def _was_refused(status: pa.Array, *, but_for: Sequence[int] = ()) -> npt.NDArray[np.bool_]:
    told = status.fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray((told >= _REFUSED_FROM) & ~np.isin(told, but_for))


def _previews(table: pa.Table, plan: Plan, status: pa.Array) -> npt.NDArray[np.bool_]:
    # Where our own gate refuses and something is served all the same, it was a preview, or the way to a fresh grant:
    # nothing was had.
    because = _column(table, plan, "because")
    return np.zeros(len(table), np.bool_) if because is None else _is_in(because, _BY_US) & ~_was_refused(status)


def _spread(matched: Matched, name: str) -> pa.ChunkedArray:
    return pa.chunked_array([matched.columns[name]])


def code_table(table: pa.Table, plan: Plan, door: Door) -> Coded:
    """Code one table.

    Parameters
    ----------
    table
        The operator's columns.
    plan
        Which is which.
    door
        Key, patterns, sessions; its memory of accounts grows.
    """
    at = _times(table, plan)
    sieve = _Sieve(at != NO_TIME)
    bad = np.flatnonzero(~sieve.keep)
    because = _why_no_time(table, plan, bad) if bad.size else []
    status = _status(table, plan)
    if status is not None:
        sieve.drop(
            _was_refused(status, but_for=_REFUSALS if door.refusals else ()) | _previews(table, plan, status), "refused"
        )
    action = None
    given: dict[str, pa.ChunkedArray] = {}
    requests = _requests(table, plan)
    if requests is not None:
        paths, methods = requests
        if methods is not None:
            sieve.drop(_is_in(methods, _NO_FETCH), "not a fetch")
        table, at, status, sieve, action, given = _matched(table, at, status, sieve, paths, door)
    if "action" in plan.columns and requests is None:
        action = actions_of(table.column(plan.columns["action"]))
        sieve.drop(action == 0, "other action")
    account, names = _accounts(table, plan, door, given, sieve)
    recording = _recordings(table, plan, given)
    silent = recording == 0
    if silent.any():
        sieve.drop(silent if action is None else silent & np.isin(action, NEED_RECORDING), "no recording")
    if status is not None and door.refusals:
        is_vague = silent if action is None else silent | ~np.isin(action, NEED_RECORDING)
        sieve.drop(_was_refused(status) & is_vague, "refused")
    columns: dict[str, Any] = {"at_us": at, "account": account, "recording": recording}
    if action is not None:
        columns["action"] = action
    if status is not None and (door.refusals or _is_wanted("status", door)):
        columns["status"] = status
    columns.update(_optional(table, plan, door, given))
    accesses = _table_of(columns)
    if not sieve.keep.all():
        accesses = accesses.filter(pa.array(sieve.keep))
        account = account[sieve.keep]
    rows = door.seen.new_rows(account)
    kept = np.flatnonzero(sieve.keep)[rows] if rows.size and not sieve.keep.all() else rows
    return Coded(accesses, (account[rows], _names(names.take(pa.array(kept)))), dict(sieve.dropped), bad, because)


def _names(values: pa.ChunkedArray) -> list[str]:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [name.decode("utf-8", "replace") for name in values.to_pylist()]
    # Dictionaries are decoded first: turning them into Python values one by one is slow.
    return [str(name) for name in values.cast(pa.large_string()).to_pylist()]


def _matched(
    table: pa.Table,
    at: npt.NDArray[np.int64],
    status: pa.Array | None,
    sieve: _Sieve,
    paths: Any,
    door: Door,
) -> tuple[pa.Table, npt.NDArray[np.int64], pa.Array | None, _Sieve, npt.NDArray[np.uint8], dict[str, pa.ChunkedArray]]:
    # Only rows that are still in are matched: a refused request is refused, known path or not.
    rows = np.flatnonzero(sieve.keep)
    found = match_paths(door.patterns, pl.Series(paths).gather(rows).to_arrow())
    if found.unmatched:
        sieve.dropped["no known path"] += found.unmatched
    taken = rows[found.rows]
    given = {name: _spread(found, name) for name in found.columns}
    picked = pa.array(taken)
    return (
        table.take(picked),
        at[taken],
        None if status is None else status.take(picked),
        _Sieve(np.ones(taken.size, dtype=bool), sieve.dropped),
        found.action,
        given,
    )


def _accounts(
    table: pa.Table, plan: Plan, door: Door, given: Mapping[str, pa.ChunkedArray], sieve: _Sieve
) -> tuple[Codes, pa.ChunkedArray]:
    values = _column(table, plan, "account") if "account" in plan.columns else given.get("account")
    if values is not None:
        codes = _coded(values, door.key)
        sieve.drop(codes == 0, "no account")
        return codes, _identifiers(values)
    sessions = _column(table, plan, "session") if "session" in plan.columns else given.get("session")
    if sessions is None or door.sessions is None:
        sieve.drop(np.ones(table.num_rows, dtype=bool), "no account")
        return np.zeros(table.num_rows, dtype=np.uint64), pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    keys = _coded(sessions, door.key)
    sieve.drop(keys == 0, "no account")
    places = door.sessions.find(keys)
    sieve.drop(places < 0, "unknown session")
    joined = places >= 0
    codes = np.zeros(places.size, dtype=np.uint64)
    codes[joined] = door.sessions.accounts[places[joined]]
    return codes, pa.chunked_array([door.sessions.names.take(pa.array(places, mask=~joined))])


def _recordings(table: pa.Table, plan: Plan, given: Mapping[str, pa.ChunkedArray]) -> Codes:
    values = _column(table, plan, "recording") if "recording" in plan.columns else given.get("recording")
    if values is None and "title" in plan.columns:
        values = recording_ids(table.column(plan.columns["artist"]), table.column(plan.columns["title"]))
    return np.zeros(table.num_rows, dtype=np.uint64) if values is None else _coded(values, RECORDING_KEY)


def _is_wanted(name: str, door: Door) -> bool:
    return door.wanted is None or name in door.wanted


def _optional(table: pa.Table, plan: Plan, door: Door, given: Mapping[str, pa.ChunkedArray]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in ACCESS.names:
        if name in ACCESS_REQUIRED or name in ("action", "status") or not _is_wanted(name, door):
            continue
        values = _column(table, plan, name) if name in plan.columns else given.get(name)
        if values is None:
            continue
        if name in _CODED:
            values = _addresses(values) if name == "network" else values
            out[name] = _coded(values, door.key)
            if name == "agent":
                out[name] = with_platforms(out[name], values)
        elif name in _NUMBERS:
            out[name] = _numbers(values, name)
        elif name in _TRUTHS:
            plain = pa.types.is_boolean(values.type)
            out[name] = values if plain else _by_word(values, _truth, pa.bool_())
        else:
            out[name] = _by_word(values, _country, pa.uint16())
    return out | _whereabouts(table, plan, door, given)


def _whereabouts(table: pa.Table, plan: Plan, door: Door, given: Mapping[str, pa.ChunkedArray]) -> dict[str, pa.Array]:
    values = _column(table, plan, "network") if "network" in plan.columns else given.get("network")
    if values is None or door.geography is None:
        return {}
    spots = door.geography.spots(_addresses(values))
    columns = {
        "lat": pa.array(spots.lat, mask=np.isnan(spots.lat)),
        "lon": pa.array(spots.lon, mask=np.isnan(spots.lon)),
        "country": pa.array(spots.country, mask=spots.country == 0),
    }
    return {name: column for name, column in columns.items() if _is_wanted(name, door)}


def _table_of(columns: Mapping[str, Any]) -> pa.Table:
    fields = [ACCESS.field(name) for name in ACCESS.names if name in columns]
    arrays = [
        columns[each.name]
        if isinstance(columns[each.name], pa.Array | pa.ChunkedArray)
        else pa.array(columns[each.name])
        for each in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields))


def no_accesses() -> pa.Table:
    """Give an empty table of the required columns."""
    return _table_of(
        {"at_us": np.zeros(0, np.int64), "account": np.zeros(0, np.uint64), "recording": np.zeros(0, np.uint64)}
    )
