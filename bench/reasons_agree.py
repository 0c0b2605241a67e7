"""Does the DSA Transparency Database refuse the statements of reasons that we refuse, and no other?

Every statement of ``tests/cases/forms/reasons_mutations.py`` is put to the rules of its own code, which
``reasons_peer.php`` runs.  What they say of each is written down for the tests: ``1`` where it is refused as one
statement, ``0`` where it is taken, in their order.

    python bench/reasons_agree.py --database FOLDER --framework FOLDER
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

from measure import write

from riparian.cases.forms.reasons import refused

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
VERDICTS = HERE.parent / "tests" / "cases" / "forms" / "reasons_verdicts.csv"


def main() -> None:
    """Ask, compare, and write both."""
    from tests.cases.forms.reasons_mutations import mutations  # noqa: PLC0415 -- its folder is not installed

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--framework", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    given = parser.parse_args()
    asked = list(mutations())
    answers = subprocess.run(
        ["php", str(HERE / "reasons_peer.php"), str(given.database), str(given.framework)],  # noqa: S607
        input="".join(json.dumps(said) + "\n" for _, said in asked),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    said: dict[str, str] = {}
    counts = {"statements": 0, "refused_by_both": 0, "taken_by_both": 0, "only_we_refuse": 0, "only_it_refuses": 0}
    counts["refused_as_one_but_not_as_many"] = 0
    for (group, one), answer in zip(asked, map(json.loads, answers), strict=True):
        its, ours = bool(answer["one"]), bool(refused(one))
        said[group] = said.get(group, "") + str(int(its))
        counts["statements"] += 1
        counts["refused_by_both"] += its and ours
        counts["taken_by_both"] += not its and not ours
        counts["only_we_refuse"] += ours and not its
        counts["only_it_refuses"] += its and not ours
        counts["refused_as_one_but_not_as_many"] += its and not answer["many"]
    with VERDICTS.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("group", "refused"))
        rows.writerows(said.items())
    write([counts], given.out, "notices_reasons")


if __name__ == "__main__":
    main()
