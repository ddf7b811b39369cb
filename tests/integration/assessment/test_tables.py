"""The schema as migrations make it: equal to the tables in code, and closed to whom it should be."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from kourse.assessment.tables import metadata
from kourse.kit.migrations import UNTENANTED

LEARNERS = ("answer", "answer_revision", "attempt_item", "score", "grading_item", "answer_log")


def refused(scratch, role, query):
    """Whether PostgreSQL refuses the role this query."""
    url = scratch.url(role).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        try:
            connection.execute(query)
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


class TestMigrations:
    def test_make_the_tables_that_the_code_describes(self, scratch):
        engine = create_engine(scratch.url("kourse_migrate"), poolclass=NullPool)
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "assessment",
            "include_object": lambda _, name, *__: name != "alembic_version",
            "compare_type": True,
        }
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []
        engine.dispose()

    def test_isolate_tenants_in_every_table(self, scratch):
        with scratch.admin() as connection:
            found = connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'assessment'::regnamespace"
                " AND relkind = 'r' AND NOT relforcerowsecurity ORDER BY 1"
            ).fetchall()
        assert {name for (name,) in found} == {"alembic_version", *UNTENANTED}


class TestRights:
    @pytest.mark.parametrize("table", LEARNERS)
    def test_keep_the_operator_from_what_learners_did(self, scratch, table):
        assert refused(scratch, "kourse_operator", f"SELECT tenant FROM assessment.{table}")

    def test_let_the_operator_count_attempts_and_no_more(self, scratch):
        assert not refused(
            scratch, "kourse_operator", "SELECT count(exam_id) FROM assessment.attempt"
        )
        assert refused(scratch, "kourse_operator", "SELECT learner_id FROM assessment.attempt")
        assert refused(scratch, "kourse_operator", "DELETE FROM assessment.attempt")

    @pytest.mark.parametrize("table", [*LEARNERS, "question_version"])
    def test_let_sweepers_find_what_is_due_and_no_more(self, scratch, table):
        assert refused(scratch, "kourse_assessment_worker", f"SELECT * FROM assessment.{table}")

    @pytest.mark.parametrize("role", ["kourse_course", "kourse_course_worker", "kourse_identity"])
    def test_keep_siblings_out(self, scratch, role):
        assert refused(scratch, role, "SELECT id FROM assessment.exam")
