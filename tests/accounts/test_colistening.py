"""Artists with the same listeners point the same way; nobody is judged by what they taught; order is no matter."""

import numpy as np
import numpy.typing as npt
import pytest

from riparian.accounts.colistening import Codes, Vectors, fold_of, vectors_of

N_SCENES, N_ARTISTS = 6, 12
"""Scenes of a small world, and artists of each."""


def small_world(accounts: int = 240) -> tuple[Codes, Codes]:
    """Let everybody take eight artists of one scene and two of any."""
    rng = np.random.default_rng(5)
    account = np.repeat(rng.integers(1, 1 << 63, accounts, dtype=np.uint64), 10)
    scene = np.repeat(np.arange(accounts) % N_SCENES, 10)
    scene = np.where(np.arange(len(scene)) % 10 < 8, scene, rng.integers(0, N_SCENES, len(scene)))
    artist = scene * N_ARTISTS + rng.integers(0, N_ARTISTS, len(scene)) + 1
    return account, artist.astype(np.uint64)


def cosines(vectors: Vectors, fold: int) -> npt.NDArray[np.float32]:
    return np.asarray(vectors.by_fold[fold] @ vectors.by_fold[fold].T, np.float32)


def test_nobody_taught_anything() -> None:
    nobody = np.empty(0, np.uint64)
    vectors = vectors_of(nobody, nobody)
    assert vectors.by_fold.shape[1] == 0
    assert vectors.find(np.array([3], np.uint64)).tolist() == [-1]


@pytest.mark.parametrize("fold", [0, 1])
def test_artists_of_a_scene_point_the_same_way(fold: int) -> None:
    vectors = vectors_of(*small_world())
    scene = (vectors.artists.astype(np.int64) - 1) // N_ARTISTS
    same = scene[:, None] == scene[None, :]
    found = cosines(vectors, fold)
    assert found[same].mean() > 0.4
    assert found[~same].mean() < 0.0


def test_vectors_are_of_length_one_or_zero() -> None:
    length = np.linalg.norm(vectors_of(*small_world()).by_fold, axis=2)
    assert (np.isclose(length, 1, atol=1e-5) | (length == 0)).all()


def test_the_order_of_fetches_does_not_matter() -> None:
    account, artist = small_world()
    order = np.random.default_rng(1).permutation(len(account))
    assert np.array_equal(vectors_of(account, artist).by_fold, vectors_of(account[order], artist[order]).by_fold)


def test_a_fold_teaches_nothing_to_the_other() -> None:
    account, artist = small_world()
    mine = fold_of(account) == 0
    other = artist.copy()
    other[mine] = np.roll(artist[mine], 7)
    assert np.array_equal(vectors_of(account, artist).by_fold[1], vectors_of(account, other).by_fold[1])
    assert not np.array_equal(vectors_of(account, artist).by_fold[0], vectors_of(account, other).by_fold[0])


def test_an_artist_whom_hardly_anybody_takes_has_no_vector() -> None:
    account, artist = small_world()
    vectors = vectors_of(np.append(account, account[:4]), np.append(artist, np.full(4, 999, np.uint64)))
    assert vectors.find(np.array([999], np.uint64)).tolist() == [-1]
