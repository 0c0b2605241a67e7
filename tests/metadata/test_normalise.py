"""What is compared of rows, whatever they look like."""

import pyarrow as pa
import pytest

from riparian.metadata.normalise import NORMAL, VERSIONS, mask_of, normalise, versions_of

TITLES: dict[str, tuple[str, str, list[str], str]] = {
    "a plain one": ("Harbour Lights", "harbour lights", [], ""),
    "case, accents, punctuation": ("¡SEÑORITA!!", "senorita", [], ""),
    "an apostrophe": ("Don\u2019t Stop", "dont stop", [], ""),
    "an ampersand": ("Salt & Sand", "salt and sand", [], ""),
    "live in brackets": ("Harbour Lights (Live at the Pier, 1999)", "harbour lights", ["live"], ""),
    "live behind a dash": ("Harbour Lights - Live", "harbour lights", ["live"], ""),
    "alive is not live": ("Alive", "alive", [], ""),
    "live is a word of the title": ("Live and Let Die", "live and let die", [], ""),
    "a remaster with a year": ("Harbour Lights - 2011 Remaster", "harbour lights", ["remaster"], ""),
    "a remix by somebody": ("Harbour Lights (Ann Reed Remix)", "harbour lights", ["remix"], ""),
    "a number before a dash and a version": ("Rhapsody - Pt. 2 - Remastered", "rhapsody pt 2", ["remaster"], "2"),
    "a movement": ("Suite No. 5 - II. Andante - Live", "suite no 5 ii andante", ["live"], "5 2"),
    "where and when it was live": ("Salt - Live at the Pier - Leith - 1999", "salt", ["live"], ""),
    "a radio edit": ("Harbour Lights [Radio Edit]", "harbour lights", ["edit"], ""),
    "two versions": ("Harbour Lights (Acoustic) [Live]", "harbour lights", ["live", "acoustic"], ""),
    "an aside that is part of the title": ("(I Can't Get No) Rest", "i cant get no rest", [], ""),
    "a guest in brackets": ("Harbour Lights (feat. Bo Reed)", "harbour lights", [], ""),
    "a guest without brackets": ("Harbour Lights ft. Bo Reed", "harbour lights", [], ""),
    "a number": ("Part 1", "part 1", [], "1"),
    "a Roman number": ("Suite II", "suite ii", [], "2"),
    "nothing but an aside": ("(Live)", "live", ["live"], ""),
    "another script": ("Белла чао", "bella chao", [], ""),
    "full width": ("\uff21\uff22\uff23", "abc", [], ""),
    "nothing": ("", "", [], ""),
    "signs only": ("!!!", "", [], ""),
}
ARTISTS: dict[str, tuple[str, str, str, str]] = {
    "one": ("Ann Reed", "", "ann reed", "ann reed"),
    "with an article": ("The Pier", "", "the pier", "pier"),
    "two with a semicolon": ("Ann Reed; Bo", "", "ann reed bo", "ann reed"),
    "two with a comma": ("Ann Reed,Bo", "", "ann reed bo", "ann reed"),
    "two with an ampersand": ("Ann & Bo", "", "ann bo", "ann"),
    "a guest": ("Ann Reed feat. Bo", "", "ann reed bo", "ann reed"),
    "a guest in the title": ("Ann Reed", "Salt (feat. Bo)", "ann reed bo", "ann reed"),
    "a guest in both": ("Ann Reed; Bo", "Salt (feat. Bo)", "ann reed bo", "ann reed"),
    "nobody": ("", "", "", ""),
}


def one(**values: object) -> dict[str, object]:
    table = normalise(pa.table({name: [value] for name, value in values.items()}))
    assert table.schema == NORMAL
    found: dict[str, object] = table.to_pylist()[0]
    return found


@pytest.mark.parametrize("name", TITLES)
def test_a_title_becomes_words_and_versions(name: str) -> None:
    title, core, versions, numbers = TITLES[name]
    found = one(title=title, artist="Ann Reed")
    mask = found["versions"]
    assert isinstance(mask, int)
    assert (found["core"], versions_of(mask), found["numbers"]) == (core, versions, numbers)


@pytest.mark.parametrize("name", ARTISTS)
def test_artists_and_guests_are_one_list_and_the_first_is_known(name: str) -> None:
    artist, title, everybody, main = ARTISTS[name]
    found = one(title=title or "Salt", artist=artist)
    assert (found["artist"], found["main"]) == (everybody, main)


def test_what_is_absent_stays_absent() -> None:
    found = one(title="Salt")
    assert (found["artist"], found["album"], found["duration_ms"], found["isrc"]) == ("", "", None, None)


@pytest.mark.parametrize("value", [3e9, float("nan")])
def test_a_duration_that_is_none_is_absent(value: float) -> None:
    assert one(title="Salt", duration_ms=value)["duration_ms"] is None


def test_codes_lose_their_hyphens() -> None:
    assert one(title="Salt", isrc="gb-abc-12-00001")["isrc"] == "GBABC1200001"
    assert one(title="Salt", isrc="")["isrc"] is None


def test_a_row_is_what_it_is_whatever_stands_beside_it() -> None:
    titles = [title for title, *_ in TITLES.values()]
    whole = normalise(pa.table({"title": titles, "artist": ["Ann Reed"] * len(titles)}))
    for i, title in enumerate(titles):
        assert whole.slice(i, 1).to_pylist() == [one(title=title, artist="Ann Reed")]


def test_masks_are_names() -> None:
    assert versions_of(mask_of("demo", "live")) == ["live", "demo"]
    assert mask_of(*VERSIONS) == (1 << len(VERSIONS)) - 1


def test_a_long_name_is_cut_and_costs_no_more() -> None:
    core = one(title="a " * 1_000_000)["core"]
    assert isinstance(core, str)
    assert len(core) < 400
