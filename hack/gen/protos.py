"""Stubs of the gRPC contracts, with types, in ``services/kourse_rpc``.

They are committed because the generated code must never be newer than the locked protobuf runtime.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hack.gen.outputs import ROOT

PROTOS = ROOT / "protos"
STUBS = ROOT / "services" / "kourse_rpc"
PACKAGE_DOC = b'"""Generated from protos/; see hack/gen/protos.py."""\n'


def files() -> dict[Path, bytes]:
    """Every stub, type stub and package file.

    Raises:
        subprocess.CalledProcessError: A contract does not compile; protoc has said why.
    """
    sources = sorted(path.relative_to(PROTOS) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        _compile([str(source) for source in sources], out)
        made = {
            STUBS.parent / path.relative_to(out): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file()
        }
    packages = {STUBS} | {
        parent for path in made for parent in path.parents if STUBS in parent.parents
    }
    return made | {package / "__init__.py": PACKAGE_DOC for package in packages}


def stale() -> list[Path]:
    """Stubs whose contract is gone."""
    wanted = {f"{path.relative_to(PROTOS).with_suffix('')}" for path in PROTOS.rglob("*.proto")}
    stubs = [path for path in STUBS.rglob("*_pb2*.py*") if path.suffix in {".py", ".pyi"}]
    return [path for path in stubs if _contract_of(path) not in wanted]


def _contract_of(stub: Path) -> str:
    relative = stub.relative_to(STUBS.parent)
    return str(relative.parent / relative.name.split("_pb2", 1)[0])


def _compile(sources: list[str], out: Path) -> None:
    scripts = Path(sys.executable).parent
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={PROTOS}",
            f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_out=quiet:{out}",
            f"--mypy_grpc_out=quiet:{out}",
            *sources,
        ],
        check=True,
    )
