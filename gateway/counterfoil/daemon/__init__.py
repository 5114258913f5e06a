"""The running gateway: configuration, composition root, lanes, schedules, CLI."""
