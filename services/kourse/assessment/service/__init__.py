"""Use cases of assessment; each works in the transaction that its caller opened."""
