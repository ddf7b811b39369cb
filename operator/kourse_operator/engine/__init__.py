"""The engine: a level-triggered reconciler with a queue, batches, back-off, resync and wake-ups."""
