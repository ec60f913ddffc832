"""The example notebooks, run cell by cell in an instance, in their order."""

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest
from tests.conftest import Server
from tests.support.notebooks import Tab, make_notebook, stop_notebook
from tests.support.unique import unique

pytestmark = pytest.mark.xdist_group("training")

EXAMPLES = sorted(each.name for each in files("tobo.notebooks").joinpath("examples").iterdir())


@pytest.fixture(scope="module")
def tab(warm_server: Server) -> Iterator[Tab]:
    name = unique("examples")
    assert make_notebook(warm_server, name)["NotebookInstanceStatus"] == "InService"
    yield Tab.opened(warm_server, name)
    stop_notebook(warm_server, name)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(tab: Tab, example: str) -> None:
    book = json.loads(tab.ask("GET", f"files/examples/{example}").body)
    kernel = tab.kernel()
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            printed = kernel.run("".join(cell["source"]))
            assert "Error: " not in printed, printed
