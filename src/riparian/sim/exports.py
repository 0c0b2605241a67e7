"""Streaming histories of a few listeners, as people receive their own from a service.

One folder an account, holding ``StreamingHistory_music_0.json`` and so on: a list of objects with
``endTime`` to the minute, ``artistName``, ``trackName`` and ``msPlayed``.  With these the loader of
personal exports can be tried without anybody's personal data.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from riparian.sim.events import Town

ENTRIES: Final = 10_000
"""Plays that one file holds, as in real exports."""


def write_exports(town: Town, folder: Path, *, listeners: int = 3) -> list[Path]:
    """Write the plays of the town's first listeners who played anything.

    Parameters
    ----------
    folder
        Made if it is not there; each listener gets a folder inside, named as the account.
    listeners
        How many, at most.

    Returns
    -------
    folders : list of Path
        One a listener.
    """
    plays = town.accesses.filter(pc.equal(town.accesses["action"].cast("string"), "play"))
    plays = plays.set_column(1, "account", plays["account"].cast("string"))
    active = pc.is_in(town.truth["account"], plays["account"].unique())
    wanted = town.truth.filter(pc.and_(active, pc.equal(town.truth["role"], "listener")))["account"][:listeners]
    return [_write_one(town, plays, account, folder / account) for account in wanted.to_pylist()]


def _write_one(town: Town, plays: pa.Table, account: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    entries = history(town, plays.filter(pc.equal(plays["account"], account)))
    for part, start in enumerate(range(0, len(entries), ENTRIES)):
        text = json.dumps(entries[start : start + ENTRIES], indent=1, ensure_ascii=False)
        (folder / f"StreamingHistory_music_{part}.json").write_text(text + "\n", encoding="utf-8")
    return folder


def history(town: Town, plays: pa.Table) -> list[dict[str, Any]]:
    """Write plays as entries of a streaming history, in order of their end.

    Parameters
    ----------
    plays
        Rows of the town's accesses.
    """
    place = pc.index_in(plays["recording"].cast("string"), town.catalogue["recording"])
    held = town.catalogue.take(place)
    columns = (plays["at"], plays["media_ms"], held["artist"], held["title"])
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    entries = [
        {
            "endTime": (at + timedelta(milliseconds=heard_ms)).strftime("%Y-%m-%d %H:%M"),
            "artistName": artist,
            "trackName": title,
            "msPlayed": heard_ms,
        }
        for at, heard_ms, artist, title in rows
    ]
    return sorted(entries, key=lambda entry: str(entry["endTime"]))
