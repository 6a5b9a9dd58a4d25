"""A list of references that two workers save in the same moment, with real commits: it is saved once."""

from functools import partial

import pytest

from resources.models import ImportBatch, Resource
from resources.services import batches
from tests.factories.members import make_member
from tests.together import at_once, meet_before

pytestmark = pytest.mark.django_db(transaction=True)
BIB = b"@misc{a, title = {One}}\n@misc{b, title = {Two}}"


def test_two_workers_save_a_list_once(monkeypatch):
    member = make_member(is_host=True)
    batch = batches.begin_batch(actor=member, name="refs.bib", data=BIB)
    batches.read_batch(batch_id=batch.pk)
    batches.save_batch(
        actor=member, batch=batch, visibility="public", group=None, licence="unknown", tags=["x"]
    )
    meet_before(monkeypatch, batches, "add_many")
    at_once(*[partial(batches.carry_out_batch, batch_id=batch.pk)] * 2)
    assert sorted(Resource.objects.values_list("title", flat=True)) == ["One", "Two"]
    assert ImportBatch.objects.values_list("state", "made", "reason").get() == ("saved", 2, "")
