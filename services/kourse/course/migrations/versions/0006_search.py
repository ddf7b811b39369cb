"""Words by which a version of a course is found, in the language of the course."""

from alembic import op

revision = "0006"
down_revision = "0005"

CONFIG = """
CREATE FUNCTION course.search_config(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE split_part(lower(language), '-', 1)
    WHEN 'da' THEN 'pg_catalog.danish'::regconfig
    WHEN 'de' THEN 'pg_catalog.german'::regconfig
    WHEN 'en' THEN 'pg_catalog.english'::regconfig
    WHEN 'es' THEN 'pg_catalog.spanish'::regconfig
    WHEN 'fi' THEN 'pg_catalog.finnish'::regconfig
    WHEN 'fr' THEN 'pg_catalog.french'::regconfig
    WHEN 'it' THEN 'pg_catalog.italian'::regconfig
    WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
    WHEN 'no' THEN 'pg_catalog.norwegian'::regconfig
    WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
    WHEN 'ru' THEN 'pg_catalog.russian'::regconfig
    WHEN 'sv' THEN 'pg_catalog.swedish'::regconfig
    ELSE 'pg_catalog.simple'::regconfig
  END
$$
"""
VECTOR = """
CREATE FUNCTION course.search_vector(content jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT
    setweight(to_tsvector('pg_catalog.simple', coalesce(content ->> 'title', '')), 'A')
    || setweight(to_tsvector(course.search_config(content ->> 'language'),
      coalesce(content ->> 'title', '')), 'A')
    || setweight(to_tsvector('pg_catalog.simple', coalesce(content -> 'tags', '[]')), 'A')
    || setweight(to_tsvector(course.search_config(content ->> 'language'),
      coalesce(content ->> 'summary', '')), 'B')
    || setweight(to_tsvector(course.search_config(content ->> 'language'),
      jsonb_path_query_array(content, '$.chapters[*].title')
      || jsonb_path_query_array(content, '$.chapters[*].lessons[*].title')), 'C')
$$
"""


def upgrade() -> None:
    op.execute(CONFIG)
    op.execute(VECTOR)
    op.execute(
        "ALTER TABLE course.course_version ADD COLUMN search tsvector"
        " GENERATED ALWAYS AS (course.search_vector(content)) STORED"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE course.course_version DROP COLUMN search")
    op.execute("DROP FUNCTION course.search_vector(jsonb)")
    op.execute("DROP FUNCTION course.search_config(text)")
