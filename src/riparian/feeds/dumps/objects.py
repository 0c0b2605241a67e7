"""What are the rows of JSON: one object a line, an array of them, or an array somewhere inside one object?

Objects inside objects become columns with a path for a name (``track.album.name``); of lists, the values at the same
path are joined.  An array is read object by object, so that a file of any size needs the memory of one.
"""

import json
import re
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, Final

from riparian.feeds.dumps.lines import Lines
from riparian.feeds.dumps.naming import named
from riparian.feeds.dumps.sheets import BATCH_ROWS, COLUMNS_MAX, SHOWN_CHARS, Batch, Reject, Sheet, framed
from riparian.feeds.dumps.streams import Stream

JOINED: Final = "; "
OBJECT_CHARS_MAX: Final = 1 << 20
_BETWEEN_CHARS: Final = 4096
_SEARCHED: Final = 4
_DEPTH_MAX: Final = 8
_LISTED_MAX: Final = 32
_ARRAY: Final = re.compile(r"\[\s*\{")
_decode: Final = json.JSONDecoder(strict=False).raw_decode
_whole: Final = json.JSONDecoder(strict=False).decode


def is_json(head: str) -> bool:
    """Say whether a text begins as JSON does that could hold rows.

    Examples
    --------
    >>> is_json('{"title": "Hello"}'), is_json("[ {"), is_json("[Live] Hello"), is_json("{Hello}")
    (True, True, False, False)
    """
    return re.match(r"\s*(\{\s*[\"}]|\[\s*[\[{\]])", head) is not None


def is_lines(head: str) -> bool:
    """Say whether it is one object a line."""
    first, _, rest = head.lstrip().partition("\n")
    try:
        return isinstance(json.loads(first), dict) and (not rest or rest.lstrip().startswith("{"))
    except (ValueError, RecursionError):
        return False


def flat(value: Any) -> dict[str, str]:
    """Write an object as paths and text.

    Examples
    --------
    >>> flat({"name": "Hello", "artists": [{"name": "A"}, {"name": "B"}], "ms": 7, "no": None})
    {'name': 'Hello', 'artists.name': 'A; B', 'ms': '7'}
    """
    found: dict[str, str] = {}
    _flatten(value, "", found, _DEPTH_MAX)
    return found


def _flatten(value: Any, path: str, found: dict[str, str], depth: int) -> None:
    if isinstance(value, dict) and depth:
        for name, inner in islice(value.items(), COLUMNS_MAX):
            if isinstance(inner, str) and not path and name not in found:
                found[name] = inner
                continue
            _flatten(inner, f"{path}.{name}" if path else str(name), found, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value[:_LISTED_MAX]:
            _flatten(inner, path, found, depth - 1)
    elif value is not None and not isinstance(value, dict | list):
        text = value if isinstance(value, str) else str(value)
        found[path] = f"{found[path]}{JOINED}{text}" if path in found else text


def line_sheet(source: str, lines: Lines) -> Sheet:
    """Read one object a line."""
    return Sheet(source, "JSON lines", _batches(_from_lines(source, lines)))


def _from_lines(source: str, lines: Lines) -> Iterator[dict[str, str] | Reject]:
    for number, line in enumerate(lines, 1):
        bare = line.strip().rstrip(",")
        if bare and bare not in {"[", "]"}:
            try:
                value = _whole(bare)
            except (ValueError, RecursionError):
                yield Reject(source, number, "no JSON", bare[:SHOWN_CHARS])
                continue
            yield flat(value) if isinstance(value, dict) else Reject(source, number, "no object", bare[:SHOWN_CHARS])
        yield from (Reject(source, n, "a line that is too long", text[:SHOWN_CHARS]) for n, text in lines.cut)
        lines.cut.clear()


def document_sheet(source: str, stream: Stream) -> Sheet:
    """Read an array of objects, or the first such array inside an object."""
    return Sheet(source, "JSON", _batches(_from_array(source, _texts(stream))))


def _texts(stream: Stream) -> Iterator[str]:
    carried = b""
    for block in stream.blocks():
        octets = carried + block
        # A letter may lie across two blocks.
        end = len(octets)
        while end and end > len(octets) - 4 and octets[end - 1] & 0xC0 == 0x80:
            end -= 1
        if end and octets[end - 1] & 0x80:
            end -= 1
        yield octets[:end].decode("utf-8", "replace")
        carried = octets[end:]
    yield carried.decode("utf-8", "replace")


def _from_array(source: str, texts: Iterator[str]) -> Iterator[dict[str, str] | Reject]:
    buffer = ""
    for text in texts:
        buffer += text
        if len(buffer) > OBJECT_CHARS_MAX:
            break
    else:
        yield from _from_whole(source, buffer)
        return
    found_any = False
    while buffer:
        found = _ARRAY.search(buffer)
        if found:
            found_any = True
            buffer = yield from _objects(source, buffer[found.end() - 1 :], texts)
        else:
            # What is between arrays is as long as a header, or there are no rows in it.
            more = next(texts, "")
            buffer = buffer[-_BETWEEN_CHARS:] + more if more else ""
    if not found_any:
        yield Reject(source, 0, "JSON without an array of objects")


def _from_whole(source: str, text: str) -> Iterator[dict[str, str] | Reject]:
    try:
        value = json.loads(text, strict=False)
        rows = _rows(value, _SEARCHED)
    except (ValueError, RecursionError):
        # It breaks off, perhaps: what is whole in it is read.
        found = _ARRAY.search(text)
        if found:
            yield from _objects(source, text[found.end() - 1 :], iter(()))
        else:
            yield Reject(source, 1, "no JSON", text[:SHOWN_CHARS])
        return
    yield from map(flat, rows)


def _rows(value: Any, depth: int) -> list[dict[str, Any]]:
    """List the objects of a document that are rows: the most numerous that lie side by side."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    if not isinstance(value, dict):
        return []
    if any(isinstance(each, str) and named(name) == "title" for name, each in value.items()):
        return [value]
    if len(value) > 1 and all(isinstance(each, dict) for each in value.values()):
        return list(value.values())
    inside = [_rows(each, depth - 1) for each in value.values()] if depth else []
    return max(inside, key=len, default=[]) or [value]


def _objects(source: str, buffer: str, texts: Iterator[str]) -> Generator[dict[str, str] | Reject, None, str]:
    """Give the objects of an array whose beginning was found; returns the text behind it."""
    at, place = 0, 0
    while True:
        while place < len(buffer) and buffer[place] in ", \t\r\n":
            place += 1
        if place < len(buffer) and buffer[place] == "]":
            return buffer[place + 1 :]
        try:
            value, place = _decode(buffer, place)
        except RecursionError:
            yield Reject(source, at + 1, "objects too deep in one another", buffer[place : place + SHOWN_CHARS])
            return ""
        except ValueError:
            more = next(texts, "")
            if not more or len(buffer) - place > OBJECT_CHARS_MAX + len(more):
                yield Reject(source, at + 1, "no JSON from here on", buffer[place : place + SHOWN_CHARS])
                return ""
            buffer, place = buffer[place:] + more, 0
            continue
        at += 1
        yield flat(value) if isinstance(value, dict) else Reject(source, at, "no object", str(value)[:SHOWN_CHARS])


def _batches(rows: Iterator[dict[str, str] | Reject]) -> Iterator[Batch]:
    while some := list(islice(rows, BATCH_ROWS)):
        kept = [row for row in some if isinstance(row, dict)]
        names = list(dict.fromkeys(name for row in kept for name in row))[:COLUMNS_MAX]
        columns = {name: [row.get(name) for row in kept] for name in names}
        yield Batch(framed(columns), tuple(row for row in some if isinstance(row, Reject)))
