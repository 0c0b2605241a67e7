"""Made-up pieces for the programs of prints: as many different ones as are wanted, each the same for ever.

A piece has a key, a mode, a metre, a tempo, a few sections with their own chords, a melody made of motifs that come
again, a bass, an accompaniment and often drums.  Its players are a little late and early, so that no two pieces lie on
the same grid.  It is about 80 seconds long and comes as a MIDI file of one track.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

Note = tuple[float, float, int, int, int]
"""When, in beats; how long; channel; key; velocity."""

TICKS: Final = 480
SECONDS: Final = 82.0
MODES: Final = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 4, 5, 7, 9, 10),
    (0, 2, 3, 5, 7, 8, 11),
    (0, 1, 3, 5, 7, 8, 10),
)
LEADS: Final = (0, 4, 11, 13, 22, 26, 27, 29, 40, 42, 52, 56, 60, 65, 68, 71, 73, 75, 79, 80, 81, 85, 104, 107)
CHORDS: Final = (0, 1, 4, 6, 16, 19, 21, 24, 25, 27, 46, 48, 49, 50, 61, 88, 89, 90, 91, 95)
BASSES: Final = (32, 33, 34, 35, 36, 38, 39, 43, 58)
LEAD, CHORD, BASS, SECOND, DRUMS = 0, 1, 2, 3, 9
KICK, SNARE, CLAP, HAT, OPEN, RIDE, CRASH, TOM, SHAKER = 36, 38, 39, 42, 46, 51, 49, 45, 70


def piece(number: int) -> bytes:
    """Make up a piece: a MIDI file.

    Examples
    --------
    >>> piece(1)[:4], piece(1) == piece(1), piece(1) == piece(2)
    (b'MThd', True, False)
    """
    rng = np.random.default_rng([20, number])
    tempo, metre = float(rng.uniform(62, 178)), int(rng.choice([3, 4, 4, 4, 4]))
    mode, key = MODES[rng.integers(len(MODES))], int(rng.integers(12))
    players = {
        LEAD: int(rng.choice(LEADS)),
        CHORD: int(rng.choice(CHORDS)),
        BASS: int(rng.choice(BASSES)),
        SECOND: int(rng.choice(LEADS + CHORDS)),
    }
    sections = [list(_section(rng, mode, key, metre)) for _ in range(3)]
    lengths = [max(when for when, *_ in section) // metre * metre + metre for section in sections]
    notes: list[Note] = []
    at, of = 0.0, list(rng.permutation(3))
    while at < SECONDS * tempo / 60:
        which = int(of[0])
        notes += [(at + when, *rest) for when, *rest in sections[which]]  # type: ignore[misc]
        at += lengths[which]
        of = [*of[1:], int(rng.integers(3))]
    late = rng.normal(0, 0.008 * tempo / 60, len(notes))
    louder = rng.integers(-9, 10, len(notes))
    played = [
        (max(0.0, when + float(slip)), long, channel, pitch, int(np.clip(velocity + more, 1, 127)))
        for (when, long, channel, pitch, velocity), slip, more in zip(notes, late, louder, strict=True)
        if when < SECONDS * tempo / 60
    ]
    return _file(played, players, tempo)


def _section(rng: np.random.Generator, mode: tuple[int, ...], key: int, metre: int) -> Iterator[Note]:
    """Make up four or eight bars."""
    bars = int(rng.choice([4, 8]))
    degrees = [int(degree) for degree in rng.choice([0, 0, 3, 4, 5, 1, 2, 6], bars)]
    motifs = [_motif(rng, metre) for _ in range(2)]
    pattern = [motifs[int(which)] for which in rng.integers(2, size=bars)]
    style, step, grid = int(rng.integers(4)), float(rng.choice([0.5, 1.0, 2.0])), int(rng.integers(6))
    beat = _beat(rng, metre) if grid else []
    second = rng.random() < 0.5
    for bar, degree in enumerate(degrees):
        start = float(bar * metre)
        for when, long, rise in pattern[bar]:
            pitch = _pitch(mode, key, degree + rise, 72)
            yield start + when, long * 0.9, LEAD, pitch, 96
            if second:
                yield start + when, long * 0.9, SECOND, _pitch(mode, key, degree + rise - 2, 72), 70
        tones = [_pitch(mode, key, degree + third, 55) for third in (0, 2, 4)]
        yield from ((start + when, long, CHORD, tone, 72) for when, long, tone in _chords(tones, metre, style))
        for i in range(int(metre / step)):
            fifth = 4 if i % 2 and style % 2 else 0
            yield start + i * step, step * 0.9, BASS, _pitch(mode, key, degree + fifth, 38), 92
        yield from ((start + when, 0.2, DRUMS, drum, velocity) for when, drum, velocity in beat)
        if beat and bar == bars - 1:
            yield from ((start + metre - 1 + i / 4, 0.2, DRUMS, TOM + 2 - i, 90) for i in range(int(rng.integers(5))))


def _motif(rng: np.random.Generator, metre: int) -> list[tuple[float, float, int]]:
    """Make up the melody of a bar: when, how long, and how many steps of the scale above the chord's root."""
    motif, at, rise = [], 0.0, int(rng.choice([0, 2, 4]))
    while at < metre - 0.01:
        long = min(float(rng.choice([0.25, 0.5, 0.5, 0.75, 1.0, 1.0, 1.5, 2.0])), metre - at)
        if rng.random() < 0.85:
            motif.append((at, long, rise))
        at, rise = at + long, int(np.clip(rise + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), -4, 9))
    return motif


def _chords(tones: list[int], metre: int, style: int) -> Iterator[tuple[float, float, int]]:
    """Accompany a bar: held, on the beats, off them, or broken."""
    if style == 0:
        yield from ((0.0, metre * 0.95, tone) for tone in tones)
    elif style == 3:
        yield from ((i / 2, 0.5, tones[(0, 1, 2, 1)[i % 4]]) for i in range(metre * 2))
    else:
        yield from ((beat + (style == 2) / 2, 0.45, tone) for beat in range(metre) for tone in tones)


def _beat(rng: np.random.Generator, metre: int) -> list[tuple[float, int, int]]:
    """Make up the drums of a bar."""
    cymbal, backbeat = int(rng.choice([HAT, HAT, OPEN, RIDE, SHAKER])), int(rng.choice([SNARE, SNARE, CLAP]))
    step = float(rng.choice([0.25, 0.5, 0.5, 1.0]))
    beat = [(i * step, cymbal, 60 + 20 * (i % 2 == 0)) for i in range(int(metre / step)) if rng.random() < 0.92]
    beat += [(float(at), backbeat, 100) for at in range(1, metre, 2)]
    beat += [(at / 4, KICK, 105) for at in range(metre * 4) if at == 0 or rng.random() < (0.3 if at % 2 == 0 else 0.06)]
    beat += [(0.0, CRASH, 80)] if rng.random() < 0.15 else []
    return beat


def _pitch(mode: tuple[int, ...], key: int, degree: int, around: int) -> int:
    """Give the key of a step of the scale; step 0 is within the octave above ``around``."""
    octave, step = divmod(degree, 7)
    return around + (key - around) % 12 + mode[step] + 12 * octave


def _file(notes: list[Note], players: dict[int, int], tempo: float) -> bytes:
    """Write a MIDI file of format 0 (RP-001, Standard MIDI Files 1.0)."""
    events = [(0, bytes([0xFF, 0x51, 3]) + round(60e6 / tempo).to_bytes(3))]
    events += [(0, bytes([0xC0 | channel, program])) for channel, program in players.items()]
    for when, long, channel, pitch, velocity in notes:
        on, off = round(when * TICKS), round((when + long) * TICKS)
        events += [
            (on, bytes([0x90 | channel, pitch, velocity])),
            (max(off, on + 1), bytes([0x80 | channel, pitch, 0])),
        ]
    events.sort(key=lambda event: event[0])
    track, now = bytearray(), 0
    for at, message in events:
        track += _variable(at - now) + message
        now = at
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + (6).to_bytes(4) + b"\0\0\0\1" + TICKS.to_bytes(2) + b"MTrk" + len(track).to_bytes(4) + bytes(track)


def _variable(number: int) -> bytes:
    """Write a number in groups of seven bits."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))
