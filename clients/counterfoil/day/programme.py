"""What happens in the day, in order."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.day import faults, figures, material
from counterfoil.day.material import Material
from counterfoil.day.programs import DayFailed, Programs, run
from counterfoil.day.screen import Screen
from counterfoil.day.stage import (
    ABC,
    BANKS,
    FINANCE,
    GATEWAYS,
    ICBC,
    ISSUERS,
    UNIT,
    Institution,
    Stage,
    build,
    write_bank,
)
from counterfoil.finance.books import Books
from counterfoil.finance.books import State as OrderState

_START_S: Final = 60.0
_STEP_S: Final = 120.0
_DAY_S: Final = 1_200.0
_INQUIRE_S: Final = 60.0


@dataclass(slots=True)
class Day:
    """One day, from an empty directory to gateways that stand still.

    Attributes:
        directory: Where everything stands; must be empty or absent.
        files: Sound files of finance.
        broken: Broken ones.
        seed: Fixes every byte of the files and what goes wrong at the cores.
        screen: Where progress is told.
    """

    directory: Path
    files: int
    broken: int
    seed: int
    screen: Screen
    stage: Stage = field(init=False)
    _material: Material = field(init=False)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _ready: Counter[str] = field(default_factory=Counter)

    def run(self) -> Stage:
        """Live the day; the gateways are stopped when this returns.

        Raises:
            DayFailed: A program failed, or what was waited for did not come.
        """
        self._prepare()
        with Programs(self.directory / "logs", self._listen) as programs:
            for institution in GATEWAYS:
                self._start_gateway(programs, institution)
            self._wait_for_gateways(programs, GATEWAYS)
            self._start_systems(programs)
            self._kill_in_the_middle(programs)
            programs.wait_for_end([_system(one) for one in ISSUERS], _DAY_S)
            self.screen.say("every voucher has come to an end")
            programs.end([_system(one) for one in BANKS], _STEP_S)
            self._show_figures()
            self._show_one_way()
            programs.end([_gateway(one) for one in GATEWAYS], _STEP_S)
        self._check_refused()
        return self.stage

    def _prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.stage = build(self.directory, datetime.now(UTC))
        self._material = material.write(
            self.stage, files=self.files, broken=self.broken, seed=self.seed
        )
        for bank in BANKS:
            write_bank(self.stage, bank, self.seed, self._material.fates[bank.code])
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._initialise, GATEWAYS))
        self.screen.say(
            f"{len(GATEWAYS)} institutions and one hosted unit in {self.directory}; "
            f"{self.files} files, {self.broken} of them broken on top"
        )

    def _initialise(self, institution: Institution) -> None:
        status, _, errors = run(
            [*_DAEMON, "init", "--config", str(self.stage.gateway(institution.code))],
            self.directory,
            _START_S,
        )
        if status != 0:
            msg = f"init of {institution.code} ended with {status}:\n{errors}"
            raise DayFailed(msg)

    def _start_gateway(self, programs: Programs, institution: Institution) -> None:
        programs.start(
            _gateway(institution),
            [*_DAEMON, "serve", "--config", str(self.stage.gateway(institution.code))],
            self.directory,
        )

    def _wait_for_gateways(
        self, programs: Programs, institutions: tuple[Institution, ...]
    ) -> None:
        names = [_gateway(one) for one in institutions]
        programs.wait(
            lambda: all(self._ready[name] for name in names),
            _START_S,
            f"{', '.join(names)} to be ready",
        )
        self.screen.say(f"serving: {', '.join(one.code for one in institutions)}")

    def _start_systems(self, programs: Programs) -> None:
        for bank in BANKS:
            config = self.stage.system(bank.code)
            programs.start(
                _system(bank),
                ["-m", "counterfoil.bank", "run", "--config", str(config)],
                config.parent,
            )
        special = self._material.numbers
        wishes = [f"--{what}={special[what]}" for what in ("discard", "correct")]
        notices = [f"--notices={material.AUTHORISED}"]
        for issuer, more in ((FINANCE, wishes), (UNIT, notices)):
            config = self.stage.system(issuer.code)
            programs.start(
                _system(issuer),
                [
                    *("-m", "counterfoil.finance", "run"),
                    *("--config", str(config)),
                    *("--folder", str(self.stage.files(issuer.code))),
                    *("--corrections", str(self.stage.corrections(issuer.code))),
                    *more,
                ],
                config.parent,
            )

    def _kill_in_the_middle(self, programs: Programs) -> None:
        """Kill one bank's gateway when half is sent, and start it again."""
        half = self.files // 2
        issuers = {_system(one) for one in ISSUERS}
        programs.wait(
            lambda: self._counts[_system(FINANCE), "sent"] >= half,
            _DAY_S,
            f"{half} vouchers to be sent",
            may_end=issuers - {_system(FINANCE)},
        )
        programs.kill(_gateway(ABC))
        self.screen.say(f"killed the gateway of {ABC.code} {ABC.name} (SIGKILL)")
        self._ready[_gateway(ABC)] = 0
        faults.keep_old_copy(self.stage)
        self._start_gateway(programs, ABC)
        programs.wait(
            lambda: self._ready[_gateway(ABC)] > 0,
            _START_S,
            f"{_gateway(ABC)} to be ready again",
            may_end=issuers,
        )
        self.screen.say(f"it serves again: {ABC.code}")

    def _listen(self, name: str, text: str) -> None:
        """Take in a line: `ready` of a gateway, or what a system did how often."""
        if text == "ready":
            self._ready[name] += 1
            return
        what, _, count = text.partition(" ")
        if count.isdigit():
            self._counts[name, what] += int(count)
            self.screen.progress(
                {
                    "sent": self._total("sent"),
                    "accepted": self._total("accepted", BANKS),
                    "paid": self._total("paid", BANKS),
                    "receipts back": self._total("paid", ISSUERS),
                }
            )

    def _total(self, what: str, whose: tuple[Institution, ...] = ISSUERS) -> int:
        return sum(self._counts[_system(one), what] for one in whose)

    def _show_figures(self) -> None:
        for pair in figures.PAIRS:
            self.screen.table(
                f"{pair[0].code} {pair[0].name} → {pair[1].code} {pair[1].name}",
                {
                    **figures.from_gateways(self.stage, pair),
                    **figures.from_books(self.stage, pair),
                },
            )

    def _show_one_way(self) -> None:
        """Show one voucher's whole way with the evidence of both sides."""
        books = Books(self.stage.books(FINANCE.code))
        voucher = next(
            one for one in books.in_state(OrderState.PAID) if one.recipient == ICBC.code
        )
        books.close()
        for side in (FINANCE, ICBC):
            stem = self.stage.pki / side.code / "system-1"
            status, output, errors = run(
                [
                    *(*_DAEMON, "inquire", voucher.digest.hex()),
                    *("--address", self.stage.addresses[side.code]),
                    *("--certificate", f"{stem}.pem"),
                    *("--key", f"file:{stem}.key"),
                    *("--passphrase", f"file:{stem}.pass"),
                    *("--authorities", str(self.stage.pki / "authorities.pem")),
                ],
                self.directory,
                _INQUIRE_S,
            )
            if status != 0:
                msg = f"inquire at {side.code} ended with {status}:\n{errors}"
                raise DayFailed(msg)
            self.screen.say(f"the way of {voucher.number} as {side.code} proves it:")
            self.screen.say(output.rstrip())

    def _check_refused(self) -> None:
        """Check that exactly the broken files were refused, and show why."""
        books = Books(self.stage.books(FINANCE.code))
        refused = books.refused()
        books.close()
        for one in refused:
            self.screen.say(f"refused {one.file}: {one.explanation}")
        if {one.file for one in refused} != set(self._material.broken):
            msg = (
                f"{len(self._material.broken)} files are broken, "
                f"{len(refused)} were refused"
            )
            raise DayFailed(msg)


_DAEMON: Final = ("-m", "counterfoil.daemon")


def _gateway(institution: Institution) -> str:
    return f"gateway {institution.code}"


def _system(institution: Institution) -> str:
    return f"system {institution.code}"
