"""Where are the keys of marks?

``marks.json`` in the workspace (:mod:`.epoch_keys`); apart from the keys of grants, since the two are for different
people: every edge needs those, and nobody may have these but whoever marks and traces, and an origin that puts marked
renditions together (:mod:`riparian.edges.composed`).

Whoever has the file can find the mark in a copy, remove it, and forge anybody's.  Whoever loses it can trace nothing.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from riparian.marks.keys import MarkKey
from riparian.stores.epoch_keys import FolderEpochKeys
from riparian.stores.secret_file import SecretFile

NAME: Final = "marks.json"


class FolderMarkKeys(FolderEpochKeys[MarkKey]):
    """``ports.MarkKeys`` in a workspace.

    Parameters
    ----------
    folder
        The workspace.
    random
        Gives as many random bytes as it is asked for.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keys = FolderMarkKeys(Path(folder))
    ...     first = keys.current()
    ...     second = keys.rotate()
    ...     first.epoch, second.epoch, keys.current() == second, keys.all() == (first, second)
    (1, 2, True, True)
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        file = SecretFile(
            folder / NAME,
            "keys of marks",
            leaked="`riparian keys rotate --marks`.",
            lost=f"Restore {NAME} from a backup: without it nothing that was marked can be traced.",
        )
        super().__init__(file, MarkKey, random)
