"""Which files does a delivery hold, and what is said of them?

A delivery is a folder of sound files, with release messages of DDEX beside them or without.  What a message says of a
file stands above the file's own tags.  A message that cannot be read is told, and the files are looked at all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from riparian.catalogue.releases import Said
from riparian.errors import InputError
from riparian.feeds.ddex import read_message


@dataclass(frozen=True, slots=True)
class Told:
    """What messages of a delivery tell.

    Parameters
    ----------
    senders
        Names and codes of who sends it.
    said
        Of each file that a message names, by its absolute path.
    notes
        Sentences on what could not be read, and on files that are named and not there.
    """

    senders: tuple[str, ...]
    said: Mapping[str, Said]
    notes: tuple[str, ...]


def read_delivery(folder: Path) -> Told:
    """Read the messages of a delivery.

    Raises
    ------
    InputError
        When it is no folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"`{folder}` is no folder, wanted a delivery", hint="Name the folder that holds its files and its message."
        )
    senders: list[str] = []
    said: dict[str, Said] = {}
    notes: list[str] = []
    for path in sorted(path for path in folder.rglob("*.xml") if path.is_file() and not path.is_symlink()):
        try:
            message = read_message(path)
        except InputError as error:
            notes.append(error.message)
            continue
        for sent in message.recordings if message is not None else ():
            there = [path.parent / file for file in sent.files]
            found = [str(file.absolute()) for file in there if file.is_file()]
            said |= dict.fromkeys(found, sent.said)
            if there and not found:
                notes.append(f"`{path}` names `{sent.files[0]}`, which is not there, wanted every file that is named")
        senders += message.senders if message is not None else ()
    return Told(tuple(dict.fromkeys(senders)), said, tuple(notes))
