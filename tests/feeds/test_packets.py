"""One encoding has one digest, whatever its tags and containers say; parts of it are found wherever they stand."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.frames import mp3_frame, past_tags
from riparian.feeds.packets import Packets, packets
from riparian.feeds.sound_files import Limits
from tests.feeds.containers import FORMS, encoded, remuxed


def taken(tmp_path: Path, octets: bytes) -> Packets:
    (tmp_path / "x").write_bytes(octets)
    found = packets(tmp_path / "x")
    assert found is not None
    return found


ID3 = b"ID3\x04\0\0\0\0\x10\0" + bytes(2048)
ID3V1 = b"TAG" + b"somebody else".ljust(125)
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (100).to_bytes(4, "little") + bytes(3) + b"\xa0" + bytes(8)


def copyrighted(octets: bytes) -> bytes:
    """Set a flag in the header of every frame; the sound does not hear it."""
    changed = bytearray(octets)
    at = past_tags(BytesIO(octets), 0)
    while (frame := mp3_frame(octets[at : at + 4])) is not None:
        changed[at + 3] |= 8
        at += frame.length
    return bytes(changed)


REWRITTEN: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "MP3, tags before and behind": ("mp3", lambda m: ID3 + ID3 + m + APE + bytes(100) + ID3V1),
    "MP3, written anew with other tags": ("mp3", lambda m: remuxed(m, "mp3", title="another")),
    "MP3, without the frame that describes it": ("mp3", lambda m: remuxed(m, "mp3", options="write_xing=0")),
    "MP3 in Matroska": ("mp3", lambda m: remuxed(m, "matroska")),
    "MP3 in MP4": ("mp3", lambda m: remuxed(m, "mp4")),
    "MP3 whose frames say that they are copyrighted": ("mp3", copyrighted),
    "AAC in ADTS": ("m4a", lambda m: remuxed(m, "adts")),
    "AAC in Matroska": ("m4a", lambda m: remuxed(m, "matroska", artist="another")),
    "AAC, tables at the beginning": ("m4a", lambda m: remuxed(m, "mp4", options="movflags=faststart")),
    "AAC in fragments": ("m4a", lambda m: remuxed(m, "mp4", options="movflags=empty_moov+frag_keyframe")),
    "AAC in fragments of DASH": ("m4a", lambda m: remuxed(m, "mp4", options="movflags=dash+empty_moov")),
    "Opus, other pages and tags": ("opus", lambda m: remuxed(m, "ogg", options="page_duration=100000", title="x")),
    "Opus in WebM": ("opus", lambda m: remuxed(m, "webm")),
    "Opus in MP4": ("opus", lambda m: remuxed(m, "mp4")),
    "Vorbis, other pages and tags": ("vorbis", lambda m: remuxed(m, "ogg", options="page_duration=100000", title="x")),
    "Vorbis in Matroska": ("vorbis", lambda m: remuxed(m, "matroska")),
    "FLAC, other tags": ("flac", lambda m: remuxed(m, "flac", title="another") + ID3V1),
    "FLAC in Ogg": ("flac", lambda m: remuxed(m, "ogg")),
    "FLAC in Matroska": ("flac", lambda m: remuxed(m, "matroska")),
    "FLAC in MP4": ("flac", lambda m: remuxed(m, "mp4", options="strict=-2")),
    "ALAC in Matroska": ("alac", lambda m: remuxed(m, "matroska")),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_file_that_was_written_anew_has_the_digest_that_it_had(name: str, tmp_path: Path) -> None:
    form, rewrite = REWRITTEN[name]
    master = encoded(form)
    changed = rewrite(master)
    assert changed != master
    found, had = taken(tmp_path, changed), taken(tmp_path, master)
    assert (found.codec, found.digest, found.n) == (had.codec, had.digest, had.n)
    assert found.tells
    assert found.seconds == pytest.approx(had.seconds, abs=0.2)
    assert {one.digest for one in found.stretches} == {one.digest for one in had.stretches}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_its_packets_and_its_length(form: str, tmp_path: Path) -> None:
    found = taken(tmp_path, encoded(form))
    assert found.codec == {"m4a": "aac"}.get(form, form)
    assert found.seconds == pytest.approx(36, abs=0.15)
    assert len(found.stretches) >= 2
    assert found.stretches[0].from_s == 0
    assert found.stretches[-1].to_s == pytest.approx(found.seconds)


@pytest.mark.parametrize("form", FORMS)
def test_two_songs_share_nothing(form: str, tmp_path: Path) -> None:
    one, other = taken(tmp_path, encoded(form)), taken(tmp_path, encoded(form, seed=2))
    assert one.digest != other.digest
    assert not {stretch.digest for stretch in one.stretches} & {stretch.digest for stretch in other.stretches}


@pytest.mark.parametrize(("form", "container"), [("mp3", "mp3"), ("m4a", "adts"), ("opus", "ogg"), ("flac", "flac")])
def test_a_copy_that_was_cut_shares_stretches_and_says_where(form: str, container: str, tmp_path: Path) -> None:
    whole = taken(tmp_path, encoded(form))
    cut = taken(tmp_path, remuxed(encoded(form), container, from_s=2.0))
    assert cut.digest != whole.digest
    there = {stretch.digest: stretch for stretch in whole.stretches}
    shared = [(one, there[one.digest]) for one in cut.stretches if one.digest in there]
    assert shared
    # The pages of an Ogg go on counting from where they were.
    later_s = 0.0 if container == "ogg" else 2.0
    assert all(ours.from_s - one.from_s == pytest.approx(later_s, abs=0.15) for one, ours in shared)


@pytest.mark.parametrize("form", ["mp3", "opus", "vorbis"])
def test_of_two_songs_in_one_file_both_are_found(form: str, tmp_path: Path) -> None:
    one, other = encoded(form), encoded(form, seed=2)
    joined = {stretch.digest for stretch in taken(tmp_path, one + other).stretches}
    for octets in (one, other):
        assert {stretch.digest for stretch in taken(tmp_path, octets).stretches} & joined


def test_silence_has_packets_and_tells_nothing(tmp_path: Path) -> None:
    # A frame of 32 kbit/s in which nothing is, again and again.
    frame = bytes.fromhex("fffb10c4") + bytes(100)
    found = taken(tmp_path, frame * 4000)
    assert (found.n, found.different, found.tells, found.stretches) == (4000, 1, False, ())


@pytest.mark.parametrize("form", FORMS)
def test_of_what_breaks_off_the_stretches_before_are_found(form: str, tmp_path: Path) -> None:
    octets = encoded(form)
    if form in {"m4a", "alac"}:
        # Its tables stand at the end, and a file without them holds no packets that can be told.
        octets = remuxed(octets, "mp4", options="movflags=faststart")
    whole, cut = taken(tmp_path, octets), taken(tmp_path, octets[: int(0.8 * len(octets))])
    assert 0.7 < cut.n / whole.n < 0.9
    assert cut.stretches[0].digest == whole.stretches[0].digest


def lying(table: bytes, at: int, number: int) -> bytes:
    octets = bytearray(encoded("m4a"))
    place = octets.index(table) + 4 + at
    octets[place : place + 4] = number.to_bytes(4)
    return bytes(octets)


def box(kind: bytes, *inside: bytes) -> bytes:
    octets = b"".join(inside)
    return (8 + len(octets)).to_bytes(4) + kind + octets


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4) for number in numbers)


def overlapping(chunks: int = 5000, length: int = 50_000) -> bytes:
    """Let every chunk of an M4A be its whole middle."""
    tables = [
        box(b"stsd", words(0, 1), box(b"alac", bytes(28))),
        box(b"stts", words(0, 1, chunks, 4096)),
        box(b"stsc", words(0, 1, 1, 1, 1)),
        box(b"stsz", words(0, length, chunks)),
        box(b"stco", words(0, chunks, *[100] * chunks)),
    ]
    media = [box(b"mdhd", words(0, 0, 0, 48_000, 0)), box(b"hdlr", words(0, 0), b"soun", bytes(13))]
    media.append(box(b"minf", box(b"stbl", *tables)))
    movie = box(b"moov", box(b"trak", box(b"tkhd", words(0, 0, 0, 1)), box(b"mdia", *media)))
    return box(b"ftyp", b"M4A ", bytes(4)) + movie + box(b"mdat", bytes(2 * length))


NO_PACKETS: dict[str, tuple[Callable[[], bytes], str]] = {
    "encrypted": (lambda: encoded("m4a").replace(b"mp4a", b"enca", 1), "encrypted"),
    "without its table": (lambda: encoded("m4a").replace(b"moov", b"free", 1), "no table"),
    "of sizes beyond it": (lambda: lying(b"stsz", 4, 0xFFFFFF), "no packet"),
    "of places that overlap": (overlapping, "say more than it holds"),
    "of packets beyond number": (lambda: lying(b"stsz", 8, 0xFFFFFFFF), "packets"),
    "an Ogg of pictures": (
        lambda: b"OggS\0\2" + bytes(8) + b"\1\0\0\0" + bytes(8) + b"\1\7\x80theora",
        "stream of sound",
    ),
    "tags and nothing": (lambda: ID3 + ID3V1, "no packet"),
}


@pytest.mark.parametrize("name", NO_PACKETS)
def test_what_cannot_be_taken_apart_is_refused_in_one_clear_error(name: str, tmp_path: Path) -> None:
    made, said = NO_PACKETS[name]
    (tmp_path / "x").write_bytes(made())
    with pytest.raises(InputError, match=f"x`.*{said}.*wanted"):
        packets(tmp_path / "x")


def test_what_holds_no_packets_has_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert packets(tmp_path / "x") is None


def test_what_is_larger_than_it_may_be_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded("mp3"))
    with pytest.raises(InputError, match="more than 0 MiB"):
        packets(tmp_path / "x", Limits(file_bytes=1000))
