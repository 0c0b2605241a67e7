"""How many domains a second are looked at, what is found that lists of variants miss, and what is told wrongly?

Names are sixteen that artists trust.  Domains of swindlers are others' list (polkadot-js/phishing, Apache-2.0: a
JSON file with ``deny``); they are names only, and never asked for.  Everyday domains are whatever a text holds that is
given: one file, a list of words or addresses; for the table, hosts in genuine mail (SpamAssassin's public corpus).
Variants that dnstwist lists are compared when its folder is given: what it writes for each name is looked up by ours,
and what of ours it has not.

    python bench/lookalikes.py --deny all.json --everyday words.txt --dnstwist FOLDER     # about a minute
"""

import argparse
import importlib.util
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from measure import write

from riparian.creators.lookalikes import Index, Name, Suffixes
from riparian.feeds.domains import domain_in, public_suffixes

NAMES = {
    "spotify": ("spotify.com",),
    "deezer": ("deezer.com",),
    "distrokid": ("distrokid.com",),
    "tunecore": ("tunecore.com",),
    "cdbaby": ("cdbaby.com",),
    "soundexchange": ("soundexchange.com",),
    "soundcloud": ("soundcloud.com",),
    "bandcamp": ("bandcamp.com",),
    "audiomack": ("audiomack.com",),
    "beatport": ("beatport.com",),
    "musixmatch": ("musixmatch.com",),
    "unitedmasters": ("unitedmasters.com",),
    "ascap": ("ascap.com",),
    "bmi": ("bmi.com",),
    "amuse": ("amuse.io",),
    "tidal": ("tidal.com",),
}
ASKING = ("royalties", "claims", "payout", "verify", "login", "forartists", "support", "copyright-notice")
ENDINGS = ("com", "net", "top", "co.uk", "de.com", "pages.dev")
MISSED = (
    "spotify-royalties.com",
    "spotifyforartlsts.com",
    "spotify.com-claims.net",
    "royalties-soundexchange-verify.org",
)
TRAPS = (
    *("manyushibmigrate.com", "hotelamusementpark.com", "polkastarter.de.com", "bmicalculator.com", "submitted.org"),
    *("amusement-rides.com", "tidalwavesurf.com", "texasbandcamps.org", "musixmatters.net", "bmi-calculator.net"),
    *("cascapedia.ca", "decathlon.fr", "deezen.org.tr", "beatportal.hu", "tunecorestaurant.com", "amused.me"),
    *("spotify.com", "open.spotify.com", "accounts.spotify.com", "www.tidal.com", "tidalflats.org", "amuseum.art"),
)


def index() -> Index:
    """Make the index of the names."""
    return Index([Name(name, domains) for name, domains in NAMES.items()], Suffixes.of(public_suffixes()))


def asked() -> Iterator[str]:
    """Write each name with each word and pair of words, before and behind, under each ending."""
    pairs = [f"{a}-{b}" for a, b in itertools.permutations(ASKING[:6], 2)]
    for name, word, ending in itertools.product(NAMES, (*ASKING, *pairs), ENDINGS):
        yield from (f"{name}-{word}.{ending}", f"{word}-{name}.{ending}", f"{name}.{word}.{ending}")
        if "-" not in word:
            yield from (f"{name}{word}.{ending}", f"{word}{name}.{ending}")


def measured(set_: str, domains: Iterable[str], wanted: str, within: Index) -> dict[str, object]:
    """Look at one list."""
    held = list(domains)
    begun = time.process_time()
    found = list(within.find(held))
    took = time.process_time() - begun
    return {
        "set": set_,
        "wanted": wanted,
        "domains": len(held),
        "told": len(found),
        "share": f"{len(found) / max(len(held), 1):.6f}",
        "domains_a_second": round(len(held) / took) if took and len(held) > 10_000 else "",
        "first_told": " ".join(one.domain for one in found[:3]) if wanted == "none" else "",
    }


def variants(folder: Path) -> Mapping[str, list[str]]:
    """Let dnstwist write its variants of each name, offline."""
    spec = importlib.util.spec_from_file_location("dnstwist", folder / "dnstwist.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} has no dnstwist.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["dnstwist"] = module
    spec.loader.exec_module(module)
    made = {}
    for name, (domain, *_) in NAMES.items():
        fuzzer = module.Fuzzer(domain)
        fuzzer.generate()
        made[name] = sorted(str(one["domain"]) for one in fuzzer.domains if one["fuzzer"] != "*original")
    return made


def rows(given: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Measure every list that is given."""
    within = index()
    yield measured("missed by lists of variants", MISSED, "all", within)
    yield measured("names with words", asked(), "all", within)
    yield measured("traps", TRAPS, "none", within)
    if given.dnstwist:
        made = variants(given.dnstwist)
        for name in NAMES:
            yield measured(f"variants of {name} by dnstwist", made[name], "most", within)
        every = {domain for some in made.values() for domain in some}
        yield measured(
            "names with words, in the lists of dnstwist", (one for one in asked() if one in every), "", within
        )
    if given.deny:
        yield measured("domains of swindlers", json.loads(given.deny.read_text())["deny"], "", within)
    if given.everyday:
        lines = given.everyday.read_text(encoding="utf-8", errors="replace").splitlines()
        yield measured("everyday domains", sorted({domain_in(line) for line in lines} - {""}), "", within)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for option in ("deny", "everyday", "dnstwist", "out"):
        parser.add_argument(f"--{option}", type=Path)
    options = parser.parse_args()
    write(rows(options), options.out, "lookalikes")
