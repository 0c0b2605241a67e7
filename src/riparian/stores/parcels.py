"""How do the files of one recipient become one file to send?

A zip archive without compression, since sound is compressed already, and without times, so that the same files make the
same bytes.  It is written beside its place and put there whole.
"""

import hashlib
import shutil
import zipfile
from pathlib import Path

from riparian.stores.files import UNFINISHED, reaching, write_whole


def pack(folder: Path, parcel: Path) -> None:
    """Put all files of a folder into a zip archive, and remove the folder.

    What somebody who was interrupted left unfinished is not sent: nobody entered it in the ledger.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != UNFINISHED)
    with reaching(f"writing `{parcel}`"):
        write_whole(parcel, lambda file: _write(zipfile.ZipFile(file, "w", zipfile.ZIP_STORED), folder, files))
        parcel.chmod(0o644)
        shutil.rmtree(folder)


def _write(archive: zipfile.ZipFile, folder: Path, files: list[Path]) -> None:
    with archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy)


def digests(parcel: Path) -> frozenset[str]:
    """Give the SHA-256 of each file in an archive, in hex; none where there is no such archive, or it is torn."""
    if not parcel.exists():
        return frozenset()
    try:
        with reaching(f"reading `{parcel}`"), zipfile.ZipFile(parcel) as archive:
            return frozenset(_digest(archive, name) for name in archive.namelist())
    except zipfile.BadZipFile:
        return frozenset()


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    found = hashlib.sha256()
    with archive.open(name) as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()
