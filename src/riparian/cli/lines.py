"""One JSON object a line, on stdout."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def write(lines: Iterable[Mapping[str, Any]]) -> None:
    """Write objects, one a line."""
    for line in lines:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
