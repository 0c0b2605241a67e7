"""What did the last exercise come to that was kept beside this workspace?"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from riparian.assembly.world import Given
from riparian.errors import InputError
from riparian.stores.files import write_whole

NAME: Final = "exercise.json"
_HAS: Final = frozenset({"name", "at", "seed", "days", "listeners", "plans", "policy", "prices", "lines", "sentences"})


def keep_exercise(workspace: Path, told: Mapping[str, Any]) -> bool:
    """Keep an exercise in the place of the one before it; False where there is no such workspace.

    Parameters
    ----------
    told
        As :func:`read_exercise` gives it back; what is no finite number is kept as None.
    """
    if not workspace.is_dir():
        return False
    text = json.dumps(_finite(told), ensure_ascii=False, allow_nan=False)
    write_whole(workspace / NAME, lambda file: file.write(text.encode()))
    return True


def read_exercise(given: Given) -> dict[str, Any] | None:
    """Read the exercise that is kept; None where none is.

    Raises
    ------
    InputError
        When the file is not what ``riparian replay`` keeps.
    """
    path = given.workspace / NAME
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not found.keys() >= _HAS:
        raise InputError(
            f"`{path}` is no exercise, wanted one as riparian replay keeps it", hint="Run riparian replay once more."
        )
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
