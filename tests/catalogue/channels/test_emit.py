"""What is written says what is decided, and contradicts nothing."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from riparian.catalogue.channels.cawg import Told, Trust
from riparian.catalogue.channels.compare import Site, check
from riparian.catalogue.channels.emit import Layout, LedgerSays, Written, emit, stances
from riparian.catalogue.channels.pages import headers_of
from riparian.catalogue.channels.robots import OCTETS_MAX, Robots
from riparian.catalogue.channels.tdmrep import policy_faults
from riparian.catalogue.consent import Ledger, Stance
from riparian.catalogue.terms import Says, Scope, Term, Use
from riparian.errors import InputError

LAYOUT = Layout("https://music.example", "/tracks/{recording}")


def site_of(written: Written) -> Site:
    """Put what was written where a site has it."""
    files = {path: text.encode() for path, text in written.files.items()}
    assertions = {"/sound/any.mp3": json.loads(files["assertion.json"])}
    return Site(
        robots=files["robots.txt"],
        aitxt=files["ai.txt"],
        tdmrep=files[".well-known/tdmrep.json"],
        documents={"https://music.example/license.xml": files["license.xml"]},
        headers=headers_of(files["_headers"], "_headers", []),
        pages={"/": files["head.html"]},
        sealed={path: Told(Trust.TRUSTED, one) for path, one in assertions.items()},
    )


def _some(seed: int) -> tuple[Ledger, Mapping[str, str]]:
    dice = random.Random(seed)  # noqa: S311 -- a test's dice
    labels = {f"r {i}/ä*": dice.choice(["reed", "north", ""]) for i in range(12)}
    rows = [
        Term(
            *dice.choice(
                [
                    (Scope.ALL, ""),
                    (Scope.LABEL, "Reed"),
                    (Scope.LABEL, "North"),
                    *((Scope.RECORDING, recording) for recording in labels),
                ]
            ),
            dice.choice(list(Use)),
            dice.choice(list(Says)),
            f"{i}.pdf",
            territories=frozenset({"DE"}) if dice.random() < 0.2 else frozenset(),
            grantee="Third" if dice.random() < 0.2 else "",
            conditions="https://music.example/ai" if dice.random() < 0.2 else "",
        )
        for i in range(dice.randrange(0, 14))
    ]
    return Ledger(rows), labels


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_decided_no_form_contradicts_another_or_the_ledger(seed: int) -> None:
    ledger, labels = _some(seed)
    written = emit(ledger, LAYOUT, 0, labels, holder="Reed & Co", contact="rights@music.example")
    found = check(site_of(written), [LedgerSays(ledger, LAYOUT, 0, labels)])
    assert found.contradictions == ()
    assert found.faults == ()


@pytest.mark.parametrize("seed", range(20))
def test_each_recording_is_said_to_be_what_it_is_decided_to_be(seed: int) -> None:
    ledger, labels = _some(seed)
    robots = Robots(emit(ledger, LAYOUT, 0, labels).files["robots.txt"].encode())
    for recording, label in labels.items():
        held = stances(ledger, 0, recording, label)
        said = {one.text for one in robots.at(LAYOUT.of(recording))}
        letters = {use: "y" if held[use][0] is Stance.PERMITTED else "n" for use in held}
        wanted = {f"train-ai={letters[Use.TRAIN]}", f"ai-use={letters[Use.INFER]}", f"search={letters[Use.SEARCH]}"}
        assert said == wanted


def _searchable(*others: Term) -> Ledger:
    return Ledger([Term(Scope.ALL, "", Use.SEARCH, Says.PERMITTED, "policy.pdf"), *others])


def _one(says: Says, i: int) -> Term:
    return Term(Scope.RECORDING, f"r-{i}", Use.SEARCH, says, "letter.eml")


def test_what_robots_txt_has_no_room_for_is_said_too_strictly_and_told() -> None:
    many = [_one(Says.RESERVED, i) for i in range(12_000)]
    written = emit(_searchable(*many), LAYOUT, 0, {})
    assert written.is_strictest
    assert written.left_out == len(many)
    assert "search=n" in written.files["robots.txt"]
    assert len(written.files["robots.txt"]) < OCTETS_MAX
    permitting = Ledger([_one(Says.PERMITTED, i) for i in range(12_000)])
    written = emit(permitting, LAYOUT, 0, {})
    assert (written.is_strictest, written.left_out, written.recordings) == (False, 12_000, 0)
    assert "search=y" not in written.files["robots.txt"]


def test_recordings_without_addresses_make_the_whole_site_as_strict_as_the_strictest() -> None:
    nowhere = replace(LAYOUT, path="")
    assert "search=y" in emit(_searchable(), nowhere, 0, {}).files["robots.txt"]
    written = emit(_searchable(_one(Says.RESERVED, 1)), nowhere, 0, {})
    assert written.is_strictest
    assert "search=n" in written.files["robots.txt"]


def test_a_policy_is_what_the_report_demands() -> None:
    written = emit(Ledger([]), LAYOUT, 0, {}, holder="Reed", contact="https://music.example/ask")
    assert policy_faults(json.loads(written.files["tdm-policy.json"]), "tdm-policy.json") == []
    assert "tdm-policy: https://music.example/tdm-policy.json" in written.files["_headers"]


@pytest.mark.parametrize("path", ["tracks/{recording}", "/tracks/", "/{recording}/{recording}"])
def test_a_path_that_names_no_recording_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="is no path of a recording"):
        Layout("https://music.example", path)


@pytest.mark.parametrize("recording", ["r-1", "a b", "ä", "50%", "a*b$", "x#y", "a:b", "../up", "\u4e2d\u6587", 'q"\\'])
def test_the_name_of_a_recording_survives_its_path(recording: str) -> None:
    path = LAYOUT.of(recording)
    assert LAYOUT.recording_at(path) == recording
    assert not set('*$# :"') & set(path)
