"""What is this file that somebody else made, and brings as evidence?

A WARC of another crawler, a page that a browser saved, a mail, a recording, a .torrent: what it is follows from its
first octets, and then from its name.  A WARC comes in only when every digest in it holds; of a .torrent the names of
its files are read, and nobody who shares it is looked for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from riparian.cases.warcs import WARC, Records, is_warc, records_of
from riparian.errors import InputError, OutsideError
from riparian.feeds.dumps import torrents

TORRENT: Final = "application/x-bittorrent"
_TORRENT_MAX: Final = 64 << 20
_HEAD: Final = 4096
_BEGINS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"PK\3\4", "application/zip"),
)
_ENDINGS: Final = {
    ".eml": "message/rfc822",
    ".html": "text/html",
    ".htm": "text/html",
    ".mht": "multipart/related",
    ".mhtml": "multipart/related",
    ".json": "application/json",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
}


@dataclass(frozen=True, slots=True)
class Brought:
    """What a file is.

    Parameters
    ----------
    address
        Where it was: of a WARC its only page, of a .torrent its name among those who share; empty when it does not say.
    files
        What a .torrent names: path and octets.
    bare
        Records of a WARC without a digest: that they are whole, nothing says.
    """

    media_type: str
    address: str = ""
    files: tuple[tuple[str, int], ...] = ()
    bare: int = 0


def brought(path: Path) -> Brought:
    """Look at a file.

    Raises
    ------
    InputError
        When it is no file, or what it says of itself does not hold.
    OutsideError
        When it cannot be read.
    """
    if not path.is_file():
        raise InputError(f"`{path}` is no file, wanted one, or an address", hint="Check the name.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if is_warc(head):
                file.seek(0)
                return _warc(records_of(file), path)
        if torrents.is_torrent(head):
            return _torrent(path)
    except OSError as error:
        raise OutsideError(f"`{path}` cannot be read: {error.strerror}", hint="Check its permissions.") from error
    for begins, media_type in _BEGINS:
        if head.startswith(begins):
            return Brought(media_type)
    is_page = head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))
    return Brought("text/html" if is_page else _ENDINGS.get(path.suffix.lower(), "application/octet-stream"))


def _warc(records: Records, path: Path) -> Brought:
    if records.faults:
        raise InputError(
            f"`{path.name}` has {len(records.faults)} records that are not as they say ({records.faults[0][:120]}), "
            "wanted a whole WARC",
            hint="Ask for another copy; this one proves nothing.",
        )
    pages = [one for one in records.addresses if one]
    return Brought(WARC, pages[0] if len(pages) == 1 else "", bare=records.n_bare)


def _torrent(path: Path) -> Brought:
    if path.stat().st_size > _TORRENT_MAX:
        raise InputError(f"`{path.name}` has more than {_TORRENT_MAX:,} octets, wanted a .torrent")
    octets = path.read_bytes()
    try:
        return Brought(TORRENT, torrents.infohash(octets), tuple(torrents.files_of(octets)))
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{path.name}` cannot be read as a .torrent ({error}), wanted a whole one") from error
