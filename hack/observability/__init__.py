"""Dashboards, service level objectives and alerts as code; ``hack.gen`` writes what Grafana and Prometheus read."""
