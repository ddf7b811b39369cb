from kourse.course.tables import metadata
from kourse.kit.migrations import run

run("course", metadata)
