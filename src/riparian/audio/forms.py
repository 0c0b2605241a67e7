"""How is sound written down, and what stands beside it in the file?

A form is a container with a codec in it.  What stands beside the sound, tags, pictures, and the chunks of a WAV file
that are neither format nor samples, is carried from a master to its renditions and never looked into.

Conventions
-----------
* Tags are names and texts, as they stood in the file; names are compared in small letters.
* A bit rate is in bits a second, of all channels together; 0 where the form keeps every sample.
* A depth is how a sample is written, ``16``, ``24`` or ``32f``; empty where the form keeps no samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from riparian.audio.pcm import Sound
from riparian.errors import InputError


class Form(StrEnum):
    """A container and the codec in it."""

    WAV = "wav"
    FLAC = "flac"
    ALAC = "alac"
    MP3 = "mp3"
    AAC = "aac"
    OPUS = "opus"
    VORBIS = "vorbis"


SUFFIXES: Final[Mapping[Form, str]] = MappingProxyType(
    {
        Form.WAV: ".wav",
        Form.FLAC: ".flac",
        Form.ALAC: ".m4a",
        Form.MP3: ".mp3",
        Form.AAC: ".m4a",
        Form.OPUS: ".opus",
        Form.VORBIS: ".ogg",
    }
)
"""How the name of a file in each form ends."""

LOSSLESS: Final = frozenset({Form.WAV, Form.FLAC, Form.ALAC})
DEPTHS: Final[Mapping[Form, tuple[str, ...]]] = MappingProxyType(
    {Form.WAV: ("16", "24", "32f"), Form.FLAC: ("16", "24"), Form.ALAC: ("16", "24")}
)
"""The depths that a form can keep, from the least."""

BIT_RATES: Final[Mapping[Form, tuple[int, int]]] = MappingProxyType(
    {
        Form.MP3: (32_000, 320_000),
        Form.AAC: (32_000, 512_000),
        Form.OPUS: (16_000, 510_000),
        Form.VORBIS: (48_000, 500_000),
    }
)
"""The least and the most that a form is written with here."""


@dataclass(frozen=True, slots=True)
class Written:
    """In which form, and how much of it.

    Parameters
    ----------
    form
        Container and codec.
    depth
        Of a sample, where the form keeps samples.
    bit_rate
        Where it does not.

    Raises
    ------
    InputError
        When the form knows no such depth or bit rate.

    Examples
    --------
    >>> Written(Form.FLAC, "24").lossless, Written(Form.MP3, bit_rate=320_000).suffix
    (True, '.mp3')
    >>> Written(Form.FLAC, "24").into(Form.MP3), Written(Form.WAV, "32f").into(Form.FLAC)
    (Written(form=<Form.MP3: 'mp3'>, depth='', bit_rate=320000), Written(form=<Form.FLAC: 'flac'>, depth='24', ...))
    """

    form: Form
    depth: str = ""
    bit_rate: int = 0

    def __post_init__(self) -> None:
        if self.lossless:
            if self.depth not in DEPTHS[self.form]:
                wanted = ", ".join(DEPTHS[self.form])
                raise InputError(f"`{self.depth}` is no depth of {self.form}, wanted one of {wanted}")
            return
        least, most = BIT_RATES[self.form]
        if not least <= self.bit_rate <= most:
            raise InputError(f"{self.form} is wanted with {self.bit_rate} bits a second, wanted {least} to {most}")

    @property
    def lossless(self) -> bool:
        """Whether every sample is kept."""
        return self.form in LOSSLESS

    @property
    def suffix(self) -> str:
        """How the name of such a file ends."""
        return SUFFIXES[self.form]

    def into(self, form: Form, bit_rate: int = 0) -> "Written":
        """Choose how the same is written in another form, as well as that form is usually written."""
        if form in LOSSLESS:
            kept = self.depth if self.depth in DEPTHS[form] else DEPTHS[form][-1] if self.depth else "16"
            return Written(form, kept)
        least, most = BIT_RATES[form]
        usual = self.bit_rate if form is self.form else min(320_000, most)
        return Written(form, bit_rate=bit_rate or max(least, min(usual, most)))


@dataclass(frozen=True, slots=True)
class Picture:
    """A cover: its media type, such as ``image/png``, and its bytes."""

    kind: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Sound as a file holds it.

    Parameters
    ----------
    sound
        The samples.
    written
        How they are written down.
    tags
        Titles, names, codes and the like.
    pictures
        Covers, the first one first.
    chunks
        Of a WAV file, by their four letters, with what is in them: whatever is neither format nor samples.
    layout
        Which channel is where, as FFmpeg names it, such as ``5.1(side)``; empty for what is usual.
    """

    sound: Sound
    written: Written
    tags: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    chunks: tuple[tuple[str, bytes], ...] = ()
    layout: str = ""
