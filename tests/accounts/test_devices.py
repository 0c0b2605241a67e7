"""Devices: who has a device of their own shares nothing, a farm does, and a log in pieces is the log as a whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from riparian.accounts import devices
from riparian.accounts.agents import APPLE, LINUX
from riparian.accounts.devices import PAIR, REGULAR, Devices
from riparian.accounts.people import People
from riparian.errors import CustodyError
from riparian.schema import DAY_US, HOUR_US

Columns = dict[str, npt.NDArray[Any]]
FIRST = 20_000


def log(rows: Sequence[tuple[float, int, int, int]]) -> tuple[Columns, npt.NDArray[np.int32]]:
    """Write accesses of (day, account from 1, device, agent); accounts have their number less one as slot."""
    day, account, device, agent = (np.array(column) for column in zip(*sorted(rows), strict=True))
    columns = {
        "at_us": ((day + FIRST) * DAY_US).astype(np.int64),
        "account": account.astype(np.uint64),
        "device": device.astype(np.uint64),
        "agent": agent.astype(np.uint64),
    }
    return columns, (account - 1).astype(np.int32)


def seen(people: People, rows: Sequence[tuple[float, int, int, int]]) -> Devices:
    found = Devices.empty()
    devices.observe(found, *log(rows), people)
    return found


def told(found: Devices, people: People, *, days: int = 100) -> dict[tuple[int, str], tuple[int, int]]:
    accounts = np.arange(1, len(found.state) + 1, dtype=np.uint64)
    until_us = (FIRST + days) * DAY_US
    reached = pa.concat_tables(
        [devices.levels(found, accounts), devices.share(found.regular, people, until_us=until_us)]
    )
    return {
        (row["account"], row["ladder"]): (row["level"], row["reached_us"] // DAY_US - FIRST - 1)
        for row in reached.to_pylist()
    }


def test_an_empty_log_and_one_without_devices_say_nothing(people: People) -> None:
    found = Devices.empty()
    devices.observe(found, {"at_us": np.empty(0, np.int64)}, np.empty(0, np.int32), people)
    devices.observe(found, {"at_us": np.zeros(3, np.int64)}, np.zeros(3, np.int32), people)
    assert (len(found.state), found.n_pairs) == (0, 0)
    assert told(found, people) == {}
    assert len(devices.answers(devices.share(REGULAR.empty_table(), people, until_us=0), people)) == 0


def test_what_was_kept_in_another_form_is_refused() -> None:
    arrays = Devices.empty().arrays()
    for name in ("state", "pairs"):
        with pytest.raises(CustodyError, match="another form"):
            Devices.from_arrays(arrays | {name: np.zeros(1, np.int64)})


def test_a_farm_of_ten_on_one_device_is_seen_a_week_after_its_third_day(people: People) -> None:
    found = seen(people, [(day + a / 100, a, 77, 0) for day in range(12) for a in range(1, 11)])
    # Eight accounts is a rung, ten is not; all ten are regular on the third day, numbered 2.
    assert told(found, people) == {(a, "shared"): (10, 2 + devices.SETTLED_DAYS) for a in range(1, 11)}
    assert told(found, people, days=9) == {}


def test_a_family_with_a_speaker_and_telephones_shares_nothing(people: People) -> None:
    rows = [(day + a / 100, a, device, 0) for day in range(40) for a in range(1, 6) for device in (77, 100 + a)]
    assert told(seen(people, rows), people) == {}


def test_a_hotel_television_is_nobodys_device(people: People) -> None:
    rows = [(float(a % 50), a, 77, 0) for a in range(1, 60)] + [(a % 50 + 1.0, a, 77, 0) for a in range(1, 60)]
    assert len(seen(people, rows).regular) == 0


def test_nobody_is_framed_by_accounts_that_take_up_the_identifier_of_their_only_device(people: People) -> None:
    rows = [(float(day), 1, 77, 0) for day in range(40)]
    rows += [(day + a / 100, a, 77, 0) for day in range(1, 40) for a in range(2, 30)]
    found = told(seen(people, rows), people)
    assert (1, "shared") not in found
    assert found[2, "shared"][0] == 29


def test_who_gets_a_device_of_their_own_keeps_what_was_reached_before(people: People) -> None:
    rows = [(float(day), a, 77, 0) for day in range(30) for a in (1, 2, 3)]
    rows += [(day + 0.5, 1, 500, 0) for day in range(20, 30)]
    found = told(seen(people, rows), people)
    assert found[1, "shared"] == found[2, "shared"] == (3, 9)


def test_an_identifier_of_thousands_is_the_name_of_a_model(people: People) -> None:
    many = devices.CROWD + 1
    regular = pa.table([np.full(many, 5), np.arange(1, many + 1), np.full(many, FIRST)], schema=REGULAR)
    late = (FIRST + 50) * DAY_US
    assert len(devices.share(regular, people, until_us=late)) == 0
    assert len(devices.share(regular.slice(1), people, until_us=late)) == 0, "nearly everybody shares: no devices"
    own = pa.table([np.arange(10, 60_000), np.arange(10_000, 69_990), np.full(59_990, FIRST)], schema=REGULAR)
    assert len(devices.share(pa.concat_tables([own, regular.slice(1)]), people, until_us=late)) == many - 1


def test_new_devices_are_counted_by_stretches(people: People) -> None:
    """FIRST is 8 days into a stretch of 28: ten devices before its end, ten after."""
    found = told(seen(people, [(day + 0.1, 1, 500 + day, 0) for day in range(10, 30)]), people)
    assert found[1, "changed"] == (10, 19)


def test_one_device_of_two_platforms_is_impossible_once(people: People) -> None:
    rows = [(day + n / 10, 1, 9, 4 + platform) for day in range(3) for n, platform in enumerate((APPLE, LINUX, 0))]
    rows += [(0.5, 2, 8, 4 + APPLE), (0.6, 2, 8, 8 + APPLE), (0.7, 2, 7, 4 + LINUX)]
    found = seen(people, rows)
    assert found.state["impossible"]["level"].tolist() == [1, 0]


@pytest.mark.parametrize("seed", range(5))
def test_a_log_in_pieces_is_the_log_as_a_whole(people: People, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 20_000
    rows = list(
        zip(
            (rng.random(n) * 90).tolist(),
            rng.integers(1, 40, n).tolist(),
            (1 + rng.zipf(1.6, n) % 5_000).tolist(),
            rng.integers(4, 8, n).tolist(),
            strict=True,
        )
    )
    columns, slot = log(rows)
    whole = Devices.empty()
    devices.observe(whole, columns, slot, people)
    pieces = Devices.empty()
    for piece in np.array_split(np.arange(n), 7):
        pieces = Devices.from_arrays(pieces.arrays())
        devices.observe(pieces, {name: column[piece] for name, column in columns.items()}, slot[piece], people)
    for name, array in whole.arrays().items():
        assert np.array_equal(array, pieces.arrays()[name]), name
    assert told(whole, people) == told(pieces, people)


def accounts_on(device: int, account: int, today: int, pairs: dict[tuple[int, int], int]) -> int:
    others = [day for (d, a), day in pairs.items() if d == device and a != account]
    if all(day > pairs[device, account] for day in others):
        return 1
    return 1 + sum(day <= today for day in others)


def test_sharing_is_what_brute_force_finds_day_by_day(people: People) -> None:
    rng = np.random.default_rng(3)
    pairs = {(int(d), int(a)): int(day) for d, a, day in rng.integers([0, 0, 0], [25, 60, 60], (220, 3))}
    regular = pa.table(
        [[d + 1 for d, _ in pairs], [a + 1 for _, a in pairs], [FIRST + day for day in pairs.values()]], schema=REGULAR
    )
    most: dict[int, int] = {}
    for today in range(70):
        for account in {a for _, a in pairs}:
            own = {d: day for (d, a), day in pairs.items() if a == account and day <= today}
            if own and today >= min(day for (_, a), day in pairs.items() if a == account) + devices.SETTLED_DAYS:
                level = min(accounts_on(d, account, today, pairs) for d in own)
                most[account + 1] = max(most.get(account + 1, 0), level)
    found = devices.share(regular, people, until_us=(FIRST + 70) * DAY_US)
    assert dict(zip(found["account"].to_pylist(), found["level"].to_pylist(), strict=True)) == {
        account: level for account, level in most.items() if level >= 2
    }


def test_memory_is_small() -> None:
    assert devices.STATE.itemsize <= 64
    assert PAIR.itemsize <= 16


def test_an_explanation_says_what_was_declared(people: People) -> None:
    found = seen(people, [(day + a / 100, a, 77, 0) for day in range(12) for a in range(1, 26)])
    reached = devices.share(found.regular, people, until_us=(FIRST + 40) * DAY_US)
    told = devices.explain(reached, people, 3)
    answer = devices.answers(reached, people)
    assert told.bits == answer["bits"][2].as_py()
    assert told.facts["shared"] == 25
    assert told.waterfall[0].label == (
        "accounts that regularly use the least shared of its regular devices: 25;"
        " one in 20,000 honest accounts ever gets to 20, as declared"
    )
    assert told.reached_us % HOUR_US == 0
