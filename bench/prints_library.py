"""A library of a thousand files is matched, killed on the way, and goes on: is the same said, and at what rate?

Bar 7.  Files are clips of recordings that are held, and of as many that are not, of the half to report on, as MP3; each
is in the library under several names, since what is asked here is what a file costs.  One search is let be.  Another is
killed with SIGKILL, again and again, as soon as some more files were answered, and begun again, until it comes to its
end.  What it says then is compared with what the first one said, byte by byte.

``prints_library.csv`` has one row.  The rate is of the search that was let be, all its processes together, whatever the
machine did besides.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import soundfile
from measure import write
from print_sounds import recordings, sound

from riparian.feeds.listening import find
from riparian.stores.prints import SqlAnswers

RATE: Final = 22_050
COMMAND: Final = (sys.executable, "-m", "riparian.cli")


def made(folder: Path, files: int, seconds: float, tracks: int) -> tuple[Path, Path]:
    """Write masters and the library."""
    ours, library = folder / "ours", folder / "library"
    ours.mkdir()
    library.mkdir()
    chosen = list(recordings("real", n=2 * tracks, half="report"))
    clips = []
    for n, track in enumerate(chosen):
        samples = sound(track, RATE)
        if n % 2:
            soundfile.write(ours / f"{n:04d}.flac", samples, RATE)
        clips.append(folder / f"{n:04d}.mp3")
        begin = (samples.size - round(seconds * RATE)) // 2
        soundfile.write(clips[-1], samples[begin : begin + round(seconds * RATE)], RATE, format="MP3")
    for n in range(files):
        os.link(clips[n % len(clips)], library / f"{n:05d}.mp3")
    return ours, library


def matched(library: Path, workspace: Path, workers: int) -> tuple[bytes, float]:
    """Match, and give what is said and the seconds of all cores that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(_command(library, workspace, workers), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def killed(library: Path, workspace: Path, workers: int, every: int) -> int:
    """Match and kill until every file was answered; give how often."""
    files, times = find([str(library)]), 0
    answers = SqlAnswers(workspace / "prints")
    said = _said(answers, files)
    while len(files) - said > every:
        child = subprocess.Popen(_command(library, workspace, workers), stdout=subprocess.DEVNULL)
        while _said(answers, files) < said + every and child.poll() is None:
            time.sleep(0.2)
        child.kill()
        child.wait()
        times, said = times + 1, _said(answers, files)
    answers.close()
    return times


def _said(answers: SqlAnswers, files: Sequence[object]) -> int:
    return sum(answers.of(file) is not None for file in files)  # type: ignore[arg-type]


def _command(library: Path, workspace: Path, workers: int) -> list[str]:
    return [*COMMAND, "match", str(library), "--json", "--workers", str(workers), "-w", str(workspace)]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--tracks", type=int, default=30, help="that are held; as many are not")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--every", type=int, default=300, help="files after which it is killed")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ours, library = made(folder, asked.files, asked.seconds, asked.tracks)
        workspace, disturbed = folder / "w", folder / "disturbed"
        add = [*COMMAND, "prints", "add", str(ours), "-w", str(workspace), "--workers", str(asked.workers)]
        subprocess.run(add, check=True, stdout=subprocess.DEVNULL)
        shutil.copytree(workspace, disturbed)
        said, cpu_s = matched(library, workspace, asked.workers)
        times = killed(library, disturbed, asked.workers, asked.every)
        resumed, _ = matched(library, disturbed, asked.workers)
    row = {
        "files": asked.files,
        "seconds_a_file": asked.seconds,
        "masters": asked.tracks,
        "killed": times,
        "the_same": resumed == said,
        "answers": said.count(b'"kind": "copy"'),
        "core_seconds": round(cpu_s, 1),
        "files_a_core_second": round(asked.files / cpu_s, 2),
        "seconds_of_sound_a_core_second": round(asked.files * asked.seconds / cpu_s, 1),
    }
    write([row], asked.out, "prints_library")


if __name__ == "__main__":
    main()
