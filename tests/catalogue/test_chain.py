"""A chain proves what was reserved when to somebody who has nothing but it; whatever is changed in it is found."""

import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from riparian.catalogue.chain import Chain, next_line, verified
from riparian.catalogue.consent import Asked, Stance
from riparian.catalogue.terms import Says, Scope, Term, Use
from riparian.errors import CustodyError

DAY = 86_400_000_000
OWN, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2))
KEY = OWN.public_key().public_bytes_raw().hex()


def _row(says: Says, i: int) -> Term:
    return Term(Scope.RECORDING, f"r-{i}", Use.TRAIN, says, f"{i}.pdf", stated_us=i * DAY)


ROWS = [_row(Says.RESERVED, 1), _row(Says.PERMITTED, 2), _row(Says.RESERVED, 3)]


def _made(days: int, own: Ed25519PrivateKey = OWN) -> bytes:
    data, key = b"", own.public_key().public_bytes_raw().hex()
    for day in range(1, days + 1):
        files = {"robots.txt": f"of day {day}".encode()}
        line, _ = next_line(verified(data), ROWS[:day], files, day * DAY, key, own.sign)
        data += line
    return data


MADE = _made(3)
LINES = MADE.splitlines(keepends=True)


def _edited(number: int, edit: Callable[[dict[str, object]], object]) -> bytes:
    whole = json.loads(LINES[number - 1])
    edit(whole["entry"])
    line = json.dumps(whole, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    return b"".join([*LINES[: number - 1], line, *LINES[number:]])


def test_whoever_has_the_file_knows_what_was_reserved_on_each_day() -> None:
    chain = verified(MADE, key=KEY)
    asked = Asked(Use.TRAIN, 0, "r-2")
    assert [chain.ledger(day * DAY).decide(asked).stance for day in (1, 2, 3)] == [
        Stance.RESERVED,
        Stance.PERMITTED,
        Stance.PERMITTED,
    ]
    assert chain.ledger(DAY).decide(asked).by is None
    entry = chain.at(2 * DAY + 1)
    assert entry is not None
    assert (entry.number, entry.rows, list(entry.files)) == (2, 2, ["robots.txt"])
    assert chain.at(DAY - 1) is None
    assert list(chain.terms) == ROWS


def test_a_day_on_which_nothing_came_is_an_entry_as_well() -> None:
    line, entry = next_line(verified(MADE), ROWS, {}, 3 * DAY, KEY, OWN.sign)
    assert entry.added == ()
    assert len(verified(MADE + line).entries) == 4


def test_an_earlier_head_is_found_in_a_longer_chain() -> None:
    head = verified(b"".join(LINES[:2])).head
    assert verified(MADE, head=head).head == verified(MADE).head


ALTERED = {
    "a word of a row": MADE.replace(b"reserved", b"permitted", 1),
    "the time of an entry": _edited(2, lambda entry: entry.update(at_us=DAY)),
    "the time as it is read": _edited(2, lambda entry: entry.update(at="2020-01-01T00:00:00+00:00")),
    "the digest of a file": _edited(3, lambda entry: entry.update(files={"robots.txt": "0" * 64})),
    "the number of rows": _edited(2, lambda entry: entry.update(rows=7)),
    "the key": _edited(1, lambda entry: entry.update(key=OTHER.public_key().public_bytes_raw().hex())),
    "one more field": _edited(2, lambda entry: entry.update(note="x")),
    "one more field in a row": MADE.replace(b'"says"', b'"said":"x","says"', 1),
    "a row taken out": _edited(1, lambda entry: entry.update(added=[], rows=0)),
    "an entry taken out": LINES[0] + LINES[2],
    "the first entry taken out": LINES[1] + LINES[2],
    "entries in another order": LINES[1] + LINES[0] + LINES[2],
    "an entry twice": LINES[0] + LINES[0],
    "an entry of somebody else": LINES[0] + _made(2, OTHER).splitlines(keepends=True)[1],
    "the signature": MADE.replace(b'"signature":"', b'"signature":"0', 1),
    "a space between": MADE.replace(b'"entry":{', b'"entry": {', 1),
    "an empty line": LINES[0] + b"\n" + LINES[1],
    "a line cut short": MADE[:-20],
    "something else": b"hello\n",
    "a thousand brackets": b"[" * 100_000 + b"\n",
    "a number for a text": b"1\n",
    "nothing of an entry": b'{"entry":null,"signature":""}\n',
}


@pytest.mark.parametrize("what", ALTERED)
def test_whatever_is_altered_is_found(what: str) -> None:
    with pytest.raises(CustodyError, match=r"entry \d+ |cut short"):
        verified(ALTERED[what])


def test_another_key_than_one_was_told_is_refused() -> None:
    with pytest.raises(CustodyError, match="is signed by the key"):
        verified(_made(1, OTHER), key=KEY)


def test_a_chain_that_lost_its_end_is_refused_by_whoever_knows_a_head() -> None:
    head = verified(MADE).head
    with pytest.raises(CustodyError, match="no line has the digest"):
        verified(b"".join(LINES[:2]), head=head)


def test_a_ledger_that_lost_a_row_gets_no_entry() -> None:
    with pytest.raises(CustodyError, match="lacks 1 rows"):
        next_line(verified(MADE), ROWS[:2], {}, 4 * DAY, KEY, OWN.sign)


def test_a_clock_that_goes_back_makes_no_entry() -> None:
    with pytest.raises(CustodyError, match="the clock stands before"):
        next_line(verified(MADE), ROWS, {}, DAY, KEY, OWN.sign)


def test_an_empty_file_is_a_chain_of_nothing() -> None:
    assert verified(b"") == Chain()
