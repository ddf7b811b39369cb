"""What the inbox and the work queues share: which failures pass by themselves, and the trace to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from opentelemetry import trace
from structlog.contextvars import bound_contextvars

from kourse.contracts.errors import DependencyNotReady, TooManyRequests
from kourse.kit.bus import LOST
from kourse.kit.db import is_transient
from kourse.kit.delivery import Delivery, Outgoing, context_of
from kourse.kit.outages import outage_of
from kourse.kit.telemetry.tracing import begin_span

POISON_TRIES = 5
"""Attempts at a message that fails for a reason of its own, before it is set aside."""
MAX_LINKS = 16
"""Producers' spans that the span of a batch names."""
_tracer = trace.get_tracer(__name__)


class StoppedError(Exception):
    """The process stops; the message in hand goes back unacknowledged."""


class ChannelLostError(Exception):
    """The channel went away with a message in hand; the broker delivers it again."""


def is_retriable(error: BaseException) -> bool:
    """Whether a back end is at fault, so that the same message will pass once it is back.

    ``DependencyNotReady`` is not such a failure: what it waits for may lie behind the message itself.
    """
    if isinstance(error, DependencyNotReady):
        return False
    if isinstance(error, (TooManyRequests, *LOST)):
        return True
    return outage_of(error) is not None or is_transient(error)


@contextmanager
def span_of(name: str, delivery: Delivery) -> Iterator[None]:
    """Continues the producer's trace, and puts the event's ids on every log line."""
    with (
        _tracer.start_as_current_span(
            name, context=context_of(delivery.traceparent), kind=trace.SpanKind.CONSUMER
        ),
        bound_contextvars(
            tenant=delivery.tenant, event_id=str(delivery.id), event_type=delivery.type
        ),
    ):
        yield


@contextmanager
def span_of_many(name: str, deliveries: Sequence[Delivery]) -> Iterator[None]:
    """Continues the producers' trace when it is one; links to the first few when there are more."""
    if len({_trace_of(delivery) for delivery in deliveries}) == 1:
        with span_of(name, deliveries[0]):
            yield
        return
    traces = dict.fromkeys(delivery.traceparent for delivery in deliveries)
    links = [trace.Link(_span_context(each)) for each in islice(filter(None, traces), MAX_LINKS)]
    with _tracer.start_as_current_span(name, links=links, kind=trace.SpanKind.CONSUMER):
        yield


def trace_publication(row: Outgoing) -> None:
    """A span in the trace of the event that the broker has just confirmed."""
    begin_span(
        f"publish {row.type}",
        kind=trace.SpanKind.PRODUCER,
        parent=context_of(row.traceparent),
        attributes={"messaging.system": "rabbitmq", "messaging.message.id": str(row.event_id)},
    ).end()


def _trace_of(delivery: Delivery) -> str | None:
    return delivery.traceparent[:35] if delivery.traceparent else None


def _span_context(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(context_of(traceparent)).get_span_context()
