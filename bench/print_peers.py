"""Programs of others that prints are measured against: called if they are there, said to be missing if not.

``fpcalc`` is Chromaprint's (Lalinsky, LGPL; Debian's libchromaprint-tools); ``audfprint`` is Ellis's landmark
fingerprinter in its present form (audfprint2 on PyPI, MIT); ``olaf`` is the core of Six's Olaf (AGPL, built by its
``make compile_core``); ``panako`` is a program around Six's Panako (AGPL) that keeps its index in memory (see
:class:`Panako`).  Each is found on PATH or named by a variable, ``FPCALC``, ``AUDFPRINT``, ``OLAF``, ``PANAKO``.  All
are built apart; nothing of them is in this repository.

All hear the same WAV files, at 22.05 kHz in mono, and answer with their best recording where that has as much as their
own threshold wants.  AcoustID's server, which searches what fpcalc gives, is no program to call: what it does is done
here again, in its simplest form (see :class:`Chromaprint`).
"""

import json
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Answer = tuple[str, float]
"""The file that was found, "" for none, and how well it fits."""


class Peer(Protocol):
    """A program that knows recordings again."""

    name: str
    cpu_s: float

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into its index."""
        ...

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give its best answer for each file."""
        ...

    def octets(self) -> float:
        """Say how many bytes it keeps of all."""
        ...


def program(name: str) -> str | None:
    """Find a program by its variable or on PATH."""
    return os.environ.get(name.upper()) or shutil.which(name)


class _Calls:
    """Calls of one program, and the CPU time they took."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.cpu_s = 0.0
        self._command = str(program(name))

    def call(self, words: Sequence[str], env: dict[str, str] | None = None) -> str:
        """Run it; what it said, on both streams."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            [self._command, *words],
            env=os.environ | threads | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_s += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return done.stdout


class Chromaprint(_Calls):
    """All items of every print in an index; candidates by items in common at one offset, then bits in common.

    The constants are AcoustID's (pg_acoustid, acoustid_compare.c): items are looked up without their lowest four bits;
    the score is one less twice the share of bits that differ over the stretch that overlaps at the best offset, and
    lower where that stretch is less than half of the shorter print; at least .25 is a match.
    """

    _LOOKED_UP: Final = np.uint32(0xFFFFFFF0)
    _THRESHOLD: Final = 0.25
    _TRIED: Final = 10
    _FEWEST: Final = 12

    def __init__(self) -> None:
        super().__init__("fpcalc")
        self._files: list[str] = []
        self._prints: list[NDArray[np.uint32]] = []
        self._items = np.zeros(0, np.uint32)
        self._whose = self._at = np.zeros(0, np.int64)

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into the index."""
        self._files = [file.name for file in files]
        self._prints = [self._print(file) for file in files]
        items = np.concatenate(self._prints) & self._LOOKED_UP
        whose = np.repeat(np.arange(len(files)), [len(one) for one in self._prints])
        at = np.concatenate([np.arange(len(one)) for one in self._prints])
        order = np.argsort(items, kind="stable")
        self._items, self._whose, self._at = items[order], whose[order], at[order]

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give the best for each file."""
        return [self._best(self._print(file)) for file in files]

    def octets(self) -> float:
        """Four bytes an item."""
        return 4.0 * self._items.size

    def _print(self, file: Path) -> NDArray[np.uint32]:
        said = self.call(["-raw", "-length", "0", "-json", str(file)])
        found = re.search(r"\{.*\}", said)
        return np.array(json.loads(found[0])["fingerprint"] if found else [], np.uint32)

    def _best(self, asked: NDArray[np.uint32]) -> Answer:
        once, since = np.unique(asked & self._LOOKED_UP, return_index=True)
        first, last = (np.searchsorted(self._items, once, side) for side in ("left", "right"))
        hits = np.concatenate([np.arange(0), *(np.arange(int(i), int(j)) for i, j in np.stack([first, last], axis=1))])
        offsets = self._at[hits] - np.repeat(since, last - first)
        pairs, votes = np.unique(np.stack([self._whose[hits], offsets]), axis=1, return_counts=True)
        tried = np.argsort(-votes, kind="stable")[: self._TRIED]
        scores = [(self._score(asked, int(pairs[0, i]), int(pairs[1, i])), int(pairs[0, i])) for i in tried]
        score, number = max(scores, default=(0.0, -1))
        return (self._files[number], score) if score >= self._THRESHOLD else ("", score)

    def _score(self, asked: NDArray[np.uint32], number: int, offset: int) -> float:
        ours = self._prints[number]
        begin, end = max(0, -offset), min(len(asked), len(ours) - offset)
        if end - begin < self._FEWEST:
            return 0.0
        differ = asked[begin:end] ^ ours[begin + offset : end + offset]
        share = np.unpackbits(differ.view(np.uint8)).sum() / (32 * len(differ))
        return float((1 - 2 * share) * min(1.0, 2 * len(differ) / min(len(asked), len(ours))))


class Audfprint(_Calls):
    """Its own index and matcher; at least five landmarks in common, as it comes."""

    _HASHES: Final = re.compile(r"for \d+ files \((\d+) hashes\)")
    _MATCHED: Final = re.compile(r"Matched (\S+) .* as (\S+) at .* with\s+(\d+) of")

    def __init__(self, folder: Path) -> None:
        super().__init__("audfprint")
        self._index = folder / "audfprint.pklz"
        self._hashes = 0

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into the index."""
        self.call(["new", *map(str, files), "-d", str(self._index)])

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give the best for each file."""
        said = self.call(["match", *map(str, files), "-d", str(self._index), "-v"])
        hashes = self._HASHES.search(said)
        self._hashes = int(hashes[1]) if hashes else 0
        found = {name: (Path(ours).name, float(votes)) for name, ours, votes in self._MATCHED.findall(said)}
        return [found.get(str(file), ("", 0.0)) for file in files]

    def octets(self) -> float:
        """Four bytes a hash; its table, which is as large however few they are, is left out."""
        return 4.0 * self._hashes


class Olaf(_Calls):
    """Its own index and matcher; at least six prints in common, as it comes."""

    _RATE: Final = "16000"

    def __init__(self, folder: Path) -> None:
        super().__init__("olaf")
        self._folder = folder / "olaf"
        (self._folder / ".olaf" / "db").mkdir(parents=True, exist_ok=True)

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into the index."""
        for file in files:
            self._on("store", file)

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give the best for each file."""
        return [self._best(self._on("query", file)) for file in files]

    def octets(self) -> float:
        """As large as its file is."""
        return float((self._folder / ".olaf" / "db" / "data.mdb").stat().st_size)

    def _on(self, verb: str, file: Path) -> str:
        raw = self._folder / "heard.raw"
        words = ["-nostdin", "-v", "error", "-y", "-i", str(file), "-ac", "1", "-ar", self._RATE, "-f", "f32le"]
        subprocess.run([str(shutil.which("ffmpeg")), *words, str(raw)], check=True)
        return self.call([verb, str(raw), file.name], {"HOME": str(self._folder)})

    @staticmethod
    def _best(said: str) -> Answer:
        rows = [line.split(", ") for line in said.splitlines() if re.match(r"\d+, ", line)]
        votes, name = max(((float(row[0]), row[3]) for row in rows), default=(0.0, ""))
        return (name, votes) if votes else ("", 0.0)


class Panako(_Calls):
    """Its own matcher, as it comes, and its index in memory.

    The program reads lines, ``store FILE`` and ``query FILE``.  It answers ``stored BYTES CPU_S``, and ``match OURS
    SCORE CPU_S`` or ``none CPU_S``: what ``Strategy.store`` and ``.query`` give with ``PANAKO_STORAGE=MEM``, and CPU
    seconds that it used so far.
    """

    def __init__(self) -> None:
        super().__init__("panako")
        self._octets = self._used = 0.0
        self._begun: subprocess.Popen[str] | None = None

    def learn(self, files: Sequence[Path]) -> None:
        """Put files into the index."""
        self._begun = subprocess.Popen([self._command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for file in files:
            self._octets = float(self._said("store", file)[1])

    def ask(self, files: Sequence[Path]) -> list[Answer]:
        """Give the best for each file."""
        said = [self._said("query", file) for file in files]
        return [(words[1], float(words[2])) if words[0] == "match" else ("", 0.0) for words in said]

    def octets(self) -> float:
        """As the program says."""
        return self._octets

    def _said(self, verb: str, file: Path) -> list[str]:
        if self._begun is None or not self._begun.stdin or not self._begun.stdout:
            raise RuntimeError("Panako was asked before it had learnt anything")
        self._begun.stdin.write(f"{verb} {file}\n")
        self._begun.stdin.flush()
        words = self._begun.stdout.readline().split()
        self.cpu_s, self._used = self.cpu_s + float(words[-1]) - self._used, float(words[-1])
        return words


def peers(folder: Path) -> list[Peer]:
    """Give those that are on this machine, and say which ones are not."""
    made: dict[str, Peer] = {}
    if program("fpcalc"):
        made["fpcalc"] = Chromaprint()
    if program("audfprint"):
        made["audfprint"] = Audfprint(folder)
    if program("olaf"):
        made["olaf"] = Olaf(folder)
    if program("panako"):
        made["panako"] = Panako()
    for name in {"fpcalc", "audfprint", "olaf", "panako"} - set(made):
        print(f"{name} is not on this machine: see bench/print_peers.py")
    return list(made.values())
