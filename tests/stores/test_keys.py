"""The keys of grants on disk, and the command that changes them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt as joserfc
from joserfc.jwk import KeySet
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import CustodyError
from riparian.gate import cat
from riparian.gate.grants import Form, Grant, Rate, issue, verify
from riparian.gate.keys import KEPT_S, LONGEST_GRANT_S, KeyRing
from riparian.gate.spelling import decode
from riparian.stores.keys import NAME, FolderKeys

NOW_S = 1_800_000_000


def counted() -> Callable[[int], bytes]:
    """Make a source of bytes that is none, and gives no bytes twice."""
    given = 0

    def random(n: int) -> bytes:
        nonlocal given
        given += 1
        return given.to_bytes(4, "big") * (n // 4)

    return random


def names(ring: KeyRing) -> list[str]:
    return [key.id for key in ring]


def run(*said: str | Path) -> str:
    ended = CliRunner().invoke(app, [str(word) for word in said])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_a_ring_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    made = FolderKeys(tmp_path / "new", counted()).ring(NOW_S)
    assert names(made) == ["k00000001", "k00000003"]
    assert FolderKeys(tmp_path / "new").ring(NOW_S + 1) == made
    assert (tmp_path / "new" / NAME).stat().st_mode & 0o777 == 0o600


def test_each_key_issues_after_every_edge_has_known_it_for_a_rotation(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path, counted())
    rings = [keys.ring(NOW_S), *(keys.rotate(NOW_S + 1000 * i) for i in (1, 2, 3))]
    for before, after in pairwise(rings):
        assert after.current == before.next
    assert names(rings[3]) == ["k00000007", "k00000009", "k00000005"]
    assert rings[3].earlier[0].retires_s == NOW_S + 3000 + KEPT_S


def test_a_grant_from_the_moment_before_a_rotation_holds_to_its_end(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path)
    before = keys.ring(NOW_S)
    token = issue(Grant("a", "/m/", "", NOW_S + LONGEST_GRANT_S, Rate.FULL, before.current.id), before)
    after = keys.rotate(NOW_S)
    for now_s, good in ((NOW_S, True), (NOW_S + LONGEST_GRANT_S - 1, True), (NOW_S + LONGEST_GRANT_S, False)):
        found = verify(token, after, account="a", path="/m/1", device="", now_s=now_s)
        assert isinstance(found, Grant) is good


def test_media_stay_open_under_a_key_that_was_rotated_while_the_gate_was_down(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path)
    name = keys.ring(NOW_S).current.id
    assert keys.rotate(NOW_S, open_s=900).find(name, NOW_S + LONGEST_GRANT_S + 900) is not None


def test_a_key_that_has_retired_is_given_to_no_edge(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path)
    keys.ring(NOW_S)
    keys.rotate(NOW_S)
    assert [len(keys.ring(NOW_S + after_s).earlier) for after_s in (0, KEPT_S - 1, KEPT_S)] == [1, 1, 0]


def test_after_a_leak_nothing_holds(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path)
    before = keys.ring(NOW_S)
    assert set(names(keys.replace(NOW_S))).isdisjoint(names(before))


def test_rotations_at_the_same_time_are_both_done(tmp_path: Path) -> None:
    before = FolderKeys(tmp_path).ring(NOW_S)
    with ThreadPoolExecutor(4) as pool:
        rings = list(pool.map(lambda _: FolderKeys(tmp_path).rotate(NOW_S), range(4)))
    assert len({ring.current.id for ring in rings}) == 4
    last = FolderKeys(tmp_path).ring(NOW_S)
    assert len(last.earlier) == 4
    assert before.current in [key.__class__(key.id, key.secret, key.made_s) for key in last.earlier]


BROKEN: dict[str, str] = {
    "nothing": "",
    "no JSON": "keys",
    "another version": '{"version": 2}',
    "no keys": '{"version": 1}',
    "a short secret": json.dumps(
        {"version": 1, "earlier": []}
        | {n: {"id": n, "secret": "00", "made_s": 0, "retires_s": 0} for n in ("current", "next")}
    ),
    "one key twice": json.dumps(
        {"version": 1, "earlier": []}
        | {n: {"id": "k", "secret": "00" * 32, "made_s": 0, "retires_s": 0} for n in ("current", "next")}
    ),
}


@pytest.mark.parametrize("situation", BROKEN)
def test_a_file_that_is_no_ring_stops_everything_and_is_not_replaced(tmp_path: Path, situation: str) -> None:
    keys = FolderKeys(tmp_path)
    keys.ring(NOW_S)
    (tmp_path / NAME).write_text(BROKEN[situation], encoding="utf-8")
    for act in (keys.ring, keys.rotate):
        with pytest.raises(CustodyError, match="no ring of keys"):
            act(NOW_S)
    assert (tmp_path / NAME).read_text(encoding="utf-8") == BROKEN[situation]


def test_a_file_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path)
    keys.ring(NOW_S)
    (tmp_path / NAME).chmod(0o640)
    with pytest.raises(CustodyError, match="read by others"):
        keys.ring(NOW_S)


def test_keys_are_listed_and_rotated_without_a_secret(tmp_path: Path) -> None:
    listed = [json.loads(line) for line in run("keys", "list", "-w", tmp_path, "--json").splitlines()]
    assert [line["does"] for line in listed] == ["issues", "issues next"]
    rotated = [json.loads(line) for line in run("keys", "rotate", "-w", tmp_path, "--json").splitlines()]
    assert [line["does"] for line in rotated] == ["issues", "issues next", "verifies"]
    assert rotated[0]["key"] == listed[1]["key"]
    assert rotated[2]["until"] is not None
    said = json.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    table = run("keys", "list", "-w", tmp_path)
    assert said["current"]["id"] in table
    for secret in (said["current"]["secret"], said["next"]["secret"]):
        assert secret not in table
        assert secret not in json.dumps([listed, rotated])


def test_after_a_leak_every_key_is_another(tmp_path: Path) -> None:
    before = [json.loads(line)["key"] for line in run("keys", "list", "-w", tmp_path, "--json").splitlines()]
    after = [
        json.loads(line)["key"] for line in run("keys", "rotate", "--leaked", "-w", tmp_path, "--json").splitlines()
    ]
    assert len(after) == 2
    assert set(before).isdisjoint(after)


def test_keys_are_shown_as_each_edge_needs_them(tmp_path: Path) -> None:
    ring = FolderKeys(tmp_path).ring(NOW_S)
    grant = Grant("a", "/m/", "", 4_000_000_000, Rate.FULL, ring.current.id)
    shown = {
        form: json.loads(run("keys", "show", "--form", form, "-w", tmp_path))["keys"]
        for form in ("nginx", "jwks", "public")
    }
    assert {key["kid"]: bytes.fromhex(key["secret"]) for key in shown["nginx"]} == {key.id: key.secret for key in ring}
    read = joserfc.decode(
        issue(grant, ring, Form.JWT), KeySet.import_key_set({"keys": shown["jwks"]}), algorithms=["HS256"]
    )
    assert read.claims["sub"] == "a"
    public = {}
    for key in shown["public"]:
        x, y = (int.from_bytes(decode(key[name]) or b"", "big") for name in ("x", "y"))
        public[key["kid"]] = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    opened = cat.read(issue(grant, ring, Form.CAT_ES256), lambda name, _: public.get(name))
    assert isinstance(opened, tuple)
    assert all(key.secret.hex() not in json.dumps(shown["public"]) for key in ring)
