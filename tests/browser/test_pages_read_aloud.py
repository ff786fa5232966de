"""What axe-core finds on the pages: nothing but what Streamlit's own parts bring along."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browsing import settled

SECONDS = 60_000
pytestmark = pytest.mark.browser
# Of Streamlit 1.67: groups within the list of the menu, and the role of the place for files.
STREAMLITS = {"list", "listitem", "presentation-role-conflict"}
ADDRESSES = ("?model=wine-mlp", "registry", "add_data", "shapley?model=wine-mlp",
             "profiles?model=wine-mlp", "fairness?model=german-mlp", "report")  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_labels_headings_and_contrast_are_in_order(page, app_url, address):
    page.goto(f"{app_url}/{address}")
    page.get_by_role("heading", level=2).first.wait_for(timeout=SECONDS)
    settled(page)
    page.wait_for_timeout(500)  # what was muted while the page ran is itself again
    found = {
        broken["id"]: [node["html"][:200] for node in broken["nodes"][:3]]
        for broken in Axe().run(page).response["violations"]
    }
    assert not {rule: nodes for rule, nodes in found.items() if rule not in STREAMLITS}
