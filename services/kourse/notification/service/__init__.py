"""Use cases of notification: telling, sending, rewarding, reading."""
