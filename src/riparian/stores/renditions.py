"""How does sound become a file again, with all that stood beside it?

A rendition is as long as its sound, to the sample: what an encoder puts before and after is written down where players
look for it (LAME's tag, an edit list, Opus' pre-skip, the last granule of Ogg).  Only an MP3 file may end some ten
milliseconds late, in silence, where its last frame leaves no room to say less.  Tags and covers are written as far as
the form can hold them; a WAV file keeps every chunk of its master.  Nothing of the time or the machine is written, so
that the same sound makes the same bytes.

Samples that a mark left as they were are written as they were: 16 and 24 bits are rounded to, never dithered.
"""

import base64
import contextlib
import io
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final

import av
import numpy as np
import soundfile
import soxr
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from riparian.audio.forms import Form, Picture, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.errors import InputError, OutsideError

_BLOCK: Final = 1 << 15
_PAD: Final = 1024
_FULL_24: Final = np.float32(1 << 23)
_CONTAINERS: Final[Mapping[Form, str]] = MappingProxyType(
    {
        Form.WAV: "wav", Form.FLAC: "flac", Form.ALAC: "mp4", Form.MP3: "mp3", Form.AAC: "mp4", Form.OPUS: "ogg",
        Form.VORBIS: "ogg",
    }
)  # fmt: skip
_CODECS: Final[Mapping[Form, Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        Form.WAV: {"16": ("pcm_s16le", "s16"), "24": ("pcm_s24le", "s32"), "32f": ("pcm_f32le", "flt")},
        Form.FLAC: {"16": ("flac", "s16"), "24": ("flac", "s32")},
        Form.ALAC: {"16": ("alac", "s16p"), "24": ("alac", "s32p")},
        Form.MP3: {"": ("libmp3lame", "fltp")},
        Form.AAC: {"": ("aac", "fltp")},
        Form.OPUS: {"": ("libopus", "flt")},
    }
)
_CHANNELS: Final[Mapping[Form, int]] = MappingProxyType({Form.MP3: 2, Form.VORBIS: 2})
_RATES: Final[Mapping[Form, tuple[int, ...]]] = MappingProxyType(
    {
        Form.MP3: (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
        Form.AAC: (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
        Form.OPUS: (48_000,),
    }
)
"""The rates that a form can have; any, where it is not named."""
_MP3_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LAYOUTS: Final = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
_PIPES: Final = {"image/png": "png_pipe", "image/jpeg": "jpeg_pipe"}


def write(recorded: Recorded, path: Path, written: Written) -> None:
    """Write a file, replacing what is there.

    Parameters
    ----------
    recorded
        Sound and what stands beside it.
    path
        Where; its name may end in anything.
    written
        In which form.

    Raises
    ------
    InputError
        When the form cannot hold so many channels.
    OutsideError
        When the disk or the encoder refuses.
    """
    sound = _fitted(recorded.sound, written.form)
    if written.depth == "24":
        # FFmpeg would cut the bits below off, which is a step of half a sample's worth.
        sound = Sound(np.rint(sound.samples * _FULL_24) / _FULL_24, sound.rate)
    try:
        if written.form is Form.VORBIS:
            _write_vorbis(recorded, sound, path, written)
        else:
            _write_stream(recorded, sound, path, written)
        if written.form is Form.WAV and recorded.written.form is Form.WAV:
            _append_chunks(path, recorded.chunks)
    except (OSError, FFmpegError, soundfile.SoundFileError) as error:
        raise OutsideError(
            f"writing `{path}` failed: {error}", hint="Look at the disk's space and permissions."
        ) from error


def _fitted(sound: Sound, form: Form) -> Sound:
    most = _CHANNELS.get(form, len(_LAYOUTS))
    if sound.channels > most:
        raise InputError(
            f"the sound has {sound.channels} channels, wanted at most {most} in {form}",
            hint="Choose another form with --format, such as flac.",
        )
    rates = _RATES.get(form, (sound.rate,))
    if sound.rate in rates:
        return sound
    rate = min((rate for rate in rates if rate >= sound.rate), default=rates[-1])
    return Sound(np.ascontiguousarray(soxr.resample(sound.samples.T, sound.rate, rate, "VHQ").T), rate)


def _write_stream(recorded: Recorded, sound: Sound, path: Path, written: Written) -> None:
    n = sound.samples.shape[1]
    options = {"fflags": "+bitexact"}
    if written.form in {Form.AAC, Form.ALAC}:
        # Times in samples, so that an edit list can be as long as the sound and not as its milliseconds.
        options |= {"brand": "M4A ", "movie_timescale": str(sound.rate), "movflags": "+faststart"}
    with av.open(str(path), "w", format=_CONTAINERS[written.form], options=options) as file:
        stream = _stream(file, sound, written, recorded.layout)
        _put_beside(file, stream, recorded, written.form)
        for packet in _packets(stream, sound, pad=_PAD if written.form is Form.AAC else 0):
            # Behind its sound, an AAC encoder is fed silence to say all of it; of that, nothing is kept.
            if written.form is Form.AAC and packet.pts is not None:
                if packet.pts >= n:
                    continue
                packet.duration = min(packet.duration or 0, n - packet.pts)
            file.mux(packet)


def _stream(file: OutputContainer, sound: Sound, written: Written, layout: str) -> AudioStream:
    codec, samples = _CODECS[written.form][written.depth]
    usual = _LAYOUTS[sound.channels - 1]
    named = layout if layout and written.form in {Form.WAV, Form.FLAC} and _counts(layout, sound.channels) else usual
    stream = file.add_stream(codec, rate=sound.rate, layout=named)
    assert isinstance(stream, AudioStream)  # noqa: S101 -- a codec of sound
    stream.codec_context.format = av.AudioFormat(samples)
    stream.codec_context.flags |= Flags.bitexact
    if written.bit_rate:
        stream.codec_context.bit_rate = _bit_rate(written, sound)
    return stream


def _counts(layout: str, channels: int) -> bool:
    with contextlib.suppress(ValueError):
        return len(av.AudioLayout(layout).channels) == channels
    return False


def _bit_rate(written: Written, sound: Sound) -> int:
    wanted = written.bit_rate
    if written.form is Form.MP3:
        # As players know them; below 32 kHz no frame is larger than 160.
        most = 320_000 if sound.rate >= 32_000 else 160_000
        rates = [1000 * kbps for kbps in _MP3_KBPS if 1000 * kbps <= most]
        return min((rate for rate in rates if rate >= 0.98 * wanted), default=rates[-1])
    if written.form is Form.OPUS:
        return min(wanted, 256_000 * sound.channels)
    return wanted


def _packets(stream: AudioStream, sound: Sound, *, pad: int) -> "Iterator[Packet[AudioStream]]":
    layout = stream.codec_context.layout
    samples = np.pad(sound.samples, ((0, 0), (0, pad))) if pad else sound.samples
    for at in range(0, samples.shape[1], _BLOCK):
        block = np.ascontiguousarray(samples[:, at : at + _BLOCK])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = sound.rate, at, Fraction(1, sound.rate)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _put_beside(file: OutputContainer, stream: AudioStream, recorded: Recorded, form: Form) -> None:
    """Write tags and covers, before any sound."""
    if form is Form.OPUS:
        stream.metadata.update(_comments(recorded))
        return
    if form is not Form.WAV or not recorded.chunks:
        file.metadata.update(recorded.tags)
    if form in {Form.MP3, Form.FLAC, Form.AAC, Form.ALAC}:
        covers = [(picture, _PIPES[picture.kind]) for picture in recorded.pictures if picture.kind in _PIPES]
        put = [_cover(file, picture, pipe) for picture, pipe in covers]
        for packet in put:
            file.mux(packet)


def _cover(file: OutputContainer, picture: Picture, pipe: str) -> "Packet[VideoStream]":
    with av.open(io.BytesIO(picture.octets), "r", format=pipe) as image:
        source = image.streams.video[0]
        stream = file.add_stream_from_template(source)
        stream.disposition = Disposition.attached_pic
        stream.metadata.update({"title": "Album cover", "comment": "Cover (front)"})
        packet = next(packet for packet in image.demux(source) if packet.size)
        packet.stream = stream
        return packet


def _comments(recorded: Recorded) -> dict[str, str]:
    """Give the tags as Vorbis comments, with the cover among them as FLAC would hold it."""
    tags = dict(recorded.tags)
    for picture in recorded.pictures[:1]:
        kind = picture.kind.encode()
        block = struct.pack(">II", 3, len(kind)) + kind + struct.pack(">6I", 0, 0, 0, 0, 0, len(picture.octets))
        tags["METADATA_BLOCK_PICTURE"] = base64.b64encode(block + picture.octets).decode()
    return tags


def _write_vorbis(recorded: Recorded, sound: Sound, path: Path, written: Written) -> None:
    # FFmpeg has no good encoder of Vorbis, and libsndfile no place for covers: one writes, the other writes beside it.
    encoded = io.BytesIO()
    with soundfile.SoundFile(
        encoded, "w", sound.rate, sound.channels, format="OGG", subtype="VORBIS",
        compression_level=_vorbis_level(written, sound),
    ) as file:  # fmt: skip
        for at in range(0, sound.samples.shape[1], _BLOCK):
            file.write(np.ascontiguousarray(sound.samples[:, at : at + _BLOCK].T))
    encoded.seek(0)
    options = {"fflags": "+bitexact"}
    with av.open(encoded, "r", format="ogg") as source, av.open(str(path), "w", format="ogg", options=options) as copy:
        stream = copy.add_stream_from_template(source.streams.audio[0])
        stream.metadata.update(_comments(recorded))
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)


def _vorbis_level(written: Written, sound: Sound) -> float:
    """Choose libsndfile's level, 0 for the best and 1 for the least, near a bit rate.

    The nominal rates of libvorbis for two channels at 44.1 kHz, from quality -0.1 to 1.
    """
    nominal = np.array([48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500]) * 1000.0
    quality = np.linspace(-0.1, 1.0, 12)
    per_two = written.bit_rate * 2 / sound.channels
    return float(np.clip(1.0 - np.interp(per_two, nominal, quality), 0.0, 1.0))


def _append_chunks(path: Path, chunks: tuple[tuple[str, bytes], ...]) -> None:
    """Put the chunks of the master behind the samples."""
    if not chunks:
        return
    with path.open("r+b") as file:
        if file.read(4) != b"RIFF":
            return
        file.seek(0, io.SEEK_END)
        if file.tell() % 2:
            file.write(b"\0")
        for name, octets in chunks:
            file.write(struct.pack("<4sI", name.encode("ascii"), len(octets)) + octets + b"\0" * (len(octets) % 2))
        size = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", size - 8))
