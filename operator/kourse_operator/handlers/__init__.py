"""Handlers: the thin layer where kopf's events enter the engine."""
