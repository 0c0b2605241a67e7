"""How is sound encoded so that two encodings can be cut and put together?

Each block has to stand for itself.  In AAC-LC it does, but for the half block by which neighbours overlap, and for its
noise substitution, whose generator runs on from block to block: that is turned off.  In FLAC it does entirely.  In
others it does not, and :data:`REFUSED` says why.

Conventions
-----------
* A block has as many samples as every other; a whole number of them makes a chunk of the mark's layout.  The last may
  hold fewer that count.
* ``priming`` is how many samples come out of a decoder before the first of the sound.
* Sound is encoded once and never in pieces: an encoder that begins anew in the middle begins with silence.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import av
import numpy as np
from av.codec.context import Flags
from av.error import FFmpegError
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.errors import InputError, OutsideError

AAC_SAMPLES: Final = 1024
FLAC_SAMPLES_MAX: Final = 4608
"""The longest block of FLAC's subset up to 48 kHz, which players that stream have to know."""
REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mp3": "its blocks borrow bits from the ones before them: a switch destroys up to four",
        "opus": "its blocks of 20 ms do not divide a chunk, and for 200 ms after a switch it is off",
        "vorbis": "HLS has no place for it",
        "alac": "FLAC does the same in more players",
        "wav": "HLS has no place for it",
    }
)
_LAYOUTS: Final = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1(back)", "7.1")
_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)


@dataclass(frozen=True, slots=True)
class Coding:
    """In which codec, and how much of it.

    Parameters
    ----------
    codec
        ``aac`` or ``flac``.
    bit_rate
        Of AAC, in bits a second; 0 for FLAC.
    depth
        Of FLAC, 16 or 24 bits a sample; 0 for AAC.

    Raises
    ------
    InputError
        When the codec cannot be cut, or has no such bit rate or depth.

    Examples
    --------
    >>> Coding.named("aac:96"), Coding.named("flac")
    (Coding(codec='aac', bit_rate=96000, depth=0), Coding(codec='flac', bit_rate=0, depth=16))
    >>> Coding.named("opus:96")
    Traceback (most recent call last):
    riparian.errors.InputError: `opus` cannot be cut where renditions change (its blocks of 20 ms ...), wanted ...
    """

    codec: str
    bit_rate: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        if self.codec not in {"aac", "flac"}:
            why = f" ({REFUSED[self.codec]})" if self.codec in REFUSED else ""
            raise InputError(
                f"`{self.codec}` cannot be cut where renditions change{why}, wanted `aac` or `flac`",
                hint="Deliver this codec with a mark of its own, `riparian mark FILE --to WHO`.",
            )
        if self.codec == "aac" and (self.depth or not 24_000 <= self.bit_rate <= 512_000):
            raise InputError(f"aac is wanted with {self.bit_rate} bits a second, wanted 24000 to 512000")
        if self.codec == "flac" and (self.bit_rate or self.depth not in {16, 24}):
            raise InputError(f"flac is wanted with {self.depth} bits a sample, wanted 16 or 24")

    @classmethod
    def named(cls, text: str) -> "Coding":
        """Read it as it stands on the command line: ``aac:128``, in kbit/s, ``flac`` or ``flac:24``, in bits a sample.

        Raises
        ------
        InputError
            See above.
        """
        codec, _, number = text.lower().partition(":")
        if number and not (number.isascii() and number.isdigit() and len(number) < 5):
            raise InputError(f"the rendition is `{text}`, wanted one such as `aac:128`, `flac` or `flac:24`")
        if codec == "flac":
            return cls(codec, depth=int(number or 16))
        return cls(codec, bit_rate=1000 * int(number or 128))

    @property
    def name(self) -> str:
        """Of its folder.

        Examples
        --------
        >>> Coding("aac", 96_000).name, Coding("flac", depth=16).name
        ('aac-96', 'flac-16')
        """
        return f"{self.codec}-{self.depth or self.bit_rate // 1000}"


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Sound, encoded.

    Parameters
    ----------
    coding
        How.
    rate, channels, samples
        Of the sound.
    block
        Samples of a block.
    priming
        Samples before the first.
    config
        What a decoder has to know: AudioSpecificConfig, or STREAMINFO.
    blocks
        One after the other.
    """

    coding: Coding
    rate: int
    channels: int
    samples: int
    block: int
    priming: int
    config: bytes
    blocks: tuple[bytes, ...]

    def of(self, blocks: Sequence[bytes]) -> "Coded":
        """Put other blocks into the place of these."""
        return Coded(
            self.coding, self.rate, self.channels, self.samples, self.block, self.priming, self.config, tuple(blocks)
        )

    def chunk_blocks(self, chunk_samples: int) -> list[slice]:
        """Say which blocks make up each chunk.

        What is decoded of a chunk's first block is the chunk's first samples, so that priming belongs to the first.

        Examples
        --------
        >>> coded = Coded(Coding("aac", 96_000), 44_100, 1, 100_000, 1024, 1024, b"", (b"",) * 99)
        >>> coded.chunk_blocks(44_032)
        [slice(0, 44, None), slice(44, 87, None), slice(87, 99, None)]
        """
        each, ahead = chunk_samples // self.block, self.priming // self.block
        cuts = [0, *range(ahead + each, len(self.blocks), each), len(self.blocks)]
        return [slice(first, last) for first, last in itertools.pairwise(cuts)]


def block_of(coding: Coding, chunk_samples: int, rate: int) -> int:
    """Choose how long a block is, so that whole ones make a chunk.

    Raises
    ------
    InputError
        When none does, or the codec has no such rate.

    Examples
    --------
    >>> block_of(Coding("aac", 96_000), 44_032, 44_100)
    1024
    >>> [block_of(Coding("flac", depth=16), samples, 48_000) for samples in (44_032, 48_128, 8_192)]
    [2752, 3008, 4096]
    """
    if coding.codec == "flac":
        return max(n for n in range(1, FLAC_SAMPLES_MAX + 1) if chunk_samples % n == 0)
    if rate not in _RATES or chunk_samples % AAC_SAMPLES:
        raise InputError(
            f"the sound has {rate} samples a second, wanted a rate of AAC: {', '.join(map(str, _RATES))}",
            hint="Use `flac`, or a master at 44.1 or 48 kHz.",
        )
    return AAC_SAMPLES


def encode(sound: Sound, coding: Coding, chunk_samples: int) -> Coded:
    """Encode sound once, from its beginning to its end.

    Raises
    ------
    InputError
        When the codec cannot hold such sound.
    OutsideError
        When the encoder refuses.
    """
    block = block_of(coding, chunk_samples, sound.rate)
    n, is_aac = sound.samples.shape[1], coding.codec == "aac"
    priming = block if is_aac else 0
    options = {"aac_pns": "0"} if is_aac else {"frame_size": str(block), "compression_level": "8"}
    try:
        encoder = _context(coding.codec, "w", sound.channels, sound.rate)
        encoder.format = av.AudioFormat("fltp" if is_aac else "s16" if coding.depth == 16 else "s32")
        encoder.time_base = Fraction(1, sound.rate)
        encoder.flags |= Flags.bitexact
        encoder.options = options
        if is_aac:
            encoder.bit_rate = coding.bit_rate
        # Behind its sound AAC is fed silence, so that it says all of it, and of what it says then nothing is kept.
        blocks = [bytes(packet) for packet in _packets(encoder, sound, coding, 2 * priming) if packet.size]
        config = bytes(encoder.extradata or b"")
    except (FFmpegError, ValueError) as error:
        raise OutsideError(f"encoding {coding.name} failed: {error}", hint="Try another codec or bit rate.") from error
    wanted = -(-n // block) + (1 if is_aac else 0)
    if len(blocks) < wanted:
        raise OutsideError(f"the encoder gave {len(blocks)} blocks, wanted {wanted}")
    if not is_aac:
        config = _stream_info(block, sound, coding.depth)
    return Coded(coding, sound.rate, sound.channels, n, block, priming, config, tuple(blocks[:wanted]))


def decode(coded: Coded) -> Sound:
    """Decode all of it, as a player does: as long as the sound, to the sample.

    Raises
    ------
    OutsideError
        When the decoder refuses.
    """
    try:
        decoder = _context(coded.coding.codec, "r", coded.channels, coded.rate)
        decoder.extradata = coded.config
        heard = [_samples(frame) for raw in (*coded.blocks, None) for frame in decoder.decode(_packet(raw))]
    except (FFmpegError, ValueError) as error:
        raise OutsideError(f"decoding {coded.coding.name} failed: {error}") from error
    whole = np.concatenate(heard, axis=1)[:, coded.priming : coded.priming + coded.samples]
    return Sound(np.ascontiguousarray(whole), coded.rate)


def _context(codec: str, mode: str, channels: int, rate: int) -> Any:
    context: Any = av.CodecContext.create(codec, mode)  # type: ignore[call-overload]
    context.sample_rate, context.layout = rate, _LAYOUTS[channels - 1]
    return context


def _packet(raw: bytes | None) -> Any:
    return av.Packet(raw) if raw is not None else None


def _packets(encoder: Any, sound: Sound, coding: Coding, silence: int) -> Iterator[Any]:
    encoder.open()
    n, each = sound.samples.shape[1], encoder.frame_size
    samples = np.pad(sound.samples, ((0, 0), (0, silence + -n % each))) if silence else sound.samples
    for at in range(0, samples.shape[1], each):
        frame = _frame(samples[:, at : at + each], coding, encoder.layout)
        frame.sample_rate, frame.pts, frame.time_base = sound.rate, at, Fraction(1, sound.rate)
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _frame(samples: NDArray[np.float32], coding: Coding, layout: Any) -> av.AudioFrame:
    if coding.codec == "aac":
        return av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    # Rounded and never dithered, so that what a mark left as it was is written as it was.
    full = 1 << coding.depth - 1
    whole = np.clip(np.rint(samples.T.astype(np.float64) * full), -full, full - 1)
    if coding.depth == 16:
        return av.AudioFrame.from_ndarray(whole.astype(np.int16).reshape(1, -1), format="s16", layout=layout)
    return av.AudioFrame.from_ndarray((whole.astype(np.int32) << 8).reshape(1, -1), format="s32", layout=layout)


def _samples(frame: Any) -> NDArray[np.float32]:
    raw = frame.to_ndarray()
    if frame.format.is_planar:
        return np.asarray(raw, np.float32)
    whole = raw.reshape(-1, len(frame.layout.channels)).T / float(1 << (8 * frame.format.bytes - 1))
    return np.asarray(whole, np.float32)


def _stream_info(block: int, sound: Sound, depth: int) -> bytes:
    # What the encoder tells besides, sizes of blocks and a digest of all samples, would tell the renditions apart.
    n = sound.samples.shape[1]
    packed: int = sound.rate << 44 | (sound.channels - 1) << 41 | (depth - 1) << 36 | n
    return block.to_bytes(2, "big") * 2 + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
