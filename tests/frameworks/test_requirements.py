"""requirements.txt beside the script: installed once into an environment that jobs share, over the installed frameworks."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.support.endpoints import await_endpoint, variant
from tests.support.jobs import log_lines, wait
from tests.support.own_code import PYTHON, make_model, packed, put, script_job, wheel

from tobo.frameworks import environments

pytestmark = pytest.mark.xdist_group("own-code")

SCRIPT = "import numpy, tiny\nprint('tiny', tiny.VALUE, numpy.__name__)"


def source(script: str, value: int, requirements: str = "./tiny-1.0-py3-none-any.whl\n") -> dict[str, str | bytes]:
    return {"train.py": script, "requirements.txt": requirements, "tiny-1.0-py3-none-any.whl": wheel(value)}


def run(server: Server, asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The job's description and its log when it is over."""
    server.client("sagemaker").create_training_job(**asked)
    job = wait(server.client("sagemaker"), asked["TrainingJobName"])
    return job, log_lines(server, asked["TrainingJobName"])


def test_two_jobs_install_once(server: Server) -> None:
    names = ("needs-1", "needs-2")
    for name in names:
        server.client("sagemaker").create_training_job(**script_job(server, name, source(SCRIPT, 7)))
    installed = 0
    for name in names:
        job, lines = wait(server.client("sagemaker"), name), log_lines(server, name)
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
        assert "tiny 7 numpy" in lines
        installed += any("Successfully installed tiny-1.0" in line for line in lines)
    assert installed == 1


def test_other_content_is_another_environment(server: Server) -> None:
    """The requirements file says the same; the wheel that it names does not."""
    job, lines = run(server, script_job(server, "needs-other", source(SCRIPT, 8)))
    assert job["TrainingJobStatus"] == "Completed" and "tiny 8 numpy" in lines


def test_processes_that_begin_at_once_install_once(tmp_path: Path) -> None:
    """Over the leavings of one that was killed in the middle."""
    for name, content in source("", 7).items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    shared, half_made = tmp_path / "shared", tmp_path / "shared" / "venv" / "half-made"
    half_made.mkdir(parents=True)
    program = (
        "from pathlib import Path; from tobo.frameworks import environments\n"
        f"print(environments.install(Path({str(shared)!r}), Path({str(tmp_path / 'requirements.txt')!r})))"
    )
    asked = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60)[0] for process in asked]
    assert [process.returncode for process in asked] == [0, 0], told
    assert sorted("Successfully installed tiny-1.0" in text for text in told) == [False, True]
    assert environments.is_ready(shared) and not half_made.exists()
    python = shared / "venv" / "bin" / "python"
    found = subprocess.run([python, "-c", "import tiny, numpy; print(tiny.VALUE)"], capture_output=True, text=True)
    assert found.stdout == "7\n", found.stderr


def test_what_pip_cannot_install_fails_the_job_with_its_sentence(server: Server) -> None:
    files = source(SCRIPT, 7, "--no-index\nno-such-package-at-all==1.0\n")
    job, _ = run(server, script_job(server, "uninstallable", files))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: InstallRequirementsError: pip install -r requirements.txt failed: "
        "No matching distribution found for no-such-package-at-all==1.0 (exit code 1)"
    )


def test_requirements_need_the_network_that_isolation_forbids(server: Server) -> None:
    job, _ = run(server, script_job(server, "isolated-needs", source(SCRIPT, 7), EnableNetworkIsolation=True))
    assert job["TrainingJobStatus"] == "Failed"
    assert (
        "EnableNetworkIsolation and a requirements.txt, which cannot be installed without a network"
        in (job["FailureReason"])
    )


def test_what_a_script_installs_itself_stays_its_own(server: Server) -> None:
    """`pip install` within a script is common; neither the server's environment nor the next job may see it."""
    install = "import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', './tiny-1.0-py3-none-any.whl'])\n"
    job, lines = run(
        server,
        script_job(server, "installs", source(install + SCRIPT, 7, "# nothing\n"), Environment={"PIP_NO_INDEX": "1"}),
    )
    assert job["TrainingJobStatus"] == "Completed" and "tiny 7 numpy" in lines, (job.get("FailureReason"), lines)
    job, lines = run(server, script_job(server, "installs-not", source(SCRIPT, 7, "# nothing\n")))
    assert job["TrainingJobStatus"] == "Failed" and "No module named 'tiny'" in job["FailureReason"]
    with pytest.raises(ImportError):
        import tiny  # type: ignore[import-not-found]  # noqa: F401


def test_a_replica_installs_its_requirements(server: Server) -> None:
    serving = "import tiny\ndef model_fn(folder): return tiny.VALUE\ndef transform_fn(model, data, kind, accept): return str(model)"
    files = {f"code/{name}": content for name, content in source("", 7).items()} | {"code/inference.py": serving}
    make_model(server, "needs", PYTHON, put(server, "own-code", "needs/model.tar.gz", packed(files)))
    sagemaker = server.client("sagemaker")
    sagemaker.create_endpoint_config(EndpointConfigName="needs", ProductionVariants=[variant("needs")])
    sagemaker.create_endpoint(EndpointName="needs", EndpointConfigName="needs")
    described = await_endpoint(server, "needs")
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    answer = server.client("sagemaker-runtime").invoke_endpoint(EndpointName="needs", Body=b"any")
    assert answer["Body"].read() == b"7"
    sagemaker.delete_endpoint(EndpointName="needs")
