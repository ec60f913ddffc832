"""The server as a process: it starts, tells who it is, stops, and comes back."""

from collections.abc import Callable

from tests.conftest import Server, started_by


def test_caller_identity_and_put(server: Server) -> None:
    assert server.client("sts").get_caller_identity()["Account"] == server.account
    s3 = server.client("s3")
    s3.create_bucket(Bucket="first-slice")
    s3.put_object(Bucket="first-slice", Key="a", Body=b"b")
    assert s3.get_object(Bucket="first-slice", Key="a")["Body"].read() == b"b"


def test_kill_and_restart(fresh_server: Callable[..., Server]) -> None:
    served = fresh_server()
    served.client("s3").create_bucket(Bucket="kept")
    served.kill()
    served.start()
    assert [b["Name"] for b in served.client("s3").list_buckets()["Buckets"]] == ["kept"]
    assert served.stop() == 0
    assert started_by(served.state) == []
