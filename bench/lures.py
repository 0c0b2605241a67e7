"""How often is a genuine message called suspicious, and how often is a lure not?

Corpora are given by their folders, and none is kept here: ``--pot`` (phishing_pot, CC BY-NC 4.0: numbered messages of
2022 to 2026), ``--dmca`` (github/dmca: notices, counter-notices and retractions by year), ``--ham`` (the public corpus
of SpamAssassin, ``*.txt`` in ``easy-ham-1``, ``easy-ham-2``, ``hard-ham-1``).  Lists of phrases were written, and
traits of made-up lures chosen, after reading the earlier half of the first; nothing is fitted on it.  ``--fit`` fits
weights on made-up lures (bench/lure_letters.py), notices of every second name until 2019, as they are and as mail, and
easy-ham-1, and writes them; from where a message is suspicious is chosen on notices of 2020 to 2023.  Reported are
numbers from 4500 on, notices from 2024 on, and the other ham, of which no message was looked at.

    python bench/lures.py --pot FOLDER --dmca FOLDER --ham FOLDER [--fit]      # about five minutes
"""

import argparse
import random
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import numpy as np
from lure_letters import RECIPIENT, lure, wrapped
from measure import write
from scipy.optimize import minimize
from scipy.stats import beta

from riparian.creators.letters import Letter, letters
from riparian.creators.lookalikes import Index, Name, Suffixes
from riparian.creators.lures import SENTENCES, Answer, Model, model, triage
from riparian.creators.signs import signs
from riparian.feeds.domains import public_suffixes

CREATORS: Final = Path(__file__).resolve().parent.parent / "src" / "riparian" / "creators"
SCENARIOS: Final = Path(__file__).resolve().parent.parent / "tests" / "creators" / "scenarios.toml"
WEIGHTS: Final = CREATORS / "lure_weights.toml"
LATER: Final = 4500
SHARE_MAX: Final = 0.0003
HAM_MAX: Final = 0.03
RIDGE: Final = 0.0001
WEIGHT_MAX: Final = 2.5
"""No sign decides alone."""
LURES: Final = 6000
Sign = Mapping[str, float]


def pot(folder: Path, *, is_later: bool) -> Iterator[bytes]:
    """Read real lures of one half."""
    for path in sorted(folder.glob("**/sample-*.eml")):
        if (int(path.stem.removeprefix("sample-")) >= LATER) == is_later:
            yield path.read_bytes()


def notices(folder: Path, years: range, *, step: int = 1, kind: str = "") -> Iterator[bytes]:
    """Read notices of some years, every so many; of one kind by name where one is asked for."""
    found = sorted(path for year in years for path in (folder / str(year)).glob("**/*.md"))
    for path in found[::step]:
        is_counter = "counternotice" in path.stem or "counter-notice" in path.stem
        is_retraction = "retraction" in path.stem
        name = "counter" if is_counter else "retraction" if is_retraction else "notice"
        if kind in ("", name):
            yield path.read_bytes()


def ham(folder: Path, name: str) -> Iterator[bytes]:
    """Read genuine mail."""
    for path in sorted((folder / name).glob("*.txt")):
        yield path.read_bytes()


def as_mail(texts: Iterable[bytes], seed: int) -> Iterator[bytes]:
    """Put texts into mails."""
    rng = random.Random(seed)  # noqa: S311 -- made up, with a seed
    for text in texts:
        yield wrapped(rng, text.decode("utf-8", "replace"))


def scenarios(which: str) -> Iterator[tuple[str, bytes]]:
    """Read our own messages to artists, as mail."""
    for one in tomllib.loads(SCENARIOS.read_text(encoding="utf-8"))[which]:
        yield one["id"], scenario(one)


def scenario(one: Mapping[str, str]) -> bytes:
    """Write one as a mail."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = one["from"], RECIPIENT, one["subject"]
    mail["Date"], mail["Message-ID"] = "Mon, 02 Nov 2026 10:00:00 +0000", "<1@post.example>"
    if "reply_to" in one:
        mail["Reply-To"] = one["reply_to"]
    if "found" in one:
        mail["Authentication-Results"] = f"mx.post.example; {one['found']}"
    if "return_path" in one:
        mail["Return-Path"] = f"<{one['return_path']}>"
    if "page" in one:
        mail.set_content(f"<html><body>{one['page']}</body></html>", subtype="html")
    else:
        mail.set_content(one["text"].replace("{recipient}", RECIPIENT) + ("\n" + one["link"] if "link" in one else ""))
    if "file" in one:
        mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=one["file"])
    return mail.as_bytes()


def fitted(lures: np.ndarray, genuine: Sequence[np.ndarray]) -> np.ndarray:
    """Fit weights that are not below zero; each set counts the same, whatever its size."""
    rows = np.vstack([lures, *genuine])
    truth = np.concatenate([np.ones(len(lures)), *(np.zeros(len(one)) for one in genuine)])
    share = np.concatenate(
        [np.full(len(lures), 1 / len(lures)), *(np.full(len(one), 1 / len(genuine) / len(one)) for one in genuine)]
    )

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        z = rows @ at[1:] + at[0]
        wrong = share * (1 / (1 + np.exp(-z)) - truth)
        value = float((share * (np.logaddexp(0, z) - truth * z)).sum() + RIDGE * (at[1:] @ at[1:]))
        return value, np.concatenate([[wrong.sum()], rows.T @ wrong + 2 * RIDGE * at[1:]])

    bounds = [(None, None)] + [(0, WEIGHT_MAX)] * rows.shape[1]
    start = np.concatenate([[-3.0], np.full(rows.shape[1], 0.5)])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def fit(given: argparse.Namespace, read: Callable[[Iterable[bytes]], np.ndarray], lists: Mapping[str, Any]) -> str:
    """Fit weights and choose from where a message is suspicious; write both as TOML."""
    rng = random.Random(8)  # noqa: S311 -- made up, with a seed
    lures = read(lure(rng, lists) for _ in range(LURES))
    legal = read(notices(given.dmca, range(2011, 2020), step=2))
    mailed = read(as_mail(notices(given.dmca, range(2011, 2020), step=3), 1))
    plain = read(ham(given.ham, "easy-ham-1"))
    weights = fitted(lures, [legal, mailed, plain])[1:]
    weights[weights < 0.05] = 0
    weights = weights.round(2)
    # From where hardly a genuine notice is, and few ordinary messages are: the highest.
    some = range(2020, 2024)
    chosen = [read(notices(given.dmca, some)), read(as_mail(notices(given.dmca, some), 3))]
    tops = [np.quantile(one @ weights, 1 - SHARE_MAX) for one in chosen]
    tops.append(np.quantile(plain @ weights, 1 - HAM_MAX))
    print("from", [round(float(one), 2) for one in tops])
    enough = max(tops)
    lines = [
        "# What each sign of a message weighs: logistic regression, no weight below zero (bench/lures.py --fit).",
        f"# Fitted on {len(lures)} made-up lures (bench/lure_letters.py, ours), {len(legal)} genuine notices",
        f"# until 2019 as they are and {len(mailed)} as mail (github/dmca, public notices), {len(plain)} genuine",
        f"# messages (SpamAssassin's public corpus); `enough` is chosen on {len(chosen[0])} notices of 2020 to 2023.",
        "# No message of these is in here; of phishing_pot (CC BY-NC 4.0) nothing was fitted. Licence: as the rest.",
        f"enough = {np.ceil(enough * 100 + 1) / 100:.2f}",
        "",
        "[weights]",
        *(f"{name} = {weight:.2f}" for name, weight in zip(NAMES, weights, strict=True) if weight),
    ]
    return "\n".join(lines) + "\n"


NAMES: Final = tuple(SENTENCES)


def row(set_: str, wanted: str, found: Sequence[bool]) -> dict[str, object]:
    """Tell one set."""
    n, told = len(found), sum(found)
    return {
        "set": set_,
        "wanted": wanted,
        "messages": n,
        "suspicious": told,
        "percent": f"{100 * told / n:.3f}",
        "at_most_percent": f"{100 * beta.ppf(0.95, told + 1, n - told):.3f}" if told < n else "100",
        "at_least_percent": f"{100 * beta.ppf(0.05, told, n - told + 1):.3f}" if told else "0",
    }


def rows(given: argparse.Namespace, by: Model) -> Iterator[dict[str, object]]:
    """Measure."""

    def told(messages: Iterable[bytes], ours: Index | None = None) -> list[bool]:
        return [triage(letters(one), by, ours).answer is Answer.SUSPICIOUS for one in messages]

    late = range(2024, 2030)
    for kind in ("notice", "counter", "retraction"):
        yield row(f"genuine {kind}s from 2024 on, as they are", "none", told(notices(given.dmca, late, kind=kind)))
    yield row("genuine notices from 2024 on, as mail", "none", told(as_mail(notices(given.dmca, late), 2)))
    yield row("genuine mail (easy-ham-2)", "none", told(ham(given.ham, "easy-ham-2")))
    yield row("genuine advertising and bulk mail of 2002 (hard-ham-1)", "none", told(ham(given.ham, "hard-ham-1")))
    yield row("real lures, the later half", "all", told(pot(given.pot, is_later=True)))
    yield row("real lures, the half that was read", "all", told(pot(given.pot, is_later=False)))
    ours = Index(
        [Name("riverwave", ("riverwave.example",)), Name("quaydistro", ("quaydistro.example",))], by.lists.suffixes
    )
    for index, with_ in ((None, ""), (ours, ", with names of ours")):
        yield row(f"our lures to artists{with_}", "all", told((one for _, one in scenarios("lure")), index))
        genuine = [one for kind in ("genuine", "mistaken") for _, one in scenarios(kind)]
        yield row(f"our genuine messages to artists{with_}", "none", told(genuine, index))


def main() -> None:
    """Fit where that is asked for, then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for option in ("pot", "dmca", "ham"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lists = tomllib.loads((CREATORS / "lures.toml").read_text(encoding="utf-8"))
    suffixes = Suffixes.of(public_suffixes())
    if given.fit:
        blank = model(lists, {"weights": {}, "enough": 1}, suffixes)

        def values(one: Letter) -> list[float]:
            found = signs(one, blank.lists)
            return [found[name] for name in NAMES]

        text = fit(given, lambda some: np.array([values(letters(one)[0]) for one in some]), lists)
        WEIGHTS.write_text(text, encoding="utf-8")
    by = model(lists, tomllib.loads(WEIGHTS.read_text(encoding="utf-8")), suffixes)
    write(rows(given, by), given.out, "lures")


if __name__ == "__main__":
    main()
