"""Installs what the project needs and a plain Debian machine lacks."""
