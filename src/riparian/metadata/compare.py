"""How alike are a row of theirs and a row of ours, one thing at a time?

A pair is described by small numbers, the *levels* of :data:`FEATURES`: how alike the titles are, how many letters
differ, whether both name the same version, by how much the durations differ.  Nothing is weighed here; a level means
what its words say, and absent is a level of its own.

Three things are there because of mistakes that likeness alone makes.  A letter matters more in a short title than in
a long one (``Dang``, ``Pang``), so letters that differ stand beside the length of the title.  Numbers and versions are
compared as such (``Synchronicity I`` is 94 % like ``Synchronicity II``).  And two rows may be alike because their words
are common, so how rare the words are stands beside how alike they are.

Source
------
RapidFuzz's ratios: normalised insertions and deletions, of whole texts, of sorted words, and of the words in common.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from riparian.metadata.normalise import SAME_SOUND, mask_of
from riparian.metadata.words import LEFT, left

Codes = NDArray[np.uint8]
_ALIKE: Final = (40.0, 50.0, 60.0, 70.0, 76.0, 82.0, 87.0, 91.0, 94.0, 97.0, 99.99)
_SOME: Final = (40.0, 55.0, 70.0, 80.0, 87.0, 93.0, 97.0, 99.99)
_SECONDS: Final = (0.55, 1.1, 2.1, 3.1, 5.0, 10.0, 30.0)
_SOUNDS: Final = (60.0, 72.0, 80.0, 87.0, 93.0, 97.0)
_HEARD: Final = {
    "sch": "s", "sh": "s", "ch": "k", "kh": "h", "ph": "f", "th": "t", "zh": "j", "ck": "k", "ks": "x", "qu": "k",
    "q": "k", "c": "k", "w": "v", "y": "i", "z": "s", "ee": "i", "oo": "u",
}  # fmt: skip
_YEAR: Final = r"\b(?:19[5-9]|20[0-4])\d\b"
_BITS: Final = (6.0, 9.0, 12.0, 16.0, 20.0, 26.0, 34.0)
_LETTERS: Final = (3.0, 5.0, 8.0, 12.0, 18.0, 28.0)
_SHARED: Final = (1.0, 2.0, 3.0, 5.0, 8.0)
_CUT_MIN: Final = 10
_SAME_WORDS: Final = 80.0
_OTHERS: Final = 50.0
_LIKELY: Final = 52.0
_COUNT: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINAL: Final = rf"\b(?:part|pt|vol|volume|chapter|no|number|movement|act|book|side|step) ({'|'.join(_COUNT)})\b"
_NAMED: Final = r"\b(?:version|ver|cut|arrangement|performance)\b"
_UNNAMED: Final = (
    r"\b(?:version|ver|cut|arrangement|performance|album|single|original|main|lp|us|uk|explicit|clean|stereo|mono|digital|"
    r"re ?master\w*|deluxe|edition|bonus|track|the|feat|ft|with)\b"
)
_CROSSED: Final = (70.0, 85.0, 95.0)
_STRAIGHT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing in which two rows are compared.

    Parameters
    ----------
    name
        What it is, as an explanation calls it.
    levels
        What each level means, from level 0 on.
    """

    name: str
    levels: tuple[str, ...]


def _steps(name: str, what: str, edges: tuple[float, ...], *first: str) -> Feature:
    bounds = [f"{what} below {edges[0]:g}", *(f"{what} from {edge:g}" for edge in edges)]
    return Feature(name, (*first, *bounds))


FEATURES: Final = (
    _steps("title", "likeness", _ALIKE),
    Feature("letters", ("same letters", "1 differs", "2 differ", "3 differ", "4 differ", "5 or more differ")),
    _steps("length", "letters", _LETTERS),
    _steps("artist", "likeness", _SOME, "not given"),
    _steps("main artist", "likeness", _SOME, "not given"),
    _steps("all words", "likeness", _ALIKE),
    _steps("words in common", "likeness", _SOME),
    _steps("duration", "seconds apart", _SECONDS, "not given", "to the millisecond", "to the whole second"),
    Feature("ISRC", ("not given", "the same", "another")),
    Feature(
        "version",
        (
            "none named",
            "the same",
            "the same, of another",
            "the same, of one unnamed",
            "only theirs",
            "only ours",
            "another",
            "only ours, an edit",
        ),
    ),
    Feature("numbers", ("none", "the same", "only in one", "others")),
    _steps("rarity of title", "bits", _BITS),
    _steps("rarity of artist", "bits", _BITS),
    _steps("keys in common", "keys", _SHARED),
    Feature("guests", ("none named", "the same", "only theirs", "only ours", "others")),
    _steps("title as artist", "likeness", _CROSSED, "not asked"),
    Feature("cut", ("no", "theirs ends in a word", "ours ends in a word")),
    Feature("album", ("not given", "the same", "alike", "another")),
    Feature("words of title", LEFT),
    Feature("words of artist", LEFT),
    _steps("sound", "likeness", _SOUNDS, "not asked"),
)
"""What is compared, in the order of the columns of :func:`compare`."""
(
    TITLE, LETTERS, LENGTH, ARTIST, MAIN, WORDS, COMMON, DURATION, ISRC, VERSION, NUMBERS,
    TITLE_BITS, ARTIST_BITS, SHARED, GUESTS, SWAPPED, CUT, ALBUM, TITLE_WORDS, ARTIST_WORDS, SOUND,
) = range(len(FEATURES))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Columns of NORMAL rows, ready to be taken by number.

    Parameters
    ----------
    text : dict of np.ndarray [dtype=object], one string a row, ``""`` for none
    duration_ms : np.ndarray [dtype=float32], NaN for none
    versions : np.ndarray [dtype=uint32], a bit a version that sounds otherwise
    """

    text: dict[str, NDArray[np.object_]]
    duration_ms: NDArray[np.float32]
    versions: NDArray[np.uint32]

    @classmethod
    def of(cls, normal: pa.Table) -> "Side":
        """Unpack NORMAL rows."""
        text = {name: _strings(normal[name]) for name in _TEXTS}
        text["whole"] = text["artist"] + " " + text["core"]
        text["numbers"] = _numbered(text["core"], text["numbers"])
        text["sound"] = _heard(text["core"])
        text["artist_sound"] = _heard(text["artist"])
        duration = normal["duration_ms"].cast(pa.float32()).to_numpy(zero_copy_only=False)
        versions = normal["versions"].to_numpy(zero_copy_only=False).astype(np.uint32)
        return cls(text, duration, (versions & ~np.uint32(mask_of(*SAME_SOUND))) | _other_versions(text["aside"]))

    def __len__(self) -> int:
        """Say how many rows there are."""
        return self.versions.size


_TEXTS: Final = ("core", "artist", "main", "featured", "aside", "numbers", "album", "isrc")


def compare(
    theirs: Side,
    ours: Side,
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    shared: NDArray[np.uint8],
    rarity: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Codes:
    """Describe pairs.

    Parameters
    ----------
    theirs, ours
        The rows.
    at : two np.ndarray [shape=(n,), int64]
        Of each pair, the position of its row in ``theirs`` and in ``ours``.
    shared : np.ndarray [shape=(n,), uint8]
        How many keys they have in common.
    rarity : two np.ndarray [shape=(rows of theirs,), float32]
        Bits of the words of each title and of each artist of theirs.

    Returns
    -------
    np.ndarray [shape=(n, len(FEATURES)), uint8, C order]
        Levels, each below the number of levels of its feature.
    """
    row, our = at
    codes = np.zeros((row.size, len(FEATURES)), np.uint8)
    if not row.size:
        return codes
    a = {name: column[row] for name, column in theirs.text.items()}
    b = {name: column[our] for name, column in ours.text.items()}
    bits = [rarity[0][row], rarity[1][row]]
    words = _alike(a["whole"], b["whole"], fuzz.token_sort_ratio)
    codes[:, SWAPPED] = _put_straight(a, b, words, bits)
    alike = _alike(a["core"], b["core"], fuzz.ratio)
    codes[:, TITLE] = _step(alike, _ALIKE)
    codes[:, LETTERS] = _letters(a["core"], b["core"], alike)
    codes[:, LENGTH] = _step(_lengths(ours.text["core"])[our], _LETTERS)
    artists = _alike(a["artist"], b["artist"], fuzz.token_set_ratio)
    codes[:, ARTIST] = _given(a["artist"], b["artist"], artists)
    codes[:, MAIN] = _given(a["main"], b["main"], _alike(a["main"], b["main"], fuzz.ratio))
    codes[:, WORDS] = _step(words, _ALIKE)
    codes[:, COMMON] = _step(_alike(a["whole"], b["whole"], fuzz.token_set_ratio), _SOME)
    codes[:, DURATION] = _durations(theirs.duration_ms[row], ours.duration_ms[our])
    codes[:, ISRC] = _same_or(a["isrc"], b["isrc"])
    codes[:, VERSION] = _versions(theirs.versions[row], ours.versions[our], a["aside"], b["aside"])
    codes[:, NUMBERS] = _numbers(a["numbers"], b["numbers"])
    codes[:, TITLE_BITS] = _step(bits[0], _BITS)
    codes[:, ARTIST_BITS] = _step(bits[1], _BITS)
    codes[:, SHARED] = _step(shared.astype(np.float32), _SHARED)
    codes[:, GUESTS] = _guests(a["featured"], b["featured"])
    codes[:, CUT] = _cut(a["core"], b["core"], alike)
    codes[:, ALBUM] = _albums(a["album"], b["album"])
    codes[:, TITLE_WORDS] = _left(a, b, ("core", "artist"), alike)
    codes[:, ARTIST_WORDS] = _left(a, b, ("artist", "core"), artists)
    codes[:, SOUND] = _sounds(a, b, alike)
    return codes


def likely(theirs: Side, ours: Side, at: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Say which pairs are worth comparing: half of all words' letters in common, or the same ISRC.

    Parameters
    ----------
    theirs, ours, at
        As for :func:`compare`.

    Returns
    -------
    np.ndarray [shape=(n,), bool]
    """
    row, our = at
    words = _alike(theirs.text["whole"][row], ours.text["whole"][our], fuzz.token_sort_ratio, _LIKELY)
    isrc = theirs.text["isrc"][row]
    return np.asarray((words >= _LIKELY) | ((isrc == ours.text["isrc"][our]) & (isrc != "")), bool)


def same(a: Side, b: Side, at: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Say which pairs of rows of one catalogue are the same artist, the same work and the same recording.

    A catalogue spells its own names in one way, so likeness is not asked for here: the same words of the title, the
    same first artist or one among the other's, the same version and numbers.

    Returns
    -------
    np.ndarray [shape=(n, 3), bool], columns recording, work, artist
    """
    x, y = at
    artist = np.asarray(a.text["main"][x] == b.text["main"][y], bool)
    rest = np.flatnonzero(~artist)
    if rest.size:
        among = _alike(a.text["artist"][x[rest]], b.text["artist"][y[rest]], fuzz.token_set_ratio)
        artist[rest] = among > _SOME[-1]
    work = artist & np.asarray(a.text["core"][x] == b.text["core"][y], bool)
    named = _versions(a.versions[x], b.versions[y], a.text["aside"][x], b.text["aside"][y])
    isrc = _same_or(a.text["isrc"][x], b.text["isrc"][y]) == 1
    return np.column_stack([(work & (named <= 1)) | isrc, work | isrc, artist | isrc])


def groups(side: Side) -> NDArray[np.int64]:
    """Give rows numbers that are equal for the same recording, for the same work and for the same artist.

    Returns
    -------
    np.ndarray [shape=(n, 3), int64], columns recording, work, artist
    """
    text = side.text
    aside = np.where(side.versions != 0, text["aside"], "")
    # Of no rows, what they are made of could not be told.
    texts = dict.fromkeys(("main", "core", "aside"), pl.String)
    frame = pl.DataFrame(
        {"main": text["main"], "core": text["core"], "versions": side.versions, "aside": aside}, schema_overrides=texts
    )
    work = pl.struct("main", "core").hash()
    hashes = frame.select(
        pl.struct("main", "core", "versions", "aside").hash().alias("r"), work.alias("w"), pl.col("main").hash()
    )
    return hashes.to_numpy().view(np.int64)


def _strings(column: pa.ChunkedArray) -> NDArray[np.object_]:
    found: NDArray[np.object_] = column.fill_null("").to_numpy(zero_copy_only=False)
    return found if column.type in (pa.string(), pa.large_string()) else found.astype(str).astype(object)


def _alike(
    a: NDArray[np.object_], b: NDArray[np.object_], likeness: Callable[..., float], least: float | None = None
) -> NDArray[np.float32]:
    return np.asarray(process.cpdist(a, b, scorer=likeness, score_cutoff=least, dtype=np.float32), np.float32)


def _step(values: NDArray[np.float32], edges: tuple[float, ...]) -> Codes:
    return np.searchsorted(np.asarray(edges, np.float32), values, side="right").astype(np.uint8)


def _lengths(text: NDArray[np.object_]) -> NDArray[np.float32]:
    return np.fromiter((len(one) for one in text), np.float32, len(text))


def _none(text: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.asarray(text == "", bool)


def _given(a: NDArray[np.object_], b: NDArray[np.object_], alike: NDArray[np.float32]) -> Codes:
    return np.where(_none(a) | _none(b), 0, 1 + _step(alike, _SOME)).astype(np.uint8)


def _letters(a: NDArray[np.object_], b: NDArray[np.object_], alike: NDArray[np.float32]) -> Codes:
    found = np.full(a.size, 5, np.uint8)
    near = np.flatnonzero(alike > 50)
    if near.size:
        apart = process.cpdist(a[near], b[near], scorer=Levenshtein.distance, score_cutoff=4, dtype=np.int32)
        found[near] = np.minimum(apart, 5)
    return found


def _durations(a: NDArray[np.float32], b: NDArray[np.float32]) -> Codes:
    apart = np.abs(a - b) / 1000
    whole = (a % 1000 == 0) | (b % 1000 == 0)
    second = whole & ((np.floor(a / 1000) == np.floor(b / 1000)) | (np.round(a / 1000) == np.round(b / 1000)))
    known = np.select(
        [(apart == 0) & ~whole, second], [1, 2], (3 + _step(np.nan_to_num(apart), _SECONDS)).astype(np.int64)
    )
    return np.where(np.isnan(apart), 0, known).astype(np.uint8)


def _same_or(a: NDArray[np.object_], b: NDArray[np.object_]) -> Codes:
    return np.where(_none(a) | _none(b), 0, np.where(a == b, 1, 2)).astype(np.uint8)


def _versions(
    a: NDArray[np.uint32], b: NDArray[np.uint32], a_text: NDArray[np.object_], b_text: NDArray[np.object_]
) -> Codes:
    edit = (a ^ b) == np.uint32(mask_of("edit"))
    cases = [(a | b) == 0, edit & (a == 0), (a != 0) & (b == 0), (a == 0) & (b != 0), a != b]
    found = np.select(cases, [0, 7, 4, 5, 6], 1).astype(np.uint8)
    at = np.flatnonzero(found == 1)
    if at.size:
        nothing = np.full(at.size, "", object)
        words = left(a_text[at], b_text[at], nothing, nothing)
        found[at] = np.select([words <= LEFT.index("misspelt much"), (words >= 4) & (words < 8)], [1, 3], 2)
    return found


def _numbers(a: NDArray[np.object_], b: NDArray[np.object_]) -> Codes:
    none_a, none_b = _none(a), _none(b)
    return np.select([none_a & none_b, a == b, none_a | none_b], [0, 1, 2], 3).astype(np.uint8)


def _guests(a: NDArray[np.object_], b: NDArray[np.object_]) -> Codes:
    none_a, none_b = _none(a), _none(b)
    found = np.select([none_a & none_b, none_b, none_a], [0, 2, 3], 1).astype(np.uint8)
    at = np.flatnonzero(found == 1)
    if at.size:
        found[at] = np.where(_alike(a[at], b[at], fuzz.token_set_ratio) >= _SAME_WORDS, 1, 4)
    return found


def _put_straight(
    a: dict[str, NDArray[np.object_]],
    b: dict[str, NDArray[np.object_]],
    words: NDArray[np.float32],
    bits: list[NDArray[np.float32]],
) -> Codes:
    """Where their title is our artist, and their artist our title, change them back; say how alike they then are."""
    found = np.zeros(words.size, np.uint8)
    at = np.flatnonzero(words >= _STRAIGHT)
    at = at[_alike(a["core"][at], b["core"][at], fuzz.ratio) < _STRAIGHT]
    at = at[_alike(a["artist"][at], b["artist"][at], fuzz.token_set_ratio) < _STRAIGHT]
    crossed = np.minimum(
        _alike(a["core"][at], b["artist"][at], fuzz.token_set_ratio),
        _alike(a["artist"][at], b["core"][at], fuzz.token_set_ratio),
    )
    found[at] = 1 + _step(crossed, _CROSSED)
    at = at[crossed >= _CROSSED[0]]
    for one, other in (("core", "artist"), ("sound", "artist_sound")):
        a[one][at], a[other][at] = a[other][at], a[one][at].copy()
    a["main"][at] = a["artist"][at]
    bits[0][at], bits[1][at] = bits[1][at], bits[0][at].copy()
    return found


def _sounds(a: dict[str, NDArray[np.object_]], b: dict[str, NDArray[np.object_]], alike: NDArray[np.float32]) -> Codes:
    """Where letters are not alike: as said, in whatever alphabet they were written down."""
    found = np.zeros(alike.size, np.uint8)
    at = np.flatnonzero((alike > _ALIKE[0]) & (alike < _ALIKE[-2]))
    both = [_alike(a[name][at], b[name][at], fuzz.ratio) for name in ("sound", "artist_sound")]
    found[at] = 1 + _step(np.minimum(*both), _SOUNDS)
    return found


def _heard(text: NDArray[np.object_]) -> NDArray[np.object_]:
    """Write names as they sound, each sound in one way."""
    series = pl.Series(text.tolist(), dtype=pl.String).str.replace_many(list(_HEARD), list(_HEARD.values()))
    found: NDArray[np.object_] = series.str.replace_all("[h ]", "").to_numpy().astype(object)
    return found


def _numbered(core: NDArray[np.object_], numbers: NDArray[np.object_]) -> NDArray[np.object_]:
    """Numbers of titles, less years, and with the one that a last word I, V or X is."""
    frame = pl.DataFrame(
        {"core": core.tolist(), "numbers": numbers.tolist()}, schema={"core": pl.String, "numbers": pl.String}
    )
    last = pl.col("core").str.extract(r"\s([ivx])$").replace({"i": "1", "v": "5", "x": "10"}).fill_null("")
    said = (
        pl.col("core").str.extract(_ORDINAL).replace({name: str(i + 1) for i, name in enumerate(_COUNT)}).fill_null("")
    )
    both = said + " " + pl.col("numbers").str.replace_all(_YEAR, "") + " " + last
    found: NDArray[np.object_] = (
        frame.select(both.str.replace_all(r"\s+", " ").str.strip_chars()).to_series().to_numpy().astype(object)
    )
    return found


def _other_versions(aside: NDArray[np.object_]) -> NDArray[np.uint32]:
    """Set one more bit where a version is named that has no word of its own ("Taylor's Version", "Band Version")."""
    text = pl.Series(aside.tolist(), dtype=pl.String)
    named = text.str.contains(_NAMED) & text.str.replace_all(_UNNAMED, "").str.contains(r"[a-z]")
    return np.where(named.to_numpy(), np.uint32(1 << 31), np.uint32(0))


def _left(
    a: dict[str, NDArray[np.object_]],
    b: dict[str, NDArray[np.object_]],
    names: tuple[str, str],
    alike: NDArray[np.float32],
) -> Codes:
    """Words that are left of a name, where it is neither the same nor another altogether."""
    name, beside = names
    found = np.where(np.asarray(a[name] == b[name], bool), 0, LEFT.index("others")).astype(np.uint8)
    at = np.flatnonzero((found > 0) & (alike >= _OTHERS))
    found[at] = left(a[name][at], b[name][at], a[beside][at], b[beside][at])
    return found


def _cut(a: NDArray[np.object_], b: NDArray[np.object_], alike: NDArray[np.float32]) -> Codes:
    found = np.zeros(a.size, np.uint8)
    for i in np.flatnonzero((alike > 40) & (alike < 100)):
        found[i] = 1 if _ends_within(a[i], b[i]) else 2 if _ends_within(b[i], a[i]) else 0
    return found


def _ends_within(cut: str, whole: str) -> bool:
    """Say whether a name ends in the middle of a word of another; one that ends behind a word is another name."""
    return len(whole) > len(cut) >= _CUT_MIN and whole.startswith(cut) and whole[len(cut)] != " "


def _albums(a: NDArray[np.object_], b: NDArray[np.object_]) -> Codes:
    found = _same_or(a, b)
    found[found == 2] = 3
    at = np.flatnonzero(found == 3)
    if at.size:
        found[at] = np.where(_alike(a[at], b[at], fuzz.token_set_ratio) >= _SAME_WORDS, 2, 3)
    return found
