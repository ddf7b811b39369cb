"""Pure rules of identity: addresses, passwords, roles and what a token says."""
