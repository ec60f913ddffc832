"""OpenVINO is imported without its telemetry, in a process of its own that has not imported it yet."""

import subprocess
import sys


def test_importing_openvino_tells_nobody() -> None:
    code = (
        "import threading\n"
        "from tobo.inference.openvino_graph import import_openvino\n"
        "import_openvino()\n"
        "import openvino.tools.ovc.telemetry_utils as utils\n"
        "print(utils.tm.__name__, threading.active_count())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "1"]
