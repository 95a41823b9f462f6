from pathlib import Path

import jupiter_sdk as sdk
from jupiter_sdk import testing

from jupiter_starter.plugin import PLUGIN


def train(
    conn: testing.Connection, data: Path, start: int, end: int, checkpoint: Path | None = None
) -> list[tuple[int, Path]]:
    call = conn.call("trainer", "starter", {"batch_size": 4, "decay": 0.9})
    request = sdk.TrainRequest(call=call, from_step=start, to_step=end, window_end=10, save_every_steps=4)
    request.dataset.path = str(data)
    if checkpoint:
        request.checkpoint.path = str(checkpoint)
    return [(c.step, Path(call.work_dir) / c.output.path) for c in conn.train(request)]


def test_train(tmp_path: Path) -> None:
    data = tmp_path / "records.jsonl"
    with sdk.create_records(data) as out:
        for i in range(40):
            out.write(sdk.Record(text=f"word{i % 7} of 40"))
    with testing.connect(PLUGIN) as conn:
        whole = train(conn, data, 0, 10)
        assert [step for step, _ in whole] == [4, 8, 10]
        half = train(conn, data, 0, 6)
        rest = train(conn, data, 6, 10, half[-1][1])
        assert rest[-1][1].read_bytes() == whole[-1][1].read_bytes()


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("trainer", "starter")
        assert len(conn.validate("trainer", "starter", {"batch_size": 0, "log_every": 0, "decay": 0})) == 3
