"""Use cases of profile, one module for each; callers hold the transaction and commit at the edge."""
