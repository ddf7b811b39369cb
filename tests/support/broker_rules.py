"""What RabbitMQ 4.x refuses or silently leaves undone, as far as declarations go.

Sources:
    Release notes of 4.0 (mirrored classic queues are gone, also their policies; without a delivery limit
    a quorum queue has one of 20) and of 4.3 (transient non-exclusive queues and global QoS are refused,
    classic queues of version 1 are gone); the documentation's pages "Quorum queues" (feature matrix),
    "Dead lettering" (at-least-once) and "Queue length limit".
"""

COMMON = {
    "x-queue-type",
    "x-expires",
    "x-message-ttl",
    "x-max-length",
    "x-max-length-bytes",
    "x-overflow",
    "x-single-active-consumer",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-queue-leader-locator",
}
ARGUMENTS = {
    "quorum": COMMON
    | {"x-delivery-limit", "x-dead-letter-strategy", "x-quorum-initial-group-size"},
    "classic": COMMON | {"x-max-priority"},
}
"""Neither x-queue-mode, x-queue-version, x-queue-master-locator nor any ha- argument is left in 4.x."""
OVERFLOW = {
    "quorum": {"drop-head", "reject-publish"},
    "classic": {"drop-head", "reject-publish", "reject-publish-dlx"},
}
EXCHANGE_ARGUMENTS = {"alternate-exchange"}
EXCHANGE_TYPES = {"topic", "direct", "fanout", "headers"}
MAX_NAME = 255
"""Bytes of a name or a key: AMQP's short string."""


def faults_of_queue(name, arguments):
    """What is wrong with a durable, non-exclusive queue, in words; empty when nothing is."""
    kind = arguments.get("x-queue-type")
    if kind not in ARGUMENTS:
        # A virtual host's default type would decide, and another one is a mismatch for ever.
        return [f"{name} states no queue type"]
    return [f"{name}: {fault}" for fault in _faults(kind, arguments)] + _too_long(name)


def _faults(kind, arguments):
    if unknown := arguments.keys() - ARGUMENTS[kind]:
        yield f"{sorted(unknown)} are no arguments of a {kind} queue"
    overflow = arguments.get("x-overflow", "drop-head")
    if overflow not in OVERFLOW[kind]:
        yield f"{overflow} is no overflow of a {kind} queue"
    if kind == "quorum" and arguments.get("x-delivery-limit", 0) < 1:
        # 3.10 has none by default and then puts what is returned to the end, 4.x has 20.
        yield "a quorum queue without a delivery limit differs between versions"
    strategy = arguments.get("x-dead-letter-strategy", "at-most-once")
    if strategy not in {"at-most-once", "at-least-once"}:
        yield f"{strategy} is no strategy"
    if strategy == "at-least-once" and overflow != "reject-publish":
        yield "at-least-once falls back to at-most-once without reject-publish"
    if "x-dead-letter-exchange" not in arguments and arguments.keys() & {
        "x-dead-letter-routing-key",
        "x-dead-letter-strategy",
    }:
        yield "dead letters have a key or a strategy, but no exchange"
    for limit in ("x-max-length", "x-max-length-bytes", "x-message-ttl", "x-expires"):
        value = arguments.get(limit, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            yield f"{limit} is not a positive whole number"


def faults_of_exchange(name, type_, arguments):
    """The same of a durable exchange."""
    made = [] if type_ in EXCHANGE_TYPES else [f"{name}: {type_} needs a plugin"]
    if unknown := arguments.keys() - EXCHANGE_ARGUMENTS:
        made.append(f"{name}: {sorted(unknown)} are no arguments of an exchange")
    return made + _too_long(name)


def faults_of_outside_feed(name, arguments):
    """What could let an absent reader stop or slow those who publish, or fill the disk."""
    made = []
    if arguments.get("x-overflow") != "drop-head":
        made.append(f"{name} does not drop its oldest")
    if arguments.get("x-dead-letter-strategy", "at-most-once") != "at-most-once":
        made.append(f"{name} keeps what it dropped until somebody takes it")
    made += [f"{name} has no {limit}" for limit in ("x-max-length", "x-message-ttl")
             if limit not in arguments]  # fmt: skip
    return made


def _too_long(name):
    return [] if len(name.encode()) <= MAX_NAME else [f"{name} is too long"]
