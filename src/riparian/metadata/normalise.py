"""What is left of a row when everything is gone that people write in different ways?

Letters become those of a keyboard, without case and accents.  Guests whom a title names become artists.  What says
which version of a recording it is (live, remix, remaster) becomes a flag and leaves the title; another aside stays.
What is left is words, and numbers, which must agree: "Part 1" is not "Part 2".

Conventions
-----------
* Words are of ``[a-z0-9]``, divided by single spaces, in their order.
* ``artist`` has the words of all artists and guests, ``main`` those of the first one, without a leading "the".
* Bit ``i`` of ``versions`` is set where the row says the version ``VERSIONS[i]``.
* ``aside`` has the words in brackets and behind dashes, whether they say a version or not.
* ``numbers`` are those of ``core``, in their order; Roman ones up to XX behind a word count, too.

Source
------
Unicode Standard Annex 15 (compatibility forms); the letters of other scripts are those of anyascii.
"""

from typing import Final

import polars as pl
import pyarrow as pa
from anyascii import anyascii

NORMAL: Final = pa.schema(
    [
        pa.field("core", pa.large_string(), nullable=False),
        pa.field("artist", pa.large_string(), nullable=False),
        pa.field("main", pa.large_string(), nullable=False),
        pa.field("featured", pa.large_string(), nullable=False),
        pa.field("versions", pa.uint32(), nullable=False),
        pa.field("aside", pa.large_string(), nullable=False),
        pa.field("numbers", pa.large_string(), nullable=False),
        pa.field("album", pa.large_string(), nullable=False),
        pa.field("duration_ms", pa.int32()),
        pa.field("isrc", pa.large_string()),
    ]
)
"""A row, as rows are compared."""
_PATTERNS: Final = {
    "live": r"\blive\b|\bunplugged\b|\b(?:en|ao) vivo\b|\ben directo\b|\bin concert\b|\bconcert\b",
    "remix": r"\bre ?mix(?:ed)?\b|\bmix\b|\bbootleg\b|\bvip\b|\bdub\b|\bflip\b|\brework(?:ed)?\b|\bmashup\b|\brmx\b",
    "remaster": r"\bre ?master(?:ed|izado|is[eé]e?)?\b",
    "acoustic": r"\bacousti[cq]u?e?\b|\bacustic[oa]\b|\bstripped\b|\bpiano version\b",
    "demo": r"\bdemos?\b|\bouttake\b|\bwork ?tape\b|\brough|\brehearsal\b|\btake \d+\b|\bearly version\b|\balternat\w+",
    "karaoke": r"\bkaraoke\b|\bin the style of\b|\boriginally performed\b|\bmade (?:famous|popular)|\bbacking track",
    "instrumental": r"\binstrumental\b|\binstr\b",
    "edit": r"\bradio\b|\bsingle (?:edit|version)\b|\bedit\b",
    "extended": r"\bextended\b|\b12 ?(?:inch|in)\b|\bclub\b|\blong version\b",
    "cover": r"\bcover\b|\btribute\b",
    "speed": r"\bsped up\b|\bspeed up\b|\bslowed\b|\bnightcore\b|\bchopped\b",
    "part": r"\breprise\b|\binterlude\b|\bintro\b|\boutro\b|\bskit\b|\bprelude\b",
    "session": r"\bsessions?\b",
    "mono": r"\bmono\b",
    "language": r"\b(?:english|spanish|french|german|italian|japanese|korean|portuguese) (?:version|ver)\b",
    "arranged": r"\borchestral\b|\ba ?cappella\b|\bchoir\b|\bsymphonic\b|\bmedley\b",
}
VERSIONS: Final = tuple(_PATTERNS)
"""What a row may say of its version, by bit."""
SAME_SOUND: Final = ("remaster", "mono")
"""Versions that are the recording itself, but for how it was cut."""
LETTERS_MAX: Final = 400
"""Of a name; what is longer is cut."""
_ASIDE: Final = (
    r"live|unplugged|en vivo|ao vivo|re ?mix(?:ed)?|rmx|mix|bootleg|vip|dub|flip|rework(?:ed)?|mashup|acoustic|"
    r"acustico|re ?master(?:ed)?|demo|take \d+|karaoke|instrumental|radio|edit|extended|club|version|ver|cover|"
    r"tribute|sped up|slowed|nightcore|reprise|sessions?|mono|stereo|bonus|deluxe|explicit|clean|original|"
    r"soundtrack|ost|single|video|anniversary|recorded|in the style of|made famous|official|audio|lyrics?"
)
_DASH: Final = "\u2014"
"""A dash between parts of a title: each is looked at by itself, and those before the first that says a version stay."""
_FEAT: Final = r"(?:feat\.?|featuring|ft\.?|duet with)"
_GUESTS: Final = rf"(?:[\(\[]\s*(?:with\s|{_FEAT}\s)|\s{_FEAT}\s+)\s*([^\)\]\(\[]+)[\)\]]?"
_JOINTS: Final = r"\s*(?:[,;/&+|]|\s(?:feat\.?|featuring|ft\.?|with|and|x|vs\.?|presents|und|y)\s).*$"
_ROMAN: Final = (
    "ii",
    "iii",
    "iv",
    "vi",
    "vii",
    "viii",
    "ix",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
    "xvi",
    "xvii",
    "xviii",
    "xix",
    "xx",
)
_TEXTS: Final = ("title", "artist", "album", "isrc")


def normalise(table: pa.Table) -> pa.Table:
    """Bring rows to what is compared of them.

    Parameters
    ----------
    table
        With columns ``title``, ``artist``, ``album``, ``duration_ms`` and ``isrc``, as ``RECORDING`` and ``LISTED``
        have; any of them may be absent, and any value null.

    Returns
    -------
    pa.Table
        Of schema ``NORMAL``, a row for each.

    Examples
    --------
    >>> rows = {"title": ["Señorita (feat. Camila) - Live", "Part IV"], "artist": ["Shawn", "The Band; Guest"]}
    >>> plain = normalise(pa.table(rows))
    >>> plain["core"].to_pylist(), plain["artist"].to_pylist(), plain["numbers"].to_pylist()
    (['senorita', 'part iv'], ['shawn camila', 'the band guest'], ['', '4'])
    >>> plain["main"].to_pylist(), versions_of(plain["versions"][0].as_py())
    (['shawn', 'band'], ['live'])
    """
    frame = _plain(pl.DataFrame(table))
    aside = _words(pl.col("title").str.extract_all(r"[\(\[][^\)\]]*[\)\]]?|\s[-\u2013]\s.*$").list.join(" "))
    guests = pl.col("title").str.extract(_GUESTS).fill_null("")
    frame = frame.with_columns(
        aside.alias("aside"), _words(guests.str.replace_all(r"\s(?:and|x)\s", " ")).alias("guests")
    )
    core = (
        pl.col("title")
        .str.replace_all(_GUESTS, " ")
        .str.replace_all(rf"[\(\[][^\)\]]*\b(?:{_ASIDE})\b[^\)\]]*[\)\]]?", " ")
        .str.replace_all(r"\s[-\u2013]\s", _DASH)
        .str.replace_all(rf"{_DASH}[^\(\){_DASH}]*\b(?:{_ASIDE})\b[^\(\)]*$", " ")
    )
    frame = frame.with_columns(_words(core).alias("core"), _words(pl.col("title")).alias("title_words"))
    everybody = pl.col("artist").str.replace_all(rf"\s{_FEAT}\s|\s(?:with|and|x|vs\.?)\s|&", " ")
    frame = frame.with_columns(
        pl.when(pl.col("core") == "").then("title_words").otherwise("core").alias("core"),
        _words(everybody).alias("everybody"),
        _words(pl.col("artist").str.replace(_JOINTS, "")).alias("main"),
    )
    is_new = (pl.col("guests") != "") & ~(" " + pl.col("everybody") + " ").str.contains(
        " " + pl.col("guests") + " ", literal=True
    )
    featured = pl.when(is_new).then("guests").otherwise(pl.lit(""))
    main = pl.when(pl.col("main") == "").then("everybody").otherwise("main")
    numbers = pl.col("core").str.extract_all(rf"\b\d+\b|\s(?:{'|'.join(sorted(_ROMAN, key=len, reverse=True))})\b")
    frame = frame.select(
        "core",
        (pl.col("everybody") + " " + featured).str.strip_chars().alias("artist"),
        main.str.replace(r"^the ", "").alias("main"),
        pl.col("guests").alias("featured"),
        _versions(pl.col("aside")).alias("versions"),
        "aside",
        numbers.list.eval(pl.element().str.strip_chars().replace(_roman())).list.join(" ").alias("numbers"),
        "album",
        "duration_ms",
        "isrc",
    )
    return frame.to_arrow().cast(NORMAL)


def versions_of(mask: int) -> list[str]:
    """List the versions that a mask says.

    Examples
    --------
    >>> versions_of(0b11)
    ['live', 'remix']
    """
    return [name for i, name in enumerate(VERSIONS) if mask >> i & 1]


def mask_of(*names: str) -> int:
    """Give the mask of some versions."""
    return sum(1 << VERSIONS.index(name) for name in names)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Give lower case letters of a keyboard; what stands in brackets and behind dashes still does."""
    absent = [pl.lit(None, pl.String).alias(name) for name in _TEXTS if name not in frame.columns]
    duration = pl.col("duration_ms") if "duration_ms" in frame.columns else pl.lit(None, pl.Int32)
    frame = frame.with_columns(*absent, duration.cast(pl.Int32, strict=False).alias("duration_ms"))
    code = pl.col("isrc").cast(pl.String).str.replace_all(r"[-\s]", "").str.to_uppercase()
    frame = frame.select(
        *(_letters(name) for name in ("title", "artist", "album")),
        "duration_ms",
        pl.when(code == "").then(None).otherwise(code).alias("isrc"),
    )
    for name in ("title", "artist", "album"):
        frame = _in_ascii(frame, name)
    return frame.with_columns(_words(pl.col("album")).alias("album"))


def _letters(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String).fill_null("").str.slice(0, LETTERS_MAX)
    return text.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()


def _in_ascii(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    other = frame.select(name).filter(pl.col(name).str.contains(r"[^\x00-\x7F]")).unique()
    if not other.height:
        return frame
    plain = [anyascii(text).lower() for text in other[name].to_list()]
    table = other.with_columns(pl.Series("_plain", plain, pl.String))
    joined = frame.join(table, on=name, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("_plain", name).alias(name)).drop("_plain")


def _words(text: pl.Expr) -> pl.Expr:
    joined = text.str.replace_all(r"['`]", "").str.replace_all("&", " and ")
    return joined.str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars()


def _versions(aside: pl.Expr) -> pl.Expr:
    bits = [
        pl.when(aside.str.contains(pattern)).then(pl.lit(1 << i, pl.UInt32)).otherwise(pl.lit(0, pl.UInt32))
        for i, pattern in enumerate(_PATTERNS.values())
    ]
    return pl.when(aside == "").then(pl.lit(0, pl.UInt32)).otherwise(pl.sum_horizontal(bits)).cast(pl.UInt32)


def _roman() -> dict[str, str]:
    values = (2, 3, 4, 6, 7, 8, 9, *range(11, 21))
    return {name: str(value) for name, value in zip(_ROMAN, values, strict=True)}
