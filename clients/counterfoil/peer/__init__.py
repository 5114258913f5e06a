"""Our gateway calling another's: the connection under one lane."""
