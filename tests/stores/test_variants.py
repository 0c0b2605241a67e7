import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.errors import InputError
from riparian.marks.variants import JOIN_SAMPLES, SIDES, Variants
from riparian.stores.variants.coding import REFUSED, Coded, Coding, decode, encode
from riparian.stores.variants.folder import HEAD, bandwidth, playlist, write
from riparian.stores.variants.joins import joins
from tests.edges.marked_media import KEY, coded, expected, sides, stereo, usual

CODINGS = ("aac:96", "flac", "flac:24")


@dataclass(frozen=True)
class Made:
    """The usual sound in one coding."""

    both: tuple[Sound, Sound]
    pair: tuple[Coded, Coded]
    variants: Variants
    folder: Path


@pytest.fixture(scope="module", params=CODINGS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    both, version = usual()
    coding = Coding.named(request.param)
    pair = coded(both, coding, version)
    folder = tmp_path_factory.mktemp("marked")
    return Made(both, pair, write(pair, version, folder, segment_chunks=3), folder / coding.name)


def boxes(raw: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(raw):
        size, kind = struct.unpack(">I4s", raw[at : at + 8])
        yield kind.decode(), raw[at + 8 : at + size]
        at += size
    assert at == len(raw)


def composed(variants: Variants, folder: Path, word: NDArray[np.int8]) -> bytes:
    raw = {side: (folder / side).read_bytes() for side in SIDES}
    pieces = (piece for segment in range(variants.segments) for piece in variants.pieces(segment, word))
    return b"".join(raw[piece.side][piece.first : piece.first + piece.n_bytes] for piece in pieces)


def played(path: Path) -> NDArray[np.float32]:
    with av.open(str(path)) as source:
        even = av.AudioResampler(format="fltp")
        return np.concatenate([e.to_ndarray() for f in source.decode(audio=0) for e in even.resample(f)], axis=1)


def test_what_a_player_hears_of_any_word_is_the_blocks_in_turn_without_a_gap(made: Made, tmp_path: Path) -> None:
    pair, variants, folder = made.pair, made.variants, made.folder
    for account in ("a-1", "a-2"):
        file = tmp_path / f"{account}.mp4"
        file.write_bytes((folder / HEAD).read_bytes() + composed(variants, folder, variants.word(KEY, account)))
        heard, want = played(file), decode(expected(pair, variants, account)).samples
        # A player that looks at edit lists leaves out what comes before; behind the end a block may run on.
        assert 0 <= heard.shape[1] - variants.samples < pair[0].block
        np.testing.assert_array_equal(heard[:, : variants.samples], want)


def test_nothing_but_sound_tells_one_side_from_the_other(made: Made) -> None:
    variants, folder = made.variants, made.folder
    first, second = ((folder / side).read_bytes() for side in SIDES)
    assert len(first) == len(second) == variants.places[-1]
    assert first != second
    for begin, end in pairwise(variants.places):
        kinds = [[kind for kind, _ in boxes(raw[begin:end])] for raw in (first, second)]
        assert kinds[0] == kinds[1] == ["moof", "mdat", "free"]
    assert {file.name for file in folder.iterdir()} == {"a", "b", "init.mp4", "index.m3u8", "variants.json"}
    assert not any(f"/{side}" in playlist(variants) for side in SIDES)


def test_the_head_says_where_the_sound_begins_and_ends_and_nothing_of_a_side(made: Made) -> None:
    pair, variants, folder = made.pair, made.variants, made.folder
    raw = (folder / HEAD).read_bytes()
    at = raw.index(b"elst") + 8
    assert struct.unpack(">2Ii", raw[at : at + 12]) == (1, variants.samples, pair[0].priming)
    assert pair[0].config == pair[1].config
    assert pair[0].coding.codec != "flac" or pair[0].config[-16:] == bytes(16)


def test_a_join_adds_less_than_the_codec_itself_leaves_out(made: Made) -> None:
    both, pair, variants = made.both, made.pair, made.variants
    found = joins(both, pair, variants.version.layout.chunk_samples(variants.rate))
    assert found.added_db.size == 2 * (variants.chunks - 1)
    assert found.worst_db <= (0.0 if pair[0].coding.codec == "aac" else -100.0)
    if pair[0].coding.codec == "flac":
        depth = pair[0].coding.depth
        np.testing.assert_allclose(found.heard.samples, both[0].samples, atol=0.51 / 2 ** (depth - 1) + 1e-7)


def test_where_chunks_meet_both_sides_are_the_master() -> None:
    master = stereo()
    both, version = usual()
    each = version.layout.chunk_samples(master.rate)
    for side in both:
        for begin in range(each, master.samples.shape[1], each):
            now = slice(begin, begin + JOIN_SAMPLES)
            np.testing.assert_array_equal(side.samples[:, now], master.samples[:, now])


LENGTHS = {
    "a whole number of chunks": 2 * 44_032,
    "one sample more": 2 * 44_032 + 1,
    "one sample less": 2 * 44_032 - 1,
    "less than a chunk": 20_000,
    "a few samples": 300,
}


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("samples", LENGTHS.values(), ids=LENGTHS.keys())
def test_any_length_comes_back_to_the_sample(samples: int, name: str, tmp_path: Path) -> None:
    sound = Sound(np.ascontiguousarray(stereo(2.5).samples[:, :samples]), 44_100)
    both, version = sides(sound)
    pair = coded(both, Coding.named(name), version)
    variants = write(pair, version, tmp_path)
    assert (variants.samples, variants.chunks) == (samples, -(-samples // 44_032))
    assert decode(pair[0]).samples.shape == sound.samples.shape
    (tmp_path / "whole.mp4").write_bytes(
        (tmp_path / Coding.named(name).name / HEAD).read_bytes()
        + composed(variants, tmp_path / Coding.named(name).name, np.ones(variants.chunks, np.int8))
    )
    heard = played(tmp_path / "whole.mp4")
    np.testing.assert_array_equal(heard[:, :samples], decode(pair[0]).samples)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (22_050, 1), (48_000, 6), (96_000, 2)])
def test_rates_and_channels_come_back(rate: int, channels: int, tmp_path: Path) -> None:
    mono = stereo(3.0, rate).samples[:1]
    sound = Sound(np.ascontiguousarray(np.repeat(mono, channels, axis=0)), rate)
    both, version = sides(sound)
    for name in ("aac:128", "flac"):
        pair = coded(both, Coding.named(name), version)
        variants = write(pair, version, tmp_path)
        assert (variants.rate, variants.channels) == (rate, channels)
        heard = decode(pair[0]).samples
        assert heard.shape == sound.samples.shape
        error = np.sqrt(np.mean((heard - both[0].samples) ** 2) / np.mean(both[0].samples ** 2))
        assert error < (1.0 if name == "aac:128" else 1e-3)


def test_segments_are_of_several_chunks_and_their_lengths_add_up(made: Made) -> None:
    variants = made.variants
    seconds = [variants.seconds(segment) for segment in range(variants.segments)]
    assert sum(seconds) == pytest.approx(variants.samples / variants.rate)
    assert seconds[0] == pytest.approx(3 * 44_032 / 44_100)
    assert sum(variants.n_bytes(segment) for segment in range(variants.segments)) == variants.places[-1]
    peak, mean = bandwidth(variants)
    assert peak >= mean > 0


@pytest.mark.parametrize("codec", REFUSED)
def test_a_codec_whose_joins_are_heard_is_refused_and_says_why(codec: str) -> None:
    with pytest.raises(InputError, match=f"`{codec}` cannot be cut where renditions change") as refused:
        Coding.named(f"{codec}:96")
    assert REFUSED[codec] in refused.value.message
    assert "riparian mark FILE --to" in refused.value.hint


@pytest.mark.parametrize("name", ["aac:9", "aac:900", "flac:20", "aac:x", "aac:-1", "", "flac:016000"])
def test_what_is_no_rendition_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        Coding.named(name)


def test_a_rate_that_aac_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="wanted a rate of AAC"):
        encode(Sound(np.zeros((1, 400_000), np.float32), 192_000), Coding("aac", 96_000), 188_416)


def test_two_sounds_are_no_pair(tmp_path: Path) -> None:
    (first, _), version = sides(stereo(2.5))
    other = Sound(np.ascontiguousarray(first.samples[:, :50_000]), first.rate)
    with pytest.raises(InputError, match="wanted them of one length"):
        write(coded((first, other), Coding.named("flac"), version), version, tmp_path)


BROKEN = {
    "no JSON": b"<html>",
    "a list": b"[]",
    "another version": b'{"variants": 2}',
    "nothing in it": b'{"variants": 1}',
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_list_of_chunks_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        Variants.read(raw)


@pytest.mark.parametrize("places", [[0, 5], [1, 2, 3], [0, 5, 5, 6]])
def test_places_have_to_fit_the_sound(made: Made, places: list[int]) -> None:
    variants = made.variants
    with pytest.raises(InputError):
        Variants(variants.version, "aac", 96_000, 44_100, 2, 100_000, 3, tuple(places))
