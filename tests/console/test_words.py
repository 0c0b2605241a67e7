from hypothesis import given
from hypothesis import strategies as st

from riparian.console import words
from riparian.console.waterfall import scale, steps, text_bar
from riparian.evidence import Row, on_grid


@given(st.text())
def test_what_is_shown_steers_no_terminal_and_turns_no_writing(text: str) -> None:
    shown = words.visible(text)
    assert all(c.isprintable() for c in shown)
    assert words.visible(shown, longest=10_000) == shown


@given(st.floats(min_value=1e-300, max_value=1.0))
def test_a_chance_never_looks_smaller_than_it_is(alpha: float) -> None:
    shown = words.chance(alpha).removeprefix("1 in ")
    head, times, power = shown.replace(",", "").partition(" × 10")
    digits = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    odds = float(head) * (10.0 ** int(digits) if times else 1)
    assert odds <= 1 / alpha * (1 + 1e-9)


@given(st.lists(st.floats(min_value=-50, max_value=200).map(on_grid), min_size=1, max_size=6))
def test_rows_as_written_sum_to_the_total_as_written(bits: list[float]) -> None:
    *rows, total = steps([Row("row", b) for b in bits])
    written = [float(words.exact_bits(step.shown).replace(words.MINUS, "-")) for step in (*rows, total)]
    assert round(sum(written[:-1]), 3) == written[-1]
    assert rows[-1].end == total.end == sum(bits)


@given(st.lists(st.floats(min_value=-50, max_value=200).map(on_grid), min_size=1, max_size=6))
def test_a_bar_has_its_width_whatever_it_draws(bits: list[float]) -> None:
    drawn = steps([Row("row", b) for b in bits])
    within = scale(drawn, [12.3])
    bars = [text_bar(step, within, width=36) for step in drawn]
    assert {len(bar) for bar in bars} == {36}
    assert all(bool(bar.strip()) == bool(step.bits) for bar, step in zip(bars, drawn, strict=True))
