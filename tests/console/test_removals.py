"""The page of removals: every line has its name in the picture, and no two are on one another."""

import re

import pytest

from riparian.cases.again import Row
from riparian.console.removals import removals_page


def row(name: str, end: float, last: float = 60.0) -> Row:
    return Row(name, 10, 9, 1, 0, 0.5, 2.0, 0.9, None, ((0.0, 1.0), (last, end)))


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param((0.0,), id="one"),
        pytest.param((0.0,) * 5, id="all gone"),
        pytest.param((1.0,) * 5, id="all there"),
        pytest.param((0.0, 0.01, 0.02, 0.9, 1.0), id="some near one another"),
        pytest.param((0.5,) * 7, id="more than are drawn"),
    ],
)
def test_every_line_has_its_name_within_the_picture(ends: tuple[float, ...]) -> None:
    page = removals_page([row(f"host {n}", end) for n, end in enumerate(ends)], "2026-11-23")
    for picture in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', picture).group(1))  # type: ignore[union-attr]
        heights = [float(one) for one in re.findall(r'class="line-name[^>]* y="([\d.]+)"', picture)]
        assert len(heights) == min(len(ends), 5)
        assert all(0 < one < height for one in heights)
        assert all(abs(one - other) > 12 for n, one in enumerate(heights) for other in heights[:n])


@pytest.mark.parametrize("last", [0.1, 7, 8, 60, 400, 4000])
def test_a_time_of_any_length_has_a_few_ticks(last: float) -> None:
    ticks = re.findall(r"<text class=\"tick\"[^>]*>\d+ d<", removals_page([row("host", 0.0, last)], "2026-11-23"))
    assert 2 * 2 <= len(ticks) <= 2 * 9
