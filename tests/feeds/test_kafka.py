"""A log in partitions says what a file says, over the brokers that we can start; and no message is ever lost unseen."""

import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from riparian.errors import InputError, OutsideError, PolicyError
from riparian.feeds.access_log import Chunk, ReadOptions, door_of
from riparian.feeds.kafka import Messages, address_of
from riparian.feeds.kafka.messages import MESSAGE_BYTES_MAX, Message
from riparian.feeds.kafka.publishing import partitions_of
from riparian.feeds.kafka.reading import Topic
from riparian.feeds.kafka.scanning import read_topic
from riparian.ports import Offsets
from tests.feeds import brokers, renderings
from tests.feeds.brokers import PARTITIONS, Broker
from tests.feeds.renderings import KEY, accesses, coded, truth
from tests.ports import free_port

FACTS = truth(400)
NOW_US = 1 << 60
LINES = renderings.ndjson(FACTS).splitlines()


@pytest.fixture(params=brokers.KINDS, scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with brokers.run(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def real() -> Iterator[Broker]:
    with brokers.run("tansu") as running:
        yield running


def messages(options: ReadOptions | None = None) -> Messages:
    options = options if options is not None else ReadOptions()
    return Messages(options, door_of(options, KEY), lambda: NOW_US)


def read(source: str, at: dict[int, int] | None = None) -> list[Chunk]:
    return list(read_topic(address_of(source), messages(), "tests", (at or {}).get))


def ends(chunks: list[Chunk]) -> dict[int, int]:
    return {int(c.source.rpartition("/")[2]): c.offsets.end for c in chunks if c.offsets is not None}


@pytest.mark.parametrize(
    "render",
    [
        renderings.combined,
        renderings.nginx_json,
        renderings.nginx_msec,
        renderings.envoy,
        renderings.nested,
        renderings.escaped,
        renderings.ndjson,
        renderings.csv_quoted,
        renderings.csv_epoch,
        renderings.parquet,
        renderings.parquet_nested,
        renderings.arrow,
        renderings.gzipped,
    ],
    ids=lambda render: render.__name__,
)
def test_a_topic_says_what_the_file_says_that_was_put_into_it(broker: Broker, tmp_path: Path, render: object) -> None:
    file = tmp_path / "access"
    file.write_bytes(render(FACTS))  # type: ignore[operator]
    source = broker.topic(f"same-{render.__name__}")  # type: ignore[attr-defined]
    assert broker.publish(source, file, key=KEY) >= PARTITIONS
    found = read(source)
    assert accesses(found) == coded(FACTS)
    assert not [reject for chunk in found for reject in chunk.rejects]
    for chunk in found:
        named = dict(zip(chunk.ids[0].tolist(), chunk.ids[1], strict=True))
        assert set(named) == set(chunk.accesses["account"].to_pylist())
        # Each account stands in the partition of its bucket.
        partition = int(chunk.source.rpartition("/")[2])
        assert set(partitions_of(pa.array(list(named.values())), KEY, PARTITIONS).tolist()) == {partition}
    assert read(source, ends(found)) == []


def test_rows_with_long_dictionaries_go_into_messages_that_brokers_take(broker: Broker, tmp_path: Path) -> None:
    table = renderings.arrow_table(FACTS)
    long = pa.array([f"{i} " + "x" * 20_000 for i in range(len(table))]).dictionary_encode()
    pq.write_table(table.append_column("agent", long), tmp_path / "long.parquet")
    source = broker.topic("long")
    assert broker.publish(source, tmp_path / "long.parquet", key=KEY) > PARTITIONS
    assert accesses(read(source)) == coded(FACTS)


def test_one_line_to_a_message_is_read_on_where_it_was_read_before(broker: Broker) -> None:
    source = broker.topic("one-by-one")
    broker.send("one-by-one", 2, *LINES[:150])
    first = read(source)
    broker.send("one-by-one", 2, *LINES[150:])
    second = read(source, ends(first))
    assert accesses([*first, *second]) == coded(FACTS)
    assert next(c.offsets.begin for c in second if c.offsets is not None) == 150
    assert len({chunk.digest for chunk in [*first, *second]}) == len([*first, *second])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(None, "empty", id="a tombstone"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \n\n", "empty", id="blank lines"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0\0", "compressed", id="gzip"),
        pytest.param(b"\x28\xb5\x2f\xfd\0\0\0\0", "compressed", id="zstd"),
        pytest.param(b"PAR1" + b"\0" * 40 + b"PAR1", "damaged", id="a damaged Parquet file"),
        pytest.param(b"PAR1", "damaged", id="the beginning of a Parquet file"),
        pytest.param(b"ARROW1\0\0" + b"\xff" * 64, "damaged", id="a damaged Arrow file"),
        pytest.param(b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"A" * 64, "damaged", id="an Arrow stream of two gigabytes"),
        pytest.param(b"\xff\xff\xff\xff", "damaged", id="the beginning of an Arrow stream"),
        pytest.param(b"{" * 900, "wanted", id="braces"),
        pytest.param(b'{"at": "yesterday"}', "yesterday", id="no time"),
        pytest.param(b"\0\x01\x02 not a line", "wanted", id="octets"),
        pytest.param(b"#Fields: date time c-ip cs-uri-stem", "wanted", id="a line that names fields"),
        pytest.param(b"[" * 100_000, "wanted", id="deep"),
        pytest.param(b"x" * (2 << 20), "longer", id="a line of two mebibytes"),
        pytest.param(b"x" * (MESSAGE_BYTES_MAX + 1), "more than 64 MiB", id="a message of more than 64 MiB"),
    ],
)
def test_a_hostile_message_is_one_reject_and_costs_no_other(value: bytes | None, reason: str) -> None:
    values: list[bytes | None] = [*LINES[:200], value, *LINES[200:]]
    found = messages().chunk(
        Offsets("kafka:t/0", 7, 7 + len(values)), [Message(7 + i, v) for i, v in enumerate(values)]
    )
    assert accesses([found]) == coded(FACTS)
    (reject,) = found.rejects
    assert (found.n_rejected, reject.line, reject.source) == (1, 7 + 200 + 1, "kafka:t/0")
    assert reason in reject.reason
    assert len(reject.text) <= 200


def test_many_hostile_lines_are_all_counted_and_a_part_is_told() -> None:
    values = [*LINES, *([b"not a line\n" * 100] * 200)]
    found = messages().chunk(Offsets("kafka:t/0", 0, len(values)), [Message(i, v) for i, v in enumerate(values)])
    assert accesses([found]) == coded(FACTS)
    assert found.n_rejected == 20_000
    assert len(found.rejects) == 10_000


def test_an_arrow_stream_is_a_message_as_a_file_is(broker: Broker) -> None:
    table = renderings.arrow_table(FACTS)
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    source = broker.topic("streams")
    broker.send("streams", 1, sink.getvalue(), b"no row at all", sink.getvalue()[:200])
    if broker.makes_topics:
        found = list(read_topic(address_of(source), messages(ReadOptions(format="ndjson")), "tests", lambda _: None))
        assert sum(chunk.n_rejected for chunk in found) == 2
        assert accesses(found) == coded(FACTS)


def test_a_layout_is_learnt_once_for_a_topic() -> None:
    reader = messages()
    first = reader.chunk(Offsets("kafka:t/0", 0, 200), [Message(i, v) for i, v in enumerate(LINES[:200])])
    assert reader.sample
    other = Messages(reader.options, door_of(reader.options, KEY), lambda: NOW_US, reader.sample)
    # Somebody else begins with what nobody could recognise a layout from.
    second = other.chunk(Offsets("kafka:t/0", 200, 401), [Message(200, b"??"), *(Message(201, v) for v in LINES[200:])])
    assert accesses([first, second]) == coded(FACTS)
    assert second.n_rejected == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param([b"no log that anybody knows"] * 9, "wanted", id="no layout"),
        pytest.param([b'{"when": "2025-10-10T13:00:00Z"}'] * 9, "account", id="nobody is named"),
        pytest.param([b"#Fields: date time cs-uri-stem x-account\n2025-10-10\t13:00:00\t/a\tb"], "W3C", id="a W3C log"),
    ],
)
def test_lines_of_no_known_layout_stop_the_reading(values: list[bytes], said: str) -> None:
    with pytest.raises(InputError, match=said):
        messages().chunk(Offsets("kafka:t/0", 0, 9), [Message(i, v) for i, v in enumerate(values)])


def test_what_retention_removed_is_an_error_and_skipped_only_on_request(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = broker.topic("short")
    broker.send("short", 0, *LINES[:100])
    first = read(source)
    assert ends(first)[0] == 100
    broker.send("short", 0, *LINES[100:300])
    # Neither broker removes what is old: the one that says so is ours.
    monkeypatch.setattr(Topic, "ends", lambda *_: {0: (250, 300), 1: (0, 0), 2: (0, 0), 3: (0, 0)})
    with pytest.raises(InputError, match="messages 100 to 249 of partition 0") as caught:
        read(source, ends(first))
    assert "lost=skip" in caught.value.hint
    rest = list(read_topic(address_of(f"{source}?lost=skip"), messages(), "tests", ends(first).get))
    assert accesses(rest) == coded(FACTS[250:300])
    assert sum(chunk.n_rejected for chunk in rest) == 150
    assert "150 messages" in rest[0].rejects[0].reason
    assert rest[0].offsets is not None
    assert rest[0].offsets.begin == 100
    # A reader that never read anything begins with what is there.
    assert accesses(read(source)) == coded(FACTS[250:300])


def test_a_topic_that_ends_before_what_was_read_is_another_one(broker: Broker) -> None:
    source = broker.topic("anew")
    broker.send("anew", 0, *LINES[:5])
    with pytest.raises(InputError, match="partition 0 of `anew` ends at 5, and 400 was read"):
        read(source, {0: 400})


def test_chosen_partitions_are_read_and_no_other(broker: Broker) -> None:
    source = broker.topic("chosen")
    for partition in range(PARTITIONS):
        broker.send("chosen", partition, *LINES[partition::PARTITIONS])
    found = read(f"{source}?partitions=0,2-3")
    assert accesses(found) == sorted(row for p in (0, 2, 3) for row in coded(FACTS[p::PARTITIONS]))
    with pytest.raises(InputError, match="no partition 7"):
        read(f"{source}?partitions=7")


def test_messages_come_as_they_are_sent(broker: Broker) -> None:
    source = broker.topic("live")
    topic = Topic(address_of(source), "tests", lambda _: None)
    topic.take(topic.partitions())
    got: list[int] = []
    for i in range(3):
        broker.send("live", i, *LINES[i * 10 : i * 10 + 10])
        while len(got) < 10 * (i + 1):
            got += [m.offset for batch in topic.poll(1.0).values() for m in batch.messages]
    assert got == [*range(10)] * 3
    assert topic.reached() == {0: 10, 1: 10, 2: 10, 3: 0}
    topic.close()


def test_a_group_shares_partitions_out_and_moves_them_with_what_was_read(tmp_path: Path) -> None:
    settings = tmp_path / "kafka.toml"
    settings.write_text('"session.timeout.ms" = 6000\n"heartbeat.interval.ms" = 300\n')
    with brokers.run("mock") as broker:
        source = f"{broker.topic('shared')}?settings={settings}"
        kept: dict[int, int] = {}
        got: list[tuple[int, int]] = []

        def turn(topic: Topic) -> None:
            for number, batch in topic.poll(0.2).items():
                # Kept in one step, as a worker does: read by two, it is taken from one.
                if kept.get(number, 0) == batch.begin:
                    got.extend((number, message.offset) for message in batch.messages)
                    kept[number] = batch.end

        def both() -> None:
            turn(one)
            turn(other)

        one, other = (Topic(address_of(source), "tests", kept.get) for _ in range(2))
        one.join()
        _until(lambda: len(one.held()) == PARTITIONS, lambda: turn(one))
        for partition in range(PARTITIONS):
            broker.send("shared", partition, *LINES[:10])
        _until(lambda: len(got) == 10 * PARTITIONS, lambda: turn(one))
        other.join()
        _until(lambda: len(one.held()) == len(other.held()) == 2, both)
        assert sorted([*one.held(), *other.held()]) == [*range(PARTITIONS)]
        for partition in range(PARTITIONS):
            broker.send("shared", partition, *LINES[10:20])
        _until(lambda: len(got) == 20 * PARTITIONS, both)
        one.close()
        _until(lambda: len(other.held()) == PARTITIONS, lambda: turn(other))
        broker.send("shared", 0, *LINES[20:30])
        _until(lambda: len(got) == 20 * PARTITIONS + 10, lambda: turn(other))
        other.close()
    assert sorted(got) == [(p, i) for p in range(PARTITIONS) for i in range(30 if p == 0 else 20)]


def _until(is_so: Callable[[], bool], do: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline_s
        do()


def test_a_broker_that_freezes_is_waited_for(real: Broker) -> None:
    source = real.topic("frozen")
    topic = Topic(address_of(source), "tests", lambda _: None)
    topic.take(topic.partitions())
    got: list[int] = []

    def turn() -> None:
        got.extend(m.offset for batch in topic.poll(0.2).values() for m in batch.messages)

    real.send("frozen", 0, *LINES[:10])
    _until(lambda: len(got) == 10, turn)
    os.kill(real.pid, signal.SIGSTOP)
    try:
        for _ in range(5):
            turn()
    finally:
        os.kill(real.pid, signal.SIGCONT)
    real.send("frozen", 0, *LINES[10:20])
    _until(lambda: len(got) == 20, turn)
    assert got == [*range(20)]
    topic.close()


def test_a_topic_that_is_not_there_is_named(real: Broker) -> None:
    with pytest.raises(InputError, match="no topic `nowhere`"):
        read(f"kafka://{real.servers}/nowhere")


def test_a_broker_that_is_away_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.feeds.kafka.reading.PATIENCE_S", 0.5)
    with pytest.raises(OutsideError, match="failed") as caught:
        read(f"kafka://127.0.0.1:{free_port()}/plays")
    assert "goes on where it stopped" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param("kafka:///plays", "names no broker", id="no broker"),
        pytest.param("kafka://a b/plays", "names no broker", id="a blank"),
        pytest.param("kafka://a:9092", "no name of a topic", id="no topic"),
        pytest.param("kafka://a:9092/x/y", "no name of a topic", id="a path"),
        pytest.param("kafka://a:9092/..", "no name of a topic", id="dots"),
        pytest.param("kafka://a:9092/x?gruop=y", "`gruop` says nothing", id="misspelt"),
        pytest.param("kafka://a:9092/x?group=a&group=b", "said twice", id="twice"),
        pytest.param("kafka://a:9092/x?partitions=3-1", "wanted numbers", id="backwards"),
        pytest.param("kafka://a:9092/x?partitions=", "wanted numbers", id="no partitions"),
        pytest.param("kafka://a:9092/x?partitions=0-999999", "wanted numbers", id="a million partitions"),
        pytest.param("kafka://a:9092/x?lost=keep", "wanted lost=skip", id="lost"),
    ],
)
def test_an_address_that_is_none_is_refused(source: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        address_of(source)


def test_settings_of_connections_come_from_a_file_and_ours_stay_ours(tmp_path: Path) -> None:
    file = tmp_path / "kafka.toml"
    file.write_text(
        '"security.protocol" = "SSL"\n"session.timeout.ms" = 6000\n"enable.ssl.certificate.verification" = true\n'
    )
    settings = address_of(f"kafka://a/x?settings={file}").settings
    assert settings == {
        "security.protocol": "SSL",
        "session.timeout.ms": "6000",
        "enable.ssl.certificate.verification": "true",
    }
    file.write_text('"auto.offset.reset" = "latest"\n')
    with pytest.raises(PolicyError, match="not yours to set"):
        address_of(f"kafka://a/x?settings={file}")
    file.write_text("[sasl]\nusername = 1\n")
    with pytest.raises(PolicyError, match="no single value"):
        address_of(f"kafka://a/x?settings={file}")
    with pytest.raises(PolicyError, match="cannot be read"):
        address_of(f"kafka://a/x?settings={tmp_path}/none.toml")


def test_an_account_that_no_column_names_cannot_be_put_into_a_partition(broker: Broker, tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join(json.dumps({"time": f.at.isoformat(), "path": f.path}) for f in FACTS))
    with pytest.raises(InputError):
        broker.publish(broker.topic("nobody"), file, key=KEY)
