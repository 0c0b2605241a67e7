"""A statement of reasons is taken here when the DSA Transparency Database would take it, and only then."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from riparian.cases.forms import FORMS, fits
from riparian.cases.forms.reasons import refused, statement
from riparian.cases.notice import Kind
from riparian.cases.statements import drafted
from tests.cases.forms.reasons_mutations import CLAUSE, GOOD, mutations
from tests.cases.told import DECISION, FACTS, wanted

VERDICTS = Path(__file__).with_name("reasons_verdicts.csv")
"""What the code of the database says of each mutation: ``1`` where it refuses it (``bench/reasons_agree.py``)."""

TAKEN: dict[str, dict[str, Any]] = {
    "as we write it": GOOD,
    "by a clause of the terms": CLAUSE,
    "by a clause, and illegal too": {**CLAUSE, "incompatible_content_illegal": "Yes"},
    "with fields that it does not know": {**GOOD, "url": "https://a.example/", "notice": 1},
    "of money alone": {**GOOD, "decision_visibility": None, "decision_monetary": "DECISION_MONETARY_SUSPENSION"},
    "of an account alone": {**GOOD, "decision_visibility": [], "decision_account": "DECISION_ACCOUNT_SUSPENDED"},
    "of a service alone": {
        **GOOD,
        "decision_visibility": None,
        "decision_provision": "DECISION_PROVISION_TOTAL_SUSPENSION",
    },
    "nothing said by the word for it": {**GOOD, "decision_monetary": "null", "account_type": "null"},
    "nothing said by null": {**GOOD, "content_language": None, "territorial_scope": None, "decision_account": None},
    "another restriction that is named": {
        **GOOD,
        "decision_visibility": ["DECISION_VISIBILITY_OTHER"],
        "decision_visibility_other": "It plays thirty seconds.",
    },
    "what is said of another restriction is passed over where none is": {**GOOD, "decision_monetary_other": "x" * 501},
    "what is said of a clause is passed over where the law is the ground": {
        **GOOD,
        "incompatible_content_ground": "x" * 501,
        "incompatible_content_illegal": "No",
    },
    "with blanks around": {**GOOD, "puid": "C1-N1\n", "automated_detection": " Yes ", "territorial_scope": [" DE"]},
    "with the number of a product": {**GOOD, "content_id": {"EAN-13": "4006381333931"}},
    "under a keyword of another category": {**GOOD, "category_specification": ["KEYWORD_PHISHING"]},
    "as long as texts may be": {
        **GOOD,
        "decision_facts": "ü" * 5000,
        "illegal_content_explanation": "x" * 2000,
        "illegal_content_legal_ground": "x" * 500,
        "puid": "x" * 500,
    },
    "at the ends of time": {
        **GOOD,
        "content_date": "2000-01-01",
        "application_date": "2038-01-01",
        "end_date_visibility_restriction": "2038-01-01",
    },
    "with the law on the web": {
        **GOOD,
        "decision_ground_reference_url": "https://eur-lex.europa.eu/eli/dir/2001/29/oj",
    },
    "more than one category": {**GOOD, "category_addition": ["STATEMENT_CATEGORY_OTHER_VIOLATION_TC"]},
    "in two countries": {**GOOD, "territorial_scope": ["DE", "NO"]},
    "another kind of content, named": {
        **GOOD,
        "content_type": ["CONTENT_TYPE_AUDIO", "CONTENT_TYPE_OTHER"],
        "content_type_other": "Stems",
    },
    "found by a machine, decided in part by one": {
        **GOOD,
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
    },
    "of our own looking": {**GOOD, "source_type": "SOURCE_VOLUNTARY", "source_identity": None},
}

EMPTY: dict[str, Any] = {
    "decision_ground": None,
    "content_type": [],
    "category": "",
    "content_date": " ",
    "application_date": None,
    "decision_facts": "\n",
    "source_type": None,
    "automated_detection": "",
    "automated_decision": None,
    "puid": "",
    "illegal_content_legal_ground": None,
    "illegal_content_explanation": "",
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    **{f"`{name}` is missing": ({**GOOD, name: empty}, f"`{name}` is missing") for name, empty in EMPTY.items()},
    "no restriction": ({**GOOD, "decision_visibility": None}, "no restriction is named"),
    "an empty list of restrictions": ({**GOOD, "decision_visibility": []}, "no restriction is named"),
    "a restriction that is no list": (
        {**GOOD, "decision_visibility": "DECISION_VISIBILITY_CONTENT_REMOVED"},
        "`decision_visibility` is no list",
    ),
    "a restriction that is not known": (
        {**GOOD, "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED", "DECISION_VISIBILITY_HIDDEN"]},
        "`decision_visibility` has the value `DECISION_VISIBILITY_HIDDEN`",
    ),
    "another restriction that is not named": (
        {**GOOD, "decision_visibility": ["DECISION_VISIBILITY_OTHER"]},
        "`decision_visibility_other` is missing",
    ),
    "another restriction of money that is not named": (
        {**GOOD, "decision_monetary": "DECISION_MONETARY_OTHER"},
        "`decision_monetary_other` is missing",
    ),
    "another restriction that is named at length": (
        {**GOOD, "decision_visibility": ["DECISION_VISIBILITY_OTHER"], "decision_visibility_other": "x" * 501},
        "`decision_visibility_other` is longer than 500",
    ),
    "a ground that is none": ({**GOOD, "decision_ground": "DECISION_GROUND_TASTE"}, "`decision_ground` has the value"),
    "a list for a ground": ({**GOOD, "decision_ground": [GOOD["decision_ground"]]}, "`decision_ground` has the value"),
    "a clause without its words": (
        {**CLAUSE, "incompatible_content_ground": None},
        "`incompatible_content_ground` is missing",
    ),
    "a clause that is not explained": (
        {**CLAUSE, "incompatible_content_explanation": ""},
        "`incompatible_content_explanation` is missing",
    ),
    "a clause, and perhaps illegal": (
        {**CLAUSE, "incompatible_content_illegal": "Perhaps"},
        "`incompatible_content_illegal` has the value `Perhaps`",
    ),
    "facts at length": ({**GOOD, "decision_facts": "x" * 5001}, "`decision_facts` is longer than 5000"),
    "an explanation at length": (
        {**GOOD, "illegal_content_explanation": "x" * 2001},
        "`illegal_content_explanation` is longer than 2000",
    ),
    "a law at length": ({**GOOD, "illegal_content_legal_ground": "x" * 501}, "is longer than 500"),
    "a law that is no address": ({**GOOD, "decision_ground_reference_url": "eur-lex"}, "is no address"),
    "a category that was renamed": (
        {**GOOD, "category": "STATEMENT_CATEGORY_SCOPE_OF_PLATFORM_SERVICE"},
        "`category` has the value",
    ),
    "two categories in one": ({**GOOD, "category": [GOOD["category"]]}, "`category` has the value"),
    "no list of categories": ({**GOOD, "category_addition": None}, "`category_addition` is no list"),
    "a keyword that is none": ({**GOOD, "category_specification": ["KEYWORD_SONGS"]}, "`category_specification` has"),
    "a content that is none": ({**GOOD, "content_type": ["CONTENT_TYPE_SONG"]}, "`content_type` has the value"),
    "a content that is no list": ({**GOOD, "content_type": "CONTENT_TYPE_AUDIO"}, "`content_type` is no list"),
    "another content that is not named": ({**GOOD, "content_type": ["CONTENT_TYPE_OTHER"]}, "`content_type_other`"),
    "a country outside": ({**GOOD, "territorial_scope": ["DE", "US"]}, "`territorial_scope` has the value `US`"),
    "a country that is no list": ({**GOOD, "territorial_scope": "DE"}, "`territorial_scope` is no list"),
    "a language in small letters": ({**GOOD, "content_language": "en"}, "`content_language` has the value `en`"),
    "a day that there is not": ({**GOOD, "content_date": "2026-02-30"}, "`content_date` is no day"),
    "a day written short": ({**GOOD, "content_date": "2026-2-3"}, "`content_date` is no day"),
    "a day with its time": ({**GOOD, "application_date": "2026-11-23T09:30:00"}, "`application_date` is no day"),
    "a day before all": ({**GOOD, "content_date": "1999-12-31"}, "`content_date` is out of range"),
    "a decision before the law": ({**GOOD, "application_date": "2019-12-31"}, "`application_date` is out of range"),
    "a day after all": ({**GOOD, "application_date": "2038-01-02"}, "`application_date` is out of range"),
    "an end after all": (
        {**GOOD, "end_date_visibility_restriction": "2040-01-01"},
        "`end_date_visibility_restriction` is out of range",
    ),
    "a source that is none": ({**GOOD, "source_type": "SOURCE_ARTICLE_17"}, "`source_type` has the value"),
    "a source at length": ({**GOOD, "source_identity": "x" * 501}, "`source_identity` is longer than 500"),
    "a truth for a word": ({**GOOD, "automated_detection": True}, "`automated_detection` has the value `True`"),
    "a machine in other words": ({**GOOD, "automated_decision": "NOT_AUTOMATED"}, "`automated_decision` has the value"),
    "a number with a stop in it": ({**GOOD, "puid": "C1.N1"}, "`puid` has other characters"),
    "a truth for a number": ({**GOOD, "puid": True}, "`puid` has other characters"),
    "perhaps illegal, where nobody asks": (
        {**GOOD, "incompatible_content_illegal": "Perhaps"},
        "`incompatible_content_illegal` has the value `Perhaps`",
    ),
    "nothing said of illegal": ({**CLAUSE, "incompatible_content_illegal": None}, "has the value `None`"),
    "another content at length, where nobody asks": (
        {**GOOD, "content_type_other": "x" * 501},
        "`content_type_other` is longer than 500",
    ),
    "a product of twelve digits": ({**GOOD, "content_id": {"EAN-13": "400638133393"}}, "`content_id.EAN-13` has not"),
    "a product that is no list": ({**GOOD, "content_id": "4006381333931"}, "`content_id` is no list"),
    "a number in letters that are not English": ({**GOOD, "puid": "Ü1"}, "`puid` has other characters"),
    "a number at length": ({**GOOD, "puid": "x" * 501}, "`puid` is longer than 500"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_database_takes_is_taken(name: str) -> None:
    assert refused(TAKEN[name]) == ()


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_database_refuses_is_refused(name: str) -> None:
    said, why = REFUSED[name]

    found = refused(said)

    assert len(found) == 1
    assert why in found[0]


def test_the_database_says_the_same_of_every_mutation() -> None:
    with VERDICTS.open(newline="", encoding="utf-8") as file:
        theirs = {row["group"]: row["refused"] for row in csv.DictReader(file)}
    ours = dict.fromkeys(theirs, "")
    for group, said in mutations():
        ours[group] += str(int(bool(refused(said))))

    assert {group: bits for group, bits in ours.items() if bits != theirs[group]} == {}


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "removed": ({}, {"decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"]}),
    "no more money, until a day": (
        {"visibility": (), "monetary": "SUSPENSION", "until": datetime(2027, 1, 1, tzinfo=UTC)},
        {"decision_monetary": "DECISION_MONETARY_SUSPENSION", "end_date_monetary_restriction": "2027-01-01"},
    ),
    "an account ended by a clause": (
        {"visibility": (), "account": "TERMINATED", "ground": "INCOMPATIBLE_CONTENT"},
        {
            "decision_account": "DECISION_ACCOUNT_TERMINATED",
            "incompatible_content_ground": DECISION.ground_named,
            "incompatible_content_explanation": DECISION.explanation,
        },
    ),
    "in part by a machine, on a flagger's notice, in one country": (
        {
            "source": "TRUSTED_FLAGGER",
            "automated_detection": True,
            "automated_decision": "PARTIALLY",
            "territories": ("DE",),
        },
        {
            "source_type": "SOURCE_TRUSTED_FLAGGER",
            "automated_detection": "Yes",
            "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
            "territorial_scope": ["DE"],
        },
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_decision_is_written_in_the_fields_of_the_database(name: str) -> None:
    changed, fields = WRITTEN[name]

    said = statement(replace(DECISION, **changed), "en")

    assert refused(said) == ()
    assert fields.items() <= said.items()


def test_a_decision_that_the_database_would_refuse_does_not_leave() -> None:
    wrong = replace(DECISION, puid="C1/N1", facts="x" * 5001)
    notice = drafted(FACTS, wanted(kind=Kind.REASONS, decision=wrong)).notice

    why = fits(notice, FORMS["dsa_reasons"])

    assert "`puid` has other characters" in why
    assert "`decision_facts` is longer than 5000" in why


def test_a_letter_of_reasons_says_what_can_be_done_about_it() -> None:
    notice = drafted(FACTS, wanted(kind=Kind.REASONS, decision=replace(DECISION, redress=""))).notice

    assert "Article 17(3)(f)" in fits(notice, FORMS["dsa_reasons_text"])
    assert fits(notice, FORMS["dsa_reasons"]) == ""
