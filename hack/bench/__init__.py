"""Benchmarks: each prints figures beside their targets and says whether they hold."""
