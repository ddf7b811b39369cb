"""Groups, files on their way, hand-ins, extensions, and which closed assignments were told of."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0007"
down_revision = "0006"

SCHEMA = "course"

DDL = """
ALTER TABLE course.enrolment ADD COLUMN look_at timestamptz DEFAULT '2000-01-01 00:00:00+00';
CREATE INDEX ix_enrolment_look_at ON course.enrolment (look_at) WHERE look_at IS NOT NULL;

CREATE TABLE course.calendar_mark (
  course_id uuid NOT NULL,
  tenant text NOT NULL,
  seen_at timestamptz NOT NULL,
  CONSTRAINT pk_calendar_mark PRIMARY KEY (course_id),
  CONSTRAINT fk_calendar_mark_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);

CREATE TABLE course.work_group (
  id uuid NOT NULL,
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  name text NOT NULL,
  CONSTRAINT pk_work_group PRIMARY KEY (id),
  CONSTRAINT uq_work_group_assignment_id_name UNIQUE (assignment_id, name),
  CONSTRAINT fk_work_group_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);

CREATE TABLE course.work_group_member (
  group_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  tenant text NOT NULL,
  assignment_id uuid NOT NULL,
  CONSTRAINT pk_work_group_member PRIMARY KEY (group_id, learner_id),
  CONSTRAINT uq_work_group_member_assignment_id_learner_id UNIQUE (assignment_id, learner_id),
  CONSTRAINT fk_work_group_member_group_id_work_group FOREIGN KEY (group_id)
    REFERENCES course.work_group (id) ON DELETE CASCADE
);

CREATE TABLE course.submission (
  id uuid NOT NULL,
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  assignment text NOT NULL,
  owner uuid NOT NULL,
  enrolment_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  cohort text,
  hand_ins integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_submission PRIMARY KEY (id),
  CONSTRAINT uq_submission_assignment_id_owner UNIQUE (assignment_id, owner),
  CONSTRAINT fk_submission_enrolment_id_enrolment FOREIGN KEY (enrolment_id)
    REFERENCES course.enrolment (id) ON DELETE CASCADE
);
CREATE INDEX ix_submission_course_id_assignment ON course.submission (course_id, assignment, id);
CREATE INDEX ix_submission_enrolment_id ON course.submission (enrolment_id);

CREATE TABLE course.submission_member (
  submission_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  tenant text NOT NULL,
  assignment_id uuid NOT NULL,
  enrolment_id uuid NOT NULL,
  CONSTRAINT pk_submission_member PRIMARY KEY (submission_id, learner_id),
  CONSTRAINT uq_submission_member_assignment_id_enrolment_id UNIQUE (assignment_id, enrolment_id),
  CONSTRAINT fk_submission_member_submission_id_submission FOREIGN KEY (submission_id)
    REFERENCES course.submission (id) ON DELETE CASCADE
);
CREATE INDEX ix_submission_member_enrolment_id ON course.submission_member (enrolment_id);

CREATE TABLE course.draft_file (
  id uuid NOT NULL,
  submission_id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  key text,
  version_id text,
  offered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at timestamptz,
  CONSTRAINT pk_draft_file PRIMARY KEY (id),
  CONSTRAINT ck_draft_file_stored CHECK ((stored_at IS NULL) = (key IS NULL)),
  CONSTRAINT fk_draft_file_submission_id_submission FOREIGN KEY (submission_id)
    REFERENCES course.submission (id) ON DELETE CASCADE
);
CREATE INDEX ix_draft_file_submission_id ON course.draft_file (submission_id);

CREATE TABLE course.hand_in (
  submission_id uuid NOT NULL,
  number integer NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  members uuid[] NOT NULL,
  files jsonb NOT NULL,
  statement text,
  link text,
  version integer NOT NULL,
  handed_in_at timestamptz NOT NULL,
  late boolean NOT NULL,
  due_at timestamptz,
  closes_at timestamptz,
  CONSTRAINT pk_hand_in PRIMARY KEY (submission_id, number),
  CONSTRAINT fk_hand_in_submission_id_submission FOREIGN KEY (submission_id)
    REFERENCES course.submission (id) ON DELETE CASCADE
);

CREATE TABLE course.extension (
  id uuid NOT NULL,
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  learner_id uuid,
  cohort text,
  due_at timestamptz NOT NULL,
  closes_at timestamptz,
  reason text NOT NULL,
  actor_id uuid NOT NULL,
  given_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_extension PRIMARY KEY (id),
  CONSTRAINT ck_extension_target CHECK ((learner_id IS NULL) <> (cohort IS NULL)),
  CONSTRAINT fk_extension_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);
CREATE INDEX ix_extension_assignment_id ON course.extension (assignment_id, id);

CREATE TABLE course.expiry (
  enrolment_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  tenant text NOT NULL,
  closes_at timestamptz NOT NULL,
  CONSTRAINT pk_expiry PRIMARY KEY (enrolment_id, assignment_id),
  CONSTRAINT fk_expiry_enrolment_id_enrolment FOREIGN KEY (enrolment_id)
    REFERENCES course.enrolment (id) ON DELETE CASCADE
);
"""

TABLES = (
    "work_group",
    "work_group_member",
    "submission",
    "submission_member",
    "draft_file",
    "hand_in",
    "extension",
    "expiry",
)


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("calendar_mark", SCHEMA, worker="SELECT (course_id, tenant, seen_at)")
    for table in TABLES:
        enable_tenancy(table, SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute("GRANT SELECT, INSERT ON course.hand_in, course.extension TO kourse_course")
    op.execute("GRANT SELECT (updated_at) ON course.course TO kourse_course_worker")
    op.execute(
        "CREATE POLICY worker_access ON course.enrolment TO kourse_course_worker USING (true)"
    )
    op.execute(
        "GRANT SELECT (tenant, course_id, look_at) ON course.enrolment TO kourse_course_worker"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was handed in is never dropped")
