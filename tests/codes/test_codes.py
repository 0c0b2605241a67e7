"""Codes of identifiers: published vectors, every Arrow layout, nothing given is nothing coded."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.codes import BUCKETS, RECORDING_KEY, bucket_of, code_of_label, coder, codes_of, label

KEY = bytes(range(16))

# Reference implementation of SipHash-2-4, vectors.h: input is 00 01 02 ... of the given length.
VECTORS = {
    1: "fd67dc93c539f874",
    2: "5a4fa9d909806c0d",
    3: "2d7efbd796666785",
    4: "b7877127e09427cf",
    5: "8da699cd64557618",
    6: "cee3fe586e46c9cb",
    7: "37d1018bf50002ab",
    8: "6224939a79f5f593",
    9: "b0e4a90bdf82009e",
    10: "f3b9dd94c5bb5d7a",
    11: "a7ad6b22462fb3f4",
    12: "fbe50e86bc8f1e75",
    13: "903d84c02756ea14",
    14: "eef27a8e90ca23f7",
    15: "e545be4961ca29a1",
    63: "724506eb4c328a95",
}


@pytest.mark.parametrize("length", VECTORS)
def test_the_published_vectors_come_out(length: int) -> None:
    code = codes_of(pa.array([bytes(range(length))], pa.binary()), KEY)[0]
    assert int(code).to_bytes(8, "little").hex() == VECTORS[length]


IDS = ["ann", None, "", "bo", "ann", "a longer identifier than sixteen bytes", "日本"]
LAYOUTS = {
    "string": lambda: pa.array(IDS),
    "large string": lambda: pa.array(IDS, pa.large_string()),
    "string view": lambda: pa.array(IDS, pa.string_view()),
    "dictionary": lambda: pa.array(IDS).dictionary_encode(),
    "sliced": lambda: pa.array(["x", "yy", *IDS, "z"]).slice(2, len(IDS)),
    "sliced dictionary": lambda: pa.array(["x", "yy", *IDS, "z"]).dictionary_encode().slice(2, len(IDS)),
    "chunked": lambda: pa.chunked_array([IDS[:3], IDS[3:]]),
    "chunked dictionary": lambda: pa.chunked_array(
        [pa.array(IDS[:3]).dictionary_encode(), pa.array(IDS[3:]).dictionary_encode()]
    ),
    "null inside the dictionary": lambda: pa.DictionaryArray.from_arrays([0, 1, 2, 3, 0, 4, 5], pa.array(
        ["ann", None, "", "bo", "a longer identifier than sixteen bytes", "日本"])),
    "bytes": lambda: pa.array([None if i is None else i.encode() for i in IDS], pa.binary()),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_codes(layout: str) -> None:
    codes = codes_of(LAYOUTS[layout](), KEY)
    assert codes.dtype == np.uint64
    assert codes.tolist() == codes_of(pa.array(IDS), KEY).tolist()
    assert [bool(code) for code in codes] == [bool(name) for name in IDS]
    assert codes[0] == codes[4] != codes[3]


def test_an_integer_is_its_digits() -> None:
    for kind in (pa.int8(), pa.int64(), pa.uint32()):
        assert (
            codes_of(pa.array([41, None, 7], kind), KEY).tolist() == codes_of(pa.array(["41", None, "7"]), KEY).tolist()
        )
    edges = [-5, 0, 9, 10, 2**63 - 1, -(2**63)]
    assert codes_of(pa.array(edges), KEY).tolist() == codes_of(pa.array([str(edge) for edge in edges]), KEY).tolist()
    assert codes_of(pa.array([2**64 - 1], pa.uint64()), KEY)[0] == codes_of(pa.array([str(2**64 - 1)]), KEY)[0]


def test_another_key_gives_other_codes() -> None:
    assert codes_of(pa.array(["ann"]), KEY)[0] != codes_of(pa.array(["ann"]), RECORDING_KEY)[0]


@pytest.mark.parametrize("empty", [pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.nulls(0)])
def test_nothing_gives_nothing(empty: pa.Array) -> None:
    assert codes_of(empty, KEY).size == 0


def test_a_column_of_nulls_is_not_given() -> None:
    assert codes_of(pa.nulls(3), KEY).tolist() == [0, 0, 0]


def test_what_is_no_identifier_is_refused() -> None:
    with pytest.raises(TypeError, match="wanted strings or integers"):
        codes_of(pa.array([1.5]), KEY)
    with pytest.raises(ValueError, match="wanted 16"):
        codes_of(pa.array(["a"]), b"short")


def test_buckets_are_even() -> None:
    buckets = bucket_of(codes_of(pa.array(np.arange(64_000)), KEY))
    counts = np.bincount(buckets, minlength=BUCKETS)
    assert counts.size == BUCKETS
    assert 850 < counts.min() <= counts.max() < 1150


def test_a_pseudonym_leads_back_to_its_code() -> None:
    for code in (0, 1, 417, 2**63, 2**64 - 1):
        assert code_of_label(label(code)) == code
    for wrong in ("ann", "a-short", "b-" + "a" * 13, "a-" + "1" * 13):
        with pytest.raises(ValueError, match="not a pseudonym"):
            code_of_label(wrong)


def test_values_hashed_side_by_side_have_the_codes_that_each_has_alone() -> None:
    rng = np.random.default_rng(5)
    words = [["x" * int(n) for n in rng.integers(0, 9, 300)], [f"u-{i:012x}" for i in range(300)], ["y" * 90] * 70]
    for values in ([*words[0], *words[1], *words[2]], words[1], [*words[1], ""]):
        together = codes_of(pa.array(values), RECORDING_KEY)
        alone = [int(codes_of(pa.array([value]), RECORDING_KEY)[0]) for value in values]
        assert together.tolist() == alone


def test_one_identifier_at_a_time_has_the_code_that_it_has_in_a_column() -> None:
    code = coder(KEY)
    identifiers = [b"", *(b"z" * n for n in range(600)), "é".encode(), bytes(range(256)), b"a"]
    assert [code(each) for each in identifiers] == codes_of(pa.array(identifiers, pa.binary()), KEY).tolist()
