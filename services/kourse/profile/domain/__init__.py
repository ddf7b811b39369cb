"""Pure rules of profiles and cohorts: join codes, recurring meetings, dates of a run."""
