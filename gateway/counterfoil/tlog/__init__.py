"""The transparency log: a Merkle tree, its proofs and its signed heads.

Pure: no I/O, no clock, no randomness. Time and signing functions are arguments;
stored hashes are read through a callable.

* `merkle`: leaf and node hashes, and the frontier that appends.
* `proofs`, `verification`: make and verify proofs of inclusion, consistency, range.
* `tiles`, `tile_writer`, `tile_reader`: the tree as stored, 256 hashes to a tile.
* `trees`, `sm3`: which trees a log has, and the hash of the second.
* `note`, `keys`, `ed25519`, `ml_dsa`, `sm2`, `verifiers`: signed notes and their keys.
* `checkpoint`, `cosignature`: signed tree heads, and what peers add to them.
* `witness`: whether to accept a peer's new head.
* `proof_file`: a proof that stands alone, for thirty years.
"""
