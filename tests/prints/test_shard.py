import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.prints import shard as form
from riparian.prints.build import build, gone_bits, merge, moved, room_bytes
from riparian.prints.index import Candidates, Index
from riparian.prints.keys import PrintKey
from riparian.prints.plain import Plain
from riparian.prints.shard import FREQUENT, Shard, opened

KEY = PrintKey(bytes(32))
OTHER_KEY = PrintKey(bytes([1] * 32))

# Few values and few recordings, so that both meet often.
PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=150)
QUERY = st.lists(st.tuples(st.integers(0, 45), st.sampled_from([0.0, 0.01, 0.3, 1.0])), max_size=40)
GONE = st.frozensets(st.integers(0, 70), max_size=8)
K = st.sampled_from([32, 64, 100, 256, 1024])


def arrays(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].astype(np.uint64), both[:, 1]


def query(asked: list[tuple[int, float]]) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    return np.array([v for v, _ in asked], np.uint64), np.array([c for _, c in asked], np.float32)


def bits_of(gone: frozenset[int]) -> NDArray[np.uint8]:
    return gone_bits(np.array(sorted(gone), dtype=np.int64))


def told(found: Candidates) -> list[tuple[int, float, int]]:
    return list(zip(found.recording.tolist(), found.votes.tolist(), found.hits.tolist(), strict=True))


def skewed(n: int, recordings: int, seed: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    return rng.zipf(1.3, n).astype(np.uint64), rng.integers(0, recordings, n)


@settings(max_examples=60, deadline=None)
@given(PAIRS, QUERY, GONE, K, st.integers(1, 30))
def test_the_index_answers_as_brute_force_does(
    pairs: list[tuple[int, int]], asked: list[tuple[int, float]], gone: frozenset[int], k: int, most: int
) -> None:
    values, recordings = arrays(pairs)
    wanted, chance = query(asked)
    index = Index((build(values, recordings, KEY, k),), bits_of(gone))
    plain = Plain(values, recordings, k, gone)
    assert told(index.candidates(wanted, most, chance=chance)) == told(plain.candidates(wanted, most, chance=chance))
    assert told(index.candidates(wanted, most)) == told(plain.candidates(wanted, most))
    assert index.frequencies(wanted).tolist() == plain.frequencies(wanted).tolist()


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.lists(st.integers(0, 61), max_size=4), K, st.sampled_from([(0, 1), (1, 2), (5, 8)]))
def test_what_is_merged_is_what_is_built_at_once(
    pairs: list[tuple[int, int]], cuts: list[int], k: int, of: tuple[int, int]
) -> None:
    values, recordings = arrays(pairs)
    which = np.searchsorted(sorted(cuts), recordings, side="right")
    part, parts = of
    shards = [
        build(values[which == i], recordings[which == i], KEY, k, part=part, parts=parts) for i in range(len(cuts) + 1)
    ]
    whole = build(values, recordings, KEY, k, part=part, parts=parts)
    assert merge(shards, KEY).octets.tobytes() == whole.octets.tobytes()


@settings(max_examples=30, deadline=None)
@given(PAIRS, QUERY, GONE, K)
def test_shards_and_parts_asked_together_answer_as_one(
    pairs: list[tuple[int, int]], asked: list[tuple[int, float]], gone: frozenset[int], k: int
) -> None:
    values, recordings = arrays(pairs)
    wanted, chance = query(asked)
    late = recordings > 30
    by_recording = [build(values[some], recordings[some], KEY, k) for some in (~late, late)]
    by_value = [build(values, recordings, KEY, k, part=part, parts=4) for part in range(4)]
    whole = Index((build(values, recordings, KEY, k),), bits_of(gone)).candidates(wanted, 100, chance=chance)
    for shards in (by_recording, by_value):
        assert told(Index(tuple(shards), bits_of(gone)).candidates(wanted, 100, chance=chance)) == told(whole)


def test_thousands_of_recordings_with_frequent_values_are_as_brute_force_says() -> None:
    values, recordings = skewed(30_000, 2_000, seed=1)
    shards = [build(values[recordings % 3 == i], recordings[recordings % 3 == i], KEY, 64) for i in range(3)]
    whole, plain = merge(shards, KEY), Plain(values, recordings, 64)
    asked = np.unique(values)[:400]
    assert whole.octets.tobytes() == build(values, recordings, KEY, 64).octets.tobytes()
    assert whole.head.frequent == int((plain.frequencies(asked) == -1).sum()) > 10
    for shown in (Index((whole,)), Index(tuple(shards))):
        assert told(shown.candidates(asked, 50)) == told(plain.candidates(asked, 50))


def test_a_value_is_dropped_when_too_many_recordings_of_all_shards_have_it() -> None:
    half = np.arange(FREQUENT // 2)
    one = build(np.full(half.size, 7, np.uint64), half, KEY, 64)
    other = build(np.full(half.size + 1, 7, np.uint64), np.arange(half.size + 1) + 1000, KEY, 64)
    seven = np.array([7], np.uint64)
    assert Index((one,)).frequencies(seven).tolist() == [FREQUENT // 2]
    assert Index((one, other)).frequencies(seven).tolist() == [-1]
    assert len(Index((one, other)).candidates(seven, 10)) == 0
    assert (merge([one, other], KEY).head.frequent, merge([one, other], KEY).head.postings) == (1, 1)


def test_a_bucket_that_overflows_drops_its_most_frequent_values() -> None:
    # Values whose addresses lie side by side: the inverse of the mix is found by trying.
    tried = np.arange(3_000_000, dtype=np.uint64)
    bucket = form.addresses(tried, 64) >> 20
    full = tried[bucket == np.bincount(bucket).argmax()][:3]
    assert full.size == 3
    values, recordings = np.repeat(full, [180, 120, 60]), np.concatenate([np.arange(n) for n in (180, 120, 60)])
    shard = build(values, recordings, KEY, 64)
    assert (shard.head.frequent, shard.head.postings) == (1, 181)
    assert Index((shard,)).frequencies(full).tolist() == [-1, 120, 60]


def test_deleted_recordings_are_gone_from_a_merger() -> None:
    values, recordings = np.array([1, 2, 3, 1], np.uint64), np.array([4, 4, 5, 6])
    merged = merge([build(values, recordings, KEY, 64)], KEY, gone=gone_bits(np.array([4, 900])))
    assert (merged.head.postings, merged.head.recordings) == (2, 2)
    assert Index((merged,)).candidates(values, 10).recording.tolist() == [5, 6]


def test_a_merger_goes_where_it_is_told_and_a_half_written_one_is_refused() -> None:
    values, recordings = skewed(5_000, 300, seed=2)
    shards = [build(values[recordings < 150], recordings[recordings < 150], KEY, 64)]
    shards.append(build(values[recordings >= 150], recordings[recordings >= 150], KEY, 64))
    octets = np.zeros(room_bytes(shards), np.uint8)
    with pytest.raises(InputError, match="no whole head"):
        opened(octets, KEY)
    merged = merge(shards, KEY, octets=octets)
    assert np.shares_memory(merged.octets, octets)
    assert opened(octets[: merged.octets.size], KEY).head == merged.head
    with pytest.raises(InputError, match="there is room for"):
        merge(shards, KEY, octets=octets[:100])


def test_files_are_asked_and_merged_where_they_lie(tmp_path: Path) -> None:
    values, recordings = skewed(5_000, 300, seed=5)
    for i in range(3):
        build(values[recordings % 3 == i], recordings[recordings % 3 == i], KEY, 64).octets.tofile(tmp_path / f"{i}")
    shards = [opened(np.memmap(tmp_path / f"{i}", np.uint8, "r"), KEY) for i in range(3)]
    whole = tmp_path / "whole"
    merged = merge(shards, KEY, octets=np.memmap(whole, np.uint8, "w+", shape=(room_bytes(shards),)))
    with whole.open("r+b") as file:
        file.truncate(merged.octets.size)
    again = opened(np.memmap(whole, np.uint8, "r"), KEY)
    again.verify()
    asked, plain = np.sort(values)[::50], Plain(values, recordings, 64)
    assert told(Index((again,)).candidates(asked, 20)) == told(plain.candidates(asked, 20))
    assert told(Index(tuple(shards)).candidates(asked, 20)) == told(plain.candidates(asked, 20))


def test_a_shard_is_numbered_anew() -> None:
    shard = build(np.array([1, 2], np.uint64), np.array([3, 4]), KEY, 64)
    higher = moved(shard, 10, KEY)
    assert Index((higher,)).candidates(np.array([2], np.uint64), 5).recording.tolist() == [14]
    assert opened(higher.octets, KEY).head.first == 13
    with pytest.raises(InputError, match="moved by -4"):
        moved(shard, -4, KEY)


def test_bytes_that_lie_unevenly_are_read_all_the_same() -> None:
    values, recordings = skewed(1_000, 100, seed=3)
    shard = build(values, recordings, KEY, 64)
    odd = np.frombuffer(b"\0" + shard.octets.tobytes(), np.uint8)[1:]
    again = opened(odd, KEY)
    assert told(Index((again,)).candidates(values, 20)) == told(Index((shard,)).candidates(values, 20))


def _whole() -> Shard:
    return build(*skewed(2_000, 200, seed=4), KEY, 64)


def _with_head(octets: NDArray[np.uint8], **fields: int) -> NDArray[np.uint8]:
    head = replace(_whole().head, **fields)
    return np.concatenate([np.frombuffer(form.packed_head(head, KEY), np.uint8), octets[256:]])


def _flipped(octets: NDArray[np.uint8], at: int) -> NDArray[np.uint8]:
    changed = octets.copy()
    changed[at] ^= 1
    return changed


def _wrong_sum(octets: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # Counts that contradict the starts, under a check sum that is right.
    changed, head = octets.copy(), _whole().head
    changed[head.counts_at] += 1
    directory = zlib.crc32(
        changed[head.counts_at : head.counts_at + head.buckets].tobytes(),
        zlib.crc32(changed[head.starts_at : head.starts_at + 8 * (head.blocks + 1)].tobytes()),
    )
    return _with_head(changed, directory_check=directory)


REFUSED: dict[str, tuple[Callable[[NDArray[np.uint8]], NDArray[np.uint8]], str]] = {
    "nothing": (lambda o: o[:0], "no whole head"),
    "half a head": (lambda o: o[:100], "no whole head"),
    "a picture": (lambda _: np.frombuffer(b"\x89PNG" * 500, np.uint8), "no whole head"),
    "cut off": (lambda o: o[:-1], "bytes, wanted"),
    "too long": (lambda o: np.append(o, np.uint8(0)), "bytes, wanted"),
    "a bit of the head": (lambda o: _flipped(o, 30), "no whole head"),
    "a bit of the starts": (lambda o: _flipped(o, 300), "directory"),
    "a bit of the counts": (lambda o: _flipped(o, 1_000), "directory"),
    "counts that lie": (_wrong_sum, "directory"),
    "another version": (lambda o: _with_head(o, version=2), "version 2, wanted 1"),
    "impossible parameters": (lambda o: _with_head(o, number_bits=40), "contradicts itself"),
    "parts below none": (lambda o: _with_head(o, part=-1), "contradicts itself"),
    "postings beyond the end": (lambda o: _with_head(o, postings=1 << 40), "bytes, wanted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_shard_is_refused(name: str) -> None:
    spoil, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        opened(spoil(_whole().octets), KEY)


def test_another_key_is_refused() -> None:
    with pytest.raises(InputError, match="another key"):
        opened(_whole().octets, OTHER_KEY)


def test_a_changed_posting_is_found_by_reading_all() -> None:
    shard = _whole()
    shard.verify()
    changed = opened(_flipped(shard.octets, shard.octets.size - 1), KEY)
    with pytest.raises(InputError, match="postings"):
        changed.verify()


def test_a_damaged_posting_names_nobody_that_is_not_held() -> None:
    shard = _whole()
    damaged = shard.octets.copy()
    damaged[shard.head.postings_at :].view("<u4")[:] |= shard.head.span
    found = Index((opened(damaged, KEY),)).candidates(np.arange(2_000, dtype=np.uint64), 1_000)
    assert set(found.recording.tolist()) <= set(range(shard.head.span))


ASKED_WRONG: dict[str, tuple[NDArray[np.uint64], NDArray[np.int64], dict[str, int], str]] = {
    "fewer recordings than values": (np.zeros(2, np.uint64), np.zeros(1, np.int64), {}, "as many of each"),
    "a number below 0": (np.zeros(1, np.uint64), np.full(1, -1), {}, "numbered -1"),
    "numbers too far apart": (np.zeros(2, np.uint64), np.array([0, 1 << 27]), {}, "at most"),
    "a sketch too small": (np.zeros(1, np.uint64), np.zeros(1, np.int64), {"k": 4}, "wanted 8 to 1024"),
    "three parts": (np.zeros(1, np.uint64), np.zeros(1, np.int64), {"parts": 3}, "power of two"),
    "a part beyond the last": (np.zeros(1, np.uint64), np.zeros(1, np.int64), {"part": 2, "parts": 2}, "power of two"),
}


@pytest.mark.parametrize("name", ASKED_WRONG)
def test_what_cannot_be_built_is_refused(name: str) -> None:
    values, recordings, given_, message = ASKED_WRONG[name]
    with pytest.raises(InputError, match=message):
        build(values, recordings, KEY, **({"k": 64} | given_))


def test_shards_that_differ_are_not_put_together() -> None:
    small, large = (build(np.zeros(1, np.uint64), np.zeros(1, np.int64), KEY, k) for k in (64, 256))
    with pytest.raises(InputError, match="all alike"):
        merge([small, large], KEY)
    with pytest.raises(InputError, match="at least one shard"):
        merge([], KEY)
    with pytest.raises(InputError, match="sketches of"):
        Index((small, large))
    with pytest.raises(InputError, match="chances"):
        Index((small,)).candidates(np.zeros(2, np.uint64), 5, chance=np.ones(1, np.float32))


def test_an_empty_index_answers_with_nothing() -> None:
    nothing = build(np.zeros(0, np.uint64), np.zeros(0, np.int64), KEY, 64)
    for index in (Index(()), Index((nothing,)), Index((merge([nothing, nothing], KEY),))):
        assert len(index.candidates(np.arange(5, dtype=np.uint64), 10)) == 0
        assert index.frequencies(np.arange(5, dtype=np.uint64)).tolist() == [0] * 5


def test_the_size_of_a_recording_stays_in_its_bounds() -> None:
    # At 10,000,000 recordings of 64 values, and at 86,000,000.
    for recordings, most in ((10_000_000, 260.0), (86_000_000, 260.0)):
        head = form.Head(64, 0, recordings, recordings.bit_length(), 0, 1, recordings, 64 * recordings)
        assert head.room_bytes(64 * recordings) / recordings < most
