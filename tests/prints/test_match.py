import json
import math
from functools import cache

import numpy as np
import pytest

from riparian.evidence import CLAIMS, COPY, OF_COPIES, SHARES
from riparian.prints.match import NOISE, NOT_OURS, SILENCE, TOO_SHORT, Matched, drawn, match
from riparian.prints.null import NOBODY, Draws, Null, fit
from riparian.prints.peaks import TICK_S, Peaks
from riparian.prints.search import backwards, clip, search
from tests.prints.catalogues import Held, copied, held, joined, of, piece, together

N = 110


@cache
def ours() -> Held:
    return held([piece(i) for i in range(N)])


@cache
def null() -> Null:
    return fit(Draws.of(drawn(i, 10.0, ours()) for i in range(N)), N)


def ask(query: Peaks, *, share_ours: float = 0.5, of_null: Null | None = None) -> Matched:
    return match(query, ours(), null() if of_null is None else of_null, subject=7, at_us=3, share_ours=share_ours)


def part(seed: int, from_s: float, seconds: float) -> Peaks:
    return clip(piece(seed), round(from_s / TICK_S), round((from_s + seconds) / TICK_S))


COPIES = {
    "as it is": (piece(3), 3, 0.0, 60.0),
    "a third of its peaks lost, as many new": (copied(piece(3)), 3, 0.0, 60.0),
    "faster and higher": (copied(piece(4), speed=1.04, semitones=1), 4, 0.0, 57.7),
    "slower and lower": (copied(piece(5), speed=0.93, semitones=-2), 5, 0.0, 64.5),
    "30 s": (copied(part(6, 12, 30)), 6, 0.0, 30.0),
    "10 s": (copied(part(7, 40, 10)), 7, 0.0, 10.0),
    "5 s": (copied(part(8, 20, 5)), 8, 0.0, 5.0),
    "10 s, faster and higher": (copied(part(9, 30, 10), speed=1.05, semitones=1), 9, 0.0, 9.5),
    "between two strangers": (joined([piece(2001, 20.0), copied(part(10, 5, 30)), piece(2002, 20.0)]), 10, 20.0, 50.0),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_told_with_its_place(name: str) -> None:
    query, recording, from_s, to_s = COPIES[name]
    found = ask(query)
    best = found.answers[0]
    assert best.is_copy
    assert (best.recording, best.cluster) == (recording, recording)
    assert best.error < 1e-3
    assert min(span.query_from_s for span in best.spans) == pytest.approx(from_s, abs=1.5)
    assert max(span.query_to_s for span in best.spans) == pytest.approx(to_s, abs=1.5)
    assert found.why_nothing == ""


def test_a_clip_is_placed_within_the_original() -> None:
    (span,) = ask(copied(part(6, 12, 30))).answers[0].spans
    assert span.ours_from_s == pytest.approx(12, abs=1.0)
    assert span.speed == pytest.approx(1, abs=1e-3)


NOTHING = {
    "a stranger": (piece(3000), NOT_OURS),
    "ten seconds of one": (piece(3001, 10.0), NOT_OURS),
    "two seconds of ours": (part(3, 10, 2), TOO_SHORT),
    "no sound": (Peaks(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.uint8), 0), TOO_SHORT),
    "a minute of silence": (
        Peaks(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.uint8), 15_000),
        SILENCE,
    ),
    "ten hours of silence": (
        Peaks(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.uint8), 9_000_000),
        SILENCE,
    ),
}


@pytest.mark.parametrize("name", NOTHING)
def test_where_nothing_is_ours_it_is_said_why(name: str) -> None:
    query, why = NOTHING[name]
    found = ask(query)
    assert [answer for answer in found.answers if answer.error <= 1e-2] == []
    assert found.why_nothing in {why, ""}
    assert found.nothing_to_tell == (why != NOT_OURS)


def test_noise_has_nothing_to_tell() -> None:
    rng = np.random.default_rng(12)
    found = ask(of(rng.uniform(0, 60, 720), rng.uniform(0, 900, 720), 60.0, rng))
    assert found.why_nothing == NOISE
    assert found.nothing_to_tell


def test_the_tracks_of_a_compilation_are_told_with_their_times() -> None:
    begins = np.arange(12) * 25.0
    query = joined([copied(part(20 + i, 10, 25), seed=i) for i in range(12)])
    found = {answer.recording: answer for answer in ask(query).answers}
    assert sorted(found) == list(range(20, 32))
    for recording, begin in zip(range(20, 32), begins, strict=True):
        (span,) = found[recording].spans
        assert (span.query_from_s, span.query_to_s) == pytest.approx((begin, begin + 25), abs=1.5)
        assert found[recording].is_copy


@pytest.mark.slow
def test_a_track_played_over_and_over_is_found_all_along() -> None:
    best = ask(joined([copied(piece(50), seed=i) for i in range(14)])).answers[0]
    assert best.recording == 50
    assert sum(span.seconds for span in best.spans) > 0.9 * 14 * 60


@pytest.mark.slow
def test_a_long_file_is_searched_window_by_window() -> None:
    strangers = [piece(4000 + i) for i in range(11)]
    query = joined([*strangers[:10], copied(part(33, 20, 25)), strangers[10]])
    best = ask(query).answers[0]
    assert (best.recording, best.is_copy) == (33, True)
    assert best.spans[0].query_from_s == pytest.approx(600, abs=1.5)


def with_loop(seed: int) -> Peaks:
    """Half of it is two seconds that come again and again, the same for every seed."""
    rng = np.random.default_rng(77)
    at, pitch = rng.uniform(0, 2, 16), rng.uniform(100, 800, 16)
    loop = of(np.concatenate([at + 2 * i for i in range(30)]), np.tile(pitch, 30), 60.0, rng)
    return together(loop, copied(piece(seed), kept=0.5, new=0.0))


def test_two_pieces_with_a_loop_in_common_share_material() -> None:
    catalogue = held([*(piece(i) for i in range(40)), with_loop(7000), with_loop(7001)])
    best = match(with_loop(7002), catalogue, NOBODY, subject=1, at_us=0).answers[0]
    assert best.evidence.claim is SHARES
    assert sorted((best.recording, *best.rivals)) == [40, 41]
    copy = match(copied(with_loop(7000)), catalogue, NOBODY, subject=1, at_us=0).answers[0]
    assert (copy.recording, copy.is_copy) == (40, True)
    assert copy.rivals == (41,)


def test_a_copy_under_other_music_is_found() -> None:
    best = ask(together(copied(piece(40), kept=0.6, new=0.0), piece(5000))).answers[0]
    assert best.recording == 40
    assert best.error < 1e-3


def test_duplicates_are_one_answer() -> None:
    doubled = held([piece(i) for i in range(40)] + [copied(piece(3), kept=0.95, new=0.05)], labels=[*range(40), 3])
    found = match(copied(piece(3), seed=5), doubled, NOBODY, subject=1, at_us=0)
    assert [answer.cluster for answer in found.answers if answer.error < 1e-3] == [3]
    assert found.answers[0].rivals == ()


def test_duplicates_that_were_not_found_before_are_rivals() -> None:
    doubled = held([piece(i) for i in range(40)] + [copied(piece(3), kept=0.95, new=0.05)])
    best = match(copied(piece(3), seed=5), doubled, NOBODY, subject=1, at_us=0).answers[0]
    assert sorted((best.recording, *best.rivals)) == [3, 40]


def test_an_empty_catalogue_has_nothing() -> None:
    found = match(piece(3), held([]), NOBODY, subject=1, at_us=0)
    assert found.answers == ()
    assert (found.candidates, found.aligned, found.why_nothing) == (0, 0, NOT_OURS)


def test_evidence_adds_up_and_can_be_written() -> None:
    for answer in (*ask(copied(piece(3))).answers, *ask(copied(piece(3)), of_null=NOBODY).answers):
        evidence = answer.evidence
        assert sum(row.bits for row in evidence.waterfall) == evidence.bits
        assert (evidence.subject, evidence.reached_us) == (7, 3)
        assert json.loads(json.dumps(evidence.facts))["error"] == answer.error


def test_bits_are_what_recordings_vouch_for_and_no_more() -> None:
    best = ask(copied(piece(3))).answers[0].evidence
    assert best.facts["extrapolated"]
    assert best.facts["as_good"] == 0
    assert best.bits <= math.log2(N)
    assert ask(copied(piece(3)), of_null=NOBODY).answers[0].evidence.bits == 0


def test_the_share_that_is_ours_moves_the_error_and_not_the_bits() -> None:
    rare, common = (ask(copied(piece(3)), share_ours=share).answers[0] for share in (0.001, 0.9))
    assert rare.error > 100 * common.error
    assert rare.evidence.bits == common.evidence.bits


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_a_share_that_settles_it_beforehand_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="wanted 0 < share_ours < 1"):
        ask(piece(3), share_ours=share)


def test_a_recording_left_out_is_not_found() -> None:
    assert all(find.cluster != 3 for find in search(piece(3), ours(), without=3).finds)
    assert drawn(3, math.inf, ours())[4] < 30


def test_played_backwards_nothing_is_ours() -> None:
    found = [find.best.score for i in range(12) for find in search(backwards(piece(i)), ours()).finds]
    assert max(found, default=0) < 30


def test_claims_on_files_restrain_nobody() -> None:
    assert {COPY.name, SHARES.name} <= set(OF_COPIES)
    assert not {COPY.name, SHARES.name} & set(CLAIMS)


@pytest.mark.slow
def test_strangers_are_told_of_as_often_as_was_claimed() -> None:
    """300 strangers; at 1 in 30, twenty would be the mean of twice the claim."""
    told = [min((answer.error for answer in ask(piece(6000 + i, 10.0)).answers), default=1.0) for i in range(300)]
    assert sum(error <= 1 / 30 for error in told) <= 32  # a chance of 0.5 %, were the rate twice the claim
    assert min(told) > 1e-5
