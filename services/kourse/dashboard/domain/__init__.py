"""Pure decisions of the dashboard."""
