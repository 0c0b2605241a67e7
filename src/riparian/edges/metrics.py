"""What is counted, so that nobody has to guess what a gate does?

Counters live where the counting is done; they are read when somebody scrapes, and cost nothing in between.  No
label names an account.

==========================================================  ==================================================
``riparian_answers_total{kind,action,rule,applied}``        decisions; ``applied="false"`` in shadow
``riparian_let_through_total{kind,why}``                    served though something was missing: ``unsynced``,
                                                            ``heartbeat``, ``nameless``, in shadow ``grant``
``riparian_refused_requests_total{status}``                 bytes that were no request, came late, or one too many
``riparian_failures_total``                                 requests that met a fault of the gate's own: 500
``riparian_unknown_pushers_total``                          pushes with another secret
``riparian_gate_degraded{why}``                             1 while it is so, 0 otherwise; always exported; ``failing``
                                                            for a minute after a request that could not be answered
``riparian_verdicts``                                       accounts that something is in force for
``riparian_push_age_seconds``                               since whoever pushes was heard
``riparian_decision_seconds``                               a histogram of one decision in 64
``riparian_build_info{version}``                            1; beside it ``process_...``: memory, time, open files
==========================================================  ==================================================
"""

import logging
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from riparian.edges.door import Door
from riparian.edges.health import build
from riparian.gate.admit import Rule

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
AILING: Final = ("unsynced", "heartbeat")
FAILING_S: Final = 60.0
_LOG: Final = logging.getLogger(__name__)
_TOLD_MOST: Final = 100
_BUCKETS_S: Final = (0.25e-6, 0.5e-6, 1e-6, 2e-6, 4e-6, 8e-6, 16e-6, 64e-6, 256e-6, 1e-3, 0.1)


class Metrics:
    """What one gate exports.

    Parameters
    ----------
    door
        Whose gate is counted.
    """

    def __init__(self, door: Door) -> None:
        self._door = door
        self._refused: Counter[int] = Counter()
        self._failures = 0
        self._failed_s = -FAILING_S
        self._told: set[str] = set()
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        decided = Histogram(
            "riparian_decision_seconds",
            "Time of a decision, one in 64.",
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        door.timed = decided.observe

    def refused(self, status: int) -> None:
        """Count bytes that were not read as a request."""
        self._refused[status] += 1

    def failed(self, error: Exception) -> None:
        """Count a request that could not be answered, and log each kind of fault once.

        What the fault says of itself is not logged: an identifier may stand in it.
        """
        self._failures += 1
        self._failed_s = self._door.clocks.steady_s()
        last = traceback.extract_tb(error.__traceback__)[-1:]
        kind = type(error).__name__ + "".join(f" in {at.name}, {Path(at.filename).name}:{at.lineno}" for at in last)
        if kind not in self._told and len(self._told) < _TOLD_MOST:
            self._told.add(kind)
            _LOG.error("a request met a fault of the gate and was answered 500, as are others like it: %s", kind)

    def exposed(self) -> str:
        """Write everything in the text format of Prometheus."""
        return generate_latest(self.registry).decode()

    def collect(self) -> Iterator[Metric]:
        """Read the counters; what a registry of prometheus-client asks of a collector."""
        yield self._answers()
        yield self._let_through()
        refused = CounterMetricFamily("riparian_refused_requests", "Bytes that were no request.", labels=["status"])
        for status, n in sorted(self._refused.items()):
            refused.add_metric([str(status)], n)
        yield refused
        yield CounterMetricFamily(
            "riparian_unknown_pushers", "Pushes with another secret.", value=self._door.pushed.strangers
        )
        yield CounterMetricFamily("riparian_failures", "Requests that met a fault of the gate.", value=self._failures)
        degraded = GaugeMetricFamily("riparian_gate_degraded", "Whether the gate knows too little.", labels=["why"])
        ailing = self._door.ailing
        for why in AILING:
            degraded.add_metric([why], float(why == ailing))
        is_failing = self._door.clocks.steady_s() - self._failed_s < FAILING_S
        degraded.add_metric(["failing"], float(is_failing))
        yield degraded
        pushed = self._door.pushed
        yield GaugeMetricFamily("riparian_verdicts", "Accounts that something is in force for.", value=pushed.count)
        yield GaugeMetricFamily("riparian_push_age_seconds", "Since whoever pushes was heard.", value=pushed.silent_s)
        yield build()

    def _answers(self) -> Metric:
        answers = CounterMetricFamily(
            "riparian_answers", "Decisions of the gate.", labels=["kind", "action", "rule", "applied"]
        )
        # The gate counts what it served, and in shadow would not have; the door, which restraint refused what.
        for (kind, rule, applied), n in sorted(self._door.gate.counts().items()):
            if rule is Rule.NONE or not applied:
                answers.add_metric([kind.name.lower(), "allow", str(rule), str(applied).lower()], n)
        for (kind, action, why), n in sorted(self._door.refusals.items()):
            answers.add_metric([kind.name.lower(), action.name.lower(), str(why), "true"], n)
        return answers

    def _let_through(self) -> Metric:
        let = CounterMetricFamily(
            "riparian_let_through", "Served though something was missing.", labels=["kind", "why"]
        )
        for (kind, why), n in sorted(self._door.let_through.items()):
            let.add_metric([kind.name.lower(), why], n)
        return let
