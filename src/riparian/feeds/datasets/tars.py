"""What are the items of a WebDataset tar?

Files of one item stand together and share a name up to its first dot: ``0001.json`` says what ``0001.mp3`` is.  What
says something is read; sound gives its digest; nothing is written to disk.

Source
------
WebDataset, *The WebDataset format* (naming of samples in tar files).
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

import polars as pl
import pyarrow as pa

from riparian.feeds.datasets.items import Items
from riparian.feeds.dumps.members import is_sound
from riparian.feeds.dumps.streams import Stream
from riparian.feeds.dumps.tars import tar_members
from riparian.feeds.dumps.vocabulary import Vocabulary

_BATCH_ITEMS: Final = 8_192
_SAID_BYTES_MAX: Final = 1 << 20
_CELL_CHARS: Final = 4_096
_CELLS_MAX: Final = 256
_TEXTS: Final = (".txt", ".cls", ".caption")


def tar_items(
    stream: Stream, vocabulary: Vocabulary, said: dict[str, str], first: int, *, with_digests: bool
) -> Iterator[pa.Table]:
    """Give the items of a tar."""
    made: Items | None = None
    samples = _samples(stream, with_digests=with_digests)
    while some := _some(samples):
        names = list(dict.fromkeys(name for sample in some for name in sample))[:_CELLS_MAX]
        frame = pl.DataFrame(
            {name: pl.Series(name, [sample.get(name) for sample in some], dtype=pl.String) for name in names}
        )
        made = made or Items(frame, vocabulary, {"path": "path", **said})
        items = made.items(frame, first)
        first += items.num_rows
        yield items


def _some(samples: Iterator[dict[str, str]]) -> list[dict[str, str]]:
    found = []
    for sample in samples:
        found.append(sample)
        if len(found) == _BATCH_ITEMS:
            break
    return found


def _samples(stream: Stream, *, with_digests: bool) -> Iterator[dict[str, str]]:
    key = None
    sample: dict[str, str] = {}
    for name, inner in tar_members(stream):
        folder, slash, base = name.rpartition("/")
        stem, _, ending = base.partition(".")
        if f"{folder}{slash}{stem}" != key:
            if sample:
                yield sample
            key, sample = f"{folder}{slash}{stem}", {}
        sample |= _said(name, f".{ending.lower()}", inner, with_digests=with_digests)
    if sample:
        yield sample


def _said(name: str, ending: str, inner: Stream, *, with_digests: bool) -> dict[str, str]:
    if is_sound(name):
        said = {"path": name[:_CELL_CHARS]}
        if with_digests:
            digest = hashlib.sha256()
            for block in inner.blocks():
                digest.update(block)
            if not inner.broken:
                said["sha256"] = digest.hexdigest()
        return said
    if ending.endswith(".json"):
        return _flat(inner.read(_SAID_BYTES_MAX))
    if ending.endswith(_TEXTS):
        return {ending[1:]: inner.read(_CELL_CHARS).decode("utf-8", "replace").strip()}
    return {}


def _flat(octets: bytes) -> dict[str, str]:
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, str] = {}

    def walk(value: Any, name: str, depth: int) -> None:
        if isinstance(value, dict) and depth:
            for inner, each in value.items():
                walk(each, f"{name}.{inner}" if name else str(inner), depth - 1)
        elif isinstance(value, list):
            texts = [str(each) for each in value if isinstance(each, str | int | float)]
            if texts:
                found[name] = "; ".join(texts)[:_CELL_CHARS]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found[name] = str(value)[:_CELL_CHARS]

    walk(said, "", 4)
    return dict(list(found.items())[:_CELLS_MAX])
