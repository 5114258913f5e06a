"""However a command ends, it says why in one line and with a status of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfoil.daemon import cli, vault_commands
from counterfoil.daemon.config import ConfigurationRefused, OptionRefused
from counterfoil.domain.refusals import FormRefused, VaultCorrupt, VaultFull
from counterfoil.domain.violation import Violation
from counterfoil.office import KeyAway
from counterfoil.tlog.sm3 import Sm3Unavailable
from counterfoil.vault.locking import VaultLocked
from tests.houses import FINANCE, Town, environment


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(directory=tmp_path_factory.mktemp("town"), carriers=(FINANCE,))


def shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `$counterfoil` is the command."""
    command = f"{sys.executable} -m counterfoil.daemon"
    return subprocess.run(
        ["bash", "-c", line],
        env={**environment(), "counterfoil": command, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ConfigurationRefused("why"), 2, "configuration: why (配置不可用)"),
        (OptionRefused("--of: why"), 2, "--of: why (命令参数不可用)"),
        (
            FormRefused("why", [Violation(path="a", rule="b", text="c", text_zh="丙")]),
            *(1, "FORM_REFUSED: why (凭证要素不合规)\n  a: c (丙)"),
        ),
        (VaultLocked("why"), 1, "why. Is a gateway running on it? (目录正被使用)"),
        (VaultFull("why"), 3, "VAULT_FULL: why (凭证库空间不足)"),
        (VaultCorrupt("why"), 1, "VAULT_CORRUPT: why (凭证库内容与摘要不符)"),
        (KeyAway("why"), 3, "why (签名密钥介质暂时无法使用)"),
        (Sm3Unavailable("why"), 2, "why (本机无法计算 SM3)"),
        (KeyboardInterrupt(), 130, "interrupted (已中断)"),
        (PermissionError(13, "why", "/there"), 1, "/there: why (文件无法读写)"),
        (OSError(28, "No space left"), 1, "output: No space left (文件无法读写)"),
    ],
)
@pytest.mark.refusal("VAULT_FULL", "VAULT_CORRUPT")
def test_an_end_has_its_status_and_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    says: str,
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(vault_commands, "show_keys", fail)

    assert cli.main(["keys"]) == status

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"counterfoil: {says}\n")


def test_a_defect_of_ours_is_not_disguised_as_a_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> int:
        raise AssertionError("broken")

    monkeypatch.setattr(vault_commands, "show_keys", fail)

    with pytest.raises(AssertionError):
        cli.main(["keys"])


def test_output_that_nobody_reads_ends_quietly(town: Town) -> None:
    ended = shell(
        f"$counterfoil keys --config {town.file(FINANCE)} | head -0; "
        "exit ${PIPESTATUS[0]}"
    )

    assert ended.returncode == cli.UNREAD
    assert ended.stderr == ""


def test_output_that_has_no_room_is_told(town: Town) -> None:
    ended = shell(f"$counterfoil keys --config {town.file(FINANCE)} > /dev/full")

    assert ended.returncode == cli.REFUSED
    assert ended.stderr == (
        "counterfoil: output: No space left on device (文件无法读写)\n"
    )


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-", "2>/dev/full"])
def test_a_status_is_told_where_no_words_can_be(town: Town, closed: str) -> None:
    good, bad = town.file(FINANCE), town.directory / "none.toml"

    assert shell(f"$counterfoil keys --config {good} {closed}").returncode == cli.DONE
    assert shell(f"$counterfoil keys --config {bad} {closed}").returncode == cli.USAGE


def test_what_a_library_prints_goes_into_no_file_that_was_opened_meanwhile() -> None:
    program = (
        "import os, sys; from counterfoil.daemon.cli import _prepare_output; "
        "_prepare_output(); opened = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY); "
        "sys.exit(opened)"
    )
    ended = shell(f"{sys.executable} -c '{program}' /dev/null <&- >&- 2>&-")

    assert ended.returncode > 2


def test_words_that_a_terminal_cannot_show_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "凭证.toml").write_text("", "utf-8")

    ended = shell(
        f"$counterfoil keys --config {tmp_path}/凭证.toml", PYTHONIOENCODING="ascii"
    )

    assert ended.returncode == cli.USAGE
    assert "(\\u914d\\u7f6e\\u4e0d\\u53ef\\u7528)" in ended.stderr


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children hear SIGINT: what a shell runs in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_a_command_at_once(town: Town, tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "slow.toml")
    command = [sys.executable, "-m", "counterfoil.daemon", "keys", "--config"]
    running = subprocess.Popen(
        [*command, str(fifo)], env=environment(), stderr=subprocess.PIPE
    )
    # It waits for the rest of its configuration once somebody writes to it.
    with running, fifo.open("wb") as writing:
        writing.write(town.file(FINANCE).read_bytes())
        writing.flush()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)

    assert told.decode() == "counterfoil: interrupted (已中断)\n"
    assert running.returncode == cli.INTERRUPTED


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (Path.unlink, "cannot be read: No such file or directory"),
        (directory, "cannot be read: Is a directory"),
        (lambda file: file.write_bytes(b""), "[gateway]: this section is required"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "not TOML: 'utf-8' codec"),
        (lambda file: file.write_text("x = " + "[" * 100_000), "nested too deeply"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [["keys"], ["init"], ["serve"], ["vault", "verify"], ["ledger", "rebuild"]],
)
def test_a_configuration_that_cannot_be_read_is_refused_by_every_command(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], object],
    says: str,
    command: list[str],
) -> None:
    file = tmp_path / "gateway.toml"
    file.touch()
    spoil(file)

    assert cli.main([*command, "--config", str(file)]) == cli.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("spoiled", ["ledger", "workbench", "vault"])
def test_init_that_fails_can_be_run_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoiled: str
) -> None:
    town = Town(directory=tmp_path / "town", carriers=(FINANCE,))
    state = town.state(FINANCE)
    state.mkdir(mode=0o700)
    # A directory where a file is to be made; below `state` for the vault's own.
    in_the_way = state / f"{spoiled}.sqlite"
    if spoiled == "vault":
        town.rewrite(FINANCE, "[limits]", "[limits]\nvault_bytes_max = 1")
    else:
        in_the_way.mkdir()

    status = cli.main(["init", "--config", str(town.file(FINANCE))])

    assert status in {cli.UNREACHABLE, cli.REFUSED}
    assert capsys.readouterr().err.count("\n") == 1
    assert not (state / "vault").exists()
    assert not (state / "heads").exists()
    if spoiled == "vault":
        town.rewrite(FINANCE, "[limits]\nvault_bytes_max = 1", "[limits]")
    else:
        in_the_way.rmdir()
    assert cli.main(["init", "--config", str(town.file(FINANCE))]) == cli.DONE
