"""Actuators: make one thing so at one back end, idempotently, or say why it cannot be."""
