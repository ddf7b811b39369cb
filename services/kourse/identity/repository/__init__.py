"""What identity keeps: rows in PostgreSQL, and what must expire by itself in the token store."""
