"""Whatever octet is changed, anywhere, is seen; whatever is not, is not accused."""

import hashlib
import itertools
import json
import os
import secrets
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riparian.cases import bundle
from riparian.cases.bundle import Opened, opened
from riparian.cases.events import Proposed
from riparian.cases.merkle import leaf, root
from riparian.cases.plain import canonical
from riparian.cases.redaction import FIELDS, Opening, followed, openings_octets, read_openings, shown
from riparian.cases.stamps import TOKEN
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError, RiparianError
from riparian.flows import bundling, casework, keeping
from riparian.flows.bundling import Wanted
from riparian.ports.cases import Docket
from riparian.stores.bundles import Bundle, write_bundle
from riparian.stores.cases.log import NAME
from tests.cases.authority import Authority
from tests.cases.workplace import docket_of, lived

REDACTED = Wanted(FIELDS, evidence=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    folder = tmp_path_factory.mktemp("made")
    docket = docket_of(folder / "workspace", authority)
    key = lived(docket, authority)
    for name, wanted in (("whole", Wanted()), ("redacted", REDACTED)):
        exported = bundling.export(docket, key, "ann", secrets.token_bytes, wanted)
        write_bundle(folder / f"{name}.zip", exported.parts, docket.custody)
        (folder / f"{name}.openings").write_bytes(openings_octets(exported.openings))
    docket.cases.close()  # type: ignore[attr-defined]
    return folder


@pytest.fixture
def docket(made: Path, tmp_path: Path, authority: Authority) -> Iterator[Docket]:
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    docket = docket_of(tmp_path / "workspace", authority)
    yield docket
    docket.cases.close()  # type: ignore[attr-defined]


def read(path: Path, **given: object) -> Opened:
    return opened(Bundle(path), **given)  # type: ignore[arg-type]


def test_what_nobody_touched_is_whole(docket: Docket, made: Path) -> None:
    verified = keeping.verify(docket)
    assert verified.is_whole
    assert verified.stray == ()
    (case,) = verified.cases
    assert (case.items, case.people, case.hidden, len(case.stamps)) == (6, ("ann", "ben"), 0, 2)
    for name, hidden, withheld in (("whole", 1, 0), ("redacted", 11, 3)):
        found = read(made / f"{name}.zip")
        assert found.examined.faults == ()
        assert (found.examined.hidden, found.examined.withheld) == (hidden, withheld)
        assert len(found.examined.stamps) == 2
        assert found.key == docket.cases.key


def test_every_system_opens_a_bundle(made: Path) -> None:
    with zipfile.ZipFile(made / "whole.zip") as file:
        assert file.testzip() is None
        assert b"case verify" in file.read(bundle.README)


@pytest.mark.parametrize("name", ["whole", "redacted"])
def test_any_octet_of_a_bundle_that_is_changed_is_seen(made: Path, tmp_path: Path, name: str) -> None:
    octets = (made / f"{name}.zip").read_bytes()
    path = tmp_path / "changed.zip"
    path.write_bytes(octets)
    unseen = []
    with path.open("r+b", buffering=0) as file:
        for place, octet in enumerate(octets):
            os.pwrite(file.fileno(), bytes([octet ^ (1 << place % 8)]), place)
            if not _is_seen(path):
                unseen.append(place)
            os.pwrite(file.fileno(), bytes([octet]), place)
    assert unseen == []
    assert not _is_seen(path)


def _is_seen(path: Path) -> bool:
    try:
        return not read(path).examined.is_whole
    except CustodyError:
        return True


def _rewritten(source: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a bundle anew, as somebody would who knows how: with every checksum of the ZIP right."""
    parts = Bundle(source)
    octets: dict[str, bytes] = {}
    for name in parts.names():
        with parts.opened(name) as file:
            octets[name] = file.read()
    change(octets)
    path.unlink(missing_ok=True)
    write_bundle(path, dict(octets), None)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("name", ["whole", "redacted"])
@pytest.mark.parametrize("is_covered", [False, True], ids=["a part", "a part and the manifest"])
def test_any_octet_of_a_part_that_is_changed_is_seen(made: Path, tmp_path: Path, name: str, is_covered: bool) -> None:  # noqa: FBT001
    source, path = made / f"{name}.zip", tmp_path / "changed.zip"
    parts = Bundle(source)
    for part, step in itertools.product(parts.names(), (0.0, 0.13, 0.37, 0.61, 0.83, 0.999)):

        def change(octets: dict[str, bytes], part: str = part, step: float = step) -> None:
            data = bytearray(octets[part])
            data[int(step * len(data))] ^= 1
            octets[part] = bytes(data)
            manifest = json.loads(octets[bundle.MANIFEST]) if part != bundle.MANIFEST else {"files": {}}
            if is_covered and part in manifest["files"]:
                manifest["files"][part] = {"sha256": hashlib.sha256(data).hexdigest(), "octets": len(data)}
                octets[bundle.MANIFEST] = canonical(manifest)

        assert not read(_rewritten(source, path, change)).examined.is_whole, (part, step)


@pytest.mark.parametrize("part", [bundle.EXPORT, bundle.HEAD, bundle.MANIFEST])
def test_any_octet_of_what_proves_a_bundle_is_seen(made: Path, tmp_path: Path, part: str) -> None:
    source, path = made / "whole.zip", tmp_path / "changed.zip"
    with Bundle(source).opened(part) as file:
        size = len(file.read())
    for place in range(0, size, 2 if part == bundle.EXPORT else 7):

        def change(octets: dict[str, bytes], place: int = place) -> None:
            data = bytearray(octets[part])
            data[place] ^= 0x20  # the other case of a letter: hexadecimal digits are read in both
            octets[part] = bytes(data)

        assert not read(_rewritten(source, path, change)).examined.is_whole, place


def _drop(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(octets: dict[str, bytes]) -> None:
        del octets[next(part for part in octets if part.startswith(name))]

    return change


def _cut(octets: dict[str, bytes]) -> None:
    octets[bundle.LOG] = b"".join(octets[bundle.LOG].splitlines(keepends=True)[:-1])


def _swap(octets: dict[str, bytes]) -> None:
    lines = octets[bundle.LOG].splitlines(keepends=True)
    octets[bundle.LOG] = b"".join([*lines[:3], lines[4], lines[3], *lines[5:]])


@pytest.mark.parametrize(
    "change",
    [_drop(name) for name in (bundle.LOG, bundle.PEOPLE_LOG, bundle.CUSTODY, bundle.EXPORT, bundle.HEAD, "manifest")]
    + [_cut, _swap, lambda octets: octets.update({"custody/more": b"planted"})],
)
def test_what_is_left_out_or_put_in_is_seen(
    made: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    assert not read(_rewritten(made / "whole.zip", tmp_path / "changed.zip", change)).examined.is_whole


def test_a_bundle_of_somebody_else_is_not_ours(made: Path, stranger: Authority) -> None:
    assert any("wanted `00" in fault for fault in read(made / "whole.zip", key="00" * 32).examined.faults)
    assert not read(made / "whole.zip", roots=[stranger.root]).examined.is_whole


def test_what_is_redacted_is_in_no_octet_and_can_be_shown_later(made: Path) -> None:
    octets = (made / "redacted.zip").read_bytes()
    for hidden in (b"Reed", b"reed-example", b"PROMO-17", b"letter.eml", b"whole album", b"A Host", b"<title>"):
        assert hidden in (made / "whole.zip").read_bytes() or hidden == b"PROMO-17"
        assert hidden not in octets
    with Bundle(made / "redacted.zip").opened(bundle.LOG) as file:
        events = followed(file.read().splitlines(), "C1")
    openings = read_openings((made / "redacted.openings").read_bytes())
    for event in events:
        ours = [one for one in openings if one.event == event.event.number]
        again = shown(event, ours)
        assert again is not None
        assert again.digest == event.digest
        for one in ours:
            assert (shown(event, [one]) is None) == (len(ours) > 1)
            with pytest.raises(CustodyError, match="not hidden with this value"):
                shown(event, [Opening(one.event, one.path, one.salt, "another")])
            with pytest.raises(CustodyError, match="not hidden with this value"):
                shown(event, [Opening(one.event, ("title",), one.salt, one.value)])
    assert shown(next(one for one in events if not one.whole), []) is None


@pytest.mark.parametrize("field", ["kept.sha256", "approve.signed", "noted", "", "noted..text", "drafted.digest"])
def test_what_a_check_needs_is_not_hidden(docket: Docket, field: str) -> None:
    with pytest.raises(InputError, match="no field"):
        bundling.export(docket, "C1", "ann", secrets.token_bytes, Wanted((field,)))


def test_evidence_is_withheld_but_for_what_is_named(docket: Docket, tmp_path: Path) -> None:
    (page,) = [one for one in casework.read(docket, "C1").facts.kept if one.media_type == "application/warc"]
    wanted = Wanted(FIELDS, evidence=False, keeping=(page.sha256,))
    write_bundle(
        tmp_path / "a.zip", bundling.export(docket, "C1", "ann", secrets.token_bytes, wanted).parts, docket.custody
    )
    found = read(tmp_path / "a.zip").examined
    assert (found.faults, found.items, found.withheld) == ((), 4, 2)


def test_what_is_under_seal_stays_with_counsel(docket: Docket) -> None:
    seal = Proposed("sealed", {"because": "a suit"}, casework.now(docket.clock), "ann")
    casework.record(docket, "C1", seal)
    with pytest.raises(LifecycleError, match="under seal"):
        bundling.export(docket, "C1", "ann", secrets.token_bytes)
    assert bundling.export(docket, "C1", "ann", secrets.token_bytes, Wanted(under_seal=True)).parts


def test_nothing_is_overwritten(docket: Docket, made: Path) -> None:
    with pytest.raises(InputError, match="there already"):
        write_bundle(made / "whole.zip", {}, docket.custody)


@pytest.mark.parametrize("octets", [b"", b"PK\5\6" + bytes(18), b"PK\3\4", b"no bundle" * 100])
def test_what_is_no_bundle_is_refused(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(octets)
    with pytest.raises(CustodyError, match="export"):
        Bundle(tmp_path / "a.zip")


def test_any_octet_in_custody_that_is_changed_is_seen(docket: Docket, tmp_path: Path) -> None:
    for path in sorted((tmp_path / "workspace" / "custody").rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            octets = path.read_bytes()
            for place in range(0, len(octets), 19):
                path.write_bytes(octets[:place] + bytes([octets[place] ^ (1 << place % 8)]) + octets[place + 1 :])
                assert not keeping.verify(docket).is_whole, (path.name, place)
            path.write_bytes(octets)
    assert keeping.verify(docket).is_whole


@pytest.mark.parametrize("what", ["gone", "longer", "shorter", "renamed"])
def test_what_is_missing_from_custody_is_seen(docket: Docket, tmp_path: Path, what: str) -> None:
    path = next(path for path in sorted((tmp_path / "workspace" / "custody").rglob("*")) if path.is_file())
    path.chmod(0o600)
    if what in {"gone", "renamed"}:
        path.rename(path.with_name("0" * 64)) if what == "renamed" else path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"x" if what == "longer" else path.read_bytes()[:-1])
    assert not keeping.verify(docket).is_whole


def _lines(path: Path) -> dict[int, bytes]:
    with sqlite3.connect(path) as database:
        return {seq: bytes(line) for seq, line in database.execute("SELECT seq, line FROM event")}


def test_any_octet_of_the_log_that_is_changed_is_seen(made: Path, tmp_path: Path, authority: Authority) -> None:
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    path = tmp_path / "workspace" / NAME
    lines = _lines(path)
    for seq, line in lines.items():
        for place in range(seq % 61, len(line), 61):
            changed = line[:place] + bytes([line[place] ^ (1 << (place + seq) % 8)]) + line[place + 1 :]
            with sqlite3.connect(path) as database:
                database.execute("UPDATE event SET line = ? WHERE seq = ?", (changed, seq))
            docket = docket_of(tmp_path / "workspace", authority)
            assert not keeping.verify(docket).is_whole, (seq, place)
            docket.cases.close()  # type: ignore[attr-defined]
        with sqlite3.connect(path) as database:
            database.execute("UPDATE event SET line = ? WHERE seq = ?", (line, seq))


def test_an_octet_of_the_database_is_seen_or_says_nothing(made: Path, tmp_path: Path, authority: Authority) -> None:
    """What SQLite never reads, as the rest of a page, may be changed: the log is what it was, octet for octet."""
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    path = tmp_path / "workspace" / NAME
    octets = path.read_bytes()
    lines = list(_lines(path).values())
    n_seen = 0
    for place in range(0, len(octets), len(octets) // 149):
        path.write_bytes(octets[:place] + bytes([octets[place] ^ 0x11]) + octets[place + 1 :])
        try:
            docket = docket_of(tmp_path / "workspace", authority)
            try:
                is_seen = not keeping.verify(docket).is_whole
                assert is_seen or list(docket.cases.leaves()) == lines, place
            finally:
                docket.cases.close()  # type: ignore[attr-defined]
        except (RiparianError, sqlite3.Error):
            is_seen = True
        n_seen += is_seen
    assert n_seen > 50


def _removed(path: Path, where: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(f"DELETE FROM event WHERE {where}")  # noqa: S608 -- the test's own


@pytest.mark.parametrize(
    "where",
    ["number = 5 AND \"case\" = 'C1'", "number = 0 AND \"case\" = 'C1'", "\"case\" = 'people'", "\"case\" = 'C1'"],
)
def test_an_event_that_was_removed_is_missed(made: Path, tmp_path: Path, authority: Authority, where: str) -> None:
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    _removed(tmp_path / "workspace" / NAME, where)
    docket = docket_of(tmp_path / "workspace", authority)
    assert not keeping.verify(docket).is_whole
    docket.cases.close()  # type: ignore[attr-defined]


def test_a_log_that_was_cut_is_known_by_an_older_head_or_by_a_token(
    made: Path, tmp_path: Path, authority: Authority
) -> None:
    shutil.copytree(made / "workspace", tmp_path / "workspace")
    path = tmp_path / "workspace" / NAME
    lines = list(_lines(path).values())
    known = (len(lines), root([leaf(line) for line in lines]).hex())
    _removed(path, "seq > 19")
    docket = docket_of(tmp_path / "workspace", authority)
    assert keeping.verify(docket).is_whole  # the exports alone were cut off: nobody was told of them
    assert not keeping.verify(docket, known=known).is_whole
    assert keeping.verify(docket, known=(3, root([leaf(line) for line in lines[:3]]).hex())).is_whole
    docket.cases.close()  # type: ignore[attr-defined]
    _removed(path, "seq > 10")
    docket = docket_of(tmp_path / "workspace", authority)
    verified = keeping.verify(docket)
    assert any("cut off" in fault for fault in verified.faults)
    docket.cases.close()  # type: ignore[attr-defined]


def test_one_token_is_over_all_that_came_since(docket: Docket) -> None:
    assert keeping.stamp(docket, "C1", "cli") is not None  # the exports
    assert keeping.stamp(docket, "C1", "cli") is None
    seen = keeping.stamped(docket, "C1")
    note = Proposed("noted", {"text": "Called."}, casework.now(docket.clock), "ann")
    for _ in range(3):
        casework.record(docket, "C1", note)
    assert keeping.stamp(docket, "C1", "cli") is not None
    assert len(keeping.stamped(docket, "C1")) == len(seen) + 1
    (case,) = keeping.verify(docket).cases
    assert (case.faults, case.unstamped) == ((), 1)  # the token itself


def test_when_nobody_answers_the_next_token_is_over_all(docket: Docket, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> bytes:
        raise OutsideError("`http://tsa.example/` cannot be reached: timed out")

    length = casework.read(docket, "C1").length
    with monkeypatch.context() as patch:
        patch.setattr(docket.timestamps, "_ask", silent)
        with pytest.raises(OutsideError):
            keeping.stamp(docket, "C1", "cli")
    assert casework.read(docket, "C1").length == length
    after = keeping.stamp(docket, "C1", "cli")
    assert after is not None
    assert after.facts.kept[-1].media_type == TOKEN


def test_what_was_kept_twice_lies_once(docket: Docket) -> None:
    at = casework.now(docket.clock)
    first, second = (docket.custody.keep(b"the same", name, "text/plain", at) for name in ("a", "b"))
    assert first.item == second.item
    assert list(docket.custody.items()).count(first.item) == 1


def test_a_location_that_is_not_there_keeps_nothing(docket: Docket) -> None:
    kept = docket.custody.keep(b"x", "x", "text/plain", casework.now(docket.clock), location="L9")
    with pytest.raises(LifecycleError, match="L9"):
        keeping.keep(docket, "C1", kept, "ann")
    assert keeping.verify(docket).stray == (kept.sha256,)
    assert keeping.verify(docket).is_whole
