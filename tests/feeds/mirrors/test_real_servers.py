"""Real servers list a folder of files with awkward names; each is named once, and what is named is there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from riparian.feeds.mirrors.polite import Visitor
from riparian.feeds.mirrors.sources import hosts_of, source_of
from riparian.flows.watching import watch
from riparian.ports.mirrors import Item
from riparian.stores.memory import FixedClock
from riparian.stores.sightings import SqlSightings
from tests.edges.nginx import nginx
from tests.ports import free_port

NAMES = (
    "plain.mp3",
    "with spaces - and dashes.flac",
    "100% #1? [live] & <more>;'quoted'.mp3",
    "Früher Morgen – 静かな水.opus",
    f"{'long ' * 40}name.wav",
    "+plus=and~tilde,comma.m4a",
    "folder one/inside & out.mp3",
    "folder one/ünter/deep.mp3",
)
CONFIGURATION = """
events {{}} error_log error.log; pid nginx.pid;
http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;
scgi_temp_path t5; server {{ listen 127.0.0.1:{port}; charset utf-8; autoindex on; autoindex_exact_size {exact};
autoindex_format {format}; root {root}; }} }}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    for place, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"file {place}".encode() * 300)
    return folder


@contextmanager
def by_nginx(folder: Path, root: Path, exact: str, form: str) -> Iterator[str]:
    port = free_port()
    text = CONFIGURATION.format(port=port, exact=exact, format=form, root=root)
    with nginx(folder, {"nginx.conf": text}, port):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def by_python(root: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("by", ["nginx", "nginx, rounded", "nginx, as JSON", "Python"])
def test_every_file_of_a_folder_is_named_once_and_is_there(root: Path, tmp_path: Path, by: str) -> None:
    forms = {"nginx": ("on", "html"), "nginx, rounded": ("off", "html"), "nginx, as JSON": ("on", "json")}
    with by_nginx(tmp_path / "n", root, *forms[by]) if by in forms else by_python(root) as address:
        visitor = Visitor(hosts_of([address]), 0.0, private=True, wait=lambda _: None)
        store = SqlSightings(tmp_path / "w")
        watched = watch(store, source_of(address, "me, now, here", visitor), FixedClock(1))
        items: list[Item] = [one.item for one, _ in store.untold(address)]
        store.close()
        assert watched.faults == []
        assert len(items) == len(NAMES)
        found = {visitor.get(item.url).body for item in items}
        assert found == {(root / name).read_bytes() for name in NAMES}
        if by in {"nginx", "nginx, as JSON"}:
            assert {item.bytes for item in items} == {1800}
        if by != "Python":
            assert all(item.changed_us for item in items)
