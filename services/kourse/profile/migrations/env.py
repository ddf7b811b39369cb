from kourse.kit.migrations import run
from kourse.profile.tables import metadata

run("profile", metadata)
