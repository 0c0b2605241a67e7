"""How does it look that two sounds are the same: one under the other, with the places where both stand out.

As in :mod:`riparian.console.figures`: SVG inside the page, drawn twice, for wide windows and for narrow ones.  A
spectrogram is a grey picture in it, which needs no script and fetches nothing.

Conventions
-----------
* Both strips run over the same stretch: a copy that was played faster or higher is drawn as it was found, and ours is
  drawn stretched and moved until it lies under it.
* Time runs to the right, in minutes and seconds of each side's own; pitch runs up, in octaves, lightness is loudness.
* A filled dot is a peak that both have, a ring one that only that side has.
"""

import base64
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import fft

from riparian.console.figures import WIDE
from riparian.console.words import clock, counted
from riparian.prints.peaks import LOWEST_HZ, RATE, STEPS, TICK_S, Peaks

OCTAVES: Final = 4.5
SECONDS: Final = {True: 24.0, False: 8.0}
"""How much is drawn, in wide windows and in narrow ones."""
_ROWS: Final = 108
_FRAME: Final = 2048
_RANGE_DB: Final = 60.0
_NEAR_S: Final = 0.05
_NEAR_OCTAVES: Final = 1 / 30
_LEFT: Final = 8
_GAP: Final = 30
_HIGH: Final = {True: 150, False: 104}


def inside(picture: bytes) -> str:
    """Write a picture as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A sound, and where it stands out.

    Parameters
    ----------
    samples
        None where it cannot be heard any more.
    place
        Gives the address of its picture, which is PNG.
    """

    name: str
    samples: NDArray[np.float32] | None
    peaks: Peaks
    place: Callable[[bytes], str] = inside


def beside(found: Side, ours: Side, span: Mapping[str, float], *, width: int, ident: str) -> Markup:
    """Draw a stretch of a found sound above ours.

    Parameters
    ----------
    found, ours
        The two sides.
    span
        Which stretch: ``from_s``, ``to_s``, ``ours_from_s``, ``speed``, ``semitones``.
    width
        ``WIDE`` or ``NARROW``.
    ident
        Unique in the page.
    """
    is_wide = width == WIDE
    lasts_s = min(SECONDS[is_wide], span["to_s"] - span["from_s"])
    # The middle is surest.
    first_s = (span["from_s"] + span["to_s"] - lasts_s) / 2
    ours_s = span["ours_from_s"] + (first_s - span["from_s"]) * span["speed"]
    up = span["semitones"] / 12
    here = _places(found.peaks, first_s, 1.0, 0.0, lasts_s)
    there = _places(ours.peaks, ours_s, span["speed"], up, lasts_s)
    high, right = _HIGH[is_wide], width - _LEFT
    lower = high + 2 * _GAP
    parts = [
        _strip(found, (first_s, lasts_s, 0.0), (right - _LEFT, high), _GAP - 8),
        _strip(ours, (ours_s, lasts_s * span["speed"], up), (right - _LEFT, high), lower),
        _name(found.name, _GAP - 14),
        _name(ours.name, lower - 6),
    ]
    both, both_there = _both(here, there), _both(there, here)
    for places, hits, top in ((here, both, _GAP - 8), (there, both_there, lower)):
        parts.append(_dots(places, hits, (right - _LEFT) / lasts_s, (top, high)))
    for at in np.linspace(0, lasts_s, 5 if is_wide else 3):
        x = _LEFT + at / lasts_s * (right - _LEFT)
        parts += [
            _tick(x, _GAP - 8 + high + 15, clock(first_s + at), right),
            _tick(x, lower + high + 15, clock(ours_s + at * span["speed"]), right),
        ]
    said = f"{counted(int(both.sum()), 'peak')} of {len(both)} of the found sound are in ours at the same place"
    return _figure((f"{found.name} above {ours.name}", said), parts, (width, lower + high + 22), ident)


def _places(peaks: Peaks, first_s: float, speed: float, up: float, lasts_s: float) -> NDArray[np.float64]:
    """Give seconds from the beginning of what is drawn, and octaves as they were found; shape=(n, 2)."""
    at = (peaks.at * TICK_S - first_s) / speed
    octaves = peaks.pitch / STEPS + up
    inside = (at >= 0) & (at < lasts_s) & (octaves >= 0) & (octaves < OCTAVES)
    return np.stack((at[inside], octaves[inside]), axis=1)


def _both(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which places of one the other has, too."""
    near = (np.abs(one[:, None] - other[None]) <= np.array([_NEAR_S, _NEAR_OCTAVES])).all(axis=2)
    out: NDArray[np.bool_] = near.sum(axis=1) > 0
    return out


def _dots(places: NDArray[np.float64], hits: NDArray[np.bool_], scale: float, within: tuple[int, int]) -> Markup:
    top, high = within
    return Markup("").join(
        Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(
            "hit" if is_hit else "miss", _LEFT + at * scale, top + high * (1 - octaves / OCTAVES), 3 if is_hit else 2
        )
        for (at, octaves), is_hit in zip(places.tolist(), hits.tolist(), strict=True)
    )


def _strip(side: Side, drawn: tuple[float, float, float], size: tuple[int, int], top: int) -> Markup:
    if side.samples is None:
        return Markup('<rect class="unheard" x="{}" y="{}" width="{}" height="{}"/>').format(_LEFT, top, *size)
    picture = side.place(png(grey(side.samples, *drawn, columns=size[0])))
    return Markup('<image x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none" href="{}"/>').format(
        _LEFT, top, *size, picture
    )


def grey(samples: NDArray[np.float32], first_s: float, lasts_s: float, up: float, *, columns: int) -> NDArray[np.uint8]:
    """Give loudness over pitch and time, as light as it is loud; shape=(rows, columns), the highest pitch first.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), float32]
        Mono, at ``RATE``.
    first_s, lasts_s
        Which stretch.
    up
        How many octaves higher it is drawn.
    columns
        How wide.
    """
    middle = ((first_s + (np.arange(columns) + 0.5) / columns * lasts_s) * RATE).astype(np.int64)
    at = middle[:, None] + np.arange(-_FRAME // 2, _FRAME // 2)
    frames = np.where((at >= 0) & (at < samples.size), samples[np.clip(at, 0, samples.size - 1)], np.float32(0))
    power = np.abs(fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    octaves = (np.arange(_ROWS)[::-1] + 0.5) / _ROWS * OCTAVES - up
    bins = np.clip(np.rint(LOWEST_HZ * 2**octaves * _FRAME / RATE), 0, _FRAME // 2).astype(np.int64)
    db = 10 * np.log10(power[:, bins] + 1e-12)
    light = np.clip((db - db.max() + _RANGE_DB) / _RANGE_DB, 0, 1) ** 1.5
    out: NDArray[np.uint8] = (light.T * 255).astype(np.uint8)
    return out


def png(pixels: NDArray[np.uint8]) -> bytes:
    r"""Write a grey picture; shape=(rows, columns).

    Examples
    --------
    >>> png(np.zeros((2, 3), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    rows, columns = pixels.shape
    lines = np.concatenate((np.zeros((rows, 1), np.uint8), pixels), axis=1).tobytes()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _name(name: str, y: int) -> Markup:
    return Markup('<text class="side" x="{}" y="{}">{}</text>').format(_LEFT, y, name)


def _tick(x: float, y: float, text: str, right: float) -> Markup:
    anchor = "start" if x < 2 * _LEFT else "end" if x > right - _LEFT else "middle"
    return Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _figure(said: tuple[str, str], parts: list[Markup], size: tuple[int, int], ident: str) -> Markup:
    width, high = size
    kind = "wide" if width == WIDE else "narrow"
    return Markup(
        '<svg class="{kind}" viewBox="0 0 {width} {high}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        '<title id="{ident}-t">{title}</title><desc id="{ident}-d">{said}</desc>{parts}</svg>'
    ).format(kind=kind, width=width, high=high, ident=ident, title=said[0], said=said[1], parts=Markup("").join(parts))
