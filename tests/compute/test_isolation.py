"""Network isolation: a process that is cut off reaches not even this machine's loopback."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tobo.compute.base import Exited, ProcessSpec
from tobo.compute.processes import ProcessCompute
from tobo.kit.log_lines import read_line


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[ProcessCompute]:
    made = ProcessCompute(tmp_path / "state")
    yield made
    made.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces are Linux's")
@pytest.mark.parametrize("network", [True, False])
def test_only_a_process_with_a_network_reaches_a_listener(
    compute: ProcessCompute, tmp_path: Path, network: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = (
            f"import socket; socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 5); print('through')"
        )
        argv = (sys.executable, "-c", code)
        compute.start(ProcessSpec("job", tmp_path / "work", tmp_path / "log", argv=argv, network=network))
        deadline = time.monotonic() + 30
        while not isinstance(end := compute.poll("job"), Exited):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    lines = [read_line(line)[1] for line in (tmp_path / "log").read_bytes().splitlines()]
    if lines[0].startswith("warning: EnableNetworkIsolation is not in force"):
        pytest.skip(lines[0])
    assert (end.code == 0) == network == ("through" in lines)
