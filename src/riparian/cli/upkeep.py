"""How does the workspace stand, for whoever watches and need not know anybody in it?"""

import shutil
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from riparian import assembly
from riparian.edges.health import Kept
from riparian.errors import RiparianError
from riparian.flows.ending import appealed, proposed
from riparian.ports import World

EVERY_S: Final = 10.0
_PATIENCE_S: Final = 2.0


def kept_of(world: World, folder: Path) -> Kept:
    """Look at a workspace that is open."""
    now_us = world.clock.now_us()
    last = (world.scans.summaries() or [{}])[-1]
    due = {
        name: [event.until_us for _, event in found(world)]
        for name, found in (("proposals", proposed), ("appeals", appealed))
    }
    return Kept(
        is_readable=True,
        free_bytes=shutil.disk_usage(folder).free,
        scanned_us=int(last.get("as_of_us", 0)),
        log_end_us=int(last.get("log_end_us", 0)),
        rejected=int(last.get("rejected", 0)),
        waiting={name: len(times) for name, times in due.items()},
        late={name: sum(at_us <= now_us for at_us in times) for name, times in due.items()},
    )


@dataclass(slots=True)
class Looked:
    """Looks at a workspace when it is asked, and no more often than every few seconds.

    Parameters
    ----------
    given
        Which.
    """

    given: assembly.Given
    _kept: Kept = field(default_factory=Kept)
    _at_s: float = -EVERY_S
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> Kept:
        """Say how it stands."""
        with self._lock:
            if time.monotonic() - self._at_s >= EVERY_S:
                try:
                    with assembly.opened(self.given, patience_s=_PATIENCE_S) as world:
                        self._kept = kept_of(world, self.given.workspace)
                except (RiparianError, OSError):
                    self._kept = replace(self._kept, is_readable=False)
                self._at_s = time.monotonic()
            return self._kept
