"""How much CPU does it take to mark, to find and read, and to search a million?

A row a track of 60 seconds: times real time, in CPU time of one core, the best of three.  A pair is the two renditions
of which an edge chooses.  What is read is a copy that was coded as MP3 at 64 kb/s, and one that was played 4 % faster
as well.  The search is of a million accounts; with the weighing of those that rank highest, in CPU seconds.
"""

from collections.abc import Mapping
from functools import partial

import attacks
import marking
import sounds
from attacks import Attack
from measure import options, write

from riparian.audio.pcm import Sound
from riparian.marks.code import Tier
from riparian.marks.detect import detect
from riparian.marks.embed import embed_pair
from riparian.marks.search import Heard, search
from riparian.marks.trace import Candidates

Row = dict[str, object]
ATTACKS = {
    "mp3": attacks.ATTACKS["MP3 64k"],
    "tempo": attacks.chain(attacks.ATTACKS["tempo +4 % (WSOLA)"], attacks.ATTACKS["MP3 64k"]),
}


def _detected(copy: Sound, master: marking.Master) -> object:
    return detect(copy, master.sound, marking.KEY, master.name, master.layout)


def measured(name: str, sound: Sound, by: Mapping[str, Attack], who: Candidates, times: int) -> Row:
    """Measure one track."""
    n = who.subjects.size
    master = marking.Master.of(name, sound)
    copy = master.copy_of(1)
    attacked = {what: attack(copy) for what, attack in by.items()}
    reading = master.read(copy)
    heard = [Heard(reading, marking.KEY, Tier.ONE)]
    marking.traced([reading], who)  # what is compiled is compiled, and seeds are made once for all
    spent = {
        "embed": marking.cpu_s(lambda: master.copy_of(1), times),
        "pair": marking.cpu_s(lambda: embed_pair(sound, master.pattern, master.layout), times),
        **{f"read_{what}": marking.cpu_s(partial(_detected, one, master), times) for what, one in attacked.items()},
    }
    return {
        "track": name,
        "rate": sound.rate,
        "channels": sound.channels,
        **{what: round(sound.seconds / seconds) for what, seconds in spent.items()},
        "search_s": f"{marking.cpu_s(lambda: search(heard, who.seeds_of, n), times):.2f}",
        "trace_s": f"{marking.cpu_s(lambda: marking.traced([reading], who), times):.2f}",
    }


def worst(table: list[Row]) -> Row:
    """Give the least, or the most for what is in seconds, of every column."""
    out: Row = {"track": "worst", "rate": "", "channels": ""}
    for column in list(table[0])[3:]:
        values = [float(str(row[column])) for row in table]
        out[column] = f"{max(values):.2f}" if column.endswith("_s") else round(min(values))
    return out


def main() -> None:
    """Measure, and write the table."""
    args = options(__doc__, accounts=marking.ACCOUNTS, times=3)
    table = [
        measured(name, sound, ATTACKS, marking.candidates(args.accounts), args.times)
        for name, sound in sounds.tracks(60)
    ]
    write([*table, worst(table)], args.out, "marks_speed")


if __name__ == "__main__":
    main()
