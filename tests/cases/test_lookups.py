"""What the catalogue and the ledger of terms say of a recording before anybody is written to."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from riparian.cases.facts import Addressee, Check, Layer, Party
from riparian.cases.lookups import Known, Question, looked_up_of
from riparian.catalogue.consent import Ledger
from riparian.catalogue.terms import Says, Scope, Term, Use

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOST = Addressee("host", "A Host", Layer.HOST)
OURS = Known("r1", owner="Reed Records", released=date(2020, 1, 1))
QUESTION = Question(Party("Reed Records"), NOW, "case check", HOST, ("US", "DE"))
DAY = 86_400_000_000
NOW_US = round(NOW.timestamp() * 1e6)


def term(**given: Any) -> Term:
    return replace(Term(Scope.RECORDING, "r1", Use.DOWNLOAD, Says.PERMITTED, "licence.pdf"), **given)


def said(check: Check, *terms: Term, known: Known = OURS, **asked: Any) -> bool | None:
    every = {one.check: one for one in looked_up_of(known, Ledger(terms), replace(QUESTION, **asked))}
    assert len(every) == 4
    assert all(one.source and one.by == "case check" and one.at == NOW for one in every.values())
    return every[check].clear


@pytest.mark.parametrize(
    ("terms", "clear"),
    [
        pytest.param((), True, id="nobody may"),
        pytest.param((term(grantee="host"),), False, id="the host may"),
        pytest.param((term(grantee="A Host"),), False, id="the host may, by its name"),
        pytest.param((term(grantee="quay"),), True, id="somebody else may"),
        pytest.param((term(),), False, id="everybody may"),
        pytest.param((term(use=Use.STREAM, grantee="host"),), False, id="the host may stream it"),
        pytest.param((term(use=Use.TRAIN),), True, id="another use is permitted"),
        pytest.param((term(subject="r2"),), True, id="another recording"),
        pytest.param((term(scope=Scope.LABEL, subject="Reed Records"),), False, id="all of the label"),
        pytest.param((term(territories=frozenset({"DE"})),), False, id="in one of the countries"),
        pytest.param((term(territories=frozenset({"JP"})),), True, id="in another country"),
        pytest.param((term(except_in=frozenset({"US", "DE"})),), True, id="everywhere but there"),
        pytest.param((term(ends_us=NOW_US - DAY),), True, id="until yesterday"),
        pytest.param((term(begins_us=NOW_US + DAY),), True, id="from tomorrow"),
        pytest.param((term(says=Says.RESERVED),), True, id="it is reserved"),
        pytest.param((term(says=Says.RESERVED, conditions="ask us"),), False, id="it may be had on conditions"),
    ],
)
def test_a_licence(terms: tuple[Term, ...], *, clear: bool) -> None:
    assert said(Check.LICENCE, *terms) is clear


def test_an_open_licence_is_one_for_everybody() -> None:
    assert said(Check.OPEN_LICENCE, term()) is False
    assert said(Check.OPEN_LICENCE, term(grantee="host")) is True


def test_the_document_that_permits_it_is_named() -> None:
    (licence,) = (one for one in looked_up_of(OURS, Ledger([term()]), QUESTION) if one.check is Check.LICENCE)
    assert (licence.source, licence.territories) == ("ledger of terms: licence.pdf", "US DE")


@pytest.mark.parametrize(
    ("known", "clear"),
    [
        pytest.param(OURS, True, id="the owner's"),
        pytest.param(Known("r1", label="REED records"), True, id="the label is the owner, otherwise spelt"),
        pytest.param(Known("r1", owner="Quay", label="Reed Records"), True, id="another owner's, on our label"),
        pytest.param(Known("r1", owner="Quay Music"), False, id="somebody else's"),
        pytest.param(Known("r1"), None, id="nobody knows"),
    ],
)
def test_a_chain_of_title(known: Known, *, clear: bool | None) -> None:
    assert said(Check.CHAIN_OF_TITLE, known=known) is clear


@pytest.mark.parametrize(
    ("released", "clear"),
    [
        pytest.param(date(2026, 1, 1), True, id="this year"),
        pytest.param(date(1957, 12, 31), True, id="69 years ago"),
        pytest.param(date(1956, 1, 1), None, id="70 years ago: a person has to say"),
        pytest.param(date(1915, 1, 1), None, id="long ago"),
        pytest.param(None, None, id="nobody knows when"),
    ],
)
def test_the_public_domain(released: date | None, *, clear: bool | None) -> None:
    assert said(Check.PUBLIC_DOMAIN, known=replace(OURS, released=released)) is clear
