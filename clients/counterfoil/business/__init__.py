"""What the reference business systems have in common beside the office SDK.

A system is an inbox, an outbox, and books of its own: what came, what it issued, and
what both change.

* `books`: books in a database, and how they are written.
* `tables`: what came and what was issued, as every system writes it down.
* `works`: what a system says about each kind of voucher.
* `rows`, `numbers`: rows that are written at once, and numbers given in turn.
* `inbox`: takes what came from one state to the next.
* `outbox`, `issued`: issues what is planned, and books the answers.
* `contents`: what documents say, opened once.
* `recomputing`: books against the vault.
* `clerks`: writing, reviewing by two persons, sealing.
* `turns`: read, give out, work.
* `days`, `working_days`, `deadlines`: days in China, and when statements are due.
* `codes`, `banks`: what vouchers and configurations call the same things.
* `money`: amounts in yuan.
* `outcomes`: what the gateway's answers mean for a system that may ask twice.
* `program`: how their commands run, stop, and say what ended them.
"""
