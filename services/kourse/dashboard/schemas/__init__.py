"""What the dashboard shows, as JSON."""
