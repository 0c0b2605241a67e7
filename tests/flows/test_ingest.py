"""A master is marked no more strongly than passes for unheard, and no more strongly than it takes."""

from pathlib import Path

import numpy as np
import pytest

from riparian.audio.pcm import Sound
from riparian.audio.quality import PASS_NMR_DB, Quality
from riparian.flows import ingest
from riparian.flows.deliver import Master, Wanted
from riparian.marks.keys import MarkKey

SONG = Sound(np.zeros((1, 8_000), np.float32), 8_000)
TRIAL = ingest.Trial(Master(Path("song.wav"), "song", "0" * 64), MarkKey(bytes(32), 1), Wanted(), 40.0)

TRIED = {
    "unheard at any strength": (9.0, [1.0, 1.2, 1.44, 1.73]),
    "heard when it is made stronger": (1.3, [1.0, 1.2]),
    "heard as soon as it is made stronger": (1.0, [1.0]),
    "heard at the usual strength": (0.7, [0.69]),
    "heard whatever is done": (0.1, [0.48]),
}


@pytest.mark.parametrize("name", TRIED)
def test_strengths_are_tried_as_long_as_they_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unheard_to, wanted = TRIED[name]

    def marked(master: Sound, _trial: object, strength: float) -> Sound:
        return Sound(master.samples + np.float32(strength), master.rate)

    def heard(_master: Sound, changed: Sound) -> Quality:
        is_fine = changed.samples[0, 0] <= unheard_to + 1e-6
        return Quality(PASS_NMR_DB - 1 if is_fine else PASS_NMR_DB + 1, 0.0, 0.0, 60.0)

    monkeypatch.setattr(ingest, "_marked", marked)
    monkeypatch.setattr(ingest, "quality", heard)
    assert [strength for strength, _, _ in ingest._unheard(SONG, TRIAL)] == wanted
