"""Table of the files that learners send as answers of exam questions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import UUID

from kourse.assessment.tables.attempts import attempt, metadata
from kourse.kit.tables import moment_column, tenant_column

answer_file = Table(
    "answer_file",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("attempt_id", UUID, ForeignKey(attempt.c.id, ondelete="CASCADE"), nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("key", Text),
    Column("version_id", Text),
    moment_column("offered_at"),
    moment_column("stored_at", nullable=True),
    CheckConstraint("(stored_at IS NULL) = (key IS NULL)", name="stored"),
)
"""Announced files; a stored one never changes, and goes only where no answer names it."""
Index("ix_answer_file_attempt_id", answer_file.c.attempt_id, answer_file.c.slot)
Index("ix_answer_file_learner_id", answer_file.c.tenant, answer_file.c.learner_id)
