import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.creators.lookalikes import Index, Name, Suffixes
from riparian.errors import InputError

SUFFIXES = Suffixes.of(["com", "net", "org", "top", "de", "co.uk", "de.com", "github.io", "*.ck", "!www.ck", "ελ"])
NAMES = [
    Name("spotify", ("spotify.com",)),
    Name("soundexchange"),
    Name("deezer"),
    Name("soundcloud"),
    Name("amuse"),
    Name("bmi"),
]
INDEX = Index(NAMES, SUFFIXES, passed=["known-spotify.com"])


@pytest.mark.parametrize(
    ("domain", "name", "ways"),
    [
        pytest.param("spotify-royalties.com", "spotify", ("words",), id="a name and a word"),
        pytest.param(
            "spotifyforartlsts.com", "spotify", ("words",), id="joined words, one of them with another letter"
        ),
        pytest.param("spotify.com-claims.net", "spotify", ("host", "words"), id="its address before a stranger's"),
        pytest.param("royalties-soundexchange-verify.org", "soundexchange", ("words",), id="two words"),
        pytest.param("my-deezer.co.uk", "deezer", ("words",), id="a suffix of two labels"),
        pytest.param("deezer.top", "deezer", ("same",), id="another ending"),
        pytest.param("deezer.github.io", "deezer", ("same",), id="where anybody publishes"),
        pytest.param("deezer.www.ck", "deezer", ("host", "words"), id="an exception to a suffix"),
        pytest.param("sp0tify.com", "spotify", ("same", "letters"), id="a digit"),
        pytest.param("spоtify.com", "spotify", ("same", "letters"), id="a letter of another alphabet"),  # noqa: RUF001
        pytest.param("xn--sptify-xqf.com", "spotify", ("same", "letters"), id="the same, as it is looked up"),
        pytest.param("spötify.de", "spotify", ("same", "letters"), id="an accent"),
        pytest.param(
            "dęezcr.com", "deezer", ("same", "letters"), id="an accent, and a letter that looks alike in haste"
        ),
        pytest.param("bnĩ.com", "bmi", ("same", "letters"), id="a short name, the same"),
        pytest.param("əmuse.net", "amuse", ("same", "letters"), id="a letter turned around"),
        pytest.param("sounddoud.com", "soundcloud", ("same", "letters"), id="two letters that look like one"),
        pytest.param("spotfiy.com", "spotify", ("typo",), id="two letters exchanged"),
        pytest.param("spotifyy-login.com", "spotify", ("words", "typo"), id="a letter too many, and a word"),
        pytest.param("dezer.com", "deezer", ("typo",), id="a letter missing"),
        pytest.param("spot-ify.com", "spotify", ("typo",), id="a hyphen"),
        pytest.param("spotify2026.com", "spotify", ("joined",), id="a year"),
        pytest.param("spotify-xyzzy.com", "spotify", ("joined",), id="anything beside it"),
        pytest.param("amuse-login.com", "amuse", ("words",), id="an ordinary word beside one that asks"),
        pytest.param("bmiroyalties.com", "bmi", ("words",), id="a short name before one that asks"),
        pytest.param("*.spotify-pay.com.", "spotify", ("words",), id="as certificates name it"),
        pytest.param("SPOTIFY-PAY.com", "spotify", ("words",), id="in capitals"),
    ],
)
def test_what_looks_alike_is_told(domain: str, name: str, ways: tuple[str, ...]) -> None:
    found = INDEX.look(domain)
    assert found is not None
    assert (found.name, found.ways) == (name, ways)


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param("manyushibmigrate.com", id="a short name within a word"),
        pytest.param("hotelamusementpark.com", id="an ordinary word within a word"),
        pytest.param("polkastarter.de.com", id="a suffix under which anybody registers"),
        pytest.param("bni.com", id="a short name, one letter away"),
        pytest.param("bmü-bau.de", id="an accent, and another word"),
        pytest.param("amuse-park.com", id="an ordinary word beside an ordinary word"),
        pytest.param("amuse.wordpress-host.net", id="an ordinary word as a label of somebody's"),
        pytest.param("accounts.spotify.com", id="its owner's"),
        pytest.param("pay.known-spotify.com", id="one that is known"),
        pytest.param("geezer.com", id="another word, one letter away"),
        pytest.param("spotifyable.com", id="inside of a word"),
        pytest.param("com", id="a suffix"),
        pytest.param("spotify", id="no domain"),
        pytest.param("", id="nothing"),
        pytest.param("xn--\ud800.com", id="no Punycode"),
        pytest.param("a" * 300 + ".com", id="too long"),
    ],
)
def test_what_only_holds_the_letters_is_not(domain: str) -> None:
    assert INDEX.look(domain) is None


def test_a_wide_look_takes_names_at_the_edge_of_words() -> None:
    wide = Index(NAMES, SUFFIXES, is_wide=True)
    found = wide.look("spotifyable.com")
    assert found is not None
    assert found.ways == ("joined",)
    assert wide.look("hotelamusementpark.com") is None


@pytest.mark.parametrize("names", [[], [Name("Reed Records")], [Name("ab")]])
def test_names_that_are_none_are_refused(names: list[Name]) -> None:
    with pytest.raises(InputError, match="wanted"):
        Index(names, SUFFIXES)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["", ".com", ".spotify.com", "-spotify.net", "spotify"]))
def test_whatever_a_list_holds_is_looked_at(text: str, end: str) -> None:
    found = INDEX.look(text + end)
    assert found is None or found.domain == text + end
