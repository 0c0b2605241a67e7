"""Where are the names that lookalikes are looked for?

``lookalikes.json`` in the workspace: names, whose domains they are, and domains that are known and passed over.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from riparian.creators.lookalikes import Name
from riparian.errors import CustodyError
from riparian.stores.files import reaching, write_whole

FILE: Final = "lookalikes.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Names:
    """What is kept: names, and registrable domains that are passed over."""

    names: tuple[Name, ...] = ()
    passed: tuple[str, ...] = ()

    def with_more(self, names: Iterable[Name], passed: Iterable[str]) -> "Names":
        """Add names, in the place of those of the same name, and domains.

        Examples
        --------
        >>> Names((Name("reed"),)).with_more([Name("reed", ("reed.example",))], ["b.example", "a.example"])
        Names(names=(Name(name='reed', domains=('reed.example',), ordinary=None),), passed=('a.example', 'b.example'))
        """
        held = {one.name: one for one in (*self.names, *names)}
        return Names(tuple(held.values()), tuple(sorted({*self.passed, *passed})))


def read_names(folder: Path) -> Names:
    """Read what a workspace keeps; nothing where it keeps none.

    Raises
    ------
    CustodyError
        When the file is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return Names()
    with reaching(f"reading `{file}`"):
        octets = file.read_bytes()
    try:
        return _names(json.loads(octets))
    except (ValueError, KeyError, TypeError) as error:
        raise CustodyError(
            f"`{file}` is damaged, wanted what `lookalike index` wrote",
            hint="Restore it from a backup, or remove it and name your names again.",
        ) from error


def keep_names(folder: Path, names: Names) -> None:
    """Keep them, in the place of what was kept."""
    said = {"version": _VERSION, "names": [asdict(one) for one in names.names], "passed": names.passed}
    with reaching(f"writing `{folder / FILE}`"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / FILE, lambda file: file.write(json.dumps(said, indent=1).encode()))


def _names(said: dict[str, Any]) -> Names:
    if said["version"] != _VERSION:
        raise ValueError("another version")
    names = [Name(one["name"], tuple(one["domains"]), one["ordinary"]) for one in said["names"]]
    return Names(tuple(names), tuple(said["passed"]))
