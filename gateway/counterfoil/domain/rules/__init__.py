"""Rules of content that the contract's field rules cannot state."""
