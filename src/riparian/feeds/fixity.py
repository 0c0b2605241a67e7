"""Which recording is which file, as far as a catalogue says?

A table of recordings with the SHA-256 of their files, with where these lie, or both.
"""

from typing import Final

from riparian.errors import InputError
from riparian.feeds.tables import columns_named, need, read_table

_NAMES: Final = {
    "recording": "recording recordingid trackid track songid isrc itemid assetid contentid mediaid id trackuri",
    "digest": "sha256 digest fixity checksum hash",
    "path": "path file filename filepath location uri url",
}
_DIGEST_LENGTH: Final = 64


def read_fixity(source: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read what recordings are called, by the SHA-256 of their files in hex, and by their paths.

    Raises
    ------
    InputError
        When it is no table, names no recording, or neither digests nor paths.
    """
    table = read_table(source)
    columns = columns_named(table, _NAMES)
    need(columns, ("recording",), table, source)
    if not {"digest", "path"} & set(columns):
        raise InputError(
            f"`{source}` says neither the SHA-256 of files nor where they lie, wanted either beside each recording",
            hint="Give it a column sha256, or a column path.",
        )
    recordings = [str(name) for name in table.column(columns["recording"]).to_pylist()]
    found: dict[str, dict[str, str]] = {"digest": {}, "path": {}}
    for kind in found:
        if kind in columns:
            values = table.column(columns[kind]).to_pylist()
            found[kind] = {str(v): name for v, name in zip(values, recordings, strict=True) if v and name}
    digests = {digest.lower(): name for digest, name in found["digest"].items()}
    odd = next((digest for digest in digests if len(digest) != _DIGEST_LENGTH), None)
    if odd is not None:
        raise InputError(f"`{odd}` in `{source}` is no SHA-256, wanted 64 hex digits")
    return digests, found["path"]
