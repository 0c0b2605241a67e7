"""Names that are one, names that look like one, and names that are not."""

import pytest

from riparian.catalogue.names import folded, look, parts

SAME = [("The Beatles", "BEATLES"), ("Björk", "bjork"), ("AC/DC", "ACDC"), ("Sigur Rós", "Sigur  Ros"), ("!!!", "!!!")]
ALIKE = [
    ("Beyonc\u0435", "Beyoncé"),
    ("D\u0430ft Punk", "Daft Punk"),
    ("C0ldplay", "Coldplay"),
    ("Coldpiay", "Coldplay"),
    ("Metalica", "Metallica"),
    ("Erninem", "Eminem"),
]
OTHERS = [("Queen", "Queens"), ("Air", "Fair"), ("Blur", "Blue"), ("Adele", "Adela"), ("Oasis", "Osiris")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_in_two_spellings_is_one(one: str, other: str) -> None:
    assert folded(one) == folded(other) != ""


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_name_that_is_to_be_taken_for_another_looks_like_it(one: str, other: str) -> None:
    assert folded(one) != folded(other)
    assert look(one) == look(other)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_names_do_not_look_alike(one: str, other: str) -> None:
    assert look(one) != look(other)


def test_whoever_is_joined_in_a_line_is_listed() -> None:
    assert parts("Ida Lund ft. The Saltmarsh x AB") == ["Ida Lund ft. The Saltmarsh x AB", "Ida Lund", "The Saltmarsh"]
    assert parts("") == []
