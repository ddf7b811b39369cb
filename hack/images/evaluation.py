"""One image with the data stores of the chart's evaluation bundle: Debian's, and the S3 server.

For trying kourse out in a cluster that can pull nothing; never for data that matter.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from hack.images.builder import Builder
from hack.install.tools import MINIO, build_tools
from hack.kind.debian import package_tree

PACKAGES = ("postgresql-15", "redis-server", "rabbitmq-server")
RECIPE = """\
FROM scratch
ADD base.tar /
COPY minio /usr/local/bin/minio
COPY passwd group /etc/
ENV PATH=/usr/lib/postgresql/15/bin:/usr/lib/rabbitmq/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    LANG=C.UTF-8 HOME=/data
WORKDIR /data
USER 65532:65532
"""
USERS = "root:x:0:0:root:/root:/bin/sh\nkourse:x:65532:65532:kourse:/data:/bin/sh\n"
GROUPS = "root:x:0:\nkourse:x:65532:\n"


def ensure_evaluation(builder: Builder) -> str:
    """Return the name of the image, built if it is not there.

    Raises:
        PrerequisiteMissing: A package cannot be fetched or the image not built.
    """
    build_tools((MINIO,))
    digest = hashlib.sha256(Path(__file__).read_bytes() + str(MINIO.path).encode())
    tag = f"localhost/kourse-evaluation:{digest.hexdigest()[:12]}"
    if not builder.has(tag):
        tree = package_tree("evaluation", PACKAGES, configured=True)
        with tempfile.TemporaryDirectory(prefix="kourse-evaluation-") as folder:
            context = Path(folder)
            shutil.copy(tree, context / "base.tar")
            shutil.copy(MINIO.path, context / "minio")
            (context / "passwd").write_text(USERS)
            (context / "group").write_text(GROUPS)
            (context / "Dockerfile").write_text(RECIPE)
            builder.build(context, tag, {})
    return tag
