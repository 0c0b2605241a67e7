"""What can only be seen across accounts, and what do the questions that look there answer?

After the buckets one step looks at all of them together: it takes what the buckets let out (the novel fetches of
candidates), never more, in the order of time, and lays its memory down in the drawer beside the buckets.
"""

from riparian.accounts.join import ANSWER
from riparian.evidence import CLAIMS, Evidence, Row, Source, on_grid
from riparian.flows.joined import rows_of
from riparian.flows.terms import Terms
from riparian.ports import SHARED, World


def explained(world: World, terms: Terms, account: int) -> dict[str, Evidence]:
    """Explain what each question other than ``alone`` says of an account, before its price."""
    answers = world.findings.in_bucket("answers", SHARED)
    made = {}
    for row in rows_of(answers if answers is not None else ANSWER.empty_table(), account).to_pylist():
        claim, bits = CLAIMS[row["claim"]], on_grid(row["bits"])
        made[row["question"]] = Evidence(
            claim, account, bits, (Row(claim.sentence, bits),), row["reached_us"],
            Source(claim.name, terms.people.version), {"bits_now": on_grid(row["bits_now"])},
        )  # fmt: skip
    return made
