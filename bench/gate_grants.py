"""What does a grant cost, to issue and to verify?

CPU time of one thread, the median of runs, for each form and for joserfc on the same JWT.  The two JWTs say the same
and are read by either.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from joserfc import jwt as joserfc
from joserfc.jwk import OctKey
from measure import write

from riparian.gate.grants import Form, Grant, Key, KeyRing, Rate, Refused, issue, verify

NOW_S = 1_800_000_000
RING = KeyRing(Key("k0a1b2c3d", b"1" * 32, NOW_S), Key("k4e5f6071", b"2" * 32, NOW_S))
GRANT = Grant("a-0000417", "/media/r-0005512/", "", NOW_S + 60, Rate.FULL, RING.current.id)
REQUEST = "/media/r-0005512/a/00042.m4s"


def issued(form: Form, i: int) -> str:
    """Issue a grant that was not issued before."""
    return issue(Grant(GRANT.account, GRANT.path, "", NOW_S + i, Rate.FULL, GRANT.key), RING, form)


def verified(token: str, _: int) -> Grant | Refused:
    """Verify as an edge does that knows who asks."""
    return verify(token, RING, account=GRANT.account, path=REQUEST, device="", now_s=NOW_S)


def works() -> dict[tuple[str, str], Callable[[int], object]]:
    """Name what is measured; each is handed a number, so that no two grants are the same."""
    made: dict[tuple[str, str], Callable[[int], object]] = {}
    for form in Form:
        made[form, "issue"] = partial(issued, form)
        made[form, "verify"] = partial(verified, issue(GRANT, RING, form))
    key = OctKey.import_key(RING.current.secret, {"kid": RING.current.id})
    header = {"alg": "HS256", "kid": RING.current.id, "typ": "JWT"}
    said = {"iss": "riparian", "sub": GRANT.account, "rp": GRANT.path, "rr": "full"}
    jwt = joserfc.encode(dict(header), said | {"exp": GRANT.until_s}, key)
    made["jwt, joserfc", "issue"] = lambda i: joserfc.encode(dict(header), said | {"exp": NOW_S + i}, key)
    made["jwt, joserfc", "verify"] = lambda _: joserfc.decode(jwt, key, algorithms=["HS256"])
    return made


def cpu_us(work: Callable[[int], object], n: int) -> float:
    """Measure the CPU time of one call, in microseconds."""
    begun = time.process_time_ns()
    for i in range(1, n + 1):
        work(i)
    return (time.process_time_ns() - begun) / n / 1000


def main() -> None:
    """Measure everything in turns, so that a busy machine is busy for all of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few calls, few runs")
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    options = parser.parse_args()
    runs, n = (3, 300) if options.quick else (15, 2000)
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(runs):
        for name, work in works().items():
            found.setdefault(name, []).append(cpu_us(work, n))
    rows = [{"form": str(form), "op": op, "us": f"{median(us):.1f}"} for (form, op), us in found.items()]
    write(rows, options.out, "gate_grants")


if __name__ == "__main__":
    main()
