"""Rules of the ledger, a row a situation."""

from dataclasses import replace
from typing import Any

import pytest

from riparian.catalogue.consent import Asked, Ledger, Stance
from riparian.catalogue.terms import Says, Scope, Term, Use, line_of, table_of_terms, terms_of

P, R, C = Stance.PERMITTED, Stance.RESERVED, Stance.CONSTRAINED
DAY = 86_400_000_000


def _row(scope: str, says: str, use: str = "train", **more: Any) -> Term:
    kind, _, name = scope.partition(":")
    term = Term(Scope(kind), name, Use(use), Says(says), "deal.xml")
    return replace(term, **more)


ASKED = Asked(Use.TRAIN, 10 * DAY, recording="r-1", label="Reed Records")

SITUATIONS = {
    "nobody says anything": ([], ASKED, R),
    "permitted of everything": ([_row("all", "permitted")], ASKED, P),
    "permitted of another recording": ([_row("recording:r-2", "permitted")], ASKED, R),
    "permitted of another use": ([_row("all", "permitted", "stream")], ASKED, R),
    "a recording before everything": ([_row("recording:r-1", "permitted"), _row("all", "reserved")], ASKED, P),
    "a label before everything": ([_row("label:Reed Records", "reserved"), _row("all", "permitted")], ASKED, R),
    "a label is compared as names are": ([_row("label:REED  records!", "permitted")], ASKED, P),
    "a recording before its label": (
        [_row("recording:r-1", "reserved"), _row("label:Reed Records", "permitted")],
        ASKED,
        R,
    ),
    "of two alike the one that reserves": ([_row("all", "reserved"), _row("all", "permitted")], ASKED, R),
    "whichever comes first": ([_row("all", "permitted"), _row("all", "reserved")], ASKED, R),
    "to somebody else": ([_row("all", "permitted", grantee="Third GmbH")], ASKED, R),
    "to whom it was granted": (
        [_row("all", "permitted", grantee="Third GmbH"), _row("all", "reserved")],
        replace(ASKED, grantee="third gmbh"),
        P,
    ),
    "there": ([_row("all", "permitted", territories=frozenset({"DE"}))], replace(ASKED, territory="DE"), P),
    "elsewhere": ([_row("all", "permitted", territories=frozenset({"DE"}))], replace(ASKED, territory="FR"), R),
    "in one country is not everywhere": ([_row("all", "permitted", territories=frozenset({"DE"}))], ASKED, R),
    "everywhere but there": (
        [_row("all", "permitted", except_in=frozenset({"DE"}))],
        replace(ASKED, territory="DE"),
        R,
    ),
    "reserved in one country, asked of everywhere": (
        [_row("all", "permitted"), _row("all", "reserved", territories=frozenset({"DE"}))],
        ASKED,
        R,
    ),
    "reserved in one country, asked of another": (
        [_row("all", "permitted"), _row("all", "reserved", territories=frozenset({"DE"}))],
        replace(ASKED, territory="FR"),
        P,
    ),
    "before it begins": ([_row("all", "permitted", begins_us=11 * DAY)], ASKED, R),
    "from the first microsecond": ([_row("all", "permitted", begins_us=10 * DAY)], ASKED, P),
    "when it has ended": ([_row("all", "permitted", ends_us=10 * DAY)], ASKED, R),
    "on conditions": ([_row("all", "permitted", conditions="CC-BY-4.0")], ASKED, C),
    "reserved, and where it may be had": ([_row("all", "reserved", conditions="https://x.example/ai")], ASKED, C),
    "plainly reserved before where it may be had": (
        [_row("all", "reserved", conditions="https://x.example/ai"), _row("all", "reserved")],
        ASKED,
        R,
    ),
    "whoever trains mines": ([_row("all", "permitted"), _row("all", "reserved", "mine")], ASKED, R),
    "training is permitted to one to whom mining is not spoken of": (
        [_row("recording:r-1", "permitted"), _row("all", "reserved", "mine")],
        ASKED,
        P,
    ),
    "mining permitted, training not": (
        [_row("all", "permitted", "mine"), _row("all", "reserved")],
        ASKED,
        R,
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_question_is_answered_by_the_rules(situation: str) -> None:
    rows, asked, stance = SITUATIONS[situation]
    assert Ledger(rows).decide(asked).stance is stance
    assert Ledger.of(table_of_terms(rows)).decide(asked).stance is stance


def test_what_is_taken_back_was_there_until_then() -> None:
    said = _row("all", "reserved", stated_us=DAY)
    back = _row("all", "reserved", stated_us=3 * DAY, withdraws=said.digest)
    open_to_all = _row("all", "permitted", stated_us=2 * DAY)
    ledger = Ledger([said, open_to_all, back])
    known = {as_of: ledger.decide(replace(ASKED, as_of_us=as_of)).stance for as_of in (0, DAY, 2 * DAY, 3 * DAY)}
    assert list(known.values()) == [R, R, R, P]
    assert ledger.decide(replace(ASKED, as_of_us=DAY)).by == said
    assert ledger.decide(ASKED).by == open_to_all


def test_a_row_is_taken_back_though_its_recording_was_renamed_since() -> None:
    said = _row("recording:GBABC1200001", "permitted")
    rows = [said, _row("all", "reserved", withdraws=said.digest)]
    renamed = [replace(said, subject="r-1"), rows[1]]
    assert Ledger.of(table_of_terms(renamed)).decide(ASKED).stance is P
    ledger = Ledger.of(table_of_terms(renamed), as_said=table_of_terms(rows))
    assert ledger.decide(ASKED).stance is R


def test_many_recordings_are_decided_as_each_one_is() -> None:
    rows = [_row("label:a", "permitted"), _row("recording:r-3", "reserved"), _row("recording:r-4", "permitted")]
    ledger = Ledger(rows)
    recordings, labels = [f"r-{i}" for i in range(6)], ["a", "", "b", "a", "b", "A"]
    one_by_one = [
        ledger.decide(replace(ASKED, recording=recording, label=label))
        for recording, label in zip(recordings, labels, strict=True)
    ]
    assert ledger.decide_all(ASKED, recordings, labels) == one_by_one


def test_rows_come_back_from_a_table_as_they_were() -> None:
    rows = [row for rows, _, _ in SITUATIONS.values() for row in rows]
    rows += [_row("all", "reserved", stated_us=at) for at in (1_800_000_000_999_999, 1_800_000_000_500_001, -1)]
    assert terms_of(table_of_terms(rows)) == rows
    assert len({line_of(row) for row in rows}) == len(set(rows)) == len({row.digest for row in rows})


def test_a_period_that_begins_or_ends_is_told_ahead() -> None:
    ledger = Ledger([_row("all", "permitted", begins_us=5 * DAY, ends_us=9 * DAY)])
    assert [ledger.changes_after(at * DAY) for at in (0, 5, 9)] == [5 * DAY, 9 * DAY, None]
