"""What tenants get, what is read of it when it turns up, and who is named."""

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from riparian.errors import InputError
from riparian.metadata.canaries import rows, seconds
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.issue import Channel, Plan, issue, planted
from riparian.metadata.canaries.read import read
from riparian.metadata.canaries.seconds import Form
from riparian.metadata.canaries.text import VARIANTS
from riparian.metadata.canaries.trace import Traced, trace
from tests.metadata.lists import KEY, TENANTS, Leak, issued, of, table

NEEDED = math.log2(len(TENANTS) / 1e-9)
SUBJECTS = np.arange(len(TENANTS), dtype=np.uint64) + 1


def traced(found: pa.Table, key: CanaryKey = KEY) -> Traced:
    return trace(key, read(key, of(), found), TENANTS, SUBJECTS, needed_bits=NEEDED, at_us=0)


WRITTEN = {
    "title, apostrophe": ("Don't Stop", "Don't Stop", "Don\u2019t Stop"),
    "title, featured": ("Run (feat. Mia)", "Run (feat. Mia)", "Run (ft. Mia)"),
    "title, and": ("Bread & Wine", "Bread and Wine", "Bread & Wine"),
    "title, tail": ("Hello - Live", "Hello - Live", "Hello (Live)"),
    "title, brackets": ("Hello (Live)", "Hello (Live)", "Hello [Live]"),
    "title, small words": ("Lord of the Dance", "Lord of the Dance", "Lord Of The Dance"),
    "album, single": ("Hello", "Hello", "Hello - Single"),
    "artist, last of several": ("Ann; Bob; Cy", "Ann; Bob; Cy", "Ann; Bob & Cy"),
    "artist, order from the third": ("Ann; Bob; Dan; Cy", "Ann; Bob; Cy; Dan", "Ann; Bob; Dan; Cy"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_text_is_written_in_two_ways_and_read_again(name: str) -> None:
    ours, first, second = WRITTEN[name]
    variant = next(one for one in VARIANTS if one.name == name)
    assert variant.fits(ours, ours)
    assert [variant.write(ours, bit) for bit in (0, 1)] == [first, second]
    assert [variant.read(text, ours) for text in (first, second)] == [False, True]


UNFIT = {
    "no apostrophe": ("title, apostrophe", "Stop"),
    "an apostrophe at the end of a word": ("title, apostrophe", "Lovin' You"),
    "no small word inside": ("title, small words", "The Dance"),
    "no capitals": ("title, small words", "lord of the dance"),
    "all capitals": ("title, small words", "LORD OF THE DANCE"),
    "a band whose name has an ampersand": ("artist, last of several", "Simon & Garfunkel"),
    "three artists have no order": ("artist, order from the third", "Ann; Bob; Cy"),
    "two tails": ("title, tail", "Hello (Live) - Remastered"),
}


@pytest.mark.parametrize("situation", UNFIT)
def test_a_text_that_has_one_form_is_left_alone(situation: str) -> None:
    name, text = UNFIT[situation]
    assert not next(one for one in VARIANTS if one.name == name).fits(text, "another")


LOST = ("hello live", "", "HELLO", "x" * 500, "([{", "\u2019'")


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_whatever_is_left_of_a_text_is_read_without_harm(variant: object) -> None:
    for theirs in LOST:
        for ours in ("Hello - Live", "Ann; Bob; Cy; Dan", "Lord of the Dance"):
            assert variant.read(theirs, ours) in {None, True, False}  # type: ignore[attr-defined]


def test_several_variants_of_one_text_do_not_disturb_one_another() -> None:
    ours = "Don't Sing of Love & Hope (feat. Mia Holm)"
    fit = [one for one in VARIANTS if one.column == "title" and one.fits(ours, "")]
    assert len(fit) == 5
    for word in range(1 << len(fit)):
        text = ours
        for i, one in enumerate(fit):
            text = one.write(text, word >> i & 1)
        assert [one.read(text, ours) for one in fit] == [bool(word >> i & 1) for i in range(len(fit))]


@pytest.mark.parametrize(("form", "half"), [(Form.ROUNDED, 500), (Form.CUT, 0), (Form.RAISED, 999), (Form.FULL, None)])
def test_a_side_survives_how_durations_are_written(form: Form, half: int | None) -> None:
    rng = np.random.default_rng(2)
    ms = rng.integers(90_000, 400_000, 5_000)
    at = seconds.boundaries(ms)
    later = rng.random(ms.size) < 0.5
    moved = seconds.moved(ms, at, later, rng.integers(0, 1 << 60, ms.size).astype(np.uint64))
    assert np.abs(moved - ms)[at >= 0].max() <= seconds.REACH_MS + 15
    theirs = moved if half is None else (moved + half) // 1000 * 1000
    side = seconds.read(theirs, at, form)
    assert (side[side != 0] == np.where(later, 1, -1)[side != 0]).mean() > (0.96 if form is Form.RAISED else 1 - 1e-9)
    assert (side != 0).mean() == pytest.approx(0.6 if form is Form.FULL else 0.3, abs=0.03)


def test_a_list_differs_only_in_what_does_no_harm() -> None:
    ours, mine = of().table.drop_columns(["canary"]), issued(17)
    assert mine.column_names == ours.column_names
    both = ours.join(mine, "recording", right_suffix=" of mine", join_type="inner")
    for name in ("isrc", "owner"):
        assert both[name].to_pylist() == both[f"{name} of mine"].to_pylist()
    change = np.abs(both["duration_ms"].to_numpy() - both["duration_ms of mine"].to_numpy())
    assert change.max() <= 165
    assert change.mean() < 35
    nothing = set(of().table.filter(of().table["canary"])["recording"].to_pylist())
    missing = set(ours["recording"].to_pylist()) - set(mine["recording"].to_pylist())
    assert missing <= nothing
    assert 0.3 < len(missing) / len(nothing) < 0.7
    firsts = zip(both["artist"].to_pylist(), both["artist of mine"].to_pylist(), strict=True)
    assert all(theirs.split(";")[0].split(" & ")[0] == name.split(";")[0] for name, theirs in firsts)


def test_only_labels_that_agreed_are_changed() -> None:
    ours = table(600)
    agreed = planted(ours, Plan(labels=frozenset({"South"})))
    mine = issue(KEY, agreed, "tenant-017")
    pairs = zip(agreed.table.drop_columns(["canary"]).to_pylist(), mine.to_pylist(), strict=True)
    is_same = [one == other for one, other in pairs]
    owners = mine["owner"].to_pylist()
    assert all(same for same, owner in zip(is_same, owners, strict=True) if owner == "North")
    assert not all(is_same)
    assert issue(KEY, planted(ours, Plan(labels=frozenset({"West"}))), "a").to_pylist() == ours.to_pylist()


def test_channels_that_are_not_asked_for_are_not_used() -> None:
    ours = table(600)
    for channel, touched in ((Channel.SECONDS, "duration_ms"), (Channel.ORDER, "artist")):
        mine = issue(KEY, planted(ours, Plan(frozenset({channel}))), "tenant-017")
        changed = {name for name in ours.column_names if mine[name].to_pylist() != ours[name].to_pylist()}
        assert changed == {touched}


def test_durations_that_are_whole_seconds_stay_so() -> None:
    ours = table(600)
    whole = (ours["duration_ms"].to_numpy() // 1000 * 1000).astype(np.int32)
    ours = ours.set_column(4, "duration_ms", pa.array(whole))
    assert issue(KEY, planted(ours, Plan()), "a")["duration_ms"].to_pylist() == whole.tolist()


def test_rows_that_stand_for_nothing_look_like_rows_and_name_nobody() -> None:
    ours = table()
    made = rows.made(KEY, ours, 200, "QZ9ZZ", 2026)
    assert made.schema == ours.schema
    assert made.equals(rows.made(KEY, ours, 200, "QZ9ZZ", 2026))
    assert not made.equals(rows.made(CanaryKey(bytes(32), 1), ours, 200, "QZ9ZZ", 2026))
    for name in ("recording", "title", "artist", "isrc"):
        assert not set(made[name].to_pylist()) & set(ours[name].to_pylist())
    assert len(set(made["isrc"].to_pylist())) == 200
    assert all(one.startswith("rec-") and len(one) == 10 for one in made["recording"].to_pylist())


REFUSED: dict[str, Callable[[], object]] = {
    "a registrant that is none": lambda: rows.made(KEY, table(10), 1, "12345", 2026),
    "a registrant of ours": lambda: rows.made(KEY, table(10), 1, "SEABC", 2026),
    "no catalogue": lambda: rows.made(KEY, table(10).slice(0, 0), 1, "QZ9ZZ", 2026),
    "a recording twice": lambda: planted(pa.concat_tables([table(5), table(5)]), Plan()),
    "a reach of a quarter of a second": lambda: Plan(reach_ms=250),
    "nothing to plant": lambda: Plan(channels=frozenset()),
    "nobody to issue to": lambda: issue(KEY, of(), ""),
    "rows that were not matched": lambda: read(KEY, of(), pa.table({"title": ["a"]})),
    "a tenant twice": lambda: trace(
        KEY, read(KEY, of(), Leak().found()), ["a", "a"], SUBJECTS[:2], needed_bits=1.0, at_us=0
    ),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_what_cannot_be_meant_is_refused(situation: str) -> None:
    with pytest.raises(InputError, match="wanted"):
        REFUSED[situation]()


LEAKS = {
    "one list": (Leak(), 1),
    "cut off to seconds": (Leak(seconds="cut"), 1),
    "raised to seconds": (Leak(seconds="raised"), 1),
    "in milliseconds": (Leak(n=250, seconds="full"), 1),
    "without durations": (Leak(seconds="none"), 1),
    "durations recomputed from the sound": (Leak(seconds="recomputed"), 1),
    "durations alone": (Leak(texts="none", n=900), 1),
    "texts in lower case": (Leak(texts="in lower case", n=900), 1),
    "one row in five is another": (Leak(wrong=0.2), 1),
    "two lists mixed": (Leak((17, 41), n=1_500), 2),
    "three lists mixed": (Leak((17, 41, 300), n=2_500), 2),
    "the rows that stand for nothing are among them": (Leak(n=3_000, texts="none", seconds="none"), 0),
}


@pytest.mark.parametrize(
    "situation", [pytest.param(name, marks=[pytest.mark.slow] if "mixed" in name else []) for name in LEAKS]
)
def test_whoever_leaked_is_named_and_nobody_else(situation: str) -> None:
    leak, least = LEAKS[situation]
    named = traced(leak.found()).named
    assert {one.tenant for one in named} <= set(leak.who)
    assert len(named) >= least
    for one in named:
        assert one.evidence.bits >= NEEDED
        assert one.evidence.subject == SUBJECTS[one.tenant]
        assert one.log2_chance <= -NEEDED


NOBODYS: dict[str, Callable[[], pa.Table]] = {
    "our own catalogue": lambda: of().table.drop_columns(["isrc", "owner", "canary"]).slice(0, 1_500),
    "a list of another epoch": lambda: issue(CanaryKey(KEY.secret, 2), of(), TENANTS[17]).slice(0, 1_500),
    "one row": lambda: Leak(n=1).found(),
    "no row of ours": lambda: pa.table({"recording": pa.array(["x"]), "title": ["y"]}),
    "nothing matched surely enough": lambda: Leak().found().append_column("error", pa.array(np.full(600, 0.9))),
}


@pytest.mark.parametrize("situation", NOBODYS)
def test_nobody_is_named_for_what_is_nobodys(situation: str) -> None:
    found = traced(NOBODYS[situation]())
    assert found.named == ()
    assert found.runner_up_bits < NEEDED


def test_kinds_that_tell_nothing_are_left_out() -> None:
    told = read(KEY, of(), Leak(texts="in lower case", seconds="recomputed", n=1_500).found())
    assert "title, small words" not in told.kinds
    assert "duration" in told.left_out
    assert told.form == ""
    kept = read(KEY, of(), Leak(n=1_500).found())
    assert set(kept.left_out) <= {"artist, order from the third"}
    assert kept.form == Form.ROUNDED
