"""Files are heard at one rate by processes that end with the file, whatever becomes of the one that begets them."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from riparian.audio.forms import Form
from riparian.audio.pcm import Sound
from riparian.audio.resample import mono_at
from riparian.errors import InputError
from riparian.feeds import decoders
from riparian.feeds.hearing import hear
from riparian.feeds.sound_files import Limits
from riparian.prints.peaks import RATE


def sung(rate: int, channels: int, seconds: float = 2.0) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    voices = [0.3 * np.sin(2 * np.pi * (300 + 90 * c) * at) for c in range(channels)]
    return np.stack(voices, axis=1).astype(np.float32)


FORMS = {
    "8 bits": ("WAV", "PCM_U8", 44_100, 1, Form.WAV),
    "16 bits": ("WAV", "PCM_16", 44_100, 2, Form.WAV),
    "24 bits": ("WAV", "PCM_24", 96_000, 2, Form.WAV),
    "32 bits": ("WAV", "PCM_32", 48_000, 6, Form.WAV),
    "floats": ("WAV", "FLOAT", 22_050, 2, Form.WAV),
    "doubles": ("WAV", "DOUBLE", 8_000, 1, Form.WAV),
    "AIFF": ("AIFF", "PCM_16", 44_100, 2, Form.WAV),
    "FLAC": ("FLAC", "PCM_16", 44_100, 2, Form.FLAC),
    "FLAC, 24 bits": ("FLAC", "PCM_24", 192_000, 2, Form.FLAC),
    "Vorbis": ("OGG", "VORBIS", 44_100, 2, Form.VORBIS),
    "MP3": ("MP3", "MPEG_LAYER_III", 44_100, 2, Form.MP3),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_is_heard_as_sound_in_memory_is(name: str, tmp_path: Path) -> None:
    container, subtype, rate, channels, form = FORMS[name]
    samples = sung(rate, channels)
    soundfile.write(tmp_path / "x", samples, rate, format=container, subtype=subtype)
    found = hear(tmp_path / "x")
    wanted = mono_at(Sound(np.ascontiguousarray(samples.T), rate), RATE)
    assert found.form is form
    assert found.seconds == pytest.approx(2.0, abs=0.06)
    is_lossy = form in {Form.MP3, Form.VORBIS}
    lags = range(1200) if is_lossy else range(2)
    near = min(float(np.abs(found.samples[lag : lag + RATE] - wanted[:RATE]).max()) for lag in lags)
    assert near < (0.1 if is_lossy else 0.01 if subtype == "PCM_U8" else 2e-3)


def test_tags_are_told(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "x.flac", "w", 22_050, 1) as file:
        file.title = "The Ford"
        file.write(sung(22_050, 1))
    assert hear(tmp_path / "x.flac").tags == {"title": "The Ford"}


def test_a_file_without_sound_says_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros((0, 2)), 44_100)
    with pytest.raises(InputError, match="holds no sound"):
        hear(tmp_path / "x.wav")


def test_more_sound_than_may_be_ends_in_one_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.flac", np.zeros(60 * 22_050), 22_050)
    with pytest.raises(InputError, match="more than 1 MiB of sound"):
        hear(tmp_path / "x.flac", Limits(sound_bytes=1 << 20))


def test_a_process_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", sung(22_050, 1), 22_050)
    hear(tmp_path / "x.wav")
    stem = decoders._stem()
    os.kill(stem._process.pid, signal.SIGKILL)
    stem._process.wait()
    assert hear(tmp_path / "x.wav").seconds == pytest.approx(2.0, abs=0.01)
    assert decoders._stem() is not stem


def test_each_thread_has_its_own_and_each_file_ends_its_process(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", sung(22_050, 1), 22_050)
    stems: list[decoders.Stem] = []

    def work() -> None:
        hear(tmp_path / "x.wav")
        stems.append(decoders._stem())
        decoders._forget()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stems[0] is not stems[1]
    with (
        (tmp_path / "x.wav").open("rb") as file,
        decoders.decoding(file, decoders.Asked("wav", 2 << 30, 60, RATE)) as one,
    ):
        pid = one._pid
        assert one.out.read(4)
    stem = decoders._stem()
    with (tmp_path / "x.wav").open("rb") as file, stem.decoding(file, decoders.Asked("wav", 2 << 30, 60, RATE)):
        # The one before was waited for before this one was begun.
        assert not Path(f"/proc/{pid}").exists()
