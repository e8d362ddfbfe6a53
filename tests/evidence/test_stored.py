"""What the page shows at once: evidence about the models, looks and rules that there are now."""

import pytest

from tta_demo.evidence.options import ONE
from tta_demo.evidence.stored import stored_evidence
from tta_demo.evidence.verdict import judge
from tta_demo.models.registry import MODELS
from tta_demo.tasks.worlds import MEASURED
from tta_demo.tta.views import VIEW_SETS

RECORDS = {name: world.record for name, world in MEASURED.items()}
RECORDS["weed-detector"] = MODELS["weed-detector"]
RENEW = "python -m tta_demo benchmark evidence {} --out assets/results"


@pytest.mark.parametrize("world", RECORDS)
def test_what_is_stored_is_not_stale(world):
    found, renew = stored_evidence(world), RENEW.format(world)
    assert found is not None, renew
    record = RECORDS[world]
    assert (found.protocol.model, found.protocol.digest) == (record.name, record.digest), renew
    assert found.protocol.classes == record.classes, renew
    assert found.protocol.views == VIEW_SETS["all"], renew
    assert found.verdict == judge(found.plans), renew


@pytest.mark.parametrize("world", RECORDS)
def test_nothing_was_measured_on_what_was_learned_from(world):
    found = stored_evidence(world)
    assert not set(found.protocol.calibration) & set(found.protocol.held)
    assert found.plans[0].option.name == ONE
