"""Programs of others that marks are measured by and against: called if they are there, said to be missing if not.

``peaq`` is gstpeaq's (Holters and Zoelzer, LGPL; basic version of ITU-R BS.1387, not certified to conform), found on
PATH or named by ``PEAQ``; ``audiowmark`` is Stefan Westerfeld's (GPL), found on PATH or named by ``AUDIOWMARK``.
Both are built apart; nothing of them is in this repository.
"""

import os
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from sounds import to_rate

from riparian.audio.pcm import Sound

MISSING: Final = "not installed"
PEAQ_RATE: Final = 48_000
PEAQ_PART_S: Final = 20.0
"""PEAQ was made for excerpts of such a length; of a longer one we quote its worst part."""


def program(name: str) -> str | None:
    """Find a program by its variable or on PATH."""
    return os.environ.get(name.upper()) or shutil.which(name)


def odg(original: Sound, changed: Sound, *, part_s: float = PEAQ_PART_S) -> float | None:
    """Give PEAQ's objective difference grade of the worst part, 0 (imperceptible) to -4; None without the program."""
    peaq = program("peaq")
    if not peaq:
        return None
    grades = []
    n = min(s.samples.shape[1] for s in (original, changed))
    whole = [to_rate(Sound(s.samples[:, :n], s.rate), PEAQ_RATE) for s in (original, changed)]
    for at in np.arange(0, max(1.0, whole[0].seconds - part_s / 2), part_s):
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(_written(Path(folder) / f"{i}.wav", s.cut(at, at + part_s))) for i, s in enumerate(whole)]
            said = subprocess.run([peaq, *paths], capture_output=True, text=True, check=True).stdout
        found = re.search(r"Difference Grade: (\S+)", said)
        # Where nothing differs, or nothing is to be heard, there is no number.
        if found and np.isfinite(float(found[1])):
            grades.append(float(found[1]))
    return min(grades) if grades else 0.0


def audiowmark(*words: str) -> tuple[str, float]:
    """Run audiowmark; what it said, and its CPU time in seconds."""
    found = program("audiowmark")
    if not found:
        raise SystemExit("audiowmark is not installed: see bench/mark_peers.py")
    begun = _children_s()
    said = subprocess.run([found, *words], capture_output=True, text=True, check=False).stdout
    return said, _children_s() - begun


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _written(path: Path, sound: Sound) -> Path:
    # With 24 bits and a little headroom nothing is clipped that the tool would not have clipped.
    soundfile.write(path, sound.samples.T, sound.rate, subtype="PCM_24")
    return path
