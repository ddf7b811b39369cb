"""Database sessions: one transaction per use, bound to a tenant, committed at the edge and only there.

PostgreSQL keeps tenants apart by row-level security on ``app.tenant``, which is set locally in each
transaction and so can never leak through the pool. Every invariant rests on READ COMMITTED, row locks
and unique constraints. Connections must be direct or from a session pool that keeps settings local.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Annotated, Any

import psycopg
from fastapi import Depends, Request
from sqlalchemy import TextClause, exc, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from kourse.contracts.errors import Unavailable
from kourse.kit.pool import MeasuredPool
from kourse.kit.telemetry.statements import trace_statements

RETRY_AFTER_S = 2.0
"""Seconds that a client waits after trouble with the database; a restart takes 2 to 4."""
CONNECT_TIMEOUT_S = 5
POOL_WAIT_S = 5
"""Longest wait for a connection of the pool."""
LOCK_WAIT_S = 5
"""Longest wait of a statement for what another transaction holds."""
_READ_ONLY = "25006"
_AFTER_COMMIT = "after_commit"
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")


@cache
def statement(schema: str, template: str) -> TextClause:
    """SQL text with every ``{schema}`` replaced by the quoted schema name, made once per schema."""
    quoted = '"' + schema.replace('"', '""') + '"'
    return text(template.replace("{schema}", quoted))


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed later: lost connection, time-out, lock, full pool."""
    if isinstance(error, exc.TimeoutError):
        return True
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_transient(error.orig))
    if isinstance(error, psycopg.errors.InternalError):
        return error.sqlstate == _READ_ONLY
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


class _Rehearsed(Exception):
    """Ends a rehearsal, so that its transaction is rolled back."""


class Database:
    """A pool of connections of one role, working in one service's schema.

    Attributes:
        url: The SQLAlchemy address, with its password; never log it.
        schema: The service's schema.
        info: Merged into ``session.info`` of every transaction.
        is_closed: Whether ``close`` was called.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        pool_size: int = 10,
        statement_timeout_s: float = 10.0,
        application: str = "",
    ) -> None:
        """Makes the pool; connects on first use.

        Args:
            url: ``postgresql+psycopg://…``.
            schema: Schema that the session's platform statements use.
            pool_size: Most connections held; more callers wait up to 5 s, then get Unavailable.
            statement_timeout_s: Seconds after which the server ends a statement.
            application: Name shown in ``pg_stat_activity``; the schema by default.
        """
        self.url = url
        self.schema = schema
        self.info: dict[str, Any] = {}
        self.is_closed = False
        self._beside: set[asyncio.Task[None]] = set()
        self._engine = create_async_engine(
            url,
            poolclass=MeasuredPool,
            pool_logging_name=application or schema,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            connect_args=connect_options(statement_timeout_s, application or f"kourse-{schema}"),
        )
        trace_statements(self._engine)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self, tenant: str | None) -> AsyncIterator[AsyncSession]:
        """A session in one READ COMMITTED transaction; commits at the end, rolls back on any error.

        Args:
            tenant: Tenant whose rows are visible and writable; None shows no tenant's rows.

        Yields:
            The session; ``info`` holds ``tenant`` and ``schema``.

        Raises:
            Unavailable: The database cannot be reached or did not answer in time, also at commit,
                in which case the outcome is unknown and a retry needs its idempotency key.
        """
        info = {**self.info, "tenant": tenant, "schema": self.schema}
        try:
            async with self._sessions(info=info) as session, session.begin():
                if tenant is not None:
                    await session.execute(_SET_TENANT, {"tenant": tenant})
                yield session
            for act in session.info.get(_AFTER_COMMIT, ()):
                act(self)
        except (exc.DBAPIError, exc.TimeoutError, psycopg.Error) as error:
            if is_transient(error):
                raise Unavailable(
                    "The database is not available right now.", retry_after_s=RETRY_AFTER_S
                ) from error
            _leave_out_values(error)
            raise

    @asynccontextmanager
    async def rehearsal(self, tenant: str) -> AsyncIterator[AsyncSession]:
        """Like ``transaction``, but all that was written is rolled back at the end, also notifications.

        Yields:
            The session.

        Raises:
            Unavailable: As ``transaction``.
        """
        with suppress(_Rehearsed):
            async with self.transaction(tenant) as tx:
                yield tx
                raise _Rehearsed

    async def ping(self) -> None:
        """Returns when the database answers.

        Raises:
            Unavailable: It does not.
        """
        async with self.transaction(None) as tx:
            await tx.execute(text("SELECT 1"))

    async def notify(self, channel: str, payload: str) -> None:
        """Sends a notification by itself, which is cheaper than a transaction.

        Raises:
            Unavailable: The database cannot be reached.
        """
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(_NOTIFY, {"channel": channel, "payload": payload})
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise Unavailable(
                "The database is not available right now.", retry_after_s=RETRY_AFTER_S
            ) from error

    def spawn(self, act: Coroutine[Any, Any, None]) -> None:
        """Runs something short beside the caller; ``close`` waits for its end."""
        task = asyncio.create_task(act)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def close(self) -> None:
        """Closes every connection of the pool, once what was spawned has ended."""
        self.is_closed = True
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._engine.dispose()


def after_commit(tx: AsyncSession, act: Callable[[Database], None]) -> None:
    """Once the transaction is committed, and only then, ``act`` is called, once however often asked for."""
    tx.info.setdefault(_AFTER_COMMIT, {})[act] = None


def _leave_out_values(error: BaseException) -> None:
    """The message says what is wrong and no more: PostgreSQL's detail quotes the row, and logs must not."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, psycopg.Error) and cause.diag.message_primary:
        cause.args = (cause.diag.message_primary,)
        error.args = (f"({type(cause).__name__}) {cause.diag.message_primary}",)


def connect_options(statement_timeout_s: float, application: str) -> dict[str, Any]:
    """Arguments for libpq: short time-outs, so that a dead server is noticed within seconds."""
    return {
        "application_name": application[:63],
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        "tcp_user_timeout": 10_000,
        "options": (
            f"-c statement_timeout={int(statement_timeout_s * 1000)} -c lock_timeout={LOCK_WAIT_S * 1000}"
            " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
        ),
    }


async def _transaction(request: Request) -> AsyncIterator[AsyncSession]:
    from kourse.kit.auth.access import tenant_of

    tenant = await tenant_of(request)
    async with request.app.state.runtime.database.transaction(tenant) as tx:
        yield tx


Transaction = Annotated[AsyncSession, Depends(_transaction, scope="function")]
"""A route's session, for the tenant of its actor (or of the host on public routes).

``scope="function"`` ends the transaction when the endpoint returns: the commit precedes the response,
and a commit that fails becomes an error instead of a 201.
"""
