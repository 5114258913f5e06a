"""Generates the Python stubs of everything in `proto/`.

    python tools/stubs.py                 write the stubs beside their .proto files
    python tools/stubs.py --check         exit 1 if what lies there is not fresh
    python tools/stubs.py --image FILE    write one image of all protos, for buf
    python tools/stubs.py PATH ...        only the .proto files below these folders

It needs the project's virtual environment and nothing else. The rules of fields
come from `buf/validate/validate.proto`, which no package ships as a file: its
descriptor is taken out of protovalidate's wheel, so there is neither a vendored
copy nor a download.

buf reads the image, since it could not resolve that import either:

    buf lint IMAGE.binpb --config proto/buf.yaml
    buf breaking IMAGE.binpb --against BASE.binpb --config proto/buf.yaml
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from google.protobuf import (
    descriptor_pb2,
    duration_pb2,
    field_mask_pb2,
    timestamp_pb2,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb

PROTO_ROOT: Final = Path(__file__).resolve().parent.parent / "proto"
VALIDATE: Final = "buf/validate/validate.proto"
SUFFIXES: Final = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")

# What buf calls `ImageFileExtension{is_import: true}`, field 8042 of a file in an
# image. It marks files that are needed but neither linted nor compared.
_IS_IMPORT: Final = b"\xd2\xf6\x03\x02\x08\x01"


class ProtocError(Exception):
    """The compiler refused the protos; it has said why on stderr."""


def validate_set() -> FileDescriptorSet:
    """Return `validate.proto` and all that it imports, in order of dependence."""
    files = []
    for module in (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files.append(file)
    # The one place where the file exists: private, so a new release of
    # protovalidate that moves it breaks this line and nothing at run time.
    described = validate_pb.Rule.desc().file.proto
    files.append(FileDescriptorProto.FromString(described.to_binary()))
    return FileDescriptorSet(file=files)


def find_protos(folders: Iterable[Path]) -> list[str]:
    """List the .proto files below `folders`, relative to the root, sorted."""
    found = {file for folder in folders for file in folder.resolve().rglob("*.proto")}
    return sorted(file.relative_to(PROTO_ROOT).as_posix() for file in found)


def run_protoc(arguments: Sequence[str], work: Path) -> None:
    """Run the compiler with all import paths in place.

    Raises:
        ProtocError: The compiler refused.
    """
    known = work / "validate.binpb"
    known.write_bytes(validate_set().SerializeToString())
    roots = [PROTO_ROOT, *_package_roots()]
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        f"--descriptor_set_in={known}",
        *(f"--proto_path={root}" for root in roots),
        *arguments,
    ]
    # The plug-ins for type stubs lie beside the interpreter.
    path = str(Path(sys.executable).parent)
    if subprocess.run(command, check=False, env={"PATH": path}).returncode:
        msg = "protoc refused"
        raise ProtocError(msg)


def _package_roots() -> list[Path]:
    """Where the installed packages keep `google/protobuf` and `google/rpc`."""
    roots = []
    for name, below in (("grpc_tools", "_proto"), ("google.rpc", "../..")):
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            roots.append((Path(spec.submodule_search_locations[0]) / below).resolve())
    return roots


def describe(protos: Sequence[str], work: Path) -> FileDescriptorSet:
    """Compile `protos` with comments, and everything they import."""
    target = work / "all.binpb"
    run_protoc(
        [
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={target}",
            *protos,
        ],
        work,
    )
    return FileDescriptorSet.FromString(target.read_bytes())


def image(protos: Sequence[str], work: Path) -> bytes:
    """Return the image that buf reads: ours as sources, the rest as imports."""
    ours = frozenset(protos)
    parts = []
    for file in describe(protos, work).file:
        mark = b"" if file.name in ours else _IS_IMPORT
        body = file.SerializeToString() + mark
        # Files of a set are its field 1. Written by hand, since the runtime would
        # have to know buf's field to write it.
        parts.append(b"\x0a" + _varint(len(body)) + body)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits a byte, as protobuf has it
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def generate(protos: Sequence[str], work: Path) -> dict[str, bytes]:
    """Compile `protos` and return every stub by its path below `proto/`."""
    out = work / "out"
    out.mkdir()
    outputs = [
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
    ]
    run_protoc([*outputs, *protos], work)
    with_service = {f.name for f in describe(protos, work).file if f.service}
    # Two outputs are all that `validate.proto` needs: it has no service.
    run_protoc([f"--python_out={out}", f"--mypy_out=quiet:{out}", VALIDATE], work)
    stubs = {}
    for file in out.rglob("*_pb2*.py*"):
        name = file.relative_to(out).as_posix()
        stem, _, rest = name.rpartition("_pb2")
        if "_grpc" not in rest or f"{stem}.proto" in with_service:
            stubs[name] = file.read_bytes()
    for name in list(stubs):
        stubs[_typed_marker(name)] = b""
    return stubs


def _typed_marker(stub: str) -> str:
    """Name the marker that says the top package of `stub` is typed (PEP 561)."""
    parts = stub.split("/")
    depth = 2 if parts[0] == "counterfoil" else 1
    return "/".join([*parts[:depth], "py.typed"])


def stale_stubs(folders: Iterable[Path], fresh: Iterable[str]) -> list[Path]:
    """Find stubs below `folders` that no .proto file makes any more."""
    known = frozenset(fresh)
    return sorted(
        file
        for folder in folders
        for suffix in SUFFIXES
        for file in folder.resolve().rglob(f"*{suffix}")
        if file.relative_to(PROTO_ROOT).as_posix() not in known
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(description="Generate the stubs of proto/.")
    parser.add_argument("folders", nargs="*", type=Path, default=[PROTO_ROOT])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--image", type=Path, metavar="FILE", help="write for buf")
    options = parser.parse_args(arguments)

    protos = find_protos(options.folders)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        try:
            if options.image:
                options.image.write_bytes(image(protos, work))
                return 0
            stubs = generate(protos, work)
        except ProtocError:
            return 1
    return (_check if options.check else _write)(options.folders, stubs)


def _write(folders: Sequence[Path], stubs: dict[str, bytes]) -> int:
    for name, body in stubs.items():
        target = PROTO_ROOT / name
        if not target.is_file() or target.read_bytes() != body:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
    for file in stale_stubs(folders, stubs):
        file.unlink()
    return 0


def _check(folders: Sequence[Path], stubs: dict[str, bytes]) -> int:
    wrong = [
        f"proto/{name}: not what its .proto file makes"
        for name, body in sorted(stubs.items())
        if not (target := PROTO_ROOT / name).is_file() or target.read_bytes() != body
    ]
    wrong += [
        f"proto/{file.relative_to(PROTO_ROOT)}: no .proto file makes it"
        for file in stale_stubs(folders, stubs)
    ]
    for line in wrong:
        sys.stdout.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
