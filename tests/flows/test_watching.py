"""What is new is new once; whoever is killed goes on; whatever a site does, the rest of it is read."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from riparian.errors import LifecycleError
from riparian.feeds.mirrors.polite import Visitor
from riparian.feeds.mirrors.sources import hosts_of, source_of
from riparian.flows import watching
from riparian.flows.watching import keep_report, watch
from riparian.ports.mirrors import Got, Item, Source, Told, What
from riparian.schema import SIGHTING
from riparian.stores.sightings import SqlSightings, watching_alone
from tests.feeds.mirrors.served import Site, served
from tests.feeds.mirrors.test_syndication import TORRENT

PERMITTED = "Ann Reed, 2026-11-01, contract 7"
HOUR_US = 3_600_000_000


@dataclass
class Ticking:
    at_us: int = 1_000_000

    def now_us(self) -> int:
        self.at_us += 1
        return self.at_us


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as one:
        yield one


@pytest.fixture
def sightings(tmp_path: Path) -> Iterator[SqlSightings]:
    store = SqlSightings(tmp_path / "w")
    yield store
    store.close()


def listed(site: Site, path: str = "/") -> Source:
    name = site.address + path
    visitor = Visitor(hosts_of([name]), 0.0, private=True, wait=lambda _: None)
    return source_of(name, PERMITTED, visitor)


def page(*names: str) -> bytes:
    return "".join(f'<a href="{name}">{name}</a>  01-Jan-2026 00:01  4096\n' for name in names).encode()


def show_tree(site: Site) -> None:
    site.show("/", page("a.mp3", "one/", "two/"), ETag='"0"')
    site.show("/one/", page("../", "b.mp3", "three/"), ETag='"1"')
    site.show("/two/", page("c.flac", "t.torrent"), ETag='"2"')
    site.show("/one/three/", page("d.mp3", "e.txt"), ETag='"3"')
    site.show("/two/t.torrent", TORRENT, ETag='"4"')


NAMED = {
    "/a.mp3",
    "/one/b.mp3",
    "/two/c.flac",
    "/two/t.torrent",
    "/two/t.torrent#Top/Album/a.mp3",
    "/one/three/d.mp3",
    "/one/three/e.txt",
}


def urls(sightings: SqlSightings, site: Site) -> set[str]:
    return {url.removeprefix(site.address) for url in sightings.table()["url"].to_pylist()}


def test_a_listing_is_read_with_the_folders_and_torrents_in_it(site: Site, sightings: SqlSightings) -> None:
    show_tree(site)
    watched = watch(sightings, listed(site), Ticking())
    assert urls(sightings, site) == NAMED
    assert (watched.documents, watched.n_faults, watched.is_whole, watched.goes_on) == (5, 0, True, False)
    table = sightings.table()
    assert table.schema == SIGHTING
    assert set(table["permitted_by"].to_pylist()) == {PERMITTED}
    assert set(table["kind"].to_pylist()) == {"listing", "torrents"}
    (log,) = sightings.log()
    assert (log["permitted_by"], log["documents"], log["new"]) == (PERMITTED, 5, len(NAMED))


def test_what_was_seen_is_new_once_and_what_did_not_change_is_not_sent(site: Site, sightings: SqlSightings) -> None:
    show_tree(site)
    clock = Ticking()
    first = watch(sightings, listed(site), clock)
    site.asked.clear()
    site.show("/one/three/", page("d.mp3", "e.txt", "f.mp3"), ETag='"5"')
    again = watch(sightings, listed(site), clock)
    assert (len(first.new), len(again.new)) == (len(NAMED), 1)
    *_, (one, _) = sightings.untold(f"{site.address}/")
    assert one.item.url == f"{site.address}/one/three/f.mp3"
    said = {path: headers.get("If-None-Match") for path, headers, _ in site.asked if path != "/robots.txt"}
    assert said == {"/": '"0"', "/one/": '"1"', "/two/": '"2"', "/one/three/": '"3"', "/two/t.torrent": '"4"'}
    assert again.seen == 3  # of four documents it was said that nothing changed
    table = sightings.table()
    assert min(table["seen_us"].to_pylist()) > max(table["first_us"].to_pylist()[:-1])


@pytest.mark.parametrize("killed_at", range(5))
def test_whoever_is_killed_goes_on_where_they_were(site: Site, tmp_path: Path, killed_at: int) -> None:
    show_tree(site)
    source, clock, n = listed(site), Ticking(), 0

    def ask(*given: str) -> tuple[Got, Told | None]:
        nonlocal n
        n += 1
        if n > killed_at:
            raise KeyboardInterrupt
        assert source.ask is not None
        return source.ask(*given)

    store = SqlSightings(tmp_path / "w")
    with pytest.raises(KeyboardInterrupt):
        watch(store, Source(source.name, source.host, source.permitted_by, ask=ask), clock)
    before = store.table().num_rows
    store.close()
    store = SqlSightings(tmp_path / "w")
    watched = watch(store, source, clock)
    assert watched.goes_on
    assert watched.documents == 5 - killed_at
    assert len(watched.new) == len(NAMED) - before
    assert urls(store, site) == NAMED
    paths = [path for path in site.paths if path != "/robots.txt"]
    assert len(paths) == len(set(paths)) == 5  # nothing was asked for twice
    assert not watch(store, source, clock).goes_on
    store.close()


def test_a_transaction_that_is_cut_off_leaves_nothing_of_a_document(
    site: Site, sightings: SqlSightings, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_tree(site)
    monkeypatch.setattr(SqlSightings, "_done", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        watch(sightings, listed(site), Ticking())
    assert sightings.table().num_rows == 0
    monkeypatch.undo()
    watch(sightings, listed(site), Ticking())
    assert urls(sightings, site) == NAMED


def test_an_index_of_sitemaps_is_read_and_loops_end(site: Site, sightings: SqlSightings) -> None:
    index = (
        f"<sitemapindex><sitemap><loc>{site.address}/sitemap.xml</loc></sitemap>"
        f"<sitemap><loc>{site.address}/1.xml.gz</loc></sitemap><sitemap><loc>{site.address}/2.xml</loc></sitemap>"
        "<sitemap><loc>https://elsewhere.example/3.xml</loc></sitemap></sitemapindex>"
    ).encode()
    site.show("/sitemap.xml", index)
    site.show("/2.xml", index)
    site.show("/1.xml.gz", gzip.compress(f"<urlset><url><loc>{site.address}/a.mp3</loc></url></urlset>".encode()))
    watched = watch(sightings, listed(site, "/sitemap.xml"), Ticking())
    assert urls(sightings, site) == {"/a.mp3"}
    assert watched.faults == [
        ("https://elsewhere.example/3.xml", "it is at `elsewhere.example:443`, which is not listed")
    ]
    assert site.paths.count("/sitemap.xml") == 1


def test_folders_in_folders_without_end_end(site: Site, sightings: SqlSightings) -> None:
    for depth in range(40):
        site.show("/" + "x/" * depth, page("x/", "a.mp3"))
    watched = watch(sightings, listed(site), Ticking())
    assert watched.documents == watching.DEPTH_MAX + 1
    assert watched.faults == [(site.address + "/" + "x/" * 17, "more than 16 documents led there: it is not asked for")]


def test_a_round_asks_for_at_most_so_many_and_the_next_goes_on(site: Site, sightings: SqlSightings) -> None:
    show_tree(site)
    clock, documents = Ticking(), []
    for goes_on in (False, True, True):
        watched = watch(sightings, listed(site), clock, most=2)
        assert watched.goes_on is goes_on
        documents.append(watched.documents)
    assert documents == [2, 2, 1]
    assert urls(sightings, site) == NAMED


BAD = {
    "it is gone": (404, {}, b""),
    "it is a picture": (200, {}, b"\x89PNG\0\0\0" * 50),
    "it is a bomb": (200, {}, gzip.compress(b"<urlset>" + b" " * (66 << 20))),
    "it declares entities": (200, {}, b'<!DOCTYPE a [<!ENTITY e "x">]><urlset>&e;</urlset>'),
    "it breaks off": (200, {"Content-Length": "999", "Connection": "close"}, page("x.mp3")),
    "it leads elsewhere": (302, {"Location": "https://elsewhere.example/"}, b""),
    "it leads round": (302, {"Location": "/bad/"}, b""),
}


@pytest.mark.parametrize("what", BAD)
def test_whatever_one_document_is_the_others_are_read(site: Site, sightings: SqlSightings, what: str) -> None:
    site.show("/", page("bad/", "good/"))
    site.shows["/bad/"] = BAD[what]
    site.show("/good/", page("a.mp3"))
    watched = watch(sightings, listed(site), Ticking())
    assert "/good/a.mp3" in urls(sightings, site)
    assert [where for where, _ in watched.faults] == [f"{site.address}/bad/"]
    assert watched.is_whole


def test_what_was_not_read_to_its_end_is_asked_for_whole_again(site: Site, sightings: SqlSightings) -> None:
    site.show("/", page("a.mp3") + b"<" * 10, Content_Length="9999", Connection="close", ETag='"0"')
    assert watch(sightings, listed(site), Ticking()).n_faults == 1
    site.asked.clear()
    site.show("/", page("a.mp3", "b.mp3"), ETag='"0"')
    assert len(watch(sightings, listed(site), Ticking()).new) == 1
    assert "If-None-Match" not in site.asked[-1][1]


def test_a_host_that_wants_to_be_left_alone_is_and_then_asked_for_the_rest(site: Site, sightings: SqlSightings) -> None:
    show_tree(site)
    site.shows["/one/"] = [(429, {"Retry-After": "3600"}, b""), site.answer("/one/")]
    clock = Ticking()
    first = watch(sightings, listed(site), clock)
    assert (first.documents, first.is_whole) == (1, False)
    n_asked = len(site.asked)
    early = watch(sightings, listed(site), clock)
    assert "left alone for 3,600 s more" in early.faults[0][1]
    assert len(site.asked) == n_asked
    clock.at_us += HOUR_US
    late = watch(sightings, listed(site), clock)
    assert late.goes_on
    assert urls(sightings, site) == NAMED


def test_a_folder_is_read_and_a_file_that_changed_is_heard_again(tmp_path: Path, sightings: SqlSightings) -> None:
    folder, clock = tmp_path / "inbox", Ticking()
    folder.mkdir()
    for name in ("a.mp3", "b #1.flac"):
        (folder / name).write_bytes(b"one")
    (folder / "t.torrent").write_bytes(TORRENT)
    source = source_of(str(folder), "", Visitor(frozenset()))
    assert len(watch(sightings, source, clock).new) == 4
    waiting = sightings.unheard(source.name)
    assert [Path(one.item.url).name for one in waiting] == ["a.mp3", "b #1.flac"]  # not what a torrent lists
    for one in waiting:
        sightings.update(one.number, heard=5, ours=[{"recording": "r"}], issued=None)
    assert sightings.unheard(source.name) == []
    (folder / "a.mp3").write_bytes(b"another")
    assert watch(sightings, source, clock).new == []
    (changed,) = sightings.unheard(source.name)
    assert (Path(changed.item.url).name, changed.ours) == ("a.mp3", ())
    assert [one.issued for one, _ in sightings.untold(source.name)] == [None] * 4
    assert [one.ours for one in sightings.unopened(source.name)] == [({"recording": "r"},)]


def test_what_a_vendor_says_twice_is_new_once(sightings: SqlSightings) -> None:
    item = Item("https://mirror.example/a.mp3", What.SOUND, "Low Water")
    other = Item("https://mirror.example/b.mp3", What.SOUND)
    assert len(keep_report(sightings, "report of X", [item, other, item], Ticking()).new) == 2
    assert keep_report(sightings, "report of X", [Item(item.url, What.SOUND, "", "Marram")], Ticking()).new == []
    assert len(keep_report(sightings, "report of Y", [item], Ticking()).new) == 1
    (row, *_) = sightings.table().to_pylist()
    assert (row["title"], row["artist"], row["kind"], row["permitted_by"]) == ("Low Water", "Marram", "report", None)


def test_nobody_else_watches_from_the_same_workspace(tmp_path: Path) -> None:
    with (
        watching_alone(tmp_path),
        pytest.raises(LifecycleError, match="`riparian watch` runs"),
        watching_alone(tmp_path),
    ):
        pass


def test_what_nobody_was_told_of_is_told_and_so_is_what_came_of_it(tmp_path: Path, sightings: SqlSightings) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.mp3").write_bytes(b"one")
    source = source_of(str(tmp_path / "inbox"), "", Visitor(frozenset()))
    for _ in range(2):  # the first was killed before it told anybody
        watch(sightings, source, Ticking())
        assert [is_new for _, is_new in sightings.untold(source.name)] == [True]
    sightings.told(source.name)
    assert list(sightings.untold(source.name)) == []
    sightings.update(1, heard=5, ours=[{"recording": "r"}])
    assert [(one.heard, is_new) for one, is_new in sightings.untold(source.name)] == [(5, False)]
    sightings.told(source.name)
    assert list(sightings.untold(source.name)) == []
