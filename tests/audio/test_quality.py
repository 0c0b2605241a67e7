"""What is worse to an ear is called worse: noise, bands lost, and MP3 the more so the fewer bits it has."""

import io

import av
import numpy as np
import pytest

from riparian.audio.pcm import Sound
from riparian.audio.quality import NOTHING_DB, quality
from riparian.errors import InputError
from riparian.marks.embed import embed
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout, pattern
from tests.marks.sounds import sound


def mp3(original: Sound, bit_rate: int) -> Sound:
    """Encode and decode, and lay the copy on the original."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as writer:
        stream = writer.add_stream("libmp3lame", rate=original.rate)
        stream.bit_rate = bit_rate
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(original.samples, format="fltp", layout="mono")
        frame.rate = original.rate
        writer.mux([*stream.encode(frame), *stream.encode(None)])
    file.seek(0)
    with av.open(file, "r") as reader:
        found = np.concatenate([frame.to_ndarray()[0] for frame in reader.decode(audio=0)])
    n = original.samples.shape[1]
    size = found.size + n
    lag = int(np.fft.irfft(np.fft.rfft(found, size) * np.conj(np.fft.rfft(original.samples[0], size)), size).argmax())
    lag -= size if lag > size // 2 else 0
    laid = np.zeros((1, n), dtype=np.float32)
    inside = found[max(0, lag) : lag + n]
    laid[0, max(0, -lag) : max(0, -lag) + inside.size] = inside
    return Sound(laid, original.rate)


def marked(original: Sound, strength: float) -> Sound:
    layout = Layout.at(original.rate, 16)
    chunks = layout.chunks(original.seconds)
    tiles = pattern(MarkKey(bytes(32), 1), "r-1", layout, chunks)
    return embed(original, tiles, layout, np.ones((chunks, 16), dtype=np.int8), strength=strength)


@pytest.mark.parametrize("name", ["song", "speech", "chords", "noise"])
def test_a_mark_is_heard_less_than_any_mp3(name: str) -> None:
    original = sound(name, 6.0)
    changed = [marked(original, 1.0), *(mp3(original, k * 1000) for k in (160, 96, 64, 40))]
    found = [quality(original, each) for each in changed]
    ratios = [each.nmr_db for each in found]
    assert ratios == sorted(ratios)
    assert found[0].passes
    assert [each.passes for each in found[2:]] == [False, False, False]


def test_a_mark_that_is_far_too_strong_does_not_pass() -> None:
    original = sound("song", 4.0)
    assert quality(original, marked(original, 1.0)).passes
    assert not quality(original, marked(original, 4.0)).passes


def with_tone(hz: float, amplitude: float) -> Sound:
    at = np.arange(44_100 * 2) / 44_100
    return Sound(
        (0.3 * np.sin(2 * np.pi * 1000 * at) + amplitude * np.sin(2 * np.pi * hz * at))[None].astype("f4"), 44_100
    )


@pytest.mark.parametrize(
    ("hidden", "heard"),
    [
        pytest.param((1100, 0.003), (200, 0.003), id="near a tone, not far below it"),
        pytest.param((2000, 0.0003), (500, 0.0003), id="above a tone rather than below it"),
        pytest.param((16_500, 3e-4), (3_000, 3e-4), id="where ears are dull, not where they are keen"),
        pytest.param((3_000, 1e-4), (3_000, 1e-2), id="softly, not loudly"),
    ],
)
def test_a_tone_is_hidden(hidden: tuple[float, float], heard: tuple[float, float]) -> None:
    original = with_tone(1000, 0)
    one, other = (quality(original, with_tone(*tone)) for tone in (hidden, heard))
    assert one.worst_db < other.worst_db - 3


def test_loud_sound_hides_for_a_while_what_comes_after_it() -> None:
    rng = np.random.default_rng(0)
    click = np.zeros(44_100, dtype=np.float32)
    click[22_050:26_460] = 0.3 * rng.standard_normal(4_410)
    found = []
    for after_s in (0.045, 0.3):
        added = click.copy()
        start = 26_460 + round(after_s * 44_100)
        added[start : start + 2_000] += 0.001 * rng.standard_normal(2_000).astype("f4")
        found.append(quality(Sound(click[None], 44_100), Sound(added[None], 44_100)).worst_db)
    assert found[0] < found[1]


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_the_rate_hardly_matters(rate: int) -> None:
    original = sound("noise", 2.0, rate)
    found = quality(original, Sound(original.samples * np.float32(1.02), rate))
    assert found.nmr_db == pytest.approx(-32.2, abs=1.0)
    assert found.snr_db == pytest.approx(34.0, abs=0.1)


def test_nothing_changed_is_nothing_heard() -> None:
    for name in ("song", "silence"):
        original = sound(name, 1.0, channels=2)
        found = quality(original, original)
        assert (found.nmr_db, found.worst_db, found.heard) == (NOTHING_DB, NOTHING_DB, 0.0)
        assert found.passes
    none = Sound(np.zeros((1, 0), dtype=np.float32), 44_100)
    assert quality(none, none).passes


def test_what_is_not_laid_on_the_original_is_refused() -> None:
    original = sound("song", 1.0)
    with pytest.raises(InputError, match="is compared with 22050 by 1 at 44100, wanted the same of both"):
        quality(original, original.cut(0, 0.5))
