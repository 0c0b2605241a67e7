"""Which chapters has the story, and what came of it?"""

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import polars as pl

from riparian import assembly
from riparian.cli.story.library import SECONDS, Player, encode_anew, mirror, write_masters
from riparian.cli.story.office import hours
from riparian.cli.story.telling import Rows, Teller, of
from riparian.cli.story.town import ACCOUNTS, CATALOGUE, Lived, live
from riparian.errors import OutsideError
from riparian.gate.policy import Restraint
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.town import TownSpec

LISTENERS: Final = 400
DAYS: Final = 18
RECORDINGS: Final = 20_000
RING: Final = "8x120:random:mimic=0.3:bursty:irregular"
"""Eight accounts that share one shuffled list; each replays, bursts and takes days off as a person does."""
TENANTS: Final = ("Harbour Search", "North Radio", "Quay Research")
DUMPED: Final = 2_000
"""Rows of the list of metadata that turns up."""
NOTES: Final = {
    "C1": "Eight recordings are offered for download, whole, by a stranger, in one folder with an index; nothing is"
    " added to them and nothing is said of them.",
    "C2": "One whole recording is offered on a page that names no licence of ours, for all to listen and keep.",
}
"""One for each case: a note that was written for another is a rail."""
COUNTER: Final = """This is a counter notice.

You removed {url}. I have a good faith belief, under penalty of perjury, that it was removed as a result of mistake or
misidentification: I am the artist, and it is my own page. I consent to the jurisdiction of Federal District Court.

Sam Roe, 4 Pier Road, Portland, OR, +1 503 555 0142, sam.roe@mail.example
"""
POLICY: Final = """mode = "enforce"
copies_traced_per_year = 1000
wrongful_traces_per_year = 0.001
"""
LETTERHEAD: Final = """authority = "mandate-2026.pdf"
public_domain = "policy-2026.pdf"

[owner]
name = "Tidewater Records"
address = "1 Quay, Portland, OR"
email = "rights@tidewater.example"
phone = "+1 503 555 0100"
country = "US"

[complainant]
name = "Ann Reed"
organisation = "Tidewater Records"
address = "1 Quay, Portland, OR"
email = "ann@tidewater.example"
phone = "+1 503 555 0100"
country = "US"

[addressee.host]
name = "A Host, Inc."
layer = "host"
email = "abuse@host.example"
regime = "dmca"
form = "dmca_text"
"""
PEOPLE: Final = ("Ann Reed", "Ben Hale")
_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class Story:
    """The story as it goes.

    Parameters
    ----------
    out
        A folder for all of it; the workspace lies in it.
    seed
        Of the town and of its sound.
    start_us
        Midnight at which the town begins.
    teller
        Tells it.
    """

    out: Path
    seed: int
    start_us: int
    teller: Teller
    figures: dict[str, Any] = field(default_factory=dict, init=False)
    _signatures: int = field(default=0, init=False)

    @property
    def workspace(self) -> Path:
        """The workspace of the house that is copied from."""
        return self.out / "workspace"

    @property
    def peer(self) -> Path:
        """The workspace of another house."""
        return self.out / "peer"

    def tell(self) -> dict[str, Any]:
        """Tell it from beginning to end; gives the figures that it ends with."""
        began_s, cpu_s = time.monotonic(), time.process_time()
        lived = self.a_ring_copies()
        marked = self.sound_goes_out_marked(lived)
        self.a_library_turns_up(marked)
        with mirror(self.out / "mirror") as address, mirror(self.out / "artist") as page:
            self.it_is_found(address, page)
        self.it_is_traced(marked)
        self.a_case_waits_for_a_person()
        self.teller.chapter("A peer hears of it")
        with self._a_peer_that_hears():
            self.a_peer_hears()
            self.a_signal_is_taken_back()
        self._count_hours()
        self.figures["seconds"] = round(time.monotonic() - began_s, 1)
        self.figures["cpu_seconds"] = round(time.process_time() - cpu_s, 1)
        return self.figures

    # ---- the chapters ----

    def a_ring_copies(self) -> Lived:
        """Let the town live at its gate."""
        tell = self.teller
        tell.chapter("A ring divides the catalogue among its accounts")
        self.workspace.mkdir(parents=True)
        (self.workspace / "policy.toml").write_text(POLICY, encoding="utf-8")
        (self.workspace / "letterhead.toml").write_text(LETTERHEAD, encoding="utf-8")
        ring = parse_ring(RING)
        tell.say(
            f"{LISTENERS} listeners, and {ring.accounts} accounts with one shuffled list of {RECORDINGS:,} recordings,"
            " each imitating a listener."
        )
        spec = TownSpec(LISTENERS, DAYS, self.seed, copiers=(ring,), recordings=RECORDINGS, start_us=self.start_us)
        given = assembly.Given(self.workspace, catalogue=str(self.out / CATALOGUE), accounts=str(self.out / ACCOUNTS))
        with tell.working() as progress:
            lived = live(spec, self.out, given, progress)
        days = sorted(min(under.values()) for name, under in lived.first.items() if name in lived.served)
        self.figures |= {
            "accesses": lived.accesses,
            "listeners": LISTENERS,
            "ring": ring.accounts,
            "lost": lived.taken,
            "lost_without": lived.wanted,
            "ring_restrained": len(days),
            "ring_held": lived.touched(Restraint.STEP_UP, ring=True),
            "median_day": days[len(days) // 2] if days else None,
            "honest_held": lived.touched(Restraint.STEP_UP, ring=False),
            "honest_slowed": lived.touched(Restraint.SLOW, ring=False),
            "listeners_refused": lived.refused,
        }
        tell.say(
            f"{lived.accesses:,} accesses in {DAYS} days; each midnight the day's log is scanned, and the gate told."
        )
        tell.say(
            f"{len(days)} of {ring.accounts} are restrained, the median one after day {self.figures['median_day']};"
            f" {self.figures['ring_held']} get nothing more until a person is there."
        )
        tell.say(f"The ring has {lived.taken:,} recordings; with no gate it would have {lived.wanted:,}.")
        tell.say(
            f"Listeners held: {self.figures['honest_held']}; slowed: {self.figures['honest_slowed']} of {LISTENERS}."
        )
        return lived

    def sound_goes_out_marked(self, lived: Lived) -> Mapping[str, str]:
        """Serve marked renditions of what the ring streamed first; gives who streamed which."""
        tell = self.teller
        tell.chapter("What is streamed is marked, what is handed out as a list is signed by its own mistakes")
        streamed: dict[str, str] = {}
        for account, recordings in lived.served.items():
            streamed[next(one for one in recordings if one not in streamed)] = account
        tell.say(f"Sound is made of {len(streamed)} of the recordings that the ring streamed, {SECONDS:.0f} s of each.")
        write_masters(streamed, self.masters, seed=self.seed)
        self._run(
            "mark", "variants", self.masters, "--out", self.out / "public" / "media", "--rendition", "flac:16",
            "--workers", "2",
        )  # fmt: skip
        self._run("prints", "add", self.masters)
        self._run("catalogue", "add", self.out / CATALOGUE)
        self._run("canary", "plant", "--every-label", "--registrant", "QZ9ZZ")
        for tenant in TENANTS:
            self._run("canary", "export", self._list_of(tenant), "--to", tenant, "--purpose", "search")
        return streamed

    def a_library_turns_up(self, streamed: Mapping[str, str]) -> None:
        """Let the ring publish: sound that it recorded and encoded anew, and a list that it came by."""
        tell = self.teller
        tell.chapter("The ring's library turns up on a mirror, with an index")
        folder, page = self.out / "mirror", self.out / "artist"
        folder.mkdir()
        page.mkdir()
        titles = {row["recording"]: row["title"] for row in self._rows_of(streamed)}
        player = Player(assembly.Given(self.workspace), self.out / "public")
        for recording, account in streamed.items():
            encode_anew(player.heard(account, recording), folder / f"{titles[recording]}.mp3")
        # An artist's own page has a copy, too; the house has forgotten that it may.
        own = next(iter(streamed))
        (page / "listen.mp3").write_bytes(b"")
        encode_anew((self.masters / f"{own}.flac").read_bytes(), page / "listen.mp3")
        rows = pl.read_csv(self._list_of(TENANTS[0]), infer_schema=False)
        dumped = rows.sample(DUMPED, seed=self.seed).select(
            "title", "artist", "album", seconds=pl.col("duration_ms").cast(pl.Int64) // 1000
        )
        dumped.write_csv(folder / "index.csv")
        tell.say(f"{len(streamed)} files at 64 kb/s, and a list of {DUMPED:,} rows without identifiers.")

    def it_is_found(self, address: str, page: str) -> None:
        """Look at the mirror with its owner's permission, as an operator would."""
        tell = self.teller
        tell.chapter("It is found, and recognised")
        asked = (
            "--permitted-by", "the owner of this machine, today, this demo", "--private", "--pause", "0", "--fetch",
            "--open-cases", "--to", "host",
        )  # fmt: skip
        seen = of("sighting", self._run("watch", address, page, *asked))
        sounds = [row for row in seen if row["what"] == "sound"]
        copies = [row for row in sounds if row["ours"]]
        (self.out / "found.csv").write_bytes(httpx.get(f"{address}index.csv", trust_env=False).content)
        worst = max(one["error"] for row in copies for one in row["ours"])
        tell.say(
            f"{len(copies)} of {len(sounds)} sound files hold recordings of ours; the least sure is wrong once in"
            f" {1 / worst:,.0f}."
        )
        (summary,) = of("summary", self._run("dump", "match", self.out / "found.csv"))
        ours = summary["recordings_ours"]
        tell.say(
            f"The list holds {ours['estimate']:,.0f} recordings of ours ({ours['low']:,.0f} to {ours['high']:,.0f}):"
            f" {summary['of_catalogue']['estimate']:.1%} of the catalogue."
        )
        self.figures |= {
            "published": len(sounds),
            "recognised": len(copies),
            "rows_published": DUMPED,
            "rows_recognised": round(ours["estimate"]),
        }

    def it_is_traced(self, streamed: Mapping[str, str]) -> None:
        """Say to whom the files were streamed, and to whom the list was given."""
        tell = self.teller
        tell.chapter("Marks name the deliveries, and the list names its tenant")
        named = of(
            "issued",
            self._run(
                "trace", self.workspace / "found", "--streamed", self.out / "public" / "media",
                "--listeners", self.out / ACCOUNTS, "--master", self.masters, "--workers", "2", ends=(0, 1),
            ),
        )  # fmt: skip
        accounts, ring = {row["account"] for row in named}, set(streamed.values())
        tell.say(f"{len(accounts & ring)} of the {len(ring)} accounts whose streams were published are named.")
        for row in sorted(named, key=lambda row: -row["bits"])[:3]:
            tell.say(
                f"{row['account']}: {row['bits']:.1f} bits; wrong once in {1 / row['error_bound']:,.0f} such libraries"
            )
        derived = of("derived", self._run("canary", "trace", self.out / "found.csv"))
        for row in derived:
            tell.say(f"The list was issued to {row['tenant']}: {row['bits']:.0f} bits.")
        tell.say("Issued is not accused: what was issued may have been shared, stolen or passed on.")
        self.figures |= {
            "ring_published": len(ring),
            "ring_named": len(accounts & ring),
            "innocents_named": len(accounts - ring),
            "tenant_named": [row["tenant"] for row in derived] == [TENANTS[0]],
        }

    def a_case_waits_for_a_person(self) -> None:
        """Draft a letter from each of the two cases, and stop where only people go on."""
        tell = self.teller
        tell.chapter("A case has opened, and a letter waits for people")
        self._people()
        for case, note in NOTES.items():
            self._run("case", "consider", case, note, *self._hand(PEOPLE[0]))
            self._run("case", "draft", case, "--to", "host", "--signed-by", PEOPLE[0])
            (review,) = of("review", self._run("case", "review", case, "N1"))
            self._signatures = review["needs"]
            tell.say(
                f"{case} N1 passes {len(review['rails'])} rails, and waits for {review['needs']} people to sign it."
            )

    def a_peer_hears(self) -> None:
        """Tell another house what was found."""
        tell = self.teller
        self._run("exchange", "push", *NOTES)
        (pulled,) = self._at_peer("exchange", "pull")
        tell.say(f"The peer hears {len(pulled['heard'])} signals, and acts on none of them by itself.")
        self.figures["signals_heard"] = len(pulled["heard"])

    def a_signal_is_taken_back(self) -> None:
        """Let one letter leave, be countered, and be taken back at the peer as well."""
        tell = self.teller
        tell.chapter("One letter was wrong, and is taken back everywhere")
        tell.say("The second case is the artist's own page.  Two people sign all the same, as people do:")
        for name in PEOPLE:
            self._run("case", "approve", "C2", "N1", *self._hand(name), "--read")
        self._run("case", "send", "C2", "N1", "--really")
        self._run("case", "event", "C2", "N1", "remove", "--by", PEOPLE[0])
        (case,) = self._run("case", "show", "C2")
        letter = self.out / "counter-notice.txt"
        letter.write_text(COUNTER.format(url=case["facts"]["locations"][0]["url"]), encoding="utf-8")
        self._run("case", "letter", letter)
        (contested,) = self._at_peer("exchange", "pull")
        for step in ("forward", "restore"):
            self._run("case", "event", "C2", "N1", step, "--by", PEOPLE[0])
        (revoked,) = self._at_peer("exchange", "pull")
        tell.say(
            f"A counter-notice comes: the peer sees {len(contested['contested'])} signals contested, and, when the page"
            f" is back, {len(revoked['revoked'])} taken back."
        )
        self.figures |= {"signals_contested": len(contested["contested"]), "signals_revoked": len(revoked["revoked"])}

    def _count_hours(self) -> None:
        """Say how long it takes until something is gone, with people and hosts as they are declared to be."""
        over = datetime.fromtimestamp((self.start_us + DAYS * DAY_US) / 1e6, UTC)
        told = hours(over, signatures=self._signatures, seed=self.seed)
        self.figures |= {"hours_found": told.found, "hours_left": told.left, "hours_gone": told.gone}

    # ---- what they are told with ----

    @property
    def masters(self) -> Path:
        """The folder of masters."""
        return self.out / "masters"

    def _run(self, *words: str | Path, ends: tuple[int, ...] = (0,)) -> Rows:
        return self.teller.run(self.workspace, *words, ends=ends)

    def _at_peer(self, *words: str | Path) -> Rows:
        return self.teller.run(self.peer, *words)

    def _list_of(self, tenant: str) -> Path:
        return self.out / "lists" / f"{tenant.lower().replace(' ', '-')}.csv"

    def _rows_of(self, recordings: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = pl.read_parquet(self.out / CATALOGUE).filter(pl.col("recording").is_in(list(recordings)))
        return rows.to_dicts()

    def _hand(self, name: str) -> tuple[str, ...]:
        key, secret = self._key(name)
        return ("--as", name, "--key", str(key), "--passphrase-file", str(secret))

    def _key(self, name: str) -> tuple[Path, Path]:
        folder = self.out / "people"
        return folder / f"{name.partition(' ')[0].lower()}.pem", folder / "passphrase"

    def _people(self) -> None:
        """Give two people keys of their own; the passphrase is made up, and lies beside them, as none should."""
        key, secret = self._key(PEOPLE[0])
        secret.parent.mkdir(mode=0o700)
        secret.write_text(f"{secrets.token_urlsafe(24)}\n", encoding="ascii")
        self._run("case", "person", "add", PEOPLE[0], "--key", key, "--passphrase-file", secret)
        vouched = ("--as", PEOPLE[0], "--voucher-key", key, "--voucher-passphrase-file", secret)
        self._run(
            "case", "person", "add", PEOPLE[1], "--key", self._key(PEOPLE[1])[0], "--passphrase-file", secret, *vouched
        )

    @contextmanager
    def _a_peer_that_hears(self) -> Iterator[None]:
        """Let the house answer peers, in a process of its own as it would, and let another house know it."""
        with socket.create_server(("127.0.0.1", 0)) as held:
            listen = f"127.0.0.1:{held.getsockname()[1]}"
        self._run("exchange", "begin", "Tidewater Records")
        self.peer.mkdir()
        self._at_peer("exchange", "begin", "Quay Music")
        (token,) = self._run("exchange", "allow", "Quay Music")
        file = self.peer / "tidewater.token"
        file.write_text(f"{token['token']}\n", encoding="ascii")
        url = f"http://{listen}/api/collections/{token['reads']}/"
        self._at_peer("exchange", "peer", "Tidewater Records", "--url", url, "--token-file", file)
        words = ["exchange", "serve", "--listen", listen, "-w", str(self.workspace)]
        command, nowhere = [sys.executable, "-m", "riparian.cli", *words], subprocess.DEVNULL
        with subprocess.Popen(command, stdout=nowhere, stderr=nowhere) as server:  # noqa: S603 -- ours
            try:
                _wait_for(f"http://{listen}/taxii2/", server)
                yield
            finally:
                server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and server.poll() is None:
        with suppress(httpx.TransportError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.05)
    raise OutsideError(
        f"nobody answers at {url}, wanted the exchange of this demo", hint="Look at what else runs here."
    )
