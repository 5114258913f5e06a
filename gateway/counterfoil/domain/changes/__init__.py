"""What registrations make of the register, one module for each family."""
