"""How does what documents say become what is known of recordings?

Which recording is meant
------------------------
1. The one of that name.
2. Whoever gives a recording a name of his own, beside an identifier by which alone it was known, names it from now on.
3. A name that is itself an identifier (a delivery speaks of ISRCs, MusicBrainz of its own codes) means the recording
   that has this identifier, or one that stands beside it; the first one, where several have it.
4. A new one, where the document describes it.  Names that nobody describes are counted, and say nothing.

Two names of an operator's own are never joined, whatever identifier they share: his logs know them apart.

What the latest document says replaces what was known, value by value; what it does not say stays.
"""

# ruff: noqa: S608  only names of our own columns are put into statements

from collections.abc import Iterable, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

from riparian.catalogue.holdings import ARTWORK, FIXITY, HELD, IDENTIFIER, PLAYED, RELEASE, TITLE, TRACK, Holding
from riparian.ports.catalogue import Taken
from riparian.schema import TERM
from riparian.stores.catalogue.tables import CODES, IDENTITIES, VALUES
from riparian.stores.catalogue.wording import FILED, file_words

PARTS: Final = {
    "recordings": HELD,
    "identifiers": IDENTIFIER,
    "titles": TITLE,
    "releases": RELEASE,
    "tracks": TRACK,
    "artworks": ARTWORK,
    "played": PLAYED,
    "terms": TERM,
    "fixity": FIXITY,
}
_NAMED: Final = ("identifiers", "titles", "tracks", "artworks", "played", "fixity")
_KINDS: Final = ", ".join(f"'{kind}'" for kind in IDENTITIES)
_SAME: Final = f"(kind IN ({_KINDS}) OR starts_with(kind, 'own:'))"
_RELEASE: Final = tuple(name for name in RELEASE.names if name != "release")

Connection = duckdb.DuckDBPyConnection


def take(
    connection: Connection,
    holdings: Sequence[tuple[int, Holding]],
    at_us: int,
    *,
    replaced: Sequence[str] | None = None,
) -> Taken:
    """Take batches, each with the number of its document.

    Parameters
    ----------
    connection
        In a transaction.
    at_us
        When; microseconds since 1970, UTC.
    replaced
        None for what documents say.  Otherwise this is all that is held: names are as they stand, these columns are as
        they stand, whatever was known, and whatever is not named is not held any more.
    """
    ask = connection.execute
    _stage(connection, holdings)
    _codes(connection)
    _names(connection, as_they_stand=replaced is not None)
    _fields(connection, replaced)
    new, changed = _recordings(connection, at_us, replaced)
    _identifiers(connection)
    _undescribed(connection)
    unknown = _beside(connection, at_us)
    _plays(connection, at_us)
    if replaced is not None:
        ask("""UPDATE recording SET held = NOT held
            WHERE held <> (number IN (SELECT number FROM s_number))""")
    file_words(connection)
    ask("UPDATE setting SET value = value + 1 WHERE name = 'state'")
    rows = sum(holding.recordings.num_rows for _, holding in holdings)
    refused = sum(len(holding.refused) for _, holding in holdings)
    return Taken(len(holdings), rows, new, changed, unknown, refused)


def _stage(connection: Connection, holdings: Sequence[tuple[int, Holding]]) -> None:
    for part, schema in PARTS.items():
        tables = [(number, getattr(holding, part)) for number, holding in holdings]
        stage(connection, f"s_{part}", schema, ((n, table) for n, table in tables if table is not None))
    refused = [(n, place, why) for n, holding in holdings for place, why in holding.refused]
    if refused:
        columns = zip(*refused, strict=True)
        arriving = pa.table([pa.array(each) for each in columns], names=["document", "place", "why"])
        connection.register("arriving", arriving)
        connection.execute("INSERT INTO refused SELECT * FROM arriving")
        connection.unregister("arriving")


def stage(connection: Connection, name: str, schema: pa.Schema, tables: Iterable[tuple[int, pa.Table]]) -> None:
    """Put tables into a temporary one, with the number of their document and the place of each row."""
    some = [_plain(table.select(schema.names)).append_column("said", _same(n, len(table))) for n, table in tables]
    whole = pa.concat_tables(some) if some else _plain(schema.empty_table()).append_column("said", _same(0, 0))
    whole = whole.append_column("i", pa.array(range(len(whole)), pa.int64()))
    connection.register("arriving", whole)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM arriving")
    connection.unregister("arriving")


def _same(number: int, n: int) -> pa.Array:
    return pa.array([number] * n, pa.int64())


def _plain(table: pa.Table) -> pa.Table:
    """Take zones off: everything here is UTC."""
    for place, each in enumerate(table.schema):
        if pa.types.is_timestamp(each.type):
            table = table.set_column(place, each.name, table.column(place).cast(pa.timestamp("us")))
    return table


def isrc_form(text: str) -> str:
    """Write the SQL that writes an ISRC as :func:`riparian.catalogue.identifiers.isrc` does; null for what is none."""
    plain = rf"upper(regexp_replace({text}, '[-\s.]', '', 'g'))"
    return f"CASE WHEN regexp_full_match({plain}, '[A-Z]{{2}}[A-Z0-9]{{3}}[0-9]{{7}}') THEN {plain} END"


def _codes(connection: Connection) -> None:
    """List which identifiers are said of which names, in ``s_code``."""
    columns = [
        f"SELECT recording AS name, '{code}' AS kind, {isrc_form(code) if code == 'isrc' else code} AS value"
        " FROM s_recordings"
        for code in CODES
    ]
    said = " UNION ALL ".join(["SELECT recording AS name, kind, value FROM s_identifiers", *columns])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE s_code AS SELECT DISTINCT name, kind, value FROM ({said})"
        " WHERE value IS NOT NULL AND value <> ''"
    )


def _names(connection: Connection, *, as_they_stand: bool) -> None:
    """Say which recording each described name means: ``s_number`` (name, number, is_new, own)."""
    ask = connection.execute
    ask(f"""CREATE OR REPLACE TEMP TABLE s_name AS
        SELECT n.name, n.i, {"TRUE" if as_they_stand else "c.name IS NULL"} AS own
        FROM (SELECT recording AS name, min(i) AS i FROM s_recordings WHERE recording <> '' GROUP BY recording) AS n
        LEFT JOIN (SELECT DISTINCT name FROM s_code
                   WHERE {_SAME} AND (value = name OR value = {isrc_form("name")})) AS c ON c.name = n.name""")
    ask("""CREATE OR REPLACE TEMP TABLE s_number AS
        SELECT n.name, r.number, FALSE AS is_new, n.own OR r.own AS own
        FROM s_name AS n JOIN recording AS r ON r.recording = n.name""")
    _claim(connection)
    if not as_they_stand:
        _known_by_code(connection)
    _new(connection, joined=not as_they_stand)


def _claim(connection: Connection) -> None:
    """Let names of somebody's own take over recordings that were known by an identifier alone."""
    ask = connection.execute
    ask(f"""INSERT INTO s_number SELECT name, number, FALSE, TRUE FROM (
            SELECT n.name, r.number, row_number() OVER (PARTITION BY r.number ORDER BY n.i) AS place,
                row_number() OVER (PARTITION BY n.name ORDER BY r.number) AS nth
            FROM s_name AS n JOIN s_code AS c ON c.name = n.name
            JOIN recording AS r ON r.recording = c.value AND NOT r.own
            WHERE n.own AND {_SAME} AND n.name NOT IN (SELECT name FROM s_number)
                AND r.number NOT IN (SELECT number FROM s_number))
        WHERE place = 1 AND nth = 1""")
    ask("""CREATE OR REPLACE TEMP TABLE s_renamed AS SELECT n.number FROM s_number AS n
        JOIN recording AS r ON r.number = n.number WHERE r.recording <> n.name""")
    ask("""UPDATE recording SET recording = n.name, own = n.own FROM s_number AS n
        WHERE recording.number = n.number AND (recording.recording <> n.name OR recording.own <> n.own)""")


def _known_by_code(connection: Connection) -> None:
    """Find the recordings that names mean which are identifiers."""
    connection.execute(f"""INSERT INTO s_number SELECT n.name, min(k.number), FALSE, FALSE
        FROM s_name AS n JOIN (SELECT * FROM s_code WHERE {_SAME}) AS c ON c.name = n.name
        JOIN identifier AS k ON k.kind = c.kind AND k.value = c.value
        WHERE NOT n.own AND n.name NOT IN (SELECT name FROM s_number) GROUP BY n.name""")


def _new(connection: Connection, *, joined: bool) -> None:
    """Give numbers to what is new, in its order; names that are identifiers may mean one that is new as well."""
    ask = connection.execute
    ask("""CREATE OR REPLACE TEMP TABLE s_root AS SELECT name, name AS root, i, own FROM s_name
        WHERE name NOT IN (SELECT name FROM s_number)""")
    codes = ask("SELECT count(*) FROM s_root WHERE NOT own").fetchall()[0][0] if joined else 0
    while codes:
        # Whoever stands beside an identifier that somebody earlier, or with a name of his own, stands beside, is he.
        codes = ask(f"""UPDATE s_root SET root = b.root FROM (
                SELECT a.name, arg_min(o.root, (NOT p.own, p.i)) AS root, arg_min(o.name, (NOT p.own, p.i)) AS via
                FROM s_root AS a JOIN (SELECT * FROM s_code WHERE {_SAME}) AS c ON c.name = a.name
                JOIN s_code AS d ON d.kind = c.kind AND d.value = c.value
                JOIN s_root AS o ON o.name = d.name JOIN s_root AS p ON p.name = o.root
                WHERE NOT a.own GROUP BY a.name) AS b
            WHERE b.name = s_root.name AND b.root <> s_root.root""").fetchall()[0][0]
    ((before,),) = ask("SELECT value FROM setting WHERE name = 'next'").fetchall()
    ask(
        """CREATE OR REPLACE TEMP TABLE s_fresh AS SELECT name, own, row_number() OVER (ORDER BY i) - 1 + ? AS number
        FROM s_root WHERE root = name""",
        [before],
    )
    ask("""INSERT INTO s_number SELECT r.name, f.number, TRUE, f.own
        FROM s_root AS r JOIN s_fresh AS f ON f.name = r.root""")
    ask("UPDATE setting SET value = value + (SELECT count(*) FROM s_fresh) WHERE name = 'next'")


def _fields(connection: Connection, replaced: Sequence[str] | None) -> None:
    """Gather what is said of each recording, later rows before earlier ones, in ``s_field``."""
    rows = "s_recordings AS s JOIN s_number AS n ON n.name = s.recording"
    ((rows_n, n),) = connection.execute(f"SELECT count(*), count(DISTINCT number) FROM {rows}").fetchall()
    if rows_n == n:
        values = ", ".join(f's."{each}"' for each in VALUES)
        made = f"SELECT number, is_new, {values} FROM {rows}"
    else:
        last = "arg_max_null" if replaced is not None else "arg_max"
        values = ", ".join(f'{last}(s."{each}", s.i) AS "{each}"' for each in VALUES)
        made = f"SELECT number, bool_or(is_new) AS is_new, {values} FROM {rows} GROUP BY number"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE s_field AS {made}")


def _recordings(connection: Connection, at_us: int, replaced: Sequence[str] | None) -> tuple[int, int]:
    """Write them; say how many are new and how many are others than they were.

    Those that are found by other words than before are listed in ``s_touched`` (number, is_new).
    """
    ask = connection.execute
    whole = set(replaced or ())
    merged = {each: f'f."{each}"' if each in whole else f'coalesce(f."{each}", r."{each}")' for each in VALUES}
    differs = {each: f'r."{each}" IS DISTINCT FROM {value}' for each, value in merged.items()}
    ask(f"""CREATE OR REPLACE TEMP TABLE s_changed AS
        SELECT f.number, {" OR ".join(differs[each] for each in FILED)} AS is_filed_anew
        FROM s_field AS f JOIN recording AS r ON r.number = f.number
        WHERE {" OR ".join(differs.values())} OR NOT r.held OR f.number IN (SELECT number FROM s_renamed)""")
    ask("""CREATE OR REPLACE TEMP TABLE s_touched AS SELECT number, FALSE AS is_new FROM s_changed
        WHERE is_filed_anew OR number IN (SELECT number FROM s_renamed)""")
    sets = ", ".join(f'"{each}" = {value.replace("r.", "recording.")}' for each, value in merged.items())
    ask(f"""UPDATE recording SET held = TRUE, {sets} FROM s_field AS f
        WHERE recording.number = f.number AND f.number IN (SELECT number FROM s_changed)""")
    values = ", ".join(
        f'coalesce(f."{each}", make_timestamp({at_us:d}))' if each == "added" else f'f."{each}"' for each in VALUES
    )
    ask(f"""INSERT INTO recording BY POSITION SELECT f.number, TRUE, n.own, n.name, {values}
        FROM s_field AS f JOIN s_fresh AS n ON n.number = f.number ORDER BY f.number""")
    ask("INSERT INTO s_touched SELECT number, TRUE FROM s_fresh")
    ((new, changed),) = ask("SELECT (SELECT count(*) FROM s_fresh), count(*) FROM s_changed").fetchall()
    return new, changed


def _identifiers(connection: Connection) -> None:
    rows = "SELECT n.number, c.kind, c.value FROM s_code AS c"
    _unless_there(connection, "identifier", rows, "c.name", touches=True)


def _undescribed(connection: Connection) -> None:
    """Find the recordings that are named without being described."""
    names = " UNION ".join(f"SELECT recording AS name FROM s_{part} WHERE recording IS NOT NULL" for part in _NAMED)
    ask = connection.execute
    ask(f"""CREATE OR REPLACE TEMP TABLE s_other AS SELECT name, {isrc_form("name")} AS isrc FROM (
            {names} UNION SELECT subject FROM s_terms WHERE scope = 'recording')
        WHERE name NOT IN (SELECT name FROM s_number)""")
    ask("""INSERT INTO s_number SELECT o.name, r.number, FALSE, r.own
        FROM s_other AS o JOIN recording AS r ON r.recording = o.name""")
    ask(f"""INSERT INTO s_number SELECT o.name, min(k.number), FALSE, FALSE
        FROM s_other AS o JOIN identifier AS k ON k.value = o.name OR k.kind = 'isrc' AND k.value = o.isrc
        WHERE {_SAME} AND o.name NOT IN (SELECT name FROM s_number) GROUP BY o.name""")


def _beside(connection: Connection, at_us: int) -> int:
    """Write what is said beside recordings; count rows that are about none."""
    ask = connection.execute
    codes, name = "SELECT n.number, s.kind, s.value FROM s_identifiers AS s", "s.recording"
    _unless_there(connection, "identifier", codes, name, touches=True)
    titles = "SELECT n.number, s.title, s.artist, s.language, s.kind FROM s_titles AS s"
    _unless_there(connection, "title", titles, name, touches=True)
    _unless_there(connection, "track", "SELECT s.release, n.number, s.disc, s.track FROM s_tracks AS s", "s.recording")
    ask("""INSERT INTO artwork SELECT DISTINCT s.release, n.number, s.kind, s.path, s.algorithm, s.digest
        FROM s_artworks AS s LEFT JOIN s_number AS n ON n.name = s.recording
        WHERE (s.recording IS NULL OR n.number IS NOT NULL)
        EXCEPT SELECT * FROM artwork""")
    _releases(connection)
    _unless_there(connection, "said", "SELECT n.number, s.said FROM s_recordings AS s", "s.recording")
    _terms(connection, at_us)
    _files(connection)
    lost = " UNION ALL ".join(f"SELECT recording FROM s_{part} WHERE recording IS NOT NULL" for part in _NAMED)
    ((unknown,),) = ask(f"SELECT count(*) FROM ({lost}) WHERE recording NOT IN (SELECT name FROM s_number)").fetchall()
    return int(unknown)


def _terms(connection: Connection, at_us: int) -> None:
    """Add to the ledger, from which nothing is taken away."""
    stated = f"coalesce(s.stated, make_timestamp({at_us:d}))"
    columns = ", ".join(stated if name == "stated" else f"s.{name}" for name in TERM.names)
    connection.execute(f"""INSERT INTO term
        SELECT (SELECT coalesce(max(place) + 1, 0) FROM term) + row_number() OVER (ORDER BY s.i) - 1,
            CASE WHEN s.scope = 'recording' THEN n.number END, {columns}
        FROM s_terms AS s LEFT JOIN s_number AS n ON n.name = s.subject""")


def _files(connection: Connection) -> None:
    """Write what files must come to; one that must come to something else now was not looked at yet."""
    ask = connection.execute
    ask("""DELETE FROM fixity WHERE EXISTS (SELECT 1 FROM s_fixity AS s JOIN s_number AS n ON n.name = s.recording
            WHERE n.number = fixity.number AND s.path IS NOT DISTINCT FROM fixity.path
            AND s.algorithm = fixity.algorithm AND s.digest <> fixity.digest)""")
    ask("""INSERT INTO fixity
        SELECT (SELECT coalesce(max(place) + 1, 0) FROM fixity) + row_number() OVER (ORDER BY s.i) - 1,
            n.number, s.path, s.bytes, s.algorithm, s.digest, NULL, NULL, NULL
        FROM (SELECT DISTINCT ON (recording, path, algorithm) * FROM s_fixity ORDER BY i DESC) AS s
        JOIN s_number AS n ON n.name = s.recording
        WHERE NOT EXISTS (SELECT 1 FROM fixity AS f WHERE f.number = n.number AND f.path IS NOT DISTINCT FROM s.path
            AND f.algorithm = s.algorithm AND f.digest = s.digest)""")


def _unless_there(connection: Connection, table: str, rows: str, name: str, *, touches: bool = False) -> None:
    """Write rows that are not there yet; by some of them a recording is found, and must be filed anew."""
    ask = connection.execute
    ask(f"""CREATE OR REPLACE TEMP TABLE s_row AS
        {rows} JOIN s_number AS n ON n.name = {name} EXCEPT SELECT * FROM {table}""")
    ask(f"INSERT INTO {table} SELECT * FROM s_row")
    if touches:
        ask("""INSERT INTO s_touched SELECT DISTINCT number, FALSE FROM s_row
            WHERE number NOT IN (SELECT number FROM s_touched)""")


def _releases(connection: Connection) -> None:
    ask = connection.execute
    last = ", ".join(f'arg_max(s."{each}", s.i) AS "{each}"' for each in _RELEASE)
    merged = ", ".join(f'coalesce(s."{each}", r."{each}") AS "{each}"' for each in _RELEASE)
    ask(f"""CREATE OR REPLACE TEMP TABLE s_release AS SELECT s.release, {merged}
        FROM (SELECT release, {last} FROM s_releases AS s GROUP BY release) AS s
        LEFT JOIN release AS r ON r.release = s.release""")
    ask("DELETE FROM release WHERE release IN (SELECT release FROM s_release)")
    ask("INSERT INTO release SELECT * FROM s_release")


def _plays(connection: Connection, at_us: int) -> None:
    """Write which recording was played how much, by date; the latest date is how popular it is."""
    ask = connection.execute
    day = f"make_timestamp({at_us:d})::DATE"
    ask(f"""CREATE OR REPLACE TEMP TABLE s_play AS SELECT DISTINCT ON (number, day, measure) number, day, measure, value
        FROM (SELECT n.number, coalesce(s."on", {day}) AS day, coalesce(s.measure, 'plays') AS measure, s.value, s.i
            FROM s_played AS s JOIN s_number AS n ON n.name = s.recording)
        ORDER BY i DESC""")
    ask("""DELETE FROM played WHERE EXISTS (SELECT 1 FROM s_play AS s WHERE s.number = played.number
        AND s.day = played."on" AND s.measure = played.measure)""")
    ask("INSERT INTO played SELECT * FROM s_play")
    ask("""UPDATE recording SET popularity = p.value FROM (
            SELECT number, arg_max(value, ("on", measure)) AS value FROM played
            WHERE number IN (SELECT number FROM s_play) GROUP BY number) AS p
        WHERE p.number = recording.number AND recording.popularity IS DISTINCT FROM p.value""")


def value(connection: Connection, name: str) -> Any:
    """Give a setting; None where it was never made."""
    found = connection.execute("SELECT value FROM setting WHERE name = ?", [name]).fetchall()
    return found[0][0] if found else None
