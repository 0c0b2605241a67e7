"""What does an edge know by that a list of verdicts comes from its own house?

``push.key`` in the workspace: 32 random bytes in hexadecimal, made on first use, for the owner's eyes only.  It signs
nothing and opens nothing else.  To change it, remove the file, begin ``riparian serve`` again, and give edges the
new one.
"""

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

from riparian.errors import CustodyError
from riparian.stores.files import UNFINISHED, reaching, write_whole

NAME: Final = "push.key"
_BYTES: Final = 32
_FORM: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def push_secret(folder: Path) -> str:
    """Read the secret of pushes, made if there is none.

    Raises
    ------
    CustodyError
        When the file holds something else.
    OutsideError
        When the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(push_secret(Path(folder))), push_secret(Path(folder)) == push_secret(Path(folder))
    (64, True)
    """
    file = folder / NAME
    with reaching("reading the secret of pushes"):
        if not file.exists():
            _make(file)
        text = file.read_text(encoding="ascii", errors="replace").strip()
    if _FORM.fullmatch(text) is None:
        raise CustodyError(
            f"`{NAME}` is no secret of pushes, wanted {_BYTES} bytes in hexadecimal",
            hint=f"Restore {NAME} from a backup, or remove it and give edges the new one.",
        )
    return text


def _make(file: Path) -> None:
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}{UNFINISHED}")
    write_whole(fresh, lambda into: into.write(secrets.token_hex(_BYTES).encode()))
    # A link, unlike a rename, does not replace the secret that somebody else has just made.
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
