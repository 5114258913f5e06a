"""Alerts are written whole, whoever saves them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from counterfoil.daemon.alerts import FILE, AlertCode, Alerts, read_watch_file


def test_watches_that_save_at_the_same_time_do_not_meet(tmp_path: Path) -> None:
    alerts = Alerts.load(tmp_path)
    alerts.open(AlertCode.SCRUB_FAILED, "scrub", "a test")

    def save(number: int) -> None:
        alerts.note(f"watch-{number}", {"n": number})
        alerts.save()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(save, range(200)))

    opened, watches = read_watch_file(tmp_path / FILE)
    assert [one["code"] for one in opened.values()] == ["SCRUB_FAILED"]
    assert len(watches) == 200
