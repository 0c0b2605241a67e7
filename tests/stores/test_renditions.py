"""A rendition is read back as it was written: as long, as deep, with what stood beside it."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from riparian.audio.forms import DEPTHS, SUFFIXES, Form, Picture, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.errors import InputError, OutsideError
from riparian.feeds.sound_files import read
from riparian.stores.renditions import write

TAGS = {"title": "Ä Title", "artist": "Someone", "album": "An Album", "track": "3/9", "isrc": "XXA012600001"}
SECONDS = 1.2
ODD = 77  # samples beyond a whole number of anything


def png(size: int = 2) -> bytes:
    """Make the smallest of pictures."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(3 * size) for _ in range(size)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


COVER = Picture("image/png", png())
IXML = ("iXML", b"<?xml version='1.0'?><BWFXML/>")


def sung(channels: int, rate: int = 44_100) -> Sound:
    """Sing a glide with a little noise: nothing in it repeats, so that a shift by one sample is seen."""
    n = round(SECONDS * rate) + ODD
    at = np.arange(n) / rate
    rng = np.random.default_rng(7)
    voices = [0.3 * np.sin(2 * np.pi * (300 + 90 * c) * at * (1 + at / 4)) for c in range(channels)]
    return Sound((np.stack(voices) + 1e-3 * rng.standard_normal((channels, n))).astype(np.float32), rate)


def recorded(written: Written, channels: int = 2, rate: int = 44_100) -> Recorded:
    return Recorded(sung(channels, rate), written, TAGS, (COVER,), (IXML,) if written.form is Form.WAV else ())


LOSSLESS = [Written(form, depth) for form, depths in DEPTHS.items() for depth in depths]
LOSSY = [Written(Form.MP3, bit_rate=192_000), Written(Form.AAC, bit_rate=192_000), Written(Form.OPUS, bit_rate=160_000),
         Written(Form.VORBIS, bit_rate=192_000)]  # fmt: skip
CLOSE = {"16": 1.01 / 2**16, "24": 1.51 / 2**24, "32f": 0.0}


@pytest.mark.parametrize("written", LOSSLESS, ids=lambda written: f"{written.form}-{written.depth}")
def test_every_sample_is_kept_to_its_depth(written: Written, tmp_path: Path) -> None:
    before = recorded(written)
    write(before, tmp_path / "x", written)
    after = read(tmp_path / "x")
    assert after.written == written
    assert after.sound.samples.shape == before.sound.samples.shape
    assert np.abs(after.sound.samples - before.sound.samples).max() <= CLOSE[written.depth]


@pytest.mark.parametrize("written", LOSSLESS, ids=lambda written: f"{written.form}-{written.depth}")
def test_what_was_read_is_written_as_it_was_to_the_last_bit(written: Written, tmp_path: Path) -> None:
    write(recorded(written), tmp_path / "once", written)
    once = read(tmp_path / "once")
    write(once, tmp_path / "twice", written)
    assert (read(tmp_path / "twice").sound.samples == once.sound.samples).all()


@pytest.mark.parametrize("written", LOSSY, ids=lambda written: written.form)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_what_encoders_put_before_and_after_is_taken_off_again(written: Written, rate: int, tmp_path: Path) -> None:
    before = recorded(written, rate=rate)
    write(before, tmp_path / "x", written)
    after = read(tmp_path / "x")
    assert after.written.form is written.form
    assert 0.5 < after.written.bit_rate / written.bit_rate < 1.6
    n = before.sound.samples.shape[1]
    if after.sound.rate == rate:
        extra = after.sound.samples.shape[1] - n
        assert extra == 0 or (written.form is Form.MP3 and 0 < extra < 529)
        assert np.abs(after.sound.samples[:, n:]).max(initial=0.0) < 0.05
        after_samples = after.sound.mono()[:n]
        one, other = before.sound.mono(), after_samples
        product = np.fft.irfft(np.fft.rfft(one, 2 * n) * np.conj(np.fft.rfft(other, 2 * n)))
        assert int(product.argmax()) == 0, "shifted"
    assert abs(after.sound.seconds - before.sound.seconds) < (529 / rate if written.form is Form.MP3 else 1e-4)


@pytest.mark.parametrize("written", [*LOSSLESS, *LOSSY], ids=lambda written: f"{written.form}-{written.depth}")
def test_tags_and_covers_are_kept_as_far_as_the_form_holds_them(written: Written, tmp_path: Path) -> None:
    before = recorded(written)
    write(before, tmp_path / "x", written)
    after = read(tmp_path / "x")
    if written.form is Form.WAV:
        assert after.chunks == (IXML,)
        return
    wanted = {name: text for name, text in TAGS.items() if written.form not in {Form.AAC, Form.ALAC} or name != "isrc"}
    found = {name.lower(): text for name, text in after.tags.items()}
    assert wanted.items() <= found.items()
    assert after.pictures == (COVER,)


# libsndfile draws the serial number of an Ogg stream by lot.
REPEATABLE = [written for written in (*LOSSLESS, *LOSSY) if written.form is not Form.VORBIS]


@pytest.mark.parametrize("written", REPEATABLE, ids=lambda written: f"{written.form}-{written.depth}")
def test_the_same_sound_makes_the_same_bytes(written: Written, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write(recorded(written), tmp_path / name, written)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_libsndfile_reads_what_we_write(tmp_path: Path) -> None:
    for written in (*LOSSLESS, *LOSSY):
        if SUFFIXES[written.form] == ".m4a":
            continue
        path = tmp_path / f"x{written.suffix}"
        before = recorded(written, rate=48_000)
        write(before, path, written)
        samples, rate = soundfile.read(path, dtype="float32")
        assert (rate, samples.shape[0]) == (48_000, before.sound.samples.shape[1]), written


@pytest.mark.parametrize(
    ("form", "channels"), [(Form.WAV, 6), (Form.FLAC, 6), (Form.AAC, 6), (Form.OPUS, 6), (Form.WAV, 1)]
)
def test_channels_stay_in_their_order(form: Form, channels: int, tmp_path: Path) -> None:
    written = Written(Form.WAV, "24").into(form)
    before = recorded(written, channels=channels, rate=48_000)
    write(before, tmp_path / "x", written)
    after = read(tmp_path / "x")
    assert after.sound.channels == channels
    for one, other in zip(before.sound.samples, after.sound.samples, strict=True):
        if np.abs(other).max() > 0.2:  # but for the deep channel of lossy forms, which keeps no high voice
            assert np.corrcoef(one[:20_000], other[:20_000])[0, 1] > 0.95


def test_a_rate_that_a_form_does_not_know_becomes_the_next_one(tmp_path: Path) -> None:
    for form, rate, wanted in ((Form.OPUS, 44_100, 48_000), (Form.MP3, 96_000, 48_000), (Form.AAC, 22_050, 22_050)):
        written = Written(Form.WAV, "16").into(form, 96_000)
        write(recorded(written, rate=rate), tmp_path / "x", written)
        after = read(tmp_path / "x")
        assert after.sound.rate == wanted
        assert abs(after.sound.seconds - sung(2, rate).seconds) < 1e-3


def test_more_channels_than_a_form_holds_are_refused(tmp_path: Path) -> None:
    written = Written(Form.MP3, bit_rate=192_000)
    with pytest.raises(InputError, match="has 6 channels, wanted at most 2 in mp3"):
        write(recorded(written, channels=6), tmp_path / "x", written)


def test_a_folder_that_is_not_there_is_an_error_of_the_outside(tmp_path: Path) -> None:
    for written in (LOSSLESS[0], LOSSY[0], LOSSY[-1]):
        with pytest.raises(OutsideError, match="writing"):
            write(recorded(written), tmp_path / "nowhere" / "x", written)
