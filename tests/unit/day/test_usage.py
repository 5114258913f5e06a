"""What programs have used: seen from outside, added up by stage."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from counterfoil.day.usage import Meter, Sampling, Usage, own_usage, usages

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


def test_what_was_used_before_the_day_is_none_of_its_own() -> None:
    meter = Meter()
    meter.begin(7, Usage(60.0, 10))
    meter.read("pay", {7: "day"}, {7: Usage(61.5, 10)})

    assert meter.cpu_s == {("day", "pay"): 1.5}


def test_a_program_that_was_started_again_begins_anew() -> None:
    meter = Meter()
    meter.read("pay", {7: "bank"}, {7: Usage(2.0, 10)})
    meter.read("pay", {8: "bank"}, {8: Usage(1.0, 10)})

    assert meter.cpu_s == {("bank", "pay"): 3.0}


def test_what_a_program_has_used_stays_true_while_it_ends() -> None:
    meter = Meter()
    meter.read("pay", {7: "bank"}, {7: Usage(5.0, 30)})
    # Its first process is gone, one that it started is not yet.
    meter.read("close", {7: "bank"}, {7: Usage(0.5, 10)})
    meter.read("close", {7: "bank"}, {7: Usage(0.6, 10)})

    assert meter.cpu_s == {("bank", "pay"): 5.0, ("bank", "close"): 0.0}


def test_a_program_that_has_just_ended_is_passed_over() -> None:
    meter = Meter()

    meter.read("pay", {7: "bank"}, {})

    assert meter.cpu_s == {}


def test_we_ourselves_have_used_what_this_process_has_used() -> None:
    before = own_usage()
    held = b"x" * (64 * MEBIBYTE)

    now = own_usage()

    assert now.memory_bytes >= before.memory_bytes + len(held) - MEBIBYTE
    assert before.cpu_s <= now.cpu_s <= time.process_time()


def test_what_is_held_for_a_moment_is_seen_by_measuring_again_and_again() -> None:
    measured = threading.Event()

    with Sampling(measured.set, 0.001):
        assert measured.wait(10)

    measured.clear()
    assert not measured.wait(0.05), "it is over"


def test_what_goes_wrong_while_measuring_is_raised_on_leaving() -> None:
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise OSError("no /proc")

    with pytest.raises(OSError, match="no /proc"), Sampling(fail, 0.001):
        assert failed.wait(10)
