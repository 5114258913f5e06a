"""The stubs are what the contract makes, and the tool notices when they are not."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def stubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, working on a copy of the catalogue and the forms."""
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "tools/stubs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("buf", "counterfoil/catalogue", "counterfoil/form"):
        shutil.copytree(ROOT / "proto" / name, tmp_path / "proto" / name)
    monkeypatch.setattr(module, "PROTO_ROOT", tmp_path / "proto")
    return module


def folder(stubs: ModuleType) -> Path:
    root: Path = stubs.PROTO_ROOT
    return root / "counterfoil"


def run(stubs: ModuleType, *options: str) -> int:
    status: int = stubs.main([str(folder(stubs)), *options])
    return status


def test_the_committed_stubs_are_fresh(
    stubs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stubs, "--check") == 0, capsys.readouterr().out


def test_a_changed_contract_is_noticed_and_repaired(
    stubs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    proto = folder(stubs) / "form/v1/extra.proto"
    text = proto.read_text(encoding="utf-8")
    proto.write_text(text.replace("string after = 2", "string behind = 2"))

    assert run(stubs, "--check") == 1
    assert "extra_pb2.py:" in capsys.readouterr().out
    assert run(stubs) == 0
    assert run(stubs, "--check") == 0


def test_a_stub_without_its_contract_is_noticed_and_removed(
    stubs: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    left = folder(stubs) / "form/v1/gone_pb2.py"
    left.touch()

    assert run(stubs, "--check") == 1
    assert "gone_pb2.py: no .proto file" in capsys.readouterr().out
    assert run(stubs) == 0
    assert not left.exists()


def test_only_services_get_service_stubs(stubs: ModuleType) -> None:
    (folder(stubs) / "ping/v1").mkdir(parents=True)
    (folder(stubs) / "ping/v1/ping.proto").write_text(
        'syntax = "proto3"; package counterfoil.ping.v1; message M {}'
        "service S { rpc P(M) returns (M); }"
    )

    assert run(stubs) == 0

    names = {file.name for file in folder(stubs).rglob("*_pb2_grpc.py*")}
    assert names == {"ping_pb2_grpc.py", "ping_pb2_grpc.pyi"}
    assert (folder(stubs) / "ping/py.typed").is_file()


def test_a_broken_contract_is_refused_and_changes_nothing(
    stubs: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder(stubs) / "form/v1/bad.proto").write_text("nonsense")

    assert run(stubs) == 1
    assert "bad.proto" in capfd.readouterr().err
    assert not (folder(stubs) / "form/v1/bad_pb2.py").exists()


def test_the_image_marks_what_is_not_ours(stubs: ModuleType, tmp_path: Path) -> None:
    target = tmp_path / "image.binpb"

    assert run(stubs, "--image", str(target)) == 0

    files = FileDescriptorSet.FromString(target.read_bytes()).file
    mark: bytes = stubs._IS_IMPORT
    imports = {f.name for f in files if f.SerializeToString().endswith(mark)}
    ours = {f.name for f in files} - imports
    assert "buf/validate/validate.proto" in imports
    assert all(name.startswith("counterfoil/") for name in ours)
    assert all(not name.startswith("counterfoil/") for name in imports)
    assert any(file.source_code_info.location for file in files)
