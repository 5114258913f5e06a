"""Use cases, one file each; they know ports, the domain and the seals only."""
