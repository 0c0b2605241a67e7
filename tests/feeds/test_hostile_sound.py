"""Whatever is handed in, a run hears it or tells in one line why not, and goes on."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from riparian.feeds.listening import listen
from riparian.ports.prints import SoundFile, Sounding
from tests.feeds.containers import RATE, encoded, remuxed, song
from tests.feeds.test_sound_files import wav

Made = Callable[[], bytes]


def heard(path: Path) -> Sounding:
    return listen(SoundFile(str(path), ""), lambda *_: False)


def written(samples: np.ndarray, rate: int = RATE, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def replaced(octets: bytes, at: int, by: bytes) -> bytes:
    return octets[:at] + by + octets[at + len(by) :]


def film(*, sound: bool) -> bytes:
    """Make a second of pictures, with a tone or without."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        pictures = out.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 32
        if sound:
            with av.open(io.BytesIO(encoded("mp3", 1, 4.0)), "r") as inside:
                stream = inside.streams.audio[0]
                into = out.add_stream_from_template(stream)
                for packet in inside.demux(stream):
                    if packet.size:
                        packet.stream = into
                        out.mux(packet)
        for _ in range(5):
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        out.mux(pictures.encode(None))
    return file.getvalue()


def page(serial: int, flags: int, lacing: bytes, body: bytes, position: int = 0) -> bytes:
    return struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, serial, 0, 0, len(lacing)) + lacing + body


def endless_ogg(pages: int = 400) -> bytes:
    """Begin a packet of Opus that goes on from page to page, and never ends."""
    head = b"OpusHead\1\1" + struct.pack("<HIhB", 0, 48_000, 0, 0)
    first = page(7, 2, bytes([len(head)]), head) + page(7, 0, b"\x10", b"OpusTags".ljust(16, b"\0"))
    return first + b"".join(page(7, k > 0, b"\xff" * 255, bytes(65_025), -1) for k in range(pages))


def with_comments(n: int) -> bytes:
    """Give a FLAC a block of comments as large as one can be."""
    octets = encoded("flac", 1, 4.0)
    text = b"TITLE=" + b"x" * 100
    vendor_and_comments = struct.pack("<II", 0, n) + n * (struct.pack("<I", len(text)) + text)
    block = b"\x04" + len(vendor_and_comments).to_bytes(3) + vendor_and_comments
    return octets[:42].replace(b"\x80", b"\0", 1) + block + octets[42:]


ID3_EMPTY = b"ID3\x04\0\0\0\0\0\0"
SOUND: dict[str, Made] = {
    "an MP3 that breaks off": lambda: encoded("mp3")[:100_000],
    "an Opus that breaks off": lambda: encoded("opus")[:100_000],
    "a FLAC that breaks off": lambda: encoded("flac")[:300_000],
    "an M4A that breaks off behind its tables": lambda: remuxed(encoded("m4a"), "mp4", options="movflags=faststart")[
        :150_000
    ],
    "a FLAC that says it has 19 days of sound": lambda: replaced(encoded("flac", 1, 4.0), 21, b"\xff\xff\xff\xff\xff"),
    "a WAV that says it is longer than any": lambda: wav(bytes(100_000), size=0xFFFFFFFF),
    "an MP3 that says it has a thousand million frames": lambda: encoded("mp3", 1, 4.0).replace(
        b"\0\0\0\x0f\0\0", b"\0\0\0\x0f\x7f\xff", 1
    ),
    "an Ogg whose last page ends in a million years": lambda: replaced(
        encoded("opus", 1, 4.0), encoded("opus", 1, 4.0).rindex(b"OggS") + 6, struct.pack("<q", 1 << 60)
    ),
    "384 kHz": lambda: written(np.tile(song(1, 4.0).T, (4, 1)), 384_000),
    "384 kHz in FLAC": lambda: written(np.tile(song(1, 4.0).T, (4, 1)), 384_000, "FLAC"),
    "32 channels": lambda: written(np.repeat(song(1, 4.0).T, 32, axis=1)),
    "six channels of FLAC": lambda: written(np.repeat(song(1, 4.0).T, 6, axis=1), container="FLAC"),
    "8 kHz, 8 bits": lambda: written(song(1, 24.0).T[::6], 8_000, subtype="PCM_U8"),
    "silence": lambda: written(np.zeros((RATE * 4, 1), np.float32)),
    "numbers that are none": lambda: written(np.full((RATE, 1), np.nan, np.float32), subtype="FLOAT"),
    "a film with sound": lambda: film(sound=True),
    "fifty tags, one behind another": lambda: 50 * ID3_EMPTY + encoded("mp3", 1, 4.0),
    "a tag of sixteen megabytes": lambda: (
        b"ID3\x04\0\0\x07\x7f\x7f\x7f" + bytes((1 << 24) - 1) + encoded("mp3", 1, 4.0)
    ),
    "five thousand comments": lambda: with_comments(5_000),
    "a page of the web before it": lambda: encoded("opus", 1, 4.0) + b"<html>" * 1000,
}
NO_SOUND: dict[str, Made] = {
    "nothing": lambda: b"",
    "a picture that is called MP3": lambda: b"\x89PNG\r\n\x1a\n" + bytes(200),
    "a text": lambda: b"this is no sound at all\n" * 40,
    "a WAV of no samples": lambda: wav(b""),
    "a FLAC of no samples": lambda: written(np.zeros((0, 1), np.float32), container="FLAC"),
    "an Opus of headers alone": lambda: endless_ogg(0),
    "an Ogg of one packet without end": endless_ogg,
    "an Ogg of pages of nothing": lambda: page(7, 2, b"", b"") * 5000,
    "a film without sound": lambda: film(sound=False),
    "what somebody bought and may not play": lambda: encoded("m4a", 1, 4.0).replace(b"mp4a", b"drms", 1),
    "an M4A whose tables are gone": lambda: encoded("m4a", 1, 4.0).replace(b"moov", b"gone", 1),
    "an M4A that nests": lambda: b"\0\0\0\x10ftypM4A \0\0\0\0" + b"\0\0\x10\0moov" * 4000,
    "a tag of 256 MB and nothing": lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(100),
    "a Matroska of nothing": lambda: b"\x1a\x45\xdf\xa3" + bytes(64),
    "a Matroska without end": lambda: bytes.fromhex("1a45dfa380" + "18538067" + "01ffffffffffffff") * 3000,
    "a playlist that names a file of ours": lambda: b"#EXTM3U\nfile:///etc/passwd\n",
}


@pytest.mark.parametrize("name", SOUND)
def test_what_holds_sound_is_heard_whatever_else_it_says(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(SOUND[name]())
    found = heard(tmp_path / "x.mp3")
    assert found.failed == ""
    assert found.samples is not None
    assert 0.3 < found.samples.size / 11_025 < 40
    assert np.isfinite(found.samples).all()


@pytest.mark.parametrize("name", NO_SOUND)
def test_what_holds_none_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(NO_SOUND[name]())
    found = heard(tmp_path / "x.mp3")
    assert found.samples is None
    assert "x.mp3`" in found.failed
    assert ", wanted " in found.failed
    assert len(found.failed.splitlines()) == 1
    assert len(found.failed) < 400


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


NO_FILE = {
    "a folder": folder,
    "a pipe that nobody writes to": os.mkfifo,
    "a link to nothing": dangling,
    "zeros": device,
}


@pytest.mark.parametrize("name", NO_FILE)
def test_what_is_no_file_is_told_at_once(name: str, tmp_path: Path) -> None:
    NO_FILE[name](tmp_path / "x.mp3")
    found = heard(tmp_path / "x.mp3")
    assert found.samples is None
    assert "cannot be read" in found.failed
    assert len(found.failed.splitlines()) == 1


def test_one_file_that_kills_its_decoder_leaves_the_others(tmp_path: Path) -> None:
    names = ["an Ogg of one packet without end", "a picture that is called MP3", "a Matroska without end"]
    for n, name in enumerate(names):
        (tmp_path / f"{n}.mp3").write_bytes(NO_SOUND[name]())
    (tmp_path / "9.mp3").write_bytes(encoded("mp3", 1, 4.0))
    found = [heard(path) for path in sorted(tmp_path.iterdir())]
    assert [bool(one.failed) for one in found] == [True, True, True, False]
