"""Generators of committed files: each says what it would change, so that drift can be refused."""
