"""Which column says what?  Recognised by value; a name only chooses among columns whose values fit.

A column can be a field when nearly all its values look like that field: a time reads as a time, a
status is a number from 100 to 599, a path begins with a slash.  Among columns that fit, the one
whose name is closest to the field's synonyms is taken.  An account or recording that no name
tells is taken only when exactly one column can be it; otherwise the operator is asked.

``--map field=column`` comes before everything and is not questioned.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from riparian.errors import InputError
from riparian.feeds.actions import action_of
from riparian.feeds.times import NO_TIME, times_us, unit_of

SAMPLE_ROWS: Final = 1_000
_FITS_SHARE: Final = 0.9
_SHOWN_MAX: Final = 24
_REPEATS_FROM: Final = 20
_REPEATS_SHARE: Final = 0.8

Values = Sequence[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each field stands in one log: field to column."""

    columns: Mapping[str, str]
    unit: str = ""


def _all(pattern: str) -> Callable[[Values], bool]:
    compiled = re.compile(pattern)
    return lambda values: sum(compiled.fullmatch(value) is not None for value in values) >= _FITS_SHARE * len(values)


def _is_time(values: Values) -> bool:
    read = times_us(pa.array(values, pa.large_string()))
    return bool((read != NO_TIME).sum() >= _FITS_SHARE * len(values))


def _is_number_in(low: float, high: float) -> Callable[[Values], bool]:
    def fits(values: Values) -> bool:
        try:
            return all(low <= float(value) <= high for value in values)
        except ValueError:
            return False

    return fits


def _is_action(values: Values) -> bool:
    return sum(action_of(value) > 0 for value in values) >= len(values) / 2


_is_id = _all(r"[^\s]{1,200}")
_is_address = _all(r"\[?[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*\]?(:\d+)?(\s*,.*)?|[0-9a-f]{8,64}")
_anything: Callable[[Values], bool] = bool
_number = _is_number_in(-(2.0**62), 2.0**62)


@dataclass(frozen=True, slots=True)
class _Field:
    names: tuple[str, ...]
    fits: Callable[[Values], bool]


# Names are compared without case and punctuation; the earlier name wins.
_NAMES: Final[Mapping[str, str]] = {
    "at": "at atus atms atns timestamp ts time datetime eventtime timelocal timeiso8601 starttime playedat endtime"
    " msec date timestampus timestampms timestampns tsms tsus eventtimestamp occurredat loggedat utc",
    "date": "date",
    "time": "time",
    "account": "account accountid userid user uid customerid customer subscriberid subscriber listenerid listener"
    " memberid member profileid profile username remoteuser csusername xaccountid xuserid accountcode sub login",
    "session": "session sessionid sid playbackid playbacksession playsession visitid visit cmcdsid xsessionid",
    "recording": "recording recordingid trackid track songid song itemid item assetid asset contentid content isrc"
    " mediaid media trackuri episodeid episode audioid musicid videoid spotifytrackuri",
    "artist": "artistname artist performer",
    "title": "trackname tracktitle title track songname",
    "request": "request requestline csrequest",
    "path": "path requestpath xenvoyoriginalpath uri requesturi csuristem url requesturl target httppath",
    "query": "csuriquery query querystring args",
    "method": "method requestmethod csmethod httpmethod verb",
    "action": "action event eventtype eventname type kind",
    "status": "status statuscode scstatus responsecode httpstatus responsestatus code",
    "because": "because xriparianbecause",
    "position_ms": "positionms position playheadms offsetms",
    "media_ms": "mediams msplayed playedms playms",
    "heartbeat": "heartbeat",
    "bytes": "bytes bodybytessent bytessent scbytes responsebytes responsesize size",
    "rows": "rows rowcount resultcount results nresults",
    "device": "device deviceid clientid playerid",
    "agent": "agent useragent httpuseragent csuseragent ua",
    "network": "network ip ipaddress clientip cip remoteaddr downstreamremoteaddress address xforwardedfor",
    "country": "country countrycode cc geo geocountry market conncountry",
    "lat": "lat latitude",
    "lon": "lon lng long longitude",
    "route": "route routename tenant apikey",
    "surfaced": "surfaced recommended",
    "given_to": "givento handleowner handleaccount issuedto",
    "elevated": "elevated iselevated",
}

_FITS: Final[Mapping[str, Callable[[Values], bool]]] = {
    "at": _is_time,
    "date": _all(r"\d{4}-\d\d-\d\d"),
    "time": _all(r"\d\d:\d\d(:\d\d(\.\d+)?)?"),
    "account": _is_id,
    "session": _is_id,
    "recording": _anything,
    "artist": _anything,
    "title": _anything,
    "request": _all(r"[A-Z]{3,10} \S+( HTTP/[\d.]+)?"),
    "path": _all(r"(/|https?://).*"),
    "query": _anything,
    "method": _all(r"[A-Z]{3,10}"),
    "action": _is_action,
    "status": _is_number_in(0, 999),
    "because": _all("none|evidence|novelty|parent|rows|limit|person|degraded|grant"),
    "position_ms": _number,
    "media_ms": _number,
    "heartbeat": _all(r"(?i)true|false|yes|no|t|f|[01]"),
    "bytes": _number,
    "rows": _number,
    "device": _anything,
    "agent": _anything,
    "network": _is_address,
    "country": _all(r"[A-Za-z]{2}"),
    "lat": _is_number_in(-90, 90),
    "lon": _is_number_in(-180, 360),
    "route": _anything,
    "surfaced": _all(r"(?i)true|false|yes|no|t|f|[01]"),
    "given_to": _is_id,
    "elevated": _all(r"(?i)true|false|yes|no|t|f|[01]"),
}
FIELDS: Final = tuple(_NAMES)
"""What a column can be; these are the fields of ``--map field=column``."""

_BLANK: Final = frozenset(("", "-", "null", "None"))
_RECORDING_SHAPE: Final = re.compile(
    r"[A-Z]{2}[A-Z0-9]{3}\d{7}|[0-9A-Za-z]{22}|\w+:(track|episode):\S+|(tr|rec|track|song|r)[-_:]?\d+"
)
_ACCOUNT_SHAPE: Final = re.compile(
    r"[^\s@]+@[^\s@]+\.\w+|(u|user|acct|account|acc|a|member|cust|customer|listener)[-_:]?\d+"
)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower() if "." in name else name.lower())


def _given(values: Sequence[str | None]) -> list[str]:
    return [value for value in values if value is not None and value not in _BLANK]


def _by_name(name: str, sample: Mapping[str, list[str]], taken: Sequence[str]) -> str | None:
    plain = {column: _plain(column) for column in sample if column not in taken}
    for synonym in _NAMES[name].split():
        for column, short in plain.items():
            if short == synonym and sample[column] and _FITS[name](sample[column]):
                return column
    return None


def _repeats(values: Values) -> bool:
    return len(values) < _REPEATS_FROM or len(set(values)) <= _REPEATS_SHARE * len(values)


def _shaped(shape: re.Pattern[str], values: Values) -> bool:
    return sum(shape.fullmatch(value) is not None for value in values) >= _FITS_SHARE * len(values)


def _by_value(name: str, sample: Mapping[str, list[str]], taken: Sequence[str]) -> str | None:
    free = {column: values for column, values in sample.items() if column not in taken and values}
    if name == "at":
        found = [column for column, values in free.items() if _is_time(values)]
    elif name == "path":
        found = [column for column, values in free.items() if _FITS["path"](values)]
    elif name == "request":
        found = [column for column, values in free.items() if _FITS["request"](values)]
    else:
        mine, other = (_ACCOUNT_SHAPE, _RECORDING_SHAPE) if name == "account" else (_RECORDING_SHAPE, _ACCOUNT_SHAPE)
        ids = {
            column: values
            for column, values in free.items()
            if _is_id(values) and not _number(values) and not _is_address(values) and not _shaped(other, values)
        }
        ids = {column: values for column, values in ids.items() if len(set(values)) > 1 or len(values) == 1}
        shaped = [column for column, values in ids.items() if _shaped(mine, values)]
        found = shaped or [column for column, values in ids.items() if name != "account" or _repeats(values)]
    return found[0] if len(found) == 1 or (found and name == "at") else None


def check_map(mapping: Mapping[str, str]) -> None:
    """Refuse a ``--map`` whose field does not exist.

    Raises
    ------
    InputError
        Names the field that comes nearest.
    """
    for name in mapping:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, 1)
            hint = f"Write --map {near[0]}=..." if near else f"The fields are {', '.join(FIELDS)}."
            raise InputError(f"`{name}` is no field, wanted one of the fields of an access", hint=hint)


def _mask(values: list[str]) -> str:
    if not values:
        return "always empty"
    value = values[0]
    if _is_time(values) or _FITS["status"](values) or _FITS["method"](values):
        return value[:_SHOWN_MAX]
    if value.startswith("/"):
        return value.partition("?")[0][:_SHOWN_MAX]
    return f"{value[:1]}..., {len(value)} characters"


def _likely(name: str, sample: Mapping[str, list[str]]) -> str:
    """Guess a column for the hint: a time, what comes again for an account, what repeats least for a recording."""
    times = [column for column, values in sample.items() if _is_time(values)]
    others = [column for column in sample if column not in times]
    if name == "at":
        named = [column for column in sample if any(word in column.lower() for word in ("when", "time", "date"))]
        return next(iter(times or named or others), "")
    fresh = {column: len(set(sample[column])) / len(sample[column]) for column in others}
    if name == "account":
        return next((column for column in others if 1 < len(set(sample[column])) < len(sample[column])), "")
    return max(fresh, key=fresh.__getitem__, default="")


def _missing(
    name: str, sample: Mapping[str, list[str]], source: str, *, taken: frozenset[str] = frozenset()
) -> InputError:
    found = ", ".join(f"`{column}` ({_mask(values)})" for column, values in sample.items())
    what = {"recording": "`recording` and no request path"}.get(name, f"`{name}`")
    guess = _likely(name, {c: values for c, values in sample.items() if values and c not in taken}) or "COLUMN"
    return InputError(
        f"no {what} found in `{source}`, wanted `at`, `account` and a `recording` or a request path;"
        f" the columns are {found or 'none'}",
        hint=f"Name it with --map {name}=COLUMN, for example --map {name}={guess}",
    )


def recognise(
    sample: Mapping[str, Sequence[str | None]],
    *,
    source: str,
    mapping: Mapping[str, str],
    given: frozenset[str] = frozenset(),
    wanted: frozenset[str] | None = None,
) -> Plan:
    """Say which column is which field.

    Parameters
    ----------
    sample
        Column to some of its values, as text.
    source
        Named in the error.
    mapping
        What the operator said: field to column.
    given
        What else is at hand: ``sessions`` when a table of sessions will turn a session into an account,
        ``account`` and ``session`` when URL patterns find them in the path.
    wanted
        Optional columns of ``ACCESS`` to look for; None for all.

    Raises
    ------
    InputError
        When a field that is needed cannot be told, or a column of the mapping does not exist.

    Examples
    --------
    >>> sample = {"when": ["2025-01-01T00:00:00Z"], "who": ["acct-1"], "what": ["GBAYE0601498"]}
    >>> recognise(sample, source="x.csv", mapping={}).columns
    {'at': 'when', 'account': 'who', 'recording': 'what'}
    """
    check_map(mapping)
    values = {column: _given(some) for column, some in sample.items()}
    for name, column in mapping.items():
        if column not in values:
            raise InputError(
                f"`{source}` has no column `{column}`, wanted one for `{name}`; the columns are "
                + ", ".join(f"`{each}`" for each in values),
                hint=f"Correct --map {name}={column}",
            )
    columns = dict(mapping)
    _find_needed(columns, values, given=given)
    for name in ("at", "account", "recording"):
        if name not in columns and not _stands_in(name, columns, given=given):
            raise _missing(name, values, source, taken=frozenset(columns.values()))
    for name in FIELDS:
        if name not in columns and name not in _NEEDED and (wanted is None or name in wanted or name in _ALWAYS):
            found = _by_name(name, values, tuple(columns.values()))
            if found is not None:
                columns[name] = found
    return Plan(columns, unit_of(columns.get("at", "")))


_NEEDED: Final = (
    "at", "date", "time", "account", "session", "recording", "request", "path", "query", "artist", "title"
)  # fmt: skip
_ALWAYS: Final = ("action", "status", "because", "method", "query")


def _stands_in(name: str, columns: Mapping[str, str], *, given: frozenset[str]) -> bool:
    if name == "at":
        return "date" in columns and "time" in columns
    if name == "account":
        found = "session" in columns or "session" in given
        return "account" in given or ("sessions" in given and found)
    return "path" in columns or "request" in columns or ("artist" in columns and "title" in columns)


def _find_needed(columns: dict[str, str], values: Mapping[str, list[str]], *, given: frozenset[str]) -> None:
    if "at" not in columns and not _stands_in("at", columns, given=given):
        pair = {name: _by_name(name, values, ()) for name in ("date", "time")}
        if pair["date"] and pair["time"]:
            columns.update({name: column for name, column in pair.items() if column})
    for name in ("at", "session", "account", "recording", "request", "path", "query", "artist", "title"):
        if name in columns or (name == "at" and _stands_in("at", columns, given=given)):
            continue
        if name == "account" and _stands_in(name, columns, given=given):
            continue
        column = _by_name(name, values, tuple(columns.values()))
        if column is not None:
            columns[name] = column
    for name in ("at", "request", "path"):
        has = name in columns or _stands_in(name, columns, given=given) or (name != "at" and "recording" in columns)
        found = None if has else _by_value(name, values, tuple(columns.values()))
        if found is not None:
            columns[name] = found
    for name in ("account", "recording"):
        if name not in columns and not _stands_in(name, columns, given=given):
            column = _by_value(name, values, tuple(columns.values()))
            if column is not None:
                columns[name] = column
    _keep_one_way(columns)


def _keep_one_way(columns: dict[str, str]) -> None:
    # One way to the recording: its identifier, else the request, else the path, else artist and title.
    ways = (("recording",), ("request",), ("path", "query"), ("artist", "title"))
    chosen = next((way for way in ways if way[0] in columns), ())
    for way in ways:
        for name in way:
            if name not in chosen:
                columns.pop(name, None)
