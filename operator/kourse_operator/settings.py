"""Settings of the operator."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class OperatorSettings(ServiceSettings, service="operator"):
    """What the operator can be told; ``KUBECONFIG`` or the pod's service account name the cluster."""

    namespaces: tuple[str, ...] = ()
    """JSON list of the namespaces to serve. Empty: all of the cluster."""
    workers: int = Field(default=32, ge=1, le=512)
    """Most objects reconciled at the same time. More than the database's pools can serve only wait."""
    batch_size: int = Field(default=100, ge=1, le=1000)
    """Most objects of one kind and tenant written in one transaction."""
    pool_size: int = Field(default=2, ge=1, le=20)
    """Database connections for each owning service's schema."""
    resync_interval: timedelta = timedelta(minutes=10)
    """How often an object is looked at although nothing was said of it, plus or minus 10 percent:
    the longest that drift stays."""
    observe_interval: timedelta = timedelta(minutes=5)
    """How often counts such as learners are refreshed in the status; each refresh is a write."""
    retry_first: timedelta = timedelta(seconds=0.5)
    """Wait after a first failure; doubles with each further one."""
    retry_longest: timedelta = timedelta(minutes=5)
    """Longest wait after a failure."""
    backend_timeout: timedelta = timedelta(seconds=20)
    """Time for one step at one back end, after which it counts as not available."""
    progress_after: timedelta = timedelta(seconds=10)
    """A new generation that takes longer is shown as in progress; shorter ones save the write."""
    queue_age_limit: timedelta = timedelta(minutes=2)
    """`/healthz` fails when an object has waited longer than this for a worker."""
    watch_silence_limit: timedelta = timedelta(minutes=6)
    """`/healthz` fails when a watch was neither fed nor begun anew for longer than this; each is begun
    anew well before, at two thirds of it."""
    lease_name: str = "kourse-operator"
    """Name of the Lease that one of several operators holds while it works."""
    lease_namespace: str = ""
    """Where that Lease is. Empty: the pod's own namespace, else that of the kubeconfig."""
    lease_duration: timedelta = timedelta(seconds=15)
    """How long the others wait for a leader that is silent."""
    lease_renew_deadline: timedelta = timedelta(seconds=10)
    """How long a leader works on without a successful renewal; must be shorter than the duration."""
    lease_retry: timedelta = timedelta(seconds=2)
    """Between two attempts to renew or to acquire the Lease."""
    broker_management_url: str = Field(default="", repr=False)
    """`http://user:password@host:port` of RabbitMQ's management API, asked whether bindings are still
    there, which AMQP cannot tell. Empty: they are renewed unseen."""
