"""Which span of somebody's trace was ours?

A caller that samples a request says so in ``traceparent``; only then is a decision a span of it, so that the hot path
pays nothing.  Pushes of verdicts are always spans.  Without an OpenTelemetry SDK all of this does nothing.

===========================  ============================================================
``riparian.decision``        nothing but its time: who asked, and for what, is in no trace
``riparian.push``            ``riparian.full``, ``riparian.bytes``, ``riparian.verdicts``, ``http.response.status_code``
===========================  ============================================================
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SCOPE: Final = "riparian.edges"
_SAMPLED: Final = 1
_LENGTH: Final = 55
_propagator: Final = TraceContextTextMapPropagator()


class Traces:
    """Spans of one gate.

    Parameters
    ----------
    tracer
        Of the application; the one that is set for the process where None is given.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer if tracer is not None else trace.get_tracer(SCOPE)

    @contextmanager
    def decision(self, fields: Mapping[bytes, bytes]) -> Iterator[None]:
        """Make a span of a decision, when the caller samples it."""
        parent = fields.get(b"traceparent", b"")
        if not _is_sampled(parent):
            yield
            return
        with self._tracer.start_as_current_span("riparian.decision", _context(parent), SpanKind.SERVER):
            yield

    @contextmanager
    def push(self, fields: Mapping[bytes, bytes], size_bytes: int) -> Iterator[Callable[[int, int], None]]:
        """Make a span of a push; told the status and how many verdicts are held afterwards."""
        parent = _context(fields.get(b"traceparent", b""))
        with self._tracer.start_as_current_span("riparian.push", parent, SpanKind.SERVER) as span:
            span.set_attribute("riparian.full", fields.get(b"x-riparian-full") == b"1")
            span.set_attribute("riparian.bytes", size_bytes)

            def note(status: int, verdicts: int) -> None:
                span.set_attribute("http.response.status_code", status)
                span.set_attribute("riparian.verdicts", verdicts)

            yield note


def _is_sampled(parent: bytes) -> bool:
    # version-trace-span-flags in hexadecimals; the last bit of the flags says it.
    if len(parent) != _LENGTH:
        return False
    try:
        return bool(int(parent[-2:], 16) & _SAMPLED)
    except ValueError:
        return False


def _context(parent: bytes) -> Context:
    return _propagator.extract({"traceparent": parent.decode("latin-1")}) if parent else Context()
