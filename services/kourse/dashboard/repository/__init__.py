"""SQL of the dashboard, and nothing else."""
