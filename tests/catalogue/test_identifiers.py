"""Codes: what is one, what is none, and how each is written; check digits as python-stdnum has them."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from stdnum import ean, grid, isni

from riparian.catalogue.identifiers import KINDS, normalise, normalised

WRITTEN = {
    "ISRC with hyphens": ("isrc", "US-UM7-18-04534", "USUM71804534"),
    "ISRC with its name before it": ("isrc", "ISRC: us um7 18 04534", "USUM71804534"),
    "ISRC one digit short": ("isrc", "USUM7180453", ""),
    "ISRC with letters in its number": ("isrc", "USUM718O4534", ""),
    "UPC of 12": ("upc", "602557190298", "0602557190298"),
    "GTIN of 14": ("upc", "00602557190298", "0602557190298"),
    "GTIN of a box of ten": ("upc", "10602557190295", "10602557190295"),
    "EAN of 8": ("upc", "73513537", "0000073513537"),
    "UPC with a digit wrong": ("upc", "602557190288", ""),
    "UPC of zeros": ("upc", "000000000000", ""),
    "UPC in Arabic digits": ("upc", "\u0666\u0660\u0662\u0665\u0665\u0667\u0661\u0669\u0660\u0662\u0669\u0668", ""),
    "ISWC of its standard": ("iswc", "T-034.524.680-1", "T0345246801"),
    "ISWC with two digits changed over": ("iswc", "T-034.542.680-1", ""),
    "IPI name number": ("ipi", "00014107338", "00014107338"),
    "IPI without zeros": ("ipi", "14107338", "00014107338"),
    "IPI of nine and more": ("ipi", "000141073.38", "00014107338"),
    "ISNI out of its address": ("isni", "https://isni.org/isni/000000012150090X", "000000012150090X"),
    "GRid of its standard": ("grid", "A1-2425G-ABC1234002-M", "A12425GABC1234002M"),
    "MBID in an address": (
        "mbid",
        "http://musicbrainz.org/recording/b1a9c0e9-d987-4042-ae91-78d6a3267d69?x=1",
        "b1a9c0e9-d987-4042-ae91-78d6a3267d69",
    ),
    "MBID of nobody": ("mbid", "00000000-0000-0000-0000-000000000000", ""),
    "Spotify URI": ("platform_id", "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "spotify:4uLU6hMCjMI75M1A2tKUQC"),
    "Spotify album is no recording": ("platform_id", "spotify:album:4uLU6hMCjMI75M1A2tKUQC", ""),
    "Apple song": ("platform_id", "https://music.apple.com/gb/album/x/1440833098?i=1440833511", "apple:1440833511"),
    "Deezer": ("platform_id", "https://www.deezer.com/fr/track/3135556", "deezer:3135556"),
    "YouTube": ("platform_id", "https://www.youtube.com/watch?t=1&v=dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ"),
    "written once, written again": ("platform_id", "deezer:3135556", "deezer:3135556"),
    "own": ("own:PADPIDA1", " 0077 ", "0077"),
    "nothing": ("isrc", "", ""),
}


@pytest.mark.parametrize("situation", WRITTEN)
def test_a_code_is_written_in_one_way(situation: str) -> None:
    kind, text, written = WRITTEN[situation]
    assert normalise(kind, text) == written
    assert normalise(kind, written) == written, "and again, in the same"


@pytest.mark.parametrize(
    ("kind", "oracle", "letters", "lengths"),
    [
        ("upc", ean.is_valid, "0123456789", (8, 12, 13, 14)),
        ("isni", isni.is_valid, "0123456789", (16,)),
        ("grid", grid.is_valid, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (18,)),
    ],
)
def test_check_digits_are_those_of_stdnum(
    kind: str, oracle: Callable[[str], bool], letters: str, lengths: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(7)
    valid = 0
    for _ in range(3_000):
        code = "".join(rng.choice(list(letters), rng.choice(lengths)))
        code = f"A1{code[2:]}" if kind == "grid" else code
        assert bool(normalise(kind, code)) == oracle(code), code
        valid += oracle(code)
    assert valid > 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_is_written_as_each_of_its_cells(kind: str) -> None:
    texts = [text for of, text, _ in WRITTEN.values() if of == kind] + ["", "no code", "\0", "1" * 10_000]
    column = normalised(kind, pl.Series([*texts, None]))
    assert column.to_list() == [normalise(kind, text) or None for text in texts] + [None]


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_too_odd(kind: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        text = "".join(map(chr, rng.integers(1, 0x3000, rng.integers(0, 40))))
        written = normalise(kind, text)
        assert normalise(kind, written) == written
