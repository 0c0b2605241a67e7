"""Two sounds, one under the other, and the places that both have: as far as a program can look."""

import io
import struct
import zlib

import numpy as np
import pytest

from riparian.console.figures import NARROW, WIDE
from riparian.console.spectrograms import Side, beside, grey, png
from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.peaks import RATE
from tests.prints.sounds import tune

KEY = PrintKey(bytes(32))
SPAN = {"from_s": 0.0, "to_s": 10.0, "ours_from_s": 2.0, "ours_to_s": 12.0, "speed": 1.0, "semitones": 0.0}


def side(name: str, seed: int, first_s: float = 0.0) -> Side:
    samples = tune(seed, 14.0)[round(first_s * RATE) :]
    return Side(name, samples, peaks(samples, KEY))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_copy_has_nearly_all_its_peaks_in_common_and_a_stranger_few(width: int) -> None:
    ours = side("ours", 1)
    copy = beside(side("found", 1, first_s=2.0), ours, SPAN, width=width, ident="a")
    stranger = beside(side("found", 2), ours, SPAN, width=width, ident="b")
    shares = [one.count('class="hit"') / one.count("<circle") for one in (copy, stranger)]
    assert shares[0] > 0.8
    assert shares[1] < 0.4
    assert copy.count("<image") == 2


def test_what_cannot_be_heard_any_more_is_drawn_by_its_peaks() -> None:
    ours = side("ours", 1)
    drawn = beside(side("found", 1, 2.0), Side("ours", None, ours.peaks), SPAN, width=WIDE, ident="a")
    assert drawn.count("<image") == 1
    assert 'class="unheard"' in drawn


def test_names_from_outside_are_text() -> None:
    drawn = beside(side("<script>", 1), side("ours", 1), SPAN, width=WIDE, ident="a")
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_tone_is_light_where_it_is() -> None:
    tone = np.sin(2 * np.pi * 640 * np.arange(4 * RATE) / RATE).astype(np.float32)
    pixels = grey(tone, 1.0, 2.0, 0.0, columns=50)
    row = int(pixels.mean(axis=1).argmax())
    # Two of four and a half octaves up.
    assert row == pytest.approx((1 - 2 / 4.5) * len(pixels), abs=2)
    higher = grey(tone, 1.0, 2.0, 1.0, columns=50)
    assert int(higher.mean(axis=1).argmax()) == pytest.approx(row - len(pixels) / 4.5, abs=2)


def test_a_picture_is_one() -> None:

    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    file = io.BytesIO(png(pixels))
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    chunks = {}
    while head := file.read(8):
        n, kind = struct.unpack(">I4s", head)
        body = file.read(n)
        assert struct.unpack(">I", file.read(4))[0] == zlib.crc32(kind + body)
        chunks[kind] = body
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (4, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(3, 5)
    assert (lines[:, 1:] == pixels).all()
