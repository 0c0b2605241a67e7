import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.bets.channels import log_e
from riparian.errors import InputError
from riparian.evidence import CLAIMS, ISSUED, OF_COPIES
from riparian.marks import search as searching
from riparian.marks.code import Tier
from riparian.marks.keys import MarkKey
from riparian.marks.search import RANKING, Heard, search
from riparian.marks.trace import Named, Traced, Tried, trace
from tests.marks.readings import KEY, candidates, heard, words

NEEDED_BITS = math.log2(1e6 / 1e-9)
OF_DIRECT = {"chunks": 61, "groups": 16, "tier": Tier.ONE}
OF_VARIANTS = {"chunks": 180, "groups": 1, "tier": Tier.MANY}

Mix = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


def taken(of: NDArray[np.float64], whose: NDArray[np.int64]) -> NDArray[np.float64]:
    one: NDArray[np.float64] = np.take_along_axis(of, whose, axis=0)[0]
    return one


def lot(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return taken(of, rng.integers(len(of), size=(1, *of.shape[1:])))


def mean(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    del rng
    even: NDArray[np.float64] = of.mean(axis=0)
    return even


def fewest(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    most = mean(of, rng)
    tied = rng.choice([-1.0, 1.0], most.shape)
    return np.where(np.abs(most) == 1, most, np.where(most == 0, tied, -np.sign(most)))


def coin(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    most = mean(of, rng)
    return np.where(np.abs(most) == 1, most, rng.choice([-1.0, 1.0], most.shape))


def seconds(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return taken(of, rng.integers(len(of), size=(1, of.shape[1], 1)))


def halves(of: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    del rng
    half = of.shape[1] // 2
    return np.concatenate([of[0, :half], of[1, half:]])


def library(
    who: list[int], mix: Mix, d: float, *, tracks: int = 1, chunks: int = 180, groups: int = 1, tier: Tier = Tier.MANY
) -> list[Heard]:
    """Mix some accounts' copies of a few recordings, and hear the result."""
    found = []
    for track in range(tracks):
        recording, rng = f"r-{track}", np.random.default_rng([track, len(who)])
        copies = words(who, chunks, groups, recording=recording, tier=tier)
        found.append(heard(mix(copies, rng), d, recording=recording, tier=tier))
    return found


def traced(readings: list[Heard], n: int = 3_000, needed_bits: float = NEEDED_BITS) -> Traced:
    return trace(readings, candidates(n), needed_bits=needed_bits, at_us=0)


LEAKS = {
    "a file, one minute, well heard": ([417], lot, 0.6, 1, OF_DIRECT, 1),
    "a file, one minute, badly heard": ([417], lot, 0.35, 1, OF_DIRECT, 1),
    "a file, three minutes, the mean of five": ([1, 2, 3, 4, 5], mean, 1.2, 1, OF_DIRECT | {"chunks": 180}, 3),
    "a file, three minutes, each second from one of ten": (
        list(range(10)),
        seconds,
        1.2,
        1,
        OF_DIRECT | {"chunks": 180},
        5,
    ),
    "a file, one minute, its halves from two": ([17, 18], halves, 0.8, 1, OF_DIRECT, 2),
    "one track": ([417], lot, 1.6, 1, OF_VARIANTS, 1),
    "two in three tracks, by lot": ([1, 2], lot, 2.0, 3, OF_VARIANTS, 1),
    "two in three tracks, their mean": ([1, 2], mean, 2.0, 3, OF_VARIANTS, 2),
    "two in three tracks, by a coin": ([1, 2], coin, 2.0, 3, OF_VARIANTS, 1),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_whoever_had_a_part_is_named_and_nobody_else(leak: str) -> None:
    who, mix, d, tracks, of, at_least = LEAKS[leak]
    found = traced(library(who, mix, d, tracks=tracks, **of))  # type: ignore[arg-type]
    right = {one.candidate for one in found.named}
    assert right <= set(who)
    assert len(right) >= at_least
    assert found.runner_up_bits < NEEDED_BITS


@pytest.mark.slow
def test_five_in_fifteen_tracks_are_all_named_some_of_them_only_once_others_are_known() -> None:
    for mix in (lot, fewest):
        found = traced(library([1, 2, 3, 4, 5], mix, 2.0, tracks=15))
        assert {one.candidate for one in found.named} == {1, 2, 3, 4, 5}
        if mix is lot:
            assert {one.evidence.facts["round"] for one in found.named} >= {1, 2}


NOT_ENOUGH = {
    "a file, ten seconds, badly heard": ([417], lot, 0.35, 1, OF_DIRECT | {"chunks": 10}),
    "a file, the mean of ten, badly heard": (list(range(10)), mean, 0.5, 1, OF_DIRECT),
    "half a minute of a track": ([417], lot, 2.0, 1, OF_VARIANTS | {"chunks": 30}),
    "five in two tracks": ([1, 2, 3, 4, 5], lot, 2.0, 2, OF_VARIANTS),
}


@pytest.mark.parametrize("leak", NOT_ENOUGH)
def test_what_says_too_little_names_nobody(leak: str) -> None:
    who, mix, d, tracks, of = NOT_ENOUGH[leak]
    assert traced(library(who, mix, d, tracks=tracks, **of)).named == ()  # type: ignore[arg-type]


def test_a_ring_in_which_each_took_a_track_is_named_whole() -> None:
    readings = [
        heard(words([who], 180, 1, recording=f"r-{who}", tier=Tier.MANY)[0], 2.0, recording=f"r-{who}", tier=Tier.MANY)
        for who in range(6)
    ]
    found = traced(readings)
    assert {one.candidate for one in found.named} == set(range(6))
    by_recording = {one.candidate: one.evidence.facts["bits_by_recording"] for one in found.named}
    assert all(next(iter(said)) == f"r-{who}" for who, said in by_recording.items())  # type: ignore[call-overload]


INNOCENT = {
    "somebody who is no candidate": lambda: library([5_000], lot, 0.6, **OF_DIRECT),  # type: ignore[arg-type]
    "noise": lambda: [heard(np.zeros((61, 16)), 1.0)],
    "nothing": lambda: [heard(np.zeros((61, 16)), 0.0)],
    "another key": lambda: [Heard(one.reading, MarkKey(bytes(32), 1), one.tier) for one in library([417], lot, 2.0)],
    "everything up": lambda: [heard(np.ones((180, 1)), 3.0, tier=Tier.MANY)],
    "as loud as a reading can be": lambda: [heard(np.random.default_rng(1).choice([-1.0, 1.0], (180, 1)), 9.0)],
}


@pytest.mark.parametrize("copy", INNOCENT)
def test_a_copy_of_nobody_names_nobody(copy: str) -> None:
    found = traced(INNOCENT[copy](), needed_bits=30)
    assert found.named == ()
    assert found.runner_up_bits < 20


def test_evidence_adds_up_and_says_what_was_paid() -> None:
    readings = library([417], lot, 0.6, **OF_DIRECT)  # type: ignore[arg-type]
    free = traced(readings).named[0].evidence
    paid = (
        trace(readings, candidates(3_000), needed_bits=NEEDED_BITS, at_us=7, tried=Tried(epochs=2, masters=1_000))
        .named[0]
        .evidence
    )
    assert [row.label.split(";")[0] for row in paid.waterfall] == [
        "the copy agrees with the account's word",
        "other ways in which the copy may have come about",
        "named in round 1",
        "2 epochs were tried",
        "1000 masters were tried",
    ]
    assert paid.bits == pytest.approx(free.bits - math.log2(2_000), abs=2 / 1024)
    assert paid.claim is ISSUED
    assert (paid.subject, paid.reached_us) == (418, 7)
    assert paid.facts["candidates"] == 3_000
    assert paid.facts["seconds_read"] == 61
    assert paid.facts["round"] == 1
    assert isinstance(paid.facts["deviations"], float)
    assert paid.facts["deviations"] > 8


def test_whoever_is_named_has_at_least_the_bits_that_were_asked_for() -> None:
    readings = library([417], lot, 0.6, **OF_DIRECT)  # type: ignore[arg-type]
    bits = traced(readings).named[0].evidence.bits
    for needed in (bits - 0.02, bits - 0.005, bits, bits + 0.01):
        assert all(one.evidence.bits >= needed for one in traced(readings, needed_bits=needed).named)


def chunks_of(named: Named) -> NDArray[np.float64]:
    return named.owned[0]


def test_each_second_is_given_to_whose_copy_it_came_from() -> None:
    found = traced(library([17, 18], halves, 1.0, **OF_DIRECT))  # type: ignore[arg-type]
    first, second = (chunks_of(one) for one in sorted(found.named, key=lambda one: one.candidate))
    assert first[:28].mean() > 0.95
    assert first[32:].mean() < 0.05
    assert second[:28].mean() < 0.05
    assert second[32:].mean() > 0.95


@pytest.mark.parametrize("of", [OF_DIRECT, OF_VARIANTS], ids=["direct", "variants"])
def test_ranks_are_what_each_word_adds(of: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "POOL", 3_000)
    (one,) = library([417], lot, 1.0, **of)  # type: ignore[arg-type]
    ranked = searching._told(one, candidates(300).seeds_of(KEY), *searching._ranking(one.cells())[:2])
    is_up = words(list(range(300)), of["chunks"], of["groups"], recording="r-0", tier=one.tier).reshape(300, -1) > 0  # type: ignore[arg-type]
    for at, channel in enumerate(RANKING):
        down, up, _ = log_e(channel, one.cells())
        assert np.abs(ranked[:, at] - np.where(is_up, up, down).sum(axis=1)).max() < 2e-3


def test_the_crowd_is_beside_what_words_by_lot_give() -> None:
    (one,) = library([417], lot, 0.6, **OF_DIRECT)  # type: ignore[arg-type]
    crowd = search([one], candidates(20_000).seeds_of, 20_000).crowd
    others = np.delete(crowd.deviations, 417)
    assert crowd.counts.sum() == 20_000
    assert others.mean() == pytest.approx(0, abs=4 / math.sqrt(20_000))
    assert others.std() == pytest.approx(1, abs=0.02)
    assert np.abs(others).max() < 5.5
    assert crowd.deviations[417] > 12


def test_pruning_a_library_loses_nobody_who_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = library([1, 2], lot, 2.0, tracks=6)
    whole = traced(readings)
    monkeypatch.setattr(searching, "SCREENED", 400)
    monkeypatch.setattr(searching, "POOL", 40)
    pruned = traced(readings)
    assert {one.candidate for one in pruned.named} == {one.candidate for one in whole.named} == {1, 2}
    # What is left is weighed as before: pruning changes who is weighed, and nothing else.
    assert [one.evidence.bits for one in pruned.named] == [one.evidence.bits for one in whole.named]


def test_whether_somebody_is_weighed_does_not_hang_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = library([1, 2], lot, 2.0, tracks=6)
    monkeypatch.setattr(searching, "SCREENED", 400)
    monkeypatch.setattr(searching, "POOL", 40)
    seeds = candidates(3_000).seeds_of(KEY)
    crowded = seeds.copy()
    # Whoever has a leaker's word ranks highest; they would put as many others out.
    crowded[2_900:] = seeds[1]
    before, after = search(readings, lambda _: seeds, 3_000).pool, search(readings, lambda _: crowded, 3_000).pool
    assert set(range(2_900, 3_000)) <= set(after.tolist())
    assert before[before < 2_900].tolist() == after[after < 2_900].tolist()
    assert 40 < before.size < 400


def test_a_copy_that_says_nothing_has_nobody_weighed() -> None:
    (one,) = library([417], lot, 1.0, **OF_DIRECT)  # type: ignore[arg-type]
    silent = replace(one, reading=replace(one.reading, soft=np.zeros_like(one.reading.soft)))
    found = traced([silent])
    assert found.named == ()
    assert found.runner_up_bits <= 0


def test_the_order_of_recordings_changes_nothing() -> None:
    readings = library([1, 2], lot, 2.0, tracks=3)
    forth, back = traced(readings), traced(readings[::-1])
    assert [one.candidate for one in forth.named] == [one.candidate for one in back.named]
    for one, other in zip(forth.named, back.named, strict=True):
        assert one.evidence.bits == pytest.approx(other.evidence.bits, abs=2 / 1024)


def test_what_cannot_be_traced_is_said() -> None:
    (one,) = library([417], lot, 0.6, **OF_DIRECT)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 readings"):
        trace([], candidates(10), needed_bits=30, at_us=0)
    with pytest.raises(InputError, match="0 candidates"):
        trace([one], candidates(0), needed_bits=30, at_us=0)
    with pytest.raises(InputError, match="2 readings are of 1 recordings"):
        trace([one, one], candidates(10), needed_bits=30, at_us=0)
    with pytest.raises(ValueError, match="of epoch 2"):
        Heard(one.reading, MarkKey(bytes(32), 2), Tier.ONE)


def test_one_candidate_is_enough() -> None:
    found = trace(library([0], lot, 0.6, **OF_DIRECT), candidates(1), needed_bits=30, at_us=0)  # type: ignore[arg-type]
    assert [one.candidate for one in found.named] == [0]
    assert found.runner_up_bits < -1e5


def test_no_restraint_can_rest_on_a_copy() -> None:
    assert ISSUED.name in OF_COPIES
    assert ISSUED.name not in CLAIMS
