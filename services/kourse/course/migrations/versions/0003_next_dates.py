"""The operator reads the dates of a course's exams and cohorts, to say in its status what comes next."""

from alembic import op

revision = "0003"
down_revision = "0002"

READ = {
    "exam_replica": "tenant, course, opens_at, closes_at",
    "cohort_replica": "tenant, courses, starts_on, time_zone, dates",
}


def upgrade() -> None:
    for table, columns in READ.items():
        op.execute(f"GRANT SELECT ({columns}) ON course.{table} TO kourse_operator")


def downgrade() -> None:
    for table, columns in READ.items():
        op.execute(f"REVOKE SELECT ({columns}) ON course.{table} FROM kourse_operator")
