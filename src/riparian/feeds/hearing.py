"""What does a file sound like, as far as prints are concerned?

The mean of its channels, at ``RATE``.  It is decoded in a process that may do nothing else (:mod:`.decoders`), and what
is not needed, seven of eight bytes of a stereo file at 44.1 kHz, never leaves that process.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.audio.forms import Form
from riparian.errors import InputError
from riparian.feeds import decoders
from riparian.feeds.sound_files import Limits, answer, opened
from riparian.prints.peaks import RATE

LIMITS: Final = Limits(sound_bytes=2 << 30)
"""Thirteen hours."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A file's sound.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), float32]
        Mono, at ``RATE`` a second.
    form
        The codec.
    tags
        Titles, names, codes and the like.
    """

    samples: NDArray[np.float32] = field(repr=False)
    form: Form
    tags: dict[str, str]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / RATE


def hear(path: Path, limits: Limits = LIMITS) -> Heard:
    """Decode a file to mono at ``RATE``.

    Raises
    ------
    InputError
        When it is no sound that is known (:func:`riparian.feeds.sound_files.read`), is damaged, or costs too much.
    OutsideError
        When no process to decode with can be begun.
    """
    with opened(path, limits) as (file, container):
        asked = decoders.Asked(container, limits.memory_bytes, limits.seconds, RATE)
        with decoders.decoding(file, asked) as decoding:
            said = answer(decoding.out, limits)
        told = f"it took longer than {limits.seconds} s" if decoding.is_late else said
    if not isinstance(told, str):
        try:
            return _heard(*told)
        except (KeyError, TypeError, ValueError, AttributeError):
            # A decoder that somebody took over may say anything.
            told = "its decoder erred"
        except EOFError:
            raise InputError(f"`{path}` holds no sound, wanted some") from None
    raise InputError(f"`{path}` cannot be decoded: {told}, wanted sound", hint="Look at it with another program.")


def _heard(said: dict[str, Any], blocks: list[NDArray[np.float32]]) -> Heard:
    if not blocks:
        raise EOFError
    # Ten hours are 1.6 GB: what is copied is let go of, so that they are not held twice.
    samples = np.empty(sum(block.size for block in blocks), np.float32)
    at = samples.size
    while blocks:
        block = blocks.pop()
        at -= block.size
        samples[at : at + block.size] = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    return Heard(samples, Form(said["form"]), {str(name): str(text) for name, text in said["tags"].items()})
