"""What is past its time is forgotten, for all tenants, and nothing else."""

from uuid import uuid4

import pytest

from kourse.kit import retention
from support.events import emit_joined

AGE_OUTBOX = """
UPDATE profile.outbox SET created_at = now() - interval '31 days',
  published_at = CASE WHEN seq <= 4 THEN now() END WHERE entity = %s
"""
ADD_KEY = """
INSERT INTO profile.idempotency_key VALUES
  (%s, 's', 'POST', '/r', %s, '', 201, '', now(), now() + %s * interval '1 hour')
"""
ADD_INBOX = """
INSERT INTO profile.inbox VALUES
  ('profile', gen_random_uuid(), %s, 'group', 'e', 1, now() - %s * interval '1 day')
"""


class TestForgetOnce:
    async def test_keeps_what_was_not_published_and_what_is_young(
        self, profile, profile_worker, admin, monkeypatch
    ):
        monkeypatch.setattr(retention, "BATCH", 2)
        old, young = uuid4(), uuid4()
        await emit_joined(profile, old, range(5), tenant="north")
        await emit_joined(profile, young, range(2), tenant="south")
        admin.execute(AGE_OUTBOX, (str(old),))
        assert (await retention.forget_once(profile_worker))["outbox"] == 4
        left = "SELECT entity, seq FROM profile.outbox ORDER BY id"
        assert admin.execute(left).fetchall() == [(str(old), 5), (str(young), 1), (str(young), 2)]

    @pytest.mark.parametrize("tenant", ["north", "south"])
    async def test_drops_answers_past_their_time(self, profile_worker, admin, tenant):
        admin.execute(ADD_KEY, (tenant, "expired", -1))
        admin.execute(ADD_KEY, (tenant, "valid", 1))
        assert (await retention.forget_once(profile_worker))["idempotency_key"] == 1

    async def test_drops_inbox_rows_older_than_the_archive(self, profile_worker, admin):
        for days in (36, 31):
            admin.execute(ADD_INBOX, ("north", days))
        assert (await retention.forget_once(profile_worker))["inbox"] == 1
