"""A reference business system of a finance department, or of a budget unit.

It takes national XML files from a folder, has them written, reviewed by two
persons, sealed and sent by its own gateway, reads what comes back, and keeps its
own books, in which every receipt is compared with what was ordered. A budget unit
that finance hosts works the same way at its own desk.

* `files`: what our own files say.
* `books`: our own books (SQLite or another database).
* `clerks`: writing, reviewing, sealing.
* `flows`: outgoing vouchers and what comes back, from beginning to end.
* `cli`: the command `counterfoil-finance`.
"""
