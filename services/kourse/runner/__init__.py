"""Runs learners' programs in a sandbox, behind a part of Judge0's API; it holds no credential."""
