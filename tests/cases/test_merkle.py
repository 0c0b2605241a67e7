"""The tree of RFC 6962: the roots that Certificate Transparency's own tests have, and every proof of small trees."""

from dataclasses import replace
from itertools import product

import pytest

from riparian.cases.merkle import Head, consistency, inclusion, is_consistent, is_included, leaf, root
from riparian.errors import InputError
from tests.cases.making import AT, EVE, WORKSPACE

# The eight leaves and the roots of Certificate Transparency's reference tests (Apache-2.0).
LEAVES = [
    leaf(bytes.fromhex(one))
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = [leaf(bytes([n])) for n in range(20)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(1, 21))
def test_each_leaf_is_proven_where_it_is_and_nowhere_else(size: int) -> None:
    tree = root(MANY[:size])
    for index in range(size):
        path = inclusion(MANY[:size], index)
        held = [at for at, one in product(range(size), MANY) if is_included(one, at, size, path, tree)]
        assert held == [index]
        assert is_included(MANY[index], index, size, path, tree)
        assert not is_included(MANY[index], index, size, (*path, tree), tree)
        assert not is_included(MANY[index], index, size, path[1:], tree) or not path


@pytest.mark.parametrize("size", range(1, 21))
def test_each_older_tree_is_proven_to_be_the_beginning(size: int) -> None:
    tree = root(MANY[:size])
    for first in range(1, size + 1):
        path = consistency(MANY[:size], first)
        older = root(MANY[:first])
        assert is_consistent(first, size, path, older, tree)
        assert not is_consistent(first, size, path, root(MANY[1 : first + 1]), tree) or first == size == 20
        assert not is_consistent(first, size, path, older, root(MANY[: size - 1]))
        assert not is_consistent(first, size, (*path, older), older, tree)


def test_what_is_not_there_is_not_proven() -> None:
    for index in (-1, 3):
        with pytest.raises(InputError):
            inclusion(MANY[:3], index)
    for size in (0, 4):
        with pytest.raises(InputError):
            consistency(MANY[:3], size)
    assert not is_included(MANY[0], 3, 3, (), root(MANY[:3]))
    assert not is_consistent(0, 3, (), root([]), root(MANY[:3]))
    assert not is_consistent(3, 4, (), root(MANY[:3]), root(MANY[:4]))


def test_a_head_is_of_whoever_signed_it() -> None:
    head = Head(3, root(MANY[:3]).hex(), AT).signed(WORKSPACE)
    assert head.is_genuine(WORKSPACE.key)
    assert not head.is_genuine(EVE.key)
    assert not replace(head, size=4).is_genuine(WORKSPACE.key)
