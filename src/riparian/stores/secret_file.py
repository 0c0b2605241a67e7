"""How does a workspace keep a secret?

A file of JSON for the owner's eyes only, and a lock beside it, held for as long as it takes to replace it.  It is
replaced whole: whoever reads meanwhile reads what stood before or what stands after.
"""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from riparian.errors import CustodyError, InputError
from riparian.stores.files import write_whole

T = TypeVar("T")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One file of secrets.

    Parameters
    ----------
    path
        Of the file; the lock has the ending ``.lock``.
    holds
        What is in it, as an error names it.
    leaked
        What to do after others have read it.
    lost
        What to do when it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = SecretFile(Path(folder) / "word.json", "word", "Choose another.", "Restore it.")
    ...     with file.alone():
    ...         file.keep({"word": "bank"})
    ...     file.read(lambda said: said["word"])
    'bank'
    """

    path: Path
    holds: str
    leaked: str
    lost: str

    @property
    def exists(self) -> bool:
        """Whether it was ever made."""
        return self.path.exists()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock; the folder is made where it is missing."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def keep(self, said: Mapping[str, Any]) -> None:
        """Replace what is in it."""
        write_whole(self.path, lambda file: file.write(json.dumps(said, indent=1).encode() + b"\n"))

    def read(self, understand: Callable[[dict[str, Any]], T]) -> T:
        """Give what is in it, understood.

        Raises
        ------
        CustodyError
            When others can read the file, or it is not understood: when ``understand`` raises a ``ValueError``,
            ``TypeError``, ``KeyError`` or ``InputError``.
        """
        name, mode = self.path.name, self.path.stat().st_mode
        if mode & _OTHERS:
            raise CustodyError(
                f"`{name}` can be read by others (its mode is {stat.S_IMODE(mode):o}), wanted 600",
                hint=f"Run `chmod 600 {name}`, and if others did read it: {self.leaked}",
            )
        try:
            return understand(json.loads(self.path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, KeyError, InputError) as error:
            raise CustodyError(
                f"`{name}` holds no {self.holds} of this version, wanted what riparian wrote into it", hint=self.lost
            ) from error
