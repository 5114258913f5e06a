"""Program files against a signed list: at the start, on schedule, and by command."""

from __future__ import annotations

import argparse
import asyncio
import logging
import py_compile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.daemon import cli, program_command, program_watch, serving
from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.program_list import (
    Differences,
    ProgramListRefused,
    compare,
    installed_roots,
    make_list,
    program_files,
    read_list,
)
from counterfoil.daemon.program_watch import ProgramWatch, require_program
from counterfoil.daemon.watch_sections import ProgramSection
from tests.houses import FINANCE, Town
from tests.integration.desks import until

pytestmark = pytest.mark.clause("hubei-37b")


@dataclass(frozen=True)
class Program:
    """An installed program, small, and the list that was signed of it."""

    root: Path
    list: Path
    vkey: str
    configuration: Configuration

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text)

    def differences(self) -> Differences:
        return compare(read_list(self.list.read_bytes(), [self.vkey]), [self.root])


def key_file(directory: Path) -> Path:
    file = directory / "program.key"
    key = Ed25519PrivateKey.generate()
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    file.chmod(0o600)
    return file


def sign(directory: Path, name: str = "420000-011/program") -> list[str]:
    key = key_file(directory)
    return [
        *("program", "sign", "--key", f"file:{key}", "--name", name),
        *("--list", str(directory / "program.list")),
    ]


@pytest.fixture
def program(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Program:
    root = tmp_path / "installed"
    (root / "daemon").mkdir(parents=True)
    (root / "seal").mkdir()
    (root / "daemon/cli.py").write_text("print('served')\n")
    (root / "seal/verify.py").write_text("def verify():\n    return False\n")
    (root / "seal/py.typed").write_text("")
    for module in (program_command, program_watch):
        monkeypatch.setattr(module, "installed_roots", lambda: [root])
    assert cli.main(sign(tmp_path)) == cli.DONE
    vkey = capsys.readouterr().out.strip()
    town = Town(directory=tmp_path / "town", carriers=(FINANCE,))
    configuration = replace(
        town.configuration(FINANCE),
        program=ProgramSection(
            list=str(tmp_path / "program.list"), keys=(vkey,), check_s=0.05
        ),
    )
    return Program(root, tmp_path / "program.list", vkey, configuration)


def test_what_is_installed_as_it_was_signed_serves(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    assert not program.differences()
    require_program(program.configuration)
    assert caplog.records == []


def change(program: Program) -> None:
    program.write("seal/verify.py", "def verify():\n    return True\n")


def lose(program: Program) -> None:
    (program.root / "seal/verify.py").unlink()


def add(program: Program) -> None:
    program.write("seal/other.py", "")


def add_compiled(program: Program) -> None:
    program.write("seal/other.pyc", "")


def replace_by_link(program: Program) -> None:
    (program.root / "seal/verify.py").unlink()
    program.write("elsewhere.py", "")
    (program.root / "seal/verify.py").symlink_to(program.root / "elsewhere.py")


def cache_of(program: Program) -> Path:
    """Let Python compile a module, and return its cache."""
    source = program.root / "seal/verify.py"
    py_compile.compile(str(source), doraise=True)
    return Path(cache_from_source(str(source)))


def change_cache(program: Program) -> None:
    """Put another program into the cache that Python takes for the source."""
    cache = cache_of(program)
    head = cache.read_bytes()[:16]
    source = program.root / "other.py"
    source.write_text("def verify():\n    return True\n")
    other = Path(py_compile.compile(str(source), doraise=True) or "")
    cache.write_bytes(head + other.read_bytes()[16:])
    source.unlink()
    other.unlink()


CHANGES: dict[str, tuple[Callable[[Program], None], str]] = {
    "changed": (change, "changed (被改动): seal/verify.py"),
    "missing": (lose, "missing (缺失): seal/verify.py"),
    "added": (add, "added (多出): seal/other.py"),
    "compiled": (add_compiled, "added (多出): seal/other.pyc"),
    "link": (replace_by_link, "changed (被改动): seal/verify.py"),
    "cache": (change_cache, "changed (被改动): seal/verify.py (its cache)"),
}


@pytest.mark.parametrize(("changed", "told"), CHANGES.values(), ids=CHANGES)
def test_a_difference_refuses_to_start_and_names_the_file(
    program: Program, changed: Callable[[Program], None], told: str
) -> None:
    changed(program)

    with pytest.raises(ConfigurationRefused) as refused:
        require_program(program.configuration)

    assert told in str(refused.value)
    assert "签名清单" in str(refused.value)


def test_serve_itself_refuses(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(program)
    monkeypatch.setattr(serving, "load_configuration", lambda _: program.configuration)
    monkeypatch.setattr(serving, "set_up_logs", lambda _: None)
    serving.initialise_stores(program.configuration)

    with pytest.raises(ConfigurationRefused, match=r"seal/other\.py"):
        serving.serve(argparse.Namespace(config=str(tmp_path / "x")))


def test_a_cache_of_its_source_is_no_difference(program: Program) -> None:
    cache_of(program)

    assert not program.differences()


def test_a_stale_cache_that_python_would_not_take_is_no_difference(
    program: Program,
) -> None:
    change_cache(program)
    cache = Path(cache_from_source(str(program.root / "seal/verify.py")))
    content = bytearray(cache.read_bytes())
    content[8] ^= 1  # another time of the source
    cache.write_bytes(bytes(content))

    assert not program.differences()


def flipped(content: bytes) -> bytes:
    return content[:-20] + b"AAAA" + content[-16:]


def other_digest(content: bytes) -> bytes:
    lines = content.split(b"\n")
    lines[1] = b"0" * 64 + lines[1][64:]
    return b"\n".join(lines)


def no_signature(content: bytes) -> bytes:
    return content[: content.rindex(b"\n\n")] + b"\n"


@pytest.mark.parametrize("spoil", [flipped, other_digest, no_signature, lambda _: b""])
def test_a_list_that_was_changed_refuses(
    program: Program, spoil: Callable[[bytes], bytes]
) -> None:
    program.list.write_bytes(spoil(program.list.read_bytes()))

    with pytest.raises(ConfigurationRefused, match="cannot be relied on"):
        require_program(program.configuration)


def test_a_list_that_a_stranger_signed_refuses(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(sign(program.list.parent)) == cli.DONE  # with another key
    capsys.readouterr()

    with pytest.raises(ConfigurationRefused, match="no known key"):
        require_program(program.configuration)


def test_a_list_that_is_gone_refuses(program: Program) -> None:
    program.list.unlink()

    with pytest.raises(ConfigurationRefused, match="cannot be read"):
        require_program(program.configuration)


def test_something_else_that_the_key_signed_is_no_list() -> None:
    from counterfoil.tlog.ed25519 import Ed25519Signer  # noqa: PLC0415
    from counterfoil.tlog.keys import SignatureType, VerifierKey  # noqa: PLC0415
    from counterfoil.tlog.note import sign_note  # noqa: PLC0415

    private = Ed25519PrivateKey.generate()
    key = VerifierKey(
        name="x",
        signature_type=SignatureType.ED25519,
        public_key=private.public_key().public_bytes_raw(),
    )
    signer = Ed25519Signer(key, private.sign)
    for text in (b"x/log\n1\n", b"counterfoil program files 1\nno line\n"):
        with pytest.raises(ProgramListRefused, match="no list"):
            read_list(sign_note(text, [signer], 0), [key.to_text()])


def test_without_a_list_the_start_warns(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    require_program(replace(program.configuration, program=ProgramSection()))

    (told,) = caplog.records
    assert (told.levelno, told.message) == (logging.WARNING, "program files unchecked")


@pytest.mark.parametrize(
    "lines", ['list = "program.list"', 'keys = ["x+00000000+AAAA"]']
)
def test_a_list_without_keys_is_refused(tmp_path: Path, lines: str) -> None:
    town = Town(directory=tmp_path / "half", carriers=(FINANCE,))
    with town.file(FINANCE).open("a") as file:
        file.write(f"[program]\n{lines}\n")

    with pytest.raises(ConfigurationRefused, match="without the other"):
        town.configuration(FINANCE)


async def test_on_schedule_a_difference_is_an_alert_until_it_is_over(
    program: Program, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts = Alerts.load(tmp_path)
    watch = ProgramWatch(configuration=program.configuration, alerts=alerts)
    running = asyncio.create_task(watch.run())

    async def shows(code: AlertCode, about: list[str]) -> None:
        async def tell() -> list[str]:
            return alerts.about(code)

        await until(tell, lambda told: told == about)

    add(program)
    await shows(AlertCode.PROGRAM_CHANGED, ["program"])
    (program.root / "seal/other.py").unlink()
    await shows(AlertCode.PROGRAM_CHANGED, [])
    whole = program.list.read_bytes()
    program.list.write_bytes(flipped(whole))
    await shows(AlertCode.PROGRAM_UNCHECKED, ["program"])
    program.list.write_bytes(whole)
    await shows(AlertCode.PROGRAM_UNCHECKED, [])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    told = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert [one.alert for one in told] == ["PROGRAM_CHANGED", "PROGRAM_UNCHECKED"]  # type: ignore[attr-defined]
    assert "seal/other.py" in told[0].detail  # type: ignore[attr-defined]
    assert "last_check" in alerts.watch("program")


async def test_without_a_list_nothing_is_watched(
    program: Program, tmp_path: Path
) -> None:
    bare = replace(program.configuration, program=ProgramSection())

    await asyncio.wait_for(
        ProgramWatch(configuration=bare, alerts=Alerts.load(tmp_path)).run(), 5
    )


def test_the_real_program_is_listed_whole_and_agrees_with_itself() -> None:
    private = Ed25519PrivateKey.generate()
    from counterfoil.tlog.ed25519 import Ed25519Signer  # noqa: PLC0415
    from counterfoil.tlog.keys import SignatureType, VerifierKey  # noqa: PLC0415

    key = VerifierKey(
        name="x",
        signature_type=SignatureType.ED25519,
        public_key=private.public_key().public_bytes_raw(),
    )
    roots = installed_roots()

    content = make_list(roots, Ed25519Signer(key, private.sign))

    listed = read_list(content, [key.to_text()])
    assert {"daemon/cli.py", "vault/scrub.py", "seal/verify.py"} <= listed.keys()
    assert not compare(listed, roots)


def test_a_name_that_is_installed_twice_is_refused(tmp_path: Path) -> None:
    for root in ("one", "two"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "same.py").write_text("")

    with pytest.raises(ProgramListRefused, match="twice"):
        program_files([tmp_path / "one", tmp_path / "two"])


@pytest.mark.parametrize("name", ["", "two words", "plus+"])
def test_a_key_without_a_proper_name_is_refused(tmp_path: Path, name: str) -> None:
    status = cli.main([*sign(tmp_path)[:4], "--name", name or " ", "--list", "x"])

    assert status == cli.USAGE


def test_a_key_of_another_kind_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(directory=tmp_path / "town", carriers=(FINANCE,))
    folder = town.pki / FINANCE
    status = cli.main(
        [
            *("program", "sign", "--name", "x"),
            *("--key", f"file:{folder}/gateway-1.key"),
            *("--passphrase", f"file:{folder}/gateway-1.pass"),
            *("--list", str(tmp_path / "l")),
        ]
    )

    assert status == cli.USAGE
    assert "not an Ed25519 key" in capsys.readouterr().err
