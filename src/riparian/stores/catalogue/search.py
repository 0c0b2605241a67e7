"""Which recordings are looked for?

Words are looked up in the index; filters go over what they found.  What is exactly an identifier of something means
that.  The last word may be the beginning of one: people search while they type.
"""

# ruff: noqa: S608  only names and numbers of our own are put into statements

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from riparian.catalogue.holdings import HELD
from riparian.catalogue.identifiers import KINDS, normalise
from riparian.catalogue.words import asked
from riparian.errors import InputError
from riparian.ports.catalogue import Page, Question, Sort
from riparian.stores.catalogue.wording import ARTIST, CODE, OWNER

PREFIX_LETTERS_MIN: Final = 2
"""A beginning of fewer letters is a whole word."""
_PREFIX_WORTH: Final = 0.5
_LAST: Final = "\U0010ffff"
_BATCH: Final = 16_384
_DOWN: Final = {Sort.ADDED, Sort.DURATION, Sort.POPULARITY, Sort.RELEASED}
_COLUMN: Final = {Sort.DURATION: "duration_ms"}
COLUMNS: Final = ", ".join(f'r."{name}"' for name in HELD.names)
USES: Final = ("stream", "download", "train", "mine", "infer", "search")
SAYS: Final = ("permitted", "reserved")

Connection = duckdb.DuckDBPyConnection


@dataclass(slots=True)
class Asking:
    """A statement in the making: which recordings, by number and worth, and what stands for its marks."""

    hits: list[str] = field(default_factory=list)
    worth: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=lambda: ["r.held"])
    values: list[Any] = field(default_factory=list)
    of_where: list[Any] = field(default_factory=list)

    def chosen(self) -> str:
        """Write which recordings are looked for: ``number``, the worth of what was found, and the row ``r``."""
        parts = [f"({hit}) AS h{place}" for place, hit in enumerate(self.hits)]
        joined = " JOIN ".join([*parts[:1], *(f"{part} USING (number)" for part in parts[1:])])
        source = f"{joined} JOIN recording AS r USING (number)" if parts else "recording AS r"
        return f"FROM {source} WHERE {' AND '.join(self.where)}"

    @property
    def all_values(self) -> list[Any]:
        """What stands for the marks, in order."""
        return self.values + self.of_where


def page(connection: Connection, question: Question, first: int, rows: int, after: str = "") -> Page:
    """Find some recordings, and how many there are; see ``ports.catalogue.Holdings``."""
    made = _asking(connection, question)
    keys = _keys(question, made)
    order = ", ".join(f"k{place} {direction}" for place, (_, direction) in enumerate(keys))
    columns = ", ".join(f"{key} AS k{place}" for place, (key, _) in enumerate(keys))
    # Words are looked up once, for the page and for the count; a whole catalogue is not put aside to be counted.
    kept = "MATERIALIZED" if made.hits else "NOT MATERIALIZED"
    begins = f", begun AS (SELECT * FROM found WHERE number = {_begun(connection, after):d})" if after else ""
    following = f"SELECT f.* FROM found AS f, begun AS b WHERE {_follows(keys)}" if after else "SELECT * FROM found"
    found = connection.execute(
        f"WITH found AS {kept} (SELECT r.number, {columns} {made.chosen()}){begins} SELECT number,"
        f" (SELECT count(*) FROM found) FROM ({following}) ORDER BY {order} LIMIT {rows:d} OFFSET {first:d}",
        made.all_values,
    ).fetchall()
    if found:
        return Page(found[0][1], rows_of(connection, [number for number, _ in found]))
    ((total,),) = connection.execute(f"SELECT count(*) {made.chosen()}", made.all_values).fetchall()
    return Page(total, HELD.empty_table())


def _begun(connection: Connection, after: str) -> int:
    found = connection.execute("SELECT number FROM recording WHERE recording = ? AND held", [after]).fetchall()
    if not found:
        raise InputError("the page begins nowhere, wanted a place that a page before it named")
    return int(found[0][0])


def _follows(keys: Sequence[tuple[str, str]]) -> str:
    """Write that a row ``f`` comes after the row ``b``, in the order of the keys."""
    said = "false"
    for place in reversed(range(len(keys))):
        mine, theirs = f"f.k{place}", f"b.k{place}"
        beyond = f"{mine} {'<' if keys[place][1].startswith('DESC') else '>'} {theirs}"
        last = f"{mine} IS NULL AND {theirs} IS NOT NULL"
        said = f"({beyond} OR {last} OR ({mine} IS NOT DISTINCT FROM {theirs} AND {said}))"
    return said


def rows_of(connection: Connection, numbers: Sequence[int]) -> pa.Table:
    """Give the rows of some recordings (``HELD``), in this order."""
    if not numbers:
        return HELD.empty_table()
    wanted = ", ".join(f"{number:d}" for number in numbers)
    rows = connection.sql(
        f"SELECT r.number, {COLUMNS} FROM recording AS r WHERE r.number IN ({wanted})"
    ).to_arrow_table()
    order = pc.index_in(pa.array(numbers, pa.int64()), rows["number"].combine_chunks())
    return as_held(rows.drop_columns(["number"]).take(order))


def each(connection: Connection, question: Question) -> Iterator[pa.RecordBatch]:
    """Give all that is found, in order."""
    made = _asking(connection, question)
    order = ", ".join(f"{key} {direction}" for key, direction in _keys(question, made))
    told = connection.sql(f"SELECT {COLUMNS} {made.chosen()} ORDER BY {order}", params=made.all_values or None)
    for batch in told.to_arrow_reader(_BATCH):
        yield from as_held(pa.Table.from_batches([batch])).to_batches()


def as_held(table: pa.Table) -> pa.Table:
    """Bring rows of ours to ``HELD``: with their zone, which is UTC, and their types."""
    return table.cast(pa.schema([HELD.field(name) for name in table.column_names]))


def _asking(connection: Connection, question: Question) -> Asking:
    made = Asking()
    _text(connection, question.text, made)
    for mark, text, name in ((ARTIST, question.artist, "artist"), (OWNER, question.owner, "owner")):
        words = asked(text)
        if text and not words:
            raise InputError(f"`{text}` has neither letters nor digits, wanted a word of the {name}")
        for word in words:
            _hit(made, "SELECT number FROM posting WHERE word = ?", [mark + word])
    if question.isrc:
        code = normalise("isrc", question.isrc)
        if not code:
            raise InputError(f"`{question.isrc}` is no ISRC, wanted one as in GB-ABC-12-00001")
        _hit(made, "SELECT number FROM posting WHERE word = ?", [CODE + code.lower()])
    _filters(question, made)
    return made


def _hit(made: Asking, statement: str, values: Sequence[Any]) -> None:
    made.hits.append(statement)
    made.values += values


def _text(connection: Connection, text: str, made: Asking) -> None:
    if not text.strip():
        return
    # Whoever types several words without a digit types no identifier.
    if len(text.split()) == 1 or any(letter.isdigit() for letter in text):
        codes = codes_in(text)
        by_code = " UNION ".join(["SELECT number FROM posting WHERE word = ?"] * len(codes))
        if connection.execute(f"{by_code} LIMIT 1", codes).fetchall():
            _hit(made, by_code, codes)
            return
    words = asked(text)
    if not words:
        raise InputError(f"`{text}` has neither letters nor digits, wanted words or an identifier")
    open_ended = not text[-1].isspace() and len(words[-1]) >= PREFIX_LETTERS_MIN
    # One by one: of a list of words, the whole index would be read.
    counts = " UNION ALL ".join(["SELECT count(*) FROM posting WHERE word = ?"] * len(words))
    seen = [n for (n,) in connection.execute(counts, words).fetchall()]
    ((n,),) = connection.execute("SELECT count(*) FROM recording").fetchall()
    for place, word in enumerate(words):
        rarity = math.log1p(n / (1 + seen[place]))
        if open_ended and place == len(words) - 1:
            begins = (
                f"SELECT number, max(CASE WHEN word = ? THEN weight ELSE weight * {_PREFIX_WORTH}::DOUBLE END) AS w"
                " FROM posting WHERE word >= ? AND word < ? GROUP BY number"
            )
            _hit(made, begins, [word, word, word + _LAST])
        else:
            _hit(made, "SELECT number, weight AS w FROM posting WHERE word = ?", [word])
        made.worth.append(f"h{place}.w * {rarity:.6f}::DOUBLE")


def codes_in(text: str) -> list[str]:
    """List under which words a text is filed if it is the name or an identifier of something."""
    plain = text.strip()
    found = {plain, *(normalise(kind, plain) for kind in KINDS)} - {""}
    return sorted(CODE + each.lower() for each in found)


def _filters(question: Question, made: Asking) -> None:
    if question.released_from is not None:
        made.where.append("r.released >= ?")
        made.of_where.append(question.released_from)
    if question.released_to is not None:
        made.where.append("r.released <= ?")
        made.of_where.append(question.released_to)
    if question.territory:
        if len(question.territory) != 2 or not question.territory.isalpha():
            raise InputError(f"`{question.territory}` is no country, wanted two letters as in DE")
        made.where.append(
            "(r.markets IS NULL OR r.markets = '' OR list_contains(string_split(upper(r.markets), ' '), ?))"
        )
        made.of_where.append(question.territory.upper())
    if question.term:
        _term(question.term, made)


def _term(term: str, made: Asking) -> None:
    use, _, says = term.partition(":")
    if use not in USES or says not in {"", *SAYS}:
        raise InputError(
            f"`{term}` is no term, wanted one of {', '.join(USES)}, or such as train:reserved",
        )
    told = f"SELECT * FROM term WHERE withdraws IS NULL AND use = '{use}'" + (f" AND says = '{says}'" if says else "")
    made.where.append(
        f"""(r.number IN (SELECT number FROM ({told}) WHERE number IS NOT NULL)
            OR lower(r.label) IN (SELECT lower(subject) FROM ({told}) WHERE scope = 'label')
            OR EXISTS (SELECT 1 FROM ({told}) WHERE scope = 'all'))"""
    )


def _keys(question: Question, made: Asking) -> list[tuple[str, str]]:
    """List by what is sorted, and which way; what was known first comes first among equals."""
    if question.sort is Sort.RELEVANCE:
        keys = [(" + ".join(made.worth), "DESC")] if made.worth else []
        keys += [("r.popularity", "DESC NULLS LAST")] if made.hits else []
        if question.reverse:
            keys = [(key, direction.replace("DESC", "ASC")) for key, direction in keys]
        return [*keys, ("r.number", "DESC" if question.reverse and not keys else "ASC")]
    column = _COLUMN.get(question.sort, question.sort.value)
    down = (question.sort in _DOWN) != question.reverse
    key = f'r."{column}"' if question.sort in _DOWN else f'lower(r."{column}")'
    return [(key, f"{'DESC' if down else 'ASC'} NULLS LAST"), ("r.number", "ASC")]
