"""What programs have used: seen from outside, added up by stage."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from counterfoil.day.usage import Meter, Usage, own_usage, usages

MEBIBYTE = 1024 * 1024


def test_our_own_session_has_used_what_this_process_has_used() -> None:
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass

    own = usages()[os.getsid(0)]

    assert own.cpu_s >= time.process_time() - 0.05
    assert own.memory_bytes > MEBIBYTE


def test_what_programs_use_that_we_started_is_not_our_own() -> None:
    before = own_usage()
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)
    between = own_usage()
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass

    assert between.cpu_s - before.cpu_s < 0.2
    assert own_usage().cpu_s - between.cpu_s >= 0.05
    assert between.memory_bytes > MEBIBYTE


def test_what_a_stage_used_is_what_came_on_top() -> None:
    meter = Meter()
    meter.read("start", {7: "bank"}, {7: Usage(2.0, 10)})
    meter.read("pay", {7: "bank"}, {7: Usage(5.0, 30)})
    meter.read("clear", {7: "bank"}, {7: Usage(5.5, 20)})

    assert meter.cpu_s == {
        ("bank", "start"): 2.0,
        ("bank", "pay"): 3.0,
        ("bank", "clear"): 0.5,
    }
    assert meter.peak_bytes == {"bank": 30}


def test_a_program_that_was_started_again_begins_anew() -> None:
    meter = Meter()
    meter.read("pay", {7: "bank"}, {7: Usage(2.0, 10)})
    meter.read("pay", {8: "bank"}, {8: Usage(1.0, 10)})

    assert meter.cpu_s == {("bank", "pay"): 3.0}


def test_a_program_that_has_just_ended_is_passed_over() -> None:
    meter = Meter()

    meter.read("pay", {7: "bank"}, {})

    assert meter.cpu_s == {}
