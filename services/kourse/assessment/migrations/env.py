from kourse.assessment.tables import metadata
from kourse.kit.migrations import run

run("assessment", metadata)
