import json
from pathlib import Path

import pytest

from riparian.errors import CustodyError
from riparian.stores.mark_keys import NAME, FolderMarkKeys


def test_a_key_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    keys = FolderMarkKeys(tmp_path / "w")
    assert keys.all() == ()
    first = keys.current()
    assert first.epoch == 1
    assert FolderMarkKeys(tmp_path / "w").current() == first
    assert (tmp_path / "w" / NAME).stat().st_mode & 0o077 == 0


def test_no_key_is_ever_thrown_away(tmp_path: Path) -> None:
    keys = FolderMarkKeys(tmp_path)
    made = [keys.current(), *(keys.rotate() for _ in range(5))]
    assert keys.all() == tuple(made)
    assert [key.epoch for key in made] == [1, 2, 3, 4, 5, 6]
    assert len({key.secret for key in made}) == 6


def test_it_is_another_file_than_the_keys_of_grants(tmp_path: Path) -> None:
    FolderMarkKeys(tmp_path).current()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["marks.json", "marks.lock"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keys = FolderMarkKeys(tmp_path)
    keys.current()
    (tmp_path / NAME).chmod(0o640)
    with pytest.raises(CustodyError, match="can be read by others"):
        keys.current()


GOOD = {"epoch": 1, "secret": "00" * 32}


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[]",
        json.dumps({"version": 1}),
        json.dumps({"version": 1, "epochs": []}),
        json.dumps({"version": 2, "epochs": [GOOD]}),
        json.dumps({"version": 1, "epochs": [GOOD | {"epoch": 2}]}),
        json.dumps({"version": 1, "epochs": [GOOD, GOOD]}),
        json.dumps({"version": 1, "epochs": [GOOD | {"secret": "00"}]}),
        json.dumps({"version": 1, "epochs": [GOOD | {"secret": "zz" * 32}]}),
    ],
)
def test_a_file_that_holds_something_else_is_refused_and_left_as_it_is(tmp_path: Path, said: str) -> None:
    (tmp_path / NAME).write_text(said)
    (tmp_path / NAME).chmod(0o600)
    for ask in (FolderMarkKeys(tmp_path).current, FolderMarkKeys(tmp_path).all, FolderMarkKeys(tmp_path).rotate):
        with pytest.raises(CustodyError):
            ask()
    assert (tmp_path / NAME).read_text() == said
