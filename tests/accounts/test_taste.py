"""Coherence is what its definition says; looks are few and final; ranks keep their promise; rows sum to the bits."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from riparian.accounts.coherence import LEAST_ARTISTS, SIZES, Embedding, _in_part, learn
from riparian.accounts.colistening import Codes, fold_of
from riparian.accounts.people import People
from riparian.accounts.taste import JUDGED, RANKED, Taste, answers, explain, follow, ranks_of

Fetches = tuple[Codes, Codes, npt.NDArray[np.int64]]
NOBODY = np.empty(0, np.uint64)


@pytest.fixture(scope="module")
def fetches() -> Fetches:
    """Let 300 people take up to 450 recordings of 400 artists in eight scenes, mostly of two scenes."""
    rng = np.random.default_rng(3)
    codes, many = rng.integers(1, 1 << 63, 300, dtype=np.uint64), rng.integers(60, 450, 300)
    account = np.repeat(np.arange(300), many)
    scene = (account * 3 + rng.integers(0, 2, len(account))) % 8
    scene = np.where(rng.random(len(account)) < 0.7, scene, rng.integers(0, 8, len(account)))
    artist = (scene * 50 + rng.integers(0, 50, len(account)) + 1).astype(np.uint64)
    at_us = rng.integers(0, 10**12, len(account))
    order = np.argsort(at_us, kind="stable")
    return codes[account[order]], artist[order], at_us[order]


@pytest.fixture(scope="module")
def embedding(fetches: Fetches) -> Embedding:
    return learn(fetches[0], fetches[1], as_of_us=7)


@pytest.fixture(scope="module")
def seen(fetches: Fetches, embedding: Embedding) -> Taste:
    return follow(Taste.empty(), embedding, *fetches)


def brute(embedding: Embedding, account: int, artists: Codes) -> tuple[float, int]:
    """Average the cosines of all pairs of distinct artists, one after another."""
    fold = 1 - int(fold_of(np.array([account], np.uint64))[0])
    rows = embedding.vectors.find(np.unique(artists))
    vectors = embedding.vectors.by_fold[fold][rows[rows >= 0]].astype(float)
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0.5]
    each = [float(vectors[i] @ vectors[j]) for i in range(len(vectors)) for j in range(i)]
    return float(np.mean(each)), len(vectors)


def test_coherence_is_the_mean_cosine_of_distinct_artists(fetches: Fetches, embedding: Embedding, seen: Taste) -> None:
    for look in seen.judged[:12]:
        mine = fetches[1][fetches[0] == look["account"]][: look["size"]]
        coherence, many = brute(embedding, int(look["account"]), mine)
        assert look["artists"] == many
        assert look["coherence"] == pytest.approx(coherence, abs=1e-5)


def test_everybody_is_looked_at_once_at_each_size_that_they_reach(fetches: Fetches, seen: Taste) -> None:
    codes, many = np.unique(fetches[0], return_counts=True)
    wanted = {
        (code, size) for code, n in zip(codes.tolist(), many.tolist(), strict=True) for size in SIZES if n >= size
    }
    looks = list(zip(seen.judged["account"].tolist(), seen.judged["size"].tolist(), strict=True))
    assert len(looks) == len(wanted)
    assert set(looks) == wanted


def test_fetches_in_parts_come_to_the_same_as_at_once(fetches: Fetches, embedding: Embedding, seen: Taste) -> None:
    parts = Taste.empty()
    for low, high in pairwise([0, 1, 500, 501, 20_000, 30_000, len(fetches[0])]):
        parts = follow(parts, embedding, fetches[0][low:high], fetches[1][low:high], fetches[2][low:high])
        parts = Taste.from_arrays(parts.arrays())
    for name in seen.arrays():
        assert np.array_equal(parts.arrays()[name], seen.arrays()[name], equal_nan=name == "judged.coherence"), name


def test_nothing_is_kept_of_who_has_reached_the_last_size(fetches: Fetches, seen: Taste) -> None:
    codes, many = np.unique(fetches[0], return_counts=True)
    assert set(seen.account.tolist()) == set(codes[many < SIZES[-1]].tolist())


def test_an_embedding_is_laid_down_and_taken_up(embedding: Embedding) -> None:
    again = Embedding.from_arrays(embedding.arrays())
    for name, array in embedding.arrays().items():
        assert np.array_equal(again.arrays()[name], array, equal_nan=name == "middle"), name


def test_an_account_with_few_artists_is_looked_at_and_not_judged(embedding: Embedding, people: People) -> None:
    artist = np.tile(np.arange(1, LEAST_ARTISTS, dtype=np.uint64), 20)[:200]
    seen = follow(Taste.empty(), embedding, np.full(200, 9, np.uint64), artist, np.arange(200))
    assert seen.judged["size"].tolist() == [100, 200]
    assert np.isnan(seen.judged["coherence"]).all()
    assert len(answers(seen, NOBODY, people.ladders["taste"])) == 0


def test_without_enough_accounts_nobody_knows_the_middle(fetches: Fetches) -> None:
    few = np.isin(fetches[0], np.unique(fetches[0])[:100])
    learnt = learn(fetches[0][few], fetches[1][few], as_of_us=7)
    assert np.isnan(learnt.middle).all()
    assert (follow(Taste.empty(), learnt, fetches[0][few], fetches[1][few], fetches[2][few]).judged["level"] == 0).all()


def test_a_size_that_few_reach_has_no_middle(fetches: Fetches) -> None:
    place = np.empty(len(fetches[0]), np.int64)
    order = np.argsort(fetches[0], kind="stable")
    starts = np.searchsorted(fetches[0][order], fetches[0][order])
    place[order] = np.arange(len(order)) - starts
    some = np.isin(fetches[0], np.unique(fetches[0])[:30])
    kept = some | (place < 150)
    middle = learn(fetches[0][kept], fetches[1][kept], as_of_us=7).middle
    assert np.isfinite(middle[0]).all()
    assert np.isnan(middle[1:]).all()


def test_of_very_many_accounts_a_part_teaches(fetches: Fetches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.accounts.coherence.ENOUGH", 100)
    many = np.random.default_rng(2).integers(1, 1 << 63, 2_000, dtype=np.uint64)
    part = many[_in_part(many)]
    assert 30 <= len(part) <= 300
    assert 0.3 < fold_of(part).mean() < 0.7
    assert np.isin(learn(fetches[0], fetches[1], as_of_us=7).vectors.artists, fetches[1]).all()


def test_fetches_wait_until_something_is_learnt(fetches: Fetches, embedding: Embedding, seen: Taste) -> None:
    half = len(fetches[0]) // 2
    early = follow(Taste.empty(), None, fetches[0][:half], fetches[1][:half], fetches[2][:half])
    assert len(early.judged) == 0
    late = follow(early, embedding, fetches[0][half:], fetches[1][half:], fetches[2][half:])
    order = [np.lexsort((taste.judged["size"], taste.judged["account"])) for taste in (late, seen)]
    for name in ("account", "size", "at_us", "coherence"):
        assert np.array_equal(late.judged[name][order[0]], seen.judged[name][order[1]], equal_nan=name == "coherence")


def crowd(n: int, seed: int) -> Taste:
    """Make looks at many accounts whose coherence is drawn from one law, each at every size."""
    rng = np.random.default_rng(seed)
    judged = np.zeros(n * len(SIZES), JUDGED)
    judged["account"] = np.repeat(np.arange(1, n + 1), len(SIZES))
    judged["size"], judged["artists"] = np.tile(SIZES, n), 80
    judged["at_us"] = np.arange(len(judged))
    judged["coherence"] = np.repeat(rng.beta(2, 12, n), len(SIZES)) + 0.01 * rng.random(len(judged))
    judged["level"] = rng.integers(0, 20, (len(judged), 2))
    return replace(Taste.empty(), judged=judged)


def test_honest_accounts_are_ranked_out_as_often_as_bits_say(people: People) -> None:
    """The exact promise: among n + 1 that are alike, bits b are reached with chance at most 2**-b."""
    reached = dict.fromkeys((1.0, 2.0, 3.0, 4.0), 0)
    rounds, judged = 30, 100
    for seed in range(rounds):
        vouched = np.arange(1, RANKED + 1, dtype=np.uint64)
        found = answers(crowd(RANKED + judged, seed), vouched, people.ladders["taste"])
        bits = found["bits"].to_numpy()[found["account"].to_numpy() > RANKED]
        for level in reached:
            reached[level] += int((bits >= level).sum())
    for level, many in reached.items():
        mean = rounds * judged * 2.0**-level
        assert many <= mean + 3 * np.sqrt(2 * mean)


def test_a_rank_certifies_no_more_than_there_are_honest_accounts(people: People) -> None:
    seen = crowd(RANKED + 1, 1)
    last = seen.judged["account"] == RANKED + 1
    seen.judged["coherence"][last] = -0.5
    vouched = np.arange(1, RANKED + 1, dtype=np.uint64)
    most = answers(seen, vouched, people.ladders["taste"])
    bits = most["bits"].to_numpy()[most["account"].to_numpy() == RANKED + 1]
    assert bits == pytest.approx([np.log2(RANKED + 1) - np.log2(6)], abs=0.002)
    assert ranks_of(seen.judged, vouched)["extreme"][last, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("vouched", [NOBODY, np.arange(1, RANKED + 1, dtype=np.uint64)], ids=["declared", "ranked"])
def test_rows_sum_to_the_bits_that_the_table_tells(people: People, vouched: Codes) -> None:
    seen, ladders = crowd(RANKED + 30, 4), people.ladders["taste"]
    found = answers(seen, vouched, ladders)
    assert len(found) > 20
    for row in found.slice(len(found) - 20).to_pylist():
        told = explain(row["account"], seen, vouched, ladders)
        assert told.bits == row["bits"] == sum(step.bits for step in told.waterfall)
        assert told.reached_us == row["reached_us"]


def test_a_suspended_question_says_nothing(seen: Taste) -> None:
    assert len(answers(seen, NOBODY, {})) == 0
    with pytest.raises(ValueError, match="was never looked at"):
        explain(int(seen.judged["account"][0]), seen, NOBODY, {})


def test_looks_under_another_embedding_are_not_ranked_together() -> None:
    seen = crowd(RANKED + 1, 2)
    seen.judged["learnt_us"][seen.judged["account"] > RANKED // 2] = 9
    vouched = np.arange(1, RANKED + 1, dtype=np.uint64)
    ranks = ranks_of(seen.judged, vouched)
    assert set(ranks["honest"].tolist()) == {RANKED // 2}
    assert not ranks["used"].any()
