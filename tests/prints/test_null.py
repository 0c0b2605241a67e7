import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from riparian.prints.null import DRAWS_MIN, LEAST, NOBODY, SHARE_OURS, SHIPPED, Draws, Kind, Null, fit, law, posterior

Law = Callable[[np.random.Generator, int], np.ndarray]
DENSITY = 12.0


def draws(copy: np.ndarray, *, length_s: float = 10.0, lasted_s: float = 10.0, first: int = 0) -> Draws:
    n = copy.size
    return Draws(
        np.arange(first, first + n),
        np.full(n, length_s, np.float32),
        np.full(n, lasted_s, np.float32),
        np.where(np.arange(n) % 2, 10 * lasted_s, 14 * lasted_s).astype(np.int32),
        copy.astype(np.float32),
        (copy / 2).astype(np.float32),
    )


def together(*parts: Draws) -> Draws:
    columns = ("recording", "seconds", "lasted_s", "peaks", "copy", "shares")
    return Draws(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def chance(null: Null, score: float, kind: Kind = Kind.COPY, *, seconds: float = 10.0, recordings: int = 1000) -> float:
    return null.chance(kind, score, seconds=seconds, density=DENSITY, recordings=recordings).p


LAWS: dict[str, Law] = {
    "exponential, as measured": lambda rng, n: rng.exponential(1.6, n),
    "half of the searches find nothing": lambda rng, n: rng.exponential(1.6, n) * (rng.random(n) < 0.5),
    "a heavier tail": lambda rng, n: 2 * (rng.random(n) ** -0.2 - 1) / 0.2,
    "a lighter tail": lambda rng, n: np.abs(rng.normal(0, 3, n)),
    "whole numbers": lambda rng, n: np.floor(rng.exponential(3, n)),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_mistake_is_at_most_twice_as_frequent_as_was_said(name: str) -> None:
    rng = np.random.default_rng(5)
    claimed = (1e-1, 1e-2, 1e-3, 1e-4)
    wrong = np.zeros(len(claimed))
    n = 0
    for _ in range(12):
        null = fit(draws(LAWS[name](rng, 2000)), 1000)
        among = np.sort(LAWS[name](rng, 20_000))
        # The chance falls with the score, so that the scores which reach a claim are those from somewhere on.
        for i, level in enumerate(claimed):
            low, high = 0, among.size
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if chance(null, float(among[middle])) <= level else (middle + 1, high)
            wrong[i] += among.size - low
        n += among.size
    for level, k in zip(claimed, wrong, strict=True):
        assert k <= binom.ppf(0.999, n, 2 * level), f"{level} was claimed, {k / n} observed"


def test_the_chance_never_rises_with_the_score() -> None:
    null = fit(draws(np.random.default_rng(2).exponential(1.6, 500)), 1000)
    told = [chance(null, score) for score in np.linspace(0, 200, 2001).tolist()]
    assert all(after <= before for before, after in pairwise(told))
    assert told[0] == 1.0
    assert told[-1] >= LEAST


def test_beyond_the_best_draw_it_is_extrapolated() -> None:
    best = np.random.default_rng(3).exponential(1.6, 1000)
    null = fit(draws(best), 1000)
    inside = null.chance(Kind.COPY, float(best.max()) / 2, seconds=10, density=DENSITY, recordings=1000)
    beyond = null.chance(Kind.COPY, float(best.max()) + 1, seconds=10, density=DENSITY, recordings=1000)
    assert (inside.extrapolated, beyond.extrapolated) == (False, True)
    assert inside.as_good > 0
    assert beyond.as_good == 0
    assert beyond.rank == pytest.approx(1 / 501)  # half of the draws are as dense


def test_fewer_draws_leave_more_doubt() -> None:
    rng = np.random.default_rng(4)
    told = [np.median([chance(fit(draws(rng.exponential(1.6, n)), 1000), 30.0) for _ in range(9)]) for n in (200, 5000)]
    assert told[0] > 3 * told[1]


@pytest.mark.parametrize("n", [0, 10, DRAWS_MIN - 1])
def test_a_catalogue_with_too_few_recordings_gets_what_is_shipped(n: int) -> None:
    null = fit(draws(np.ones(n)), n)
    found = null.chance(Kind.COPY, 20.0, seconds=10, density=DENSITY, recordings=n)
    assert found.draws == 0
    assert found.extrapolated
    assert found.rank == 1.0
    assert found.p == NOBODY.chance(Kind.COPY, 20.0, seconds=10, density=DENSITY, recordings=n).p


def test_what_is_shipped_grows_with_the_catalogue() -> None:
    assert chance(NOBODY, 60.0, recordings=1_000_000) == pytest.approx(1000 * chance(NOBODY, 60.0, recordings=1_000))


def test_several_draws_of_a_recording_count_as_one() -> None:
    best = np.random.default_rng(6).exponential(1.6, 400)
    once, twice = draws(best), together(draws(best), draws(best / 2))
    assert chance(fit(once, 400), 5.0) == chance(fit(twice, 400), 5.0)


STRETCHED = {
    "as long, as many": (10.0, 1000, 1),
    "three times as long as all draws": (30.0, 1000, 3),
    "ten times as many recordings": (10.0, 10_000, 10),
    "both": (30.0, 10_000, 30),
    "a catalogue that shrank": (10.0, 10, 1),
}


@pytest.mark.parametrize("name", STRETCHED)
def test_more_to_search_is_paid_for(name: str) -> None:
    seconds, recordings, times = STRETCHED[name]
    null = fit(draws(np.random.default_rng(7).exponential(1.6, 500)), 1000)
    said = null.chance(Kind.COPY, 20.0, seconds=seconds, density=DENSITY, recordings=recordings)
    assert said.stretched == pytest.approx(times)
    assert said.p == pytest.approx(times * chance(null, 20.0))


def test_between_two_lengths_the_larger_chance_counts() -> None:
    rng = np.random.default_rng(8)
    short, long = draws(rng.exponential(1, 500)), draws(rng.exponential(3, 500), length_s=math.inf, lasted_s=200.0)
    both = fit(together(short, long), 1000)
    assert chance(both, 15.0, seconds=60.0) == chance(both, 15.0, seconds=200.0)
    assert chance(both, 15.0, seconds=60.0) > 10 * chance(both, 15.0, seconds=5.0)


def test_each_claim_has_a_null_of_its_own() -> None:
    null = fit(draws(np.random.default_rng(9).exponential(1.6, 500)), 1000)
    assert chance(null, 15.0, Kind.SHARES) < chance(null, 15.0, Kind.COPY)


def test_where_hardly_anything_is_found_the_law_of_chance_begins_at_what_was_not_seen() -> None:
    few = np.sort(np.append(np.zeros(995), np.arange(1, 6) * 4)).astype(np.float32)
    like = law(np.sort(np.random.default_rng(10).exponential(1.6, 1000)).astype(np.float32), SHIPPED)
    fitted = law(few, like)
    assert fitted.above == 20.0
    assert fitted.share == pytest.approx(3 / 1000, rel=0.01)
    assert fitted.chance(30.0) / fitted.share == pytest.approx(like.chance(like.above + 10) / like.share)


POSTERIORS = {
    "as likely ours as not": (1e-3, SHARE_OURS, 1e-3),
    "a stream of which one in a thousand is ours": (1e-3, 0.001, 0.5),
    "a mirror of ours": (1e-3, 0.99, 1e-5),
    "nothing found": (1.0, SHARE_OURS, 0.5),
}


@pytest.mark.parametrize("name", POSTERIORS)
def test_the_error_follows_from_the_chance_and_the_share(name: str) -> None:
    p, share, error = POSTERIORS[name]
    assert posterior(p, share) == pytest.approx(error, rel=0.02)


def test_columns_of_different_lengths_are_refused() -> None:
    one = np.zeros(1)
    with pytest.raises(ValueError, match="wanted as many of each"):
        Draws(np.zeros(2, np.int64), one, one, one, one, one)  # type: ignore[arg-type]
