"""What does an audit of a data set ask, of the data set and of the workspace?"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from riparian.assembly.world import Given, has_prints, library
from riparian.feeds.datasets.about import About, about
from riparian.feeds.datasets.read import read_items
from riparian.feeds.dumps.vocabulary import KINDS, vocabulary_of
from riparian.flows.audited import Part
from riparian.ports.dumps import Desk


def about_of(paths: Sequence[str]) -> About:
    """Read what a data set says of itself, in files beside it and in it."""
    found = About()
    for path in paths:
        if Path(path).exists():
            found = found.plus(about(Path(path)))
    return found


def published_us(of_it: About) -> int | None:
    """Tell when it says that it was published; the first microsecond of that day."""
    if of_it.published is None:
        return None
    day = of_it.published
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def digests_of(given: Given) -> dict[str, str]:
    """Give the digests of files of which there are prints, and of what."""
    if not has_prints(given):
        return {}
    with library(given) as opened:
        held = opened.hold()
        known = (held.known(int(number)) for number in held.numbers())
        return {one.digest: one.recording for one in known if one.digest}


def parts_of(
    desk: Desk, paths: Sequence[str], of_it: About, said: Mapping[str, str], *, with_digests: bool
) -> Iterator[Part]:
    """Read a data set, a part at a time; what says nothing of its licence is under that of the whole."""
    vocabulary = vocabulary_of(desk.catalogue.whole(list(KINDS)))
    licence = pa.scalar("; ".join(of_it.licences) or None, pa.string())
    for read in read_items(paths, vocabulary, said, with_digests=with_digests):
        at = read.items.schema.get_field_index("licence")
        filled = pc.fill_null(read.items["licence"], licence) if licence.is_valid else read.items["licence"]
        items = read.items.set_column(at, read.items.schema.field(at), filled)
        yield Part(read.source, items, tuple((each.source, each.reason) for each in read.rejects))


__all__ = ["about_of", "digests_of", "parts_of", "published_us"]
