"""What does an index of millions of recordings take, and does it still find a copy?

Nobody lends us ten million recordings, so all but a few of the index are made up, after real ones of the half to choose
on.  Of each of these are made hundreds of others: its pitches are set to times that are some notes off, all of it is
moved by up to six semitones and played up to 15 % slower or faster.  That leaves scales, figures and rhythms of the
music, and so how skewed the values of its hashes are and how much alike those of one recording.  Of such peaks come the
values that are good enough for a sketch, twelve millions; a made-up recording has 64 of those that go back to one real
one.  So each stands in some fifty of ten million recordings; what part of the postings is dropped, for being in more
than 200, is told.  So is how many values of a query a foreign real sketch has, and a made-up one.

Among them the sketches of real recordings of the other half are planted; queries are changed copies of these.  The
index is built in shards of 262,144 recordings, which are merged.  CPU time is that of looking a query up, on one core,
without hashing it; memory is what the process grew by when the index was read into it.  The last row is arithmetic:
bytes by the layout, hits by proportion, time by what lookups and hits cost above.

    python bench/prints_scale.py [--recordings 10000000] [--k 64] [--queries 150] [--out FILE]
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import print_sounds
from marking import cpu_s
from measure import options, write
from numba import njit
from numpy.typing import NDArray
from print_attacks import query
from print_sounds import Half, Track

import riparian.prints.landmarks
from riparian.prints import search
from riparian.prints.build import build, merge, room_bytes
from riparian.prints.handfuls import SHARE_BITS
from riparian.prints.hashes import Asking, Hashes, fixed, turning
from riparian.prints.index import Index
from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.packing import pack, unpack
from riparian.prints.peaks import STEPS, Peaks
from riparian.prints.shard import Head, opened
from riparian.prints.sketch import asked, sketch

KEY: Final = PrintKey(hashlib.sha256(b"prints_scale").digest())
SHARD: Final = 1 << 18
POOL: Final = 3 << 22
"""Values of which made-up recordings are made."""
ON_PAPER: Final = 86_000_000
U = np.uint64
ASKED: Final = ("mp3 64", "opus 32", "launder", "together", "compressor 12:1", "reverb, room")


def main() -> None:
    """Build an index, ask it, and write a row for it and one for 86 million."""
    given = options(__doc__, recordings=1_000_000, k=64, queries=150)
    with tempfile.TemporaryDirectory() as name:
        pool = Pool([heard(track) for track in tracks("choose")], given.k, min(POOL, 4 * given.recordings))
        planted = {track: heard(track) for track in tracks("report")}
        print(f"{pool.of.size - 1} real recordings to make others of, {len(planted)} planted", flush=True)
        row, found = scaled(Path(name), pool, planted, given)
    rows = [row, on_paper(row, given.k)]
    write(rows, given.out, "prints_scale")
    write(found, given.out and given.out.with_stem(given.out.stem + "_recall"), "prints_scale_recall")


def tracks(half: Half) -> list[Track]:
    """List the real recordings of one half."""
    return list(print_sounds.recordings("real", half=half))


def heard(track: Track) -> Peaks:
    """Give the peaks of a recording; they are kept as long as nothing changes in how they are found."""
    code = Path(riparian.prints.landmarks.__file__).read_bytes()
    kept = print_sounds.KEPT / f"peaks-{hashlib.sha256(code + KEY.secret).hexdigest()[:12]}" / track.path.stem
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(pack(peaks(print_sounds.sound(track), KEY)))
    return unpack(kept.read_bytes())


class Pool:
    """Values of made-up hashes, some thousands after each of some real recordings."""

    def __init__(self, real: list[Peaks], k: int, size: int) -> None:
        self.real = [one for one in real if sketch(one, KEY, k).size >= k]
        after = [_after(one, k, size // len(self.real), seed) for seed, one in enumerate(self.real)]
        self.values = np.concatenate(after)
        self.of = np.cumsum([0, *(values.size for values in after)])

    def drawn(self, first: int, n: int, k: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Make up the sketches of recordings, from number ``first`` on."""
        values = np.empty(n * k, dtype=np.uint64)
        _draw(self.values, self.of, first, k, values)
        return values, np.repeat(np.arange(first, first + n), k)


def _after(real: Peaks, k: int, n: int, seed: int) -> NDArray[np.uint64]:
    # As many of each kind of hash as there are in real sketches.
    kept = sketch(real, KEY, k)
    rng = np.random.default_rng(seed)
    families = [_good(hash_, kept, hash_(real, KEY)) for hash_ in (turning, fixed)]
    made: list[list[NDArray[np.uint64]]] = [[], []]
    while any(sum(map(len, values)) < n * part for values, (_, _, _, part) in zip(made, families, strict=True)):
        other = _made_up(real, rng)
        for values, (hash_, share, worth, part) in zip(made, families, strict=True):
            if sum(map(len, values)) < n * part:
                hashes = hash_(other, KEY, share)
                values.append(hashes.value[hashes.worth >= worth])
    parts = [
        np.concatenate([*values, kept[:0]])[: round(n * part)]
        for values, (*_, part) in zip(made, families, strict=True)
    ]
    return rng.permutation(np.concatenate(parts))


def _good(
    hash_: Callable[..., Hashes], kept: NDArray[np.uint64], hashes: Hashes
) -> tuple[Callable[..., Hashes], float, float, float]:
    # In which share of all values those of a sketch are, how good, and which part of it they are.
    taken = np.isin(hashes.value, kept)
    if not taken.any():
        return hash_, 1.0, np.inf, 0.0
    low = int((hashes.value[taken] & np.uint64((1 << SHARE_BITS) - 1)).max()) + 1
    return (
        hash_,
        low / (1 << SHARE_BITS),
        float(hashes.worth[taken].min()),
        float(np.isin(kept, hashes.value).mean()),
    )


def _made_up(real: Peaks, rng: np.random.Generator) -> Peaks:
    at = np.rint(real.at * np.exp(rng.uniform(-0.15, 0.15))).astype(np.int32)
    off = rng.integers(len(real))
    pitch = np.roll(real.pitch, off) + round(rng.integers(-6, 7) * STEPS / 12)
    strength = np.roll(real.strength, off)
    heard = (pitch >= 0) & (pitch <= real.pitch.max())
    at, pitch, strength = at[heard], pitch[heard].astype(np.int16), strength[heard]
    order = np.lexsort((pitch, at))
    return Peaks(at, pitch[order], strength[order], int(at.max(initial=0)))


@njit(cache=True, nogil=True)
def _mixed(value: Any) -> Any:
    value = (value ^ (value >> U(30))) * U(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> U(27))) * U(0x94D049BB133111EB)
    return value ^ (value >> U(31))


@njit(cache=True, nogil=True)
def _draw(pool: Any, of: Any, first: Any, k: Any, values: Any) -> None:
    # Each recording is after one real one, drawn by lot, and has k of its values.
    for i in range(values.size // k):
        state = _mixed(U(first + i))
        one = np.int64(state % U(of.size - 1))
        for j in range(k):
            state += U(0x9E3779B97F4A7C15)
            values[i * k + j] = pool[of[one] + np.int64(_mixed(state) % U(of[one + 1] - of[one]))]


def scaled(
    folder: Path, pool: Pool, planted: dict[Track, Peaks], given: argparse.Namespace
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Build an index and ask it."""
    n, k = given.recordings, given.k
    numbers = np.random.default_rng(1).choice(n, len(planted), replace=False)
    begun = time.process_time()
    path = built(folder, pool, dict(zip(numbers.tolist(), planted.values(), strict=True)), n, k)
    build_cpu_s = time.process_time() - begun
    before = resident_bytes()
    shard = opened(np.fromfile(path, dtype=np.uint8), KEY)
    grown = resident_bytes() - before
    index = Index((shard,))
    hit_us(index, pool)  # what is compiled is compiled
    looked_for = dict(list(zip(planted, numbers.tolist(), strict=True))[: given.queries])
    found = [
        found_again(index, looked_for, condition, k, asking)
        for asking in (Asking.NEAR, Asking.FAR)
        for condition in ASKED
    ]
    met = foreign(pool, list(planted.values()), k)
    row = {
        "recordings": n,
        "k": k,
        "file_gb": f"{path.stat().st_size / 1e9:.2f}",
        "file_bytes_each": f"{path.stat().st_size / n:.1f}",
        "whole_bytes_each": f"{shard.head.room_bytes(shard.head.pairs) / n:.1f}",
        "memory_bytes_each": f"{grown / n:.1f}",
        "dropped": f"{1 - shard.head.postings / shard.head.pairs:.3f}",
        "build_cpu_s": round(build_cpu_s),
        "lookups": round(float(np.mean([row["lookups"] for row in found[: len(ASKED)]]))),
        "hits": round(float(np.mean([row["hits"] for row in found[: len(ASKED)]]))),
        "cpu_ms": f"{np.mean([float(str(row['cpu_ms'])) for row in found[: len(ASKED)]]):.1f}",
        "us_a_hit": f"{hit_us(index, pool):.3f}",
        **met,
        "measured": "measured",
    }
    return row, found


def built(folder: Path, pool: Pool, planted: dict[int, Peaks], n: int, k: int) -> Path:
    """Build shards of made-up recordings, with the planted ones in their places, and merge them on the disk."""
    shards = []
    sketches = {number: sketch(one, KEY, k) for number, one in planted.items()}
    for first in range(0, n, SHARD):
        values, recordings = pool.drawn(first, min(SHARD, n - first), k)
        here = [number for number in sketches if first <= number < first + SHARD]
        made_up = ~np.isin(recordings, here)
        values = np.concatenate([values[made_up], *(sketches[number] for number in here)])
        owners = [np.full(sketches[number].size, number) for number in here]
        shard = build(values, np.concatenate([recordings[made_up], *owners]), KEY, k)
        path = folder / f"{first}.shard"
        shard.octets.tofile(path)
        shards.append(opened(np.memmap(path, np.uint8, "r"), KEY))
    whole = folder / "whole.shard"
    merged = merge(shards, KEY, octets=np.memmap(whole, np.uint8, "w+", shape=(room_bytes(shards),)))
    with whole.open("r+b") as file:
        file.truncate(merged.octets.size)
    return whole


def found_again(index: Index, planted: dict[Track, int], condition: str, k: int, asking: Asking) -> dict[str, object]:
    """Ask for changed copies of planted recordings, near or far, and see where these rank."""
    ranks, lookups, hits, listed, cpu_s = [], [], [], [], 0.0
    for track, number in planted.items():
        values = asked(peaks(query(track, condition).samples, KEY), KEY, k, asking)
        begun = time.process_time()
        candidates = index.candidates(values, search.most(index.recordings))
        cpu_s += time.process_time() - begun
        at = np.flatnonzero(candidates.recording == number)
        ranks.append(int(at[0]) if at.size else search.MOST[1])
        lookups.append(values.size)
        hits.append(int(np.maximum(index.frequencies(values), 0).sum()))
        listed.append(int((candidates.hits > 1).sum()))
    ranked = np.array(ranks)
    shares = {f"first_{most}": f"{(ranked < most).mean():.3f}" for most in (1, 10, *search.MOST)}
    return {
        "recordings": index.recordings,
        "k": k,
        "condition": condition,
        "asked": asking.value,
        "queries": len(ranks),
        "lookups": round(float(np.mean(lookups))),
        "hits": round(float(np.mean(hits))),
        "cpu_ms": f"{cpu_s / len(ranks) * 1e3:.1f}",
        **shares,
    }


def foreign(pool: Pool, queries: list[Peaks], k: int) -> dict[str, object]:
    """Say how many values of a foreign sketch a query has: of a real one, and of one made up after it."""
    real = [sketch(one, KEY, k)[:k] for one in pool.real]
    values = np.concatenate(real)
    owners = np.repeat(np.arange(len(real)), k)
    made, made_owners = pool.drawn(0, 20 * len(real), k)
    met = np.zeros((2, 4))
    for one in queries[:100]:
        lookups = asked(one, KEY, k)
        for i, (of, whose) in enumerate(((values, owners), (made, made_owners))):
            each = np.bincount(whose[np.isin(of, lookups)], minlength=int(whose[-1]) + 1)
            met[i] += [each.mean(), (each > 1).mean(), (each > 2).mean(), (each > 3).mean()]
    met /= len(queries[:100])
    print("hits a foreign recording; share with 2, 3, 4 or more: real, made up", met.tolist(), flush=True)
    return {
        "foreign_real": f"{met[0, 0]:.4f}",
        "foreign_made_up": f"{met[1, 0]:.4f}",
        "two_real": f"{met[0, 1]:.5f}",
        "two_made_up": f"{met[1, 1]:.5f}",
    }


def hit_us(index: Index, pool: Pool) -> float:
    """Say what each hit of a query takes: many values that are there, less as many that are not."""
    there = pool.values[:20_000]
    spent = [cpu_s(partial(index.candidates, values, search.MOST[0]), 3) for values in (there, ~there)]
    return (spent[0] - spent[1]) / int(np.maximum(index.frequencies(np.unique(there)), 0).sum()) * 1e6


def on_paper(row: dict[str, object], k: int) -> dict[str, object]:
    """Say what 86 million recordings would take."""
    n, larger = int(str(row["recordings"])), ON_PAPER
    head = Head(k, 0, larger, larger.bit_length(), 0, 1, larger, larger * k)
    size = head.room_bytes(larger * k)
    hits = int(str(row["hits"]))
    more_ms = hits * (larger / n - 1) * float(str(row["us_a_hit"])) / 1e3
    return {
        **row,
        "recordings": larger,
        "file_gb": f"{size / 1e9:.2f}",
        "file_bytes_each": f"{size / larger:.1f}",
        "whole_bytes_each": f"{size / larger:.1f}",
        "memory_bytes_each": f"{size / larger:.1f}",
        "dropped": "",
        "build_cpu_s": round(int(str(row["build_cpu_s"])) * larger / n),
        "hits": round(hits * larger / n),
        "cpu_ms": f"{float(str(row['cpu_ms'])) + more_ms:.1f}",
        "measured": "on paper",
    }


def resident_bytes() -> int:
    """Say how much memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main()
