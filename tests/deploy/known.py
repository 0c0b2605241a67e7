"""What there is for a monitor to see: every metric of a gate, of `serve` and of the console, as they export them."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from riparian.assembly import Given
from riparian.console.metered import Metered, Readiness
from riparian.console.site import console_app
from riparian.edges.health import Health, Kept, Seen
from riparian.edges.metrics import Metrics
from tests.console.known import Known
from tests.edges.wires import a_door


@cache
def exported() -> dict[str, list[Metric]]:
    """Give what each process exports, by the job that a monitor knows it as."""
    seen = Seen(
        gates={"in step": 1, "behind": 0, "out of reach": 0},
        edges={"in step": 1, "behind": 0, "out of reach": 0},
        decisions={("hold", True): 1},
        pushes={"http://e": 1},
        resyncs={"http://e": 1},
        restarts={"gate 0": 0},
        missing=(),
        kept=Kept(is_readable=True, waiting={"proposals": 0, "appeals": 0}, late={"proposals": 0, "appeals": 0}),
    )
    health = Health("127.0.0.1", 0, seen)
    try:
        serve = health.answer("/metrics")[2].decode()
        with TemporaryDirectory() as folder:
            metered = Metered(console_app(Given(Path(folder)), Known()))
            health.seen = Readiness(metered, lambda: seen.kept, is_listening=bool, is_draining=bool)
            console = health.answer("/metrics")[2].decode()
    finally:
        health.close()
    metrics = Metrics(a_door()[0])
    metrics.refused(400)
    texts = {"gate": generate_latest(metrics.registry).decode(), "serve": serve, "console": console}
    return {job: list(text_string_to_metric_families(text)) for job, text in texts.items()}


def family_names(*jobs: str) -> set[str]:
    """Name what jobs export, as a query says it; all jobs where none is named."""
    found = [family for job, families in exported().items() if not jobs or job in jobs for family in families]
    return {f"{f.name}_total" if f.type == "counter" else f.name for f in found if not f.name.endswith("_created")}


def series_names(*jobs: str) -> set[str]:
    """Name also what a histogram is made of."""
    found = [family for job, families in exported().items() if not jobs or job in jobs for family in families]
    parts = {f"{f.name}_{end}" for f in found if f.type == "histogram" for end in ("bucket", "count", "sum")}
    return family_names(*jobs) | parts
