"""The dashboards: one for each question that somebody on call asks, the overview first."""

from __future__ import annotations

from hack.observability.boards.behind import EVENTS, OPERATOR, STORES
from hack.observability.boards.front import GATEWAY, OVERVIEW
from hack.observability.boards.services import LEARNING, SERVICES

BOARDS = (OVERVIEW, GATEWAY, SERVICES, EVENTS, OPERATOR, STORES, LEARNING)
"""Every dashboard, in the order in which they are listed."""
