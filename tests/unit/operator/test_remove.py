"""A removal takes away what it may, may be begun again at any point, and takes nothing of others."""

import pytest

from kourse.contracts import errors
from kourse.kit.documents import Pending
from kourse_operator.conditions import Type, find
from support.operator_fakes import new_room, resource

BUCKET = "kourse-demo-statistics"
FORCED = {"kourse.dev/force-delete": "true"}


async def made(room, kind="Course", name="statistics", **changes):
    """A reconciled object, on its way out."""
    one = resource(kind, name, **changes)
    room.store.put(one)
    verdict = await room.reconciler.reconcile(one)
    return resource(kind, name, status=verdict.status, deleting=True, **changes)


class TestRetain:
    async def test_keeps_the_bucket(self, room):
        removal = await room.remover.remove(await made(room))
        assert removal.done
        assert BUCKET in room.buckets.names
        assert room.rows.calls["retire"] == 1

    async def test_cuts_the_feed(self, room):
        await room.remover.remove(await made(room, "Cohort", "lisbon"))
        assert not any(
            getattr(w, "name", "") == "kourse.cohort.demo.lisbon" for w in room.wires.there
        )


class TestDelete:
    async def test_takes_the_bucket_along(self, room):
        removal = await room.remover.remove(await made(room, spec={"deletionPolicy": "Delete"}))
        assert removal.done
        assert room.buckets.names == set()

    async def test_waits_for_what_holds_it_up(self, room):
        room.rows.retiring = [Pending("AttemptsOpen", "3 attempts are in progress.")]
        removal = await room.remover.remove(await made(room, spec={"deletionPolicy": "Delete"}))
        assert not removal.done
        assert removal.problem.reason == "AttemptsOpen"
        assert BUCKET in room.buckets.names
        assert room.wires.there, "graders still need the bindings"

    async def test_may_be_repeated(self, room):
        going = await made(room, spec={"deletionPolicy": "Delete"})
        assert (await room.remover.remove(going)).done
        assert (await room.remover.remove(going)).done


class TestOwnership:
    async def test_of_a_name_never_had_means_nothing_is_deleted(self, room):
        room.buckets.names.add(BUCKET)
        await made(room, uid="another")
        going = resource(deleting=True, spec={"deletionPolicy": "Delete"})
        removal = await room.remover.remove(going)
        assert removal.done
        assert BUCKET in room.buckets.names
        assert room.rows.calls["retire"] == 0

    async def test_is_known_from_the_ledger_when_the_status_was_never_written(self, room):
        one = resource(spec={"deletionPolicy": "Delete"})
        room.store.put(one)
        await room.reconciler.reconcile(one)
        await room.remover.remove(resource(deleting=True, spec={"deletionPolicy": "Delete"}))
        assert room.buckets.names == set()

    async def test_is_not_doubted_after_a_crash_between_rows_and_the_rest(self, room):
        await made(room, spec={"deletionPolicy": "Delete"})
        room.rows.docs.clear()
        going = resource(deleting=True, spec={"deletionPolicy": "Delete"})
        removal = await room.remover.remove(going)
        assert removal.done
        assert room.buckets.names == set()
        assert not any(hasattr(wire, "name") for wire in room.wires.there)

    async def test_is_not_believed_of_a_status_when_the_ledger_knows_another(self, room):
        await made(room, uid="another")
        going = resource(status={"id": "of-old"}, deleting=True, spec={"deletionPolicy": "Delete"})
        assert (await room.remover.remove(going)).done
        assert BUCKET in room.buckets.names
        assert room.wires.there

    async def test_of_what_the_ledger_lost_is_not_presumed_against_another_claimant(self):
        room = new_room(lambda _: "demo")
        await made(room, namespace="twin")
        room.rows.docs.clear()
        going = resource(deleting=True, spec={"deletionPolicy": "Delete"})
        assert (await room.remover.remove(going)).done
        assert BUCKET in room.buckets.names
        assert room.wires.there

    async def test_of_what_the_ledger_lost_reaches_no_other_tenant(self, room):
        await made(room, name="a-b", namespace="demo", uid="another")
        others = set(room.buckets.names)
        going = resource(
            name="b", namespace="demo-a", deleting=True, spec={"deletionPolicy": "Delete"}
        )
        room.store.put(going)
        assert (await room.remover.remove(going)).done
        assert room.buckets.names == others


class TestFailure:
    @pytest.mark.parametrize("part", ["rows", "wires", "buckets"])
    async def test_of_a_back_end_holds_it_up(self, room, part):
        going = await made(room, spec={"deletionPolicy": "Delete"})
        getattr(room, part).error = errors.Unavailable("down")
        removal = await room.remover.remove(going)
        assert not removal.done
        assert removal.problem.reason == "BackendUnavailable"
        assert "force-delete" in removal.problem.message

    async def test_lets_go_when_forced(self, room):
        going = await made(room, annotations=FORCED)
        room.rows.error = errors.Unavailable("gone for ever")
        removal = await room.remover.remove(going)
        assert removal.done
        assert removal.reason == "ForceDeleted"

    async def test_of_a_spec_does_not_hold_it_up(self, room):
        going = await made(room)
        broken = resource(status=going.status, deleting=True, spec={"chapters": None, "title": 7})
        assert (await room.remover.remove(broken)).done

    async def test_is_shown(self, room):
        going = await made(room)
        room.rows.retiring = [Pending("AttemptsOpen", "3 attempts are in progress.")]
        removal = await room.remover.remove(going)
        status = room.remover.status(going, removal.problem)
        ready = find(status["conditions"], Type.READY)
        assert (ready["status"], ready["reason"]) == ("False", "AttemptsOpen")
