"""The day as it is lived: programs start, phase follows phase, programs end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from counterfoil.day import faults
from counterfoil.day.accounts import accounts_of
from counterfoil.day.alarms import alarms_of, unmeant
from counterfoil.day.balance import sheet
from counterfoil.day.cast import GATEWAYS, PARTIES, Institution
from counterfoil.day.commands import CommandRefused, call, living
from counterfoil.day.evidence import show_one_way
from counterfoil.day.pace import Pace
from counterfoil.day.phases import Command, Kill, Phase, Start
from counterfoil.day.programs import DAEMON, DayFailed, Programs
from counterfoil.day.rest import Rest
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage
from counterfoil.day.systems import run_line
from counterfoil.day.usage import Meter, Sampling, own_usage, usages

_START_S: Final = 300.0
_END_S: Final = 300.0
_SAMPLE_S: Final = 1.0
_OWN: Final = 0
"""No session has this number; it stands for the process that lives the day: commands
of people run in it, and it looks into everybody's books."""


@dataclass(slots=True)
class Day:
    """One day, from gateways that are to start to gateways that stand still.

    Attributes:
        stage: Where everything stands.
        phases: What happens, in order.
        screen: Where progress is told.
        patience_s: How long a phase may take.
        meter: What was used, by program and phase.
        seconds: How long each phase took.
    """

    stage: Stage
    phases: tuple[Phase, ...]
    screen: Screen
    patience_s: float
    meter: Meter = field(default_factory=Meter)
    seconds: dict[str, float] = field(default_factory=dict)
    _heard: Counter[tuple[str, str]] = field(default_factory=Counter)
    _measuring: threading.Lock = field(default_factory=threading.Lock)
    _doing: str = ""
    _programs: Programs = field(init=False)

    def live(self) -> None:
        """Live the day; everything has ended when this returns.

        Raises:
            DayFailed: A program failed, or what was waited for did not come.
        """
        self.meter.begin(_OWN, own_usage())
        with (
            Programs(self.stage.directory / "logs", self._listen) as self._programs,
            Sampling(self._measure, _SAMPLE_S),
        ):
            self._doing = "opening"
            self._open()
            for phase in self.phases:
                self._live_through(phase)
            self._doing = "closing"
            show_one_way(self.stage, self.screen)
            self._end([one.system for one in PARTIES])
            self._end([one.gateway for one in GATEWAYS])

    def _open(self) -> None:
        for one in GATEWAYS:
            self._start_gateway(one)
        self._wait_for_gateways(GATEWAYS)
        accounts_of(
            self.stage
        )  # asked for the first time, every system makes its books
        self._measure()

    def _start_system(self, start: Start) -> None:
        """Start a system; one that runs is asked to end first."""
        name = start.whose.system
        if name in self._programs.sessions().values():
            self._end([name])
        self._programs.start(
            name,
            run_line(start),
            self.stage.system(start.whose.code).parent,
        )

    def _start_gateway(self, one: Institution) -> None:
        self._heard[one.gateway, "ready"] = 0
        config = str(self.stage.gateway(one.code))
        self._programs.start(
            one.gateway,
            [*DAEMON, "serve", "--config", config],
            self.stage.directory,
        )

    def _wait_for_gateways(self, institutions: tuple[Institution, ...]) -> None:
        names = [one.gateway for one in institutions]
        self._programs.wait(
            lambda: all(self._heard[name, "ready"] for name in names),
            _START_S,
            f"{', '.join(names)} to be ready",
        )
        self.screen.say(f"serving: {', '.join(one.code for one in institutions)}")

    def _live_through(self, phase: Phase) -> None:
        """Do what a phase says and wait until it is over."""
        started_s = time.monotonic()
        self._doing = phase.name
        self.screen.say(f"{phase.name} ({phase.source})")
        with living(phase.day):
            for command in (*phase.commands, *phase.looked_up(self.stage)):
                self._order(command)
            for start in phase.starts:
                self._start_system(start)
        if phase.kill is not None:
            self._kill(phase.kill)
        with Rest.of(self.stage) as rest:
            missing: list[str] = []
            pace = Pace()

            def is_over() -> bool:
                if not pace.is_due():
                    return False
                with pace.looking():
                    missing[:] = self._missing(phase, rest)
                return not missing

            try:
                self._programs.wait(
                    is_over, self.patience_s, f"the end of {phase.name}"
                )
            except DayFailed as failure:
                each = "\n".join(missing)
                raise DayFailed(f"{failure}\n{each}") from failure
        self._measure()
        self.seconds[phase.name] = time.monotonic() - started_s
        if phase.late:
            self._show_late(phase)

    def _show_late(self, phase: Phase) -> None:
        """Show what is late as it is meant to be."""
        with living(phase.day):
            for party, lines in alarms_of(self.stage).items():
                for line in lines:
                    self.screen.say(f"alerts of {party}, as meant: {line}")

    def _missing(self, phase: Phase, rest: Rest) -> list[str]:
        """Return why a phase is not over yet; nothing if it is."""
        if busy := list(rest.busy()):
            return busy
        return list(_unfulfilled(phase, self.stage))

    def _order(self, command: Command) -> None:
        """Give a command to a business system.

        Raises:
            DayFailed: It was refused and should not, or the other way round.
        """
        try:
            call(self.stage, command.whose, command.arguments)
        except CommandRefused as refusal:
            if not command.is_refused:
                raise
            self.screen.say(f"refused, rightly: {refusal}")
            return
        if command.is_refused:
            what = f"{command.whose.system}: {' '.join(command.arguments)}"
            raise DayFailed(f"{what} was not refused")

    def _kill(self, kill: Kill) -> None:
        """Kill a gateway in the middle of the work, and start it again."""
        teller = kill.teller.system
        self._programs.wait(
            lambda: self._heard[teller, kill.what] >= kill.count,
            self.patience_s,
            f"{teller} to tell {kill.what} {kill.count}",
        )
        self._measure()
        self._programs.kill(kill.whose.gateway)
        self.screen.say(
            f"killed the gateway of {kill.whose.code} {kill.whose.name} (SIGKILL)"
        )
        faults.keep_old_copy(self.stage)
        self._start_gateway(kill.whose)
        self._wait_for_gateways((kill.whose,))

    def _end(self, names: list[str]) -> None:
        self._measure()
        self._programs.end(names, _END_S)

    def _measure(self) -> None:
        """Book what was used since the last time to what the day is doing."""
        with self._measuring:
            names = {**self._programs.sessions(), _OWN: "the day itself"}
            now = {**usages(), _OWN: own_usage()}
            self.meter.read(self._doing, names, now)

    def _listen(self, name: str, text: str) -> None:
        """Take in a line: `ready` of a gateway, or what a system did how often."""
        what, _, count = text.partition(" ")
        if what == "ready":
            self._heard[name, what] += 1
        elif count.isdigit():
            self._heard[name, what] += int(count)
        self.screen.progress({what: self._total(what) for what in _PROGRESS})

    def _total(self, what: str) -> int:
        return sum(count for (_, one), count in self._heard.items() if one == what)


_PROGRESS: Final = ("sent", "accepted", "paid", "booked", "receipted")


def _unfulfilled(phase: Phase, stage: Stage) -> Iterator[str]:
    accounts = accounts_of(stage)
    for one in phase.expected:
        told = sum(accounts[one.whose.code].get(name, 0) for name in one.names)
        if told != one.value:
            yield f"{one.whose.code}: {one.names} is {told}, not {one.value}"
    for entry in sheet(phase.lines, accounts):
        if not entry.agrees:
            yield str(entry)
    if phase.late is not None:
        with living(phase.day):
            alarms = alarms_of(stage)
        yield from unmeant(alarms, phase.late)
