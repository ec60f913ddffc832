"""The store's promise, run against each adapter."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tobo.kit.arn import Namespace
from tobo.store.base import AlreadyExists, Conflict, Event, Key, Query, Row, Store
from tobo.store.schema import metadata
from tobo.store.sql import SqlStore

SPACE = Namespace("111122223333", "eu-west-1")
ELSEWHERE = Namespace("111122223333", "us-east-1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = SqlStore(f"sqlite:///{tmp_path}/tobo.db")
    yield opened
    opened.close()


def row(
    name: str = "a", *, space: Namespace = SPACE, created: float = 1.0, status: str = "InProgress", **asked: str
) -> Row:
    key = Key(space, "training-job", name)
    return Row(key, f"arn:{name}:{space.region}", asked, {}, status, "Starting", created, created, due=None)


def names(store: Store, query: Query) -> list[str]:
    return [r.key.name for r in store.page(query).rows]


def test_rows_are_found_by_their_tags(store: Store) -> None:
    store.insert(replace(row("a"), tags={"team": "line", "odd.key:x": "1"}))
    store.insert(replace(row("b"), tags={"team": "lab"}))
    store.insert(row("c"))
    for tags, expected in (
        ({"team": "line"}, ["a"]),
        ({"odd.key:x": "1"}, ["a"]),
        ({"team": "lab", "odd.key:x": "1"}, []),
        ({}, ["c", "b", "a"]),
    ):
        assert names(store, Query(SPACE, "training-job", tags=tags)) == expected


def test_of_rows_only_the_members_that_are_asked_for(store: Store) -> None:
    whole = store.insert(
        replace(
            row("a"),
            asked={"Role": "r", "Both": 1, "Deep": {"x": [1, {"y": None}]}},
            found={"Both": 2, "Odd.na me:1": "o", "False": False},
            tags={"team": "line"},
            todo=("reserve",),
            due=3.0,
        )
    )
    store.insert(row("b"))
    for members, asked, found in (
        ((), {}, {}),
        (("Role",), {"Role": "r"}, {}),
        (("Both", "Deep"), {"Both": 1, "Deep": {"x": [1, {"y": None}]}}, {"Both": 2}),
        (("Odd.na me:1", "False", "Nowhere"), {}, {"Odd.na me:1": "o", "False": False}),
    ):
        query = Query(SPACE, "training-job", members=members, limit=1, descending=False)
        page = store.page(query)
        assert page.rows == [replace(whole, asked=asked, found=found, todo=())]
        [other] = store.page(replace(query, after=page.after)).rows
        assert (other.key.name, other.asked, other.found) == ("b", {}, {})


def test_what_was_inserted_is_found_by_name_and_arn_after_reopening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tobo.db"
    first = SqlStore(url)
    written = first.insert(
        replace(row(x="ü"), tags={"team": "line"}, todo=("reserve",)), Event(1.0, "created", "Starting")
    )
    first.close()
    second = SqlStore(url)
    assert second.get(written.key) == written == second.find_arn(written.arn)
    assert [e.name for e in second.events(written)] == ["created"]
    second.close()


def test_a_name_is_unique_in_its_namespace_only(store: Store) -> None:
    store.insert(row())
    store.insert(row(space=ELSEWHERE))
    with pytest.raises(AlreadyExists):
        store.insert(row())


def test_of_two_writers_one_gets_conflict(store: Store) -> None:
    read = store.insert(row())
    store.update(read, state="Training")
    with pytest.raises(Conflict):
        store.update(read, state="Stopped")
    with pytest.raises(Conflict):
        store.delete(read)
    kept = store.get(read.key)
    assert kept is not None and kept.state == "Training"


def test_a_conflicting_update_leaves_no_event(store: Store) -> None:
    read = store.insert(row())
    store.update(read, Event(2.0, "laid_out", "Training"), state="Training")
    with pytest.raises(Conflict):
        store.update(read, Event(3.0, "stop", "Stopped"), state="Stopped")
    assert [e.name for e in store.events(read)] == ["laid_out"]


def test_counting_up_from_eight_threads_loses_nothing(store: Store) -> None:
    key = store.insert(row(count="0")).key

    def count() -> None:
        for _ in range(25):
            while True:
                read = store.get(key)
                assert read is not None
                try:
                    store.update(read, found={"n": read.found.get("n", 0) + 1})
                    break
                except Conflict:
                    continue

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = store.get(key)
    assert final is not None and final.found["n"] == 200 and final.version == 201


def test_delete_takes_the_events_along_and_frees_the_name(store: Store) -> None:
    read = store.insert(row(), Event(1.0, "created", "Starting"))
    store.delete(read)
    assert store.get(read.key) is None and list(store.events(read)) == []
    assert store.insert(row()).id > read.id


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(SPACE, "training-job"), ["d", "c", "b", "a"]),
        (Query(SPACE, "training-job", descending=False), ["a", "b", "c", "d"]),
        (Query(SPACE, "training-job", sort_by="Name"), ["d", "c", "b", "a"]),
        (Query(SPACE, "training-job", sort_by="Status", descending=False), ["c", "a", "b", "d"]),
        (Query(SPACE, "training-job", name_contains="B"), ["b"]),
        (Query(SPACE, "training-job", name_contains="%"), []),
        (Query(SPACE, "training-job", name_prefix="b"), ["b"]),
        (Query(SPACE, "training-job", name_prefix=""), ["d", "c", "b", "a"]),
        (Query(SPACE, "training-job", names=("a", "c", "none"), sort_by="Name"), ["c", "a"]),
        (Query(SPACE, "training-job", names=()), []),
        (Query(SPACE, "training-job", arn="arn:c:eu-west-1"), ["c"]),
        (Query(SPACE, "endpoint", arn="arn:c:eu-west-1"), []),
        (Query(ELSEWHERE, "training-job", arn="arn:c:eu-west-1"), []),
        (Query(SPACE, "training-job", sort_by="Arn", descending=False), ["a", "b", "c", "d"]),
        (Query(SPACE, "training-job", created_after=2.0, created_before=3.0), ["c", "b"]),
        (Query(SPACE, "training-job", modified_after=4.0), ["d"]),
        (Query(SPACE, "training-job", status="Completed"), ["c"]),
        (Query(SPACE, "training-job", where={"Team": "red"}), ["b"]),
        (Query(SPACE, "endpoint"), []),
        (Query(ELSEWHERE, "training-job"), ["z"]),
    ],
)
def test_filters_and_order(store: Store, query: Query, expected: list[str]) -> None:
    for created, (name, status) in enumerate(
        [("a", "Failed"), ("b", "InProgress"), ("c", "Completed"), ("d", "Stopped")], 1
    ):
        store.insert(row(name, created=float(created), status=status, **({"Team": "red"} if name == "b" else {})))
    store.insert(row("z", space=ELSEWHERE))
    assert names(store, query) == expected
    assert store.count(query) == len(expected)


@pytest.mark.parametrize("sort_by", ["Name", "CreationTime", "Status"])
@pytest.mark.parametrize("descending", [True, False])
def test_paging_sees_each_row_once_although_others_come_and_go(store: Store, sort_by: str, descending: bool) -> None:
    for number in range(40):
        store.insert(row(f"job-{number:02}", created=float(number // 4), status="AB"[number % 2]))
    query = Query(SPACE, "training-job", sort_by=sort_by, descending=descending, limit=7)  # type: ignore[arg-type]
    seen: list[str] = []
    after = None
    while True:
        page = store.page(replace(query, after=after))
        seen += [r.key.name for r in page.rows]
        store.insert(row(f"new-{len(seen):02}", created=5.0, status="A"))
        if page.after is None:
            break
        after = page.after
    old = [name for name in seen if name.startswith("job-")]
    assert sorted(old) == [f"job-{number:02}" for number in range(40)]
    assert len(seen) == len(set(seen))


def test_due_rows_come_soonest_first_from_every_namespace(store: Store) -> None:
    store.insert(replace(row("late"), due=9.0))
    store.insert(replace(row("soon", space=ELSEWHERE), due=3.0))
    store.insert(row("never"))
    assert [r.key.name for r in store.due()] == ["soon", "late"]


def test_the_migrations_make_the_schema(tmp_path: Path) -> None:
    SqlStore(f"sqlite:///{tmp_path}/tobo.db").close()
    engine = sa.create_engine(f"sqlite:///{tmp_path}/tobo.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_changes_tell_every_write_of_a_kind_and_no_other(store: Store) -> None:
    space, kind = row("a").key.space, row("a").key.kind
    seen = [store.changes(space, kind)]
    first = store.insert(row("a"))
    seen.append(store.changes(space, kind))
    second = store.update(first, status="Done")
    seen.append(store.changes(space, kind))
    with pytest.raises(Conflict):
        store.update(first, status="Late")
    with pytest.raises(AlreadyExists):
        store.insert(row("a"))
    assert store.changes(space, kind) == seen[-1]
    store.delete(second)
    seen.append(store.changes(space, kind))
    assert seen == sorted(set(seen))
    assert store.changes(space, "another-kind") == store.changes(Namespace("1", "elsewhere"), kind) == 0


def test_the_namespaces_that_have_rows_of_a_kind(store: Store) -> None:
    other = Namespace(SPACE.account, "ap-south-1")
    for name, space in (("a", SPACE), ("b", SPACE), ("a", other)):
        store.insert(row(name, space=space))
    assert store.spaces("training-job") == sorted([SPACE, other])
    assert store.spaces("device") == []
