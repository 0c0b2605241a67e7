"""Files of every form are read; whatever else is handed in ends in one error, in time and within bounds."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from riparian.audio.forms import Form
from riparian.errors import InputError
from riparian.feeds.sound_files import Limits, find, read, sniff

RATE = 44_100


def sung(n: int = RATE // 2, channels: int = 2) -> np.ndarray:
    at = np.arange(n) / RATE
    voices = [0.3 * np.sin(2 * np.pi * (300 + 90 * c) * at * (1 + at / 4)) for c in range(channels)]
    return np.stack(voices, axis=1).astype(np.float32)


FORMATS = {
    "x.wav, 8 bits": ("WAV", "PCM_U8", Form.WAV, "16"),
    "x.wav, 16 bits": ("WAV", "PCM_16", Form.WAV, "16"),
    "x.wav, 24 bits": ("WAV", "PCM_24", Form.WAV, "24"),
    "x.wav, 32 bits": ("WAV", "PCM_32", Form.WAV, "32f"),
    "x.wav, floats": ("WAV", "FLOAT", Form.WAV, "32f"),
    "x.wav, doubles": ("WAV", "DOUBLE", Form.WAV, "32f"),
    "x.wav, extensible": ("WAVEX", "PCM_24", Form.WAV, "24"),
    "x.wav, beyond 4 GiB": ("RF64", "PCM_16", Form.WAV, "16"),
    "x.aiff": ("AIFF", "PCM_16", Form.WAV, "16"),
    "x.aiff, 24 bits": ("AIFF", "PCM_24", Form.WAV, "24"),
    "x.flac": ("FLAC", "PCM_16", Form.FLAC, "16"),
    "x.flac, 24 bits": ("FLAC", "PCM_24", Form.FLAC, "24"),
    "x.ogg, Vorbis": ("OGG", "VORBIS", Form.VORBIS, ""),
    "x.mp3": ("MP3", "MPEG_LAYER_III", Form.MP3, ""),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_libsndfile_writes_is_read(name: str, tmp_path: Path) -> None:
    container, subtype, form, depth = FORMATS[name]
    samples = sung()
    soundfile.write(tmp_path / "x.dat", samples, RATE, format=container, subtype=subtype)
    found = read(tmp_path / "x.dat")
    assert (found.written.form, found.written.depth) == (form, depth)
    assert (found.sound.rate, found.sound.channels) == (RATE, 2)
    n = min(len(samples), found.sound.samples.shape[1])
    near = 0.2 if not depth else 0.02 if subtype == "PCM_U8" else 1e-4
    assert abs(found.sound.samples.shape[1] - len(samples)) < (1152 if form is Form.MP3 else 1)
    assert np.abs(found.sound.samples[:, :n].T - samples[:n]).max() < near


@pytest.mark.parametrize("channels", [1, 3, 6, 8])
def test_channels_are_kept_apart(channels: int, tmp_path: Path) -> None:
    samples = sung(channels=channels)
    soundfile.write(tmp_path / "x", samples, RATE, format="WAV", subtype="FLOAT")
    found = read(tmp_path / "x").sound.samples.T
    assert np.array_equal(found, samples)


def wav(body: bytes = b"\0\0" * 4000, rate: int = RATE, channels: int = 1, **more: int) -> bytes:
    """Write a WAV file by hand, with whatever is to be wrong about it."""
    kind, bits = more.get("kind", 1), more.get("bits", 16)
    size = more.get("size", len(body))
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * channels * 2, channels * bits // 8, bits)
    rest = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + body
    return b"RIFF" + struct.pack("<I", len(rest)) + rest


def cut(name: str, share: float) -> Callable[[], bytes]:
    def made() -> bytes:
        import io  # noqa: PLC0415

        file = io.BytesIO()
        container, subtype = {"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III")}[
            name
        ]
        soundfile.write(file, sung(3 * RATE), RATE, format=container, subtype=subtype)
        whole = file.getvalue()
        return whole[: int(share * len(whole))]

    return made


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
NO_SOUND: dict[str, bytes | Callable[[], bytes]] = {
    "nothing": b"",
    "one byte": b"R",
    "text": b"this is no sound at all, whatever its name says\n" * 40,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a page": b"<html><body>404</body></html>",
    "a playlist that names a file of ours": PLAYLIST,
    "a list of files to join": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a zip archive": b"PK\x03\x04" + bytes(100),
    "noise": bytes(np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8)),
    "a WAV without samples": wav(b""),
    "a WAV of no channels": wav(channels=0),
    "a WAV at no rate": wav(rate=0),
    "a WAV of nine channels": wav(bytes(18 * 400), channels=9),
    "a WAV at 2 MHz": wav(rate=2_000_000),
    "a WAV of a codec that we do not open": wav(kind=0x0055),
    "a WAV that ends in its header": wav()[:30],
    "a WAV of a playlist": b"RIFF\x40\0\0\0WAVE" + PLAYLIST,
    "a FLAC that ends at once": b"fLaC",
    "an Ogg page of nothing": b"OggS" + bytes(60),
    "an M4A of nothing": b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + bytes(64),
    "an M4A that nests": b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\x10\0moov" * 400,
    "an ID3 tag of 256 MB": b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(100),
    "an ID3 tag and nothing": b"ID3\x04\0\0\0\0\0\0",
    "the head of a FLAC": cut("flac", 0.01),
    "the head of an Ogg": cut("ogg", 0.02),
}


@pytest.mark.parametrize("name", NO_SOUND)
def test_what_holds_no_sound_is_refused_in_one_clear_error(name: str, tmp_path: Path) -> None:
    octets = NO_SOUND[name]
    (tmp_path / "x.mp3").write_bytes(octets if isinstance(octets, bytes) else octets())
    with pytest.raises(InputError, match=r"x\.mp3`.*wanted"):
        read(tmp_path / "x.mp3")


@pytest.mark.parametrize("name", ["flac", "ogg", "mp3"])
def test_of_what_breaks_off_the_sound_part_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(cut(name, 0.6)())
    assert 0.3 < read(tmp_path / "x").sound.seconds < 2.7


def test_a_wav_that_promises_more_than_it_holds_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(wav(size=0xFFFFFFFF))
    assert read(tmp_path / "x").sound.samples.shape == (1, 4000)


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    samples = np.array([0.1, np.nan, np.inf, -np.inf, 0.2] * 400, np.float32)
    (tmp_path / "x").write_bytes(wav(samples.tobytes(), kind=3, bits=32))
    assert read(tmp_path / "x").sound.samples[0, :5].tolist() == [np.float32(0.1), 0, 0, 0, np.float32(0.2)]


LIMITS = {
    "too large a file": (Limits(file_bytes=1000), "has more than 0 MiB"),
    "too much sound": (Limits(sound_bytes=4000), "it holds more than 0 MiB of sound"),
    "too little memory": (Limits(memory_bytes=64 << 20), "its decoder"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_what_costs_more_than_it_may_is_refused(name: str, tmp_path: Path) -> None:
    limits, said = LIMITS[name]
    (tmp_path / "x").write_bytes(wav(bytes(200_000)))
    with pytest.raises(InputError, match=said):
        read(tmp_path / "x", limits)


def test_who_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the place of the decoder, something that never ends.
    (tmp_path / "riparian" / "feeds").mkdir(parents=True)
    for place in ("riparian", "riparian/feeds"):
        (tmp_path / place / "__init__.py").touch()
    (tmp_path / "riparian" / "feeds" / "sound_child.py").write_text("import time\ntime.sleep(60)\n")
    (tmp_path / "x").write_bytes(wav())
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(InputError, match="it took longer than 1 s"):
        read(tmp_path / "x", Limits(seconds=1))


def test_nothing_of_the_folder_where_we_are_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "av.py").write_text("raise SystemExit('imported from where we happen to be')\n")
    (tmp_path / "x").write_bytes(wav())
    monkeypatch.chdir(tmp_path)
    assert read(tmp_path / "x").sound.seconds > 0


def test_a_file_that_is_not_there_or_not_ours_is_the_senders_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)


def test_a_folder_is_walked_in_order_and_what_is_no_sound_is_left_out(tmp_path: Path) -> None:
    for name in ("b/2.wav", "b/1.wav", "a.wav", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(wav())
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    (tmp_path / "notes.wav").write_text("no sound")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    found = [path.relative_to(tmp_path).as_posix() for path in find([tmp_path])]
    assert found == ["a.wav", "c", "b/1.wav", "b/2.wav"]
    assert find([tmp_path / "notes.wav"]) == [tmp_path / "notes.wav"]
    assert find([tmp_path / "a.wav", tmp_path]) == find([tmp_path / "a.wav", tmp_path, tmp_path])


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        find([tmp_path / "none"])


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\xff\xf3\x48\xc4", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"\xff\xff\xff\xff", None),
        (b"\xff\xd8\xff\xe0", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"RF64\xff\xff\xff\xffWAVE", "wav"),
        (b"FORM\0\0\0\0AIFC", "aiff"),
        (b"", None),
    ],
)
def test_a_form_is_known_by_its_first_bytes(head: bytes, container: str | None) -> None:
    assert sniff(head) == container


@pytest.mark.parametrize("what", ["open('x')", "__import__('socket').socket()", "os.pipe()"])
def test_whoever_takes_a_decoder_over_can_open_nothing(what: str) -> None:
    taken = "import os, socket; from riparian.feeds.sound_child import limit; limit(2 << 30, 10)\n"
    ended = subprocess.run([sys.executable, "-c", taken + what], capture_output=True, text=True, check=False)
    assert "Errno 24" in ended.stderr
