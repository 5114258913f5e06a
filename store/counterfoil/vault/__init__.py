"""The vault (电子凭证库): an institution's log, its documents and their indexes.

* `custody`: judges every deed and says what it writes; shared by all engines.
* `transaction`: gathers what one commit writes, a `Batch`.
* `engine`: what an engine of storage must offer; `memory_engine`, `lmdb_engine`.
* `writer`: one thread that commits in groups and answers when they are durable.
* `vault`: implements the port on an engine, a writer and a head store.
* `heads`: newest signed heads, in a store that a restore never rolls back.
* `verify`: proves the whole vault against its log, and names what is wrong.
"""
