"""A promo goes to twenty people, one of them leaks it, and the copy says which."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.audio.forms import Form, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.engines.local import Processes
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError
from riparian.feeds.sound_files import FOUND, find, read
from riparian.flows.deliver import Delivered, Master, Order, Recipient, Wanted, deliver, masters
from riparian.flows.leak import Leak, Sighting, trace_leak
from riparian.gate.policy import Policy
from riparian.marks.code import Tier
from riparian.marks.grants import Grant
from riparian.marks.layout import VARIANT_GROUPS, Layout
from riparian.ports import Studio
from riparian.schema import DAY_US
from riparian.stores.files import digest_of_file
from riparian.stores.grants import SqlGrants
from riparian.stores.jobs import SqlLedger
from riparian.stores.mark_keys import FolderMarkKeys
from riparian.stores.memory import FixedClock
from riparian.stores.renditions import write
from tests.marks.sounds import chords, drums

pytestmark = pytest.mark.slow

NOW = 1_800_000_000_000_000
PEOPLE = [f"reviewer-{n:02d}@example.org" for n in range(20)]
LEAKER = PEOPLE[13]
SECONDS = 24.0
RATE = 22_050
PROMO = Written(Form.FLAC, "16")
LEAKED = Written(Form.MP3, bit_rate=64_000)


def song(seconds: float = SECONDS) -> Sound:
    both = np.stack([chords(seconds, RATE) + drums(seconds, RATE), chords(seconds, RATE)]) / 2
    return Sound(both.astype(np.float32), RATE)


def studio(folder: Path) -> Studio:
    jobs = Processes(1, SqlLedger(None, FixedClock(NOW)))
    return Studio(
        FixedClock(NOW), FolderMarkKeys(folder / "w"), SqlGrants(folder / "w"), jobs, find, read,
        partial(read, limits=FOUND), write, digest_of_file, bytes(16),
    )  # fmt: skip


def issued(place: Studio, master: Master, out: Path, to: list[str]) -> list[Delivered]:
    orders = [Order(master, Recipient(one), out / one / master.recording, ".flac") for one in to]
    return list(deliver(place, orders, {master.digest: 1.0}, Wanted()))


@pytest.fixture(scope="module")
def promo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Send a promo out, and let one copy of it come back as an MP3."""
    folder = tmp_path_factory.mktemp("promo")
    write(Recorded(song(), PROMO, {"title": "Song"}), folder / "song.flac", PROMO)
    place = studio(folder)
    (master,) = masters(place, [folder / "song.flac"])
    issued(place, master, folder / "out", PEOPLE)
    # An open ledger has further files beside it, which end with it, whenever that is.
    assert isinstance(place.grants, SqlGrants)
    place.grants.close()
    write(read(folder / "out" / LEAKER / "song.flac"), folder / "leak.mp3", LEAKED)
    return folder


@pytest.fixture
def place(promo: Path, tmp_path: Path) -> Studio:
    """Copy the ledger and the keys, to do with as one likes."""
    (tmp_path / "w").mkdir()
    for file in (promo / "w").iterdir():
        (tmp_path / "w" / file.name).write_bytes(file.read_bytes())
        (tmp_path / "w" / file.name).chmod(0o600)
    return studio(tmp_path)


def traced(
    place: Studio,
    *copies: Path,
    recording: str | None = None,
    masters: tuple[Path, ...] = (),
    policy: Policy | None = None,
) -> Leak:
    return trace_leak(place, Sighting(copies, recording, masters), policy or Policy())


class Torn(SqlGrants):
    """A ledger whose disk is full."""

    def __init__(self) -> None:
        super().__init__(None)

    def add(self, *grants: Grant) -> None:
        raise OutsideError(f"{len(grants)} grants found no room")


def names(leak: Leak) -> list[str]:
    return [one.candidates[n.candidate] for one in leak.together if one.traced for n in one.traced.named]


def test_whoever_leaks_a_copy_is_named_with_how_sure_that_is(place: Studio, promo: Path) -> None:
    leak = traced(place, promo / "leak.mp3")
    assert names(leak) == [LEAKER]
    (one,) = leak.together
    assert one.traced is not None
    (named,) = one.traced.named
    assert named.evidence.bits > one.traced.needed_bits > 34
    assert one.error_bound(named) < 1e-9
    # However many bits: twenty candidates' seeds may be those of whoever leaked it.
    assert one.error_bound(named) > 20 * 2.0**-64
    assert one.traced.runner_up_bits < 10


def test_every_copy_names_whom_it_was_issued_to(place: Studio, promo: Path) -> None:
    for who in PEOPLE[:3]:
        assert names(traced(place, promo / "out" / who / "song.flac", recording="song")) == [who]


def test_nobody_is_named_for_the_master_itself_or_for_another_song(place: Studio, promo: Path, tmp_path: Path) -> None:
    other = Recorded(Sound(drums(20.0, RATE)[None], RATE), PROMO)
    write(other, tmp_path / "other.flac", PROMO)
    assert names(traced(place, promo / "song.flac")) == []
    assert names(traced(place, tmp_path / "other.flac")) == []


def test_with_another_key_nobody_is_named(promo: Path, tmp_path: Path) -> None:
    write(Recorded(song(), PROMO), tmp_path / "song.flac", PROMO)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = studio(tmp_path / "elsewhere")
    (master,) = masters(elsewhere, [promo / "song.flac"])
    issued(elsewhere, master, tmp_path / "out", PEOPLE[:2])
    assert names(traced(elsewhere, promo / "out" / PEOPLE[0] / "song.flac")) == []


def test_who_was_erased_is_named_no_more_and_the_chain_holds(place: Studio, promo: Path) -> None:
    _, head = place.grants.verify()
    assert place.grants.erase(LEAKER, NOW)
    assert names(traced(place, promo / "leak.mp3")) == []
    assert place.grants.verify(head)[0] > len(PEOPLE)


def test_what_was_marked_in_an_earlier_epoch_is_read_with_its_key(place: Studio, promo: Path, tmp_path: Path) -> None:
    place.keys.rotate()
    (master,) = masters(place, [promo / "song.flac"])
    issued(place, master, tmp_path / "out", PEOPLE[:2])
    leak = traced(place, promo / "leak.mp3", tmp_path / "out" / PEOPLE[1] / "song.flac")
    assert names(leak) == [LEAKER, PEOPLE[1]]
    assert leak.tried.epochs == 2


def test_what_is_done_is_not_done_again_and_what_was_lost_is(place: Studio, promo: Path, tmp_path: Path) -> None:
    (master,) = masters(place, [promo / "song.flac"])
    first = issued(place, master, tmp_path / "out", PEOPLE[:3])
    (tmp_path / "out" / PEOPLE[0] / "song.flac").unlink()
    (tmp_path / "out" / PEOPLE[1] / "song.flac").write_bytes(b"torn")
    again = {one.order.recipient.account: one.anew for one in issued(place, master, tmp_path / "out", PEOPLE[:3])}
    assert [one.anew for one in first] == [True] * 3
    assert again == {PEOPLE[0]: True, PEOPLE[1]: True, PEOPLE[2]: False}
    assert not list(tmp_path.rglob("*.unfinished"))


def test_no_copy_is_in_its_place_before_its_grant(place: Studio, promo: Path, tmp_path: Path) -> None:
    (master,) = masters(place, [promo / "song.flac"])
    torn = replace(place, grants=Torn())
    with pytest.raises(OutsideError):
        issued(torn, master, tmp_path / "out", PEOPLE[:1])
    assert not list(tmp_path.rglob("*.flac"))


def test_a_master_that_has_changed_is_refused_with_both_digests(place: Studio, promo: Path, tmp_path: Path) -> None:
    (master,) = masters(place, [promo / "song.flac"])
    changed = tmp_path / "song.flac"
    write(Recorded(song(10.0), PROMO), changed, PROMO)
    with pytest.raises(InputError) as refused:
        traced(place, promo / "leak.mp3", masters=(changed,))
    assert master.digest in refused.value.message
    assert digest_of_file(changed) in refused.value.message


def test_a_master_that_moved_is_found_where_it_is_given(place: Studio, promo: Path, tmp_path: Path) -> None:
    moved = tmp_path / "archive.flac"
    moved.write_bytes((promo / "song.flac").read_bytes())
    assert names(traced(place, promo / "leak.mp3", masters=(moved,))) == [LEAKER]


def test_what_was_streamed_too_is_compared_with_the_master_that_the_ledger_knows(place: Studio, promo: Path) -> None:
    ((version, _),) = place.grants.versions()
    streamed = replace(version, tier=Tier.MANY, layout=Layout.at(RATE, VARIANT_GROUPS))
    leak = trace_leak(place, Sighting((promo / "leak.mp3",), streamed=(streamed,), listeners=("nobody",)), Policy())
    assert (leak.missing, names(leak)) == ((), [LEAKER])


def test_who_asks_at_the_same_moment_is_counted_before_anything_is_said(
    place: Studio, promo: Path, tmp_path: Path
) -> None:
    class Busy(SqlGrants):
        """A ledger in which somebody else's asking is entered just before ours."""

        def keep_trace(self, at_us: int, copies: int, said: Mapping[str, Any]) -> None:
            super().keep_trace(at_us, copies, said)
            super().keep_trace(at_us, copies, said)

    busy = replace(place, grants=Busy(tmp_path / "w"))
    with pytest.raises(LifecycleError, match="2 copies were traced in the last 24 hours"):
        traced(busy, promo / "leak.mp3", policy=Policy(copies_traced_per_day=1))


def test_a_recording_that_was_never_issued_is_refused(place: Studio, promo: Path) -> None:
    with pytest.raises(InputError, match="no copy of `another` was ever issued"):
        traced(place, promo / "leak.mp3", recording="another")


def test_without_its_key_an_epoch_cannot_be_read_and_with_another_it_is_noticed(
    place: Studio, promo: Path, tmp_path: Path
) -> None:
    (tmp_path / "w" / "marks.json").unlink()
    with pytest.raises(CustodyError, match="the key of epoch 1 is missing"):
        traced(place, promo / "leak.mp3")
    place.keys.current()
    with pytest.raises(CustodyError, match="not the one that marks were made with"):
        traced(place, promo / "leak.mp3")


def test_what_is_no_sound_among_copies_is_told_and_the_others_are_traced(
    place: Studio, promo: Path, tmp_path: Path
) -> None:
    (tmp_path / "torn.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\0")
    leak = traced(place, tmp_path / "torn.mp3", promo / "leak.mp3")
    assert "torn.mp3" in leak.reads[0].failed
    assert names(leak) == [LEAKER]


def test_no_more_copies_are_traced_than_the_policy_says_and_each_asking_is_entered(place: Studio, promo: Path) -> None:
    policy = Policy(copies_traced_per_day=2, copies_traced_per_year=3)
    for _ in range(2):
        traced(place, promo / "leak.mp3", policy=policy)
    assert place.grants.traced_since(0) == 2
    with pytest.raises(LifecycleError, match="in the last 24 hours"):
        traced(place, promo / "leak.mp3", policy=policy)
    later = replace(place, clock=FixedClock(NOW + 2 * DAY_US))
    traced(later, promo / "leak.mp3", policy=policy)
    with pytest.raises(LifecycleError, match="in the last 365 days"):
        traced(replace(place, clock=FixedClock(NOW + 4 * DAY_US)), promo / "leak.mp3", policy=policy)
    assert place.grants.verify()[0] > 20
