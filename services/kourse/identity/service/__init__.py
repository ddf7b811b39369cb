"""Use cases of identity: who someone is, where they belong, and the tokens that say so."""
