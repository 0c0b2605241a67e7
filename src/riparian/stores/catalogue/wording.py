"""Which words lead to a recording, and how much does each say of it?

A word says more of a short text than of a long one, and more in a title than in a label: as in BM25F, with lengths
that do not depend on what else is held, so that a recording is filed once.

Source
------
Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), equations 3.15 and 3.19.
"""

# ruff: noqa: S608  only names and numbers of our own are put into statements

from collections.abc import Sequence
from typing import Final

import duckdb
import pyarrow as pa

from riparian.catalogue.words import LETTERS_MAX, WORDS_MAX, words

_TEXTS: Final = (
    ("recording", "title", 3.0),
    ("recording", "artist", 2.5),
    ("recording", "album", 1.5),
    ("recording", "label", 0.5),
    ("recording", "owner", 0.5),
    ("title", "title", 2.5),
    ("title", "artist", 2.0),
)
"""Where words stand, and what a word there is worth."""
_STEPS: Final = 12
"""In which worth is counted, so that it fits into eight bits."""
_K: Final = 1.2
_B: Final = 0.75
_LENGTH: Final = 4.0
"""Of BM25F: saturation, how much length matters, and the ordinary length of a text, in words."""
FILED: Final = tuple(column for table, column, _ in _TEXTS if table == "recording")
"""What of a recording's own row it is found by, besides its name."""
SETTLE_MIN: Final = 1_000_000
SETTLE_SHARE: Final = 0.25
"""Postings out of order before all are put in order again: so many, and such a part of all."""


CODE: Final = "="
ARTIST: Final = "@"
OWNER: Final = "#"
"""What stands before a word that is a whole identifier, or is looked for among artists, or owners, alone."""


def file_words(connection: duckdb.DuckDBPyConnection) -> None:
    """File recordings under their words anew: those of ``s_touched`` (number, is_new)."""
    ask = connection.execute
    ask("DELETE FROM posting WHERE number IN (SELECT number FROM s_touched WHERE NOT is_new)")
    texts = " UNION ALL ".join(
        f"SELECT number, {place} AS field, {column} AS text FROM {table} WHERE {column} IS NOT NULL"
        f" AND number IN (SELECT number FROM s_touched)"
        for place, (table, column, _) in enumerate(_TEXTS)
    )
    ask(f"CREATE OR REPLACE TEMP TABLE s_text AS {texts}")
    _read_others(connection)
    worth = " ".join(f"WHEN {place} THEN {worth}" for place, (_, _, worth) in enumerate(_TEXTS))
    length = f"({1 - _B} + {_B} * n / {_LENGTH})"
    ask(f"""CREATE OR REPLACE TEMP TABLE s_word AS
        SELECT DISTINCT number, field, n, unnest(words) AS word FROM (
            SELECT number, field, words, len(words) AS n FROM (
                SELECT number, field, list_transform({plain_words("text")}, lambda w: left(w, {LETTERS_MAX})) AS words
                FROM s_text WHERE strlen(text) = length(text)
                UNION ALL SELECT number, field, words FROM s_text JOIN s_words USING (text)))""")
    held_by = {ARTIST: ("artist",), OWNER: ("owner", "label")}
    alone = " UNION ALL ".join(
        f"SELECT DISTINCT '{mark}' || word, number, 1 FROM s_word WHERE field IN ({_fields(columns)})"
        for mark, columns in held_by.items()
    )
    ask(f"""INSERT INTO posting SELECT * FROM (
        SELECT word, number, least(255, round(sum(
            {_STEPS} * (CASE field {worth} END) * ({_K} + 1) / (1 + {_K} * {length}))))
        FROM s_word GROUP BY word, number
        UNION ALL {alone}
        UNION ALL (SELECT '{CODE}' || lower(recording), number, 255 FROM recording
            WHERE number IN (SELECT number FROM s_touched)
            UNION SELECT '{CODE}' || lower(value), number, 255 FROM identifier
            WHERE number IN (SELECT number FROM s_touched)))
        ORDER BY ALL""")


def _fields(columns: Sequence[str]) -> str:
    return ", ".join(str(place) for place, (_, column, _) in enumerate(_TEXTS) if column in columns)


def plain_words(text: str) -> str:
    """Write the SQL that lists the words of an ASCII text as :func:`riparian.catalogue.words.words` does."""
    plain = f"translate(left({text}, {LETTERS_MAX * WORDS_MAX}), '''`', '')"
    return f"regexp_extract_all(lower({plain}), '[a-z0-9]+')[1:{WORDS_MAX}]"


def _read_others(connection: duckdb.DuckDBPyConnection) -> None:
    """Read the words of texts in other letters: ``s_words`` (text, words)."""
    rows = connection.execute("SELECT DISTINCT text FROM s_text WHERE strlen(text) <> length(text)").fetchall()
    texts = [text for (text,) in rows]
    read = pa.table(
        [pa.array(texts, pa.string()), pa.array([words(text) for text in texts], pa.list_(pa.string()))],
        names=["text", "words"],
    )
    connection.register("arriving", read)
    connection.execute("CREATE OR REPLACE TEMP TABLE s_words AS SELECT * FROM arriving")
    connection.unregister("arriving")


def settle(connection: duckdb.DuckDBPyConnection) -> bool:
    """Put all postings in the order of words, if enough of them are out of it; says whether it did."""
    ask = connection.execute
    ((n, settled),) = ask(
        "SELECT count(*), coalesce((SELECT value FROM setting WHERE name = 'settled'), 0) FROM posting"
    ).fetchall()
    if n - settled < max(SETTLE_MIN, SETTLE_SHARE * n):
        return False
    ask("CREATE TABLE ordered AS SELECT * FROM posting ORDER BY word, number")
    ask("DROP TABLE posting")
    ask("ALTER TABLE ordered RENAME TO posting")
    ask("DELETE FROM setting WHERE name = 'settled'")
    ask("INSERT INTO setting VALUES ('settled', ?)", [n])
    return True
