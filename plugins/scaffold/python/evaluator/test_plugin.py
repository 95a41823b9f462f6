from pathlib import Path

import jupiter_sdk as sdk
from jupiter_sdk import testing

from jupiter_starter.plugin import PLUGIN


def test_prepare(tmp_path: Path) -> None:
    file = tmp_path / "gate.jsonl"
    file.write_text('{"prompt":"Sky?","reference":"blue"}\n{"prompt":"Grass?","reference":"green"}\n')
    with testing.connect(PLUGIN) as conn:

        def prepare(samples: int) -> list[sdk.Question]:
            request = sdk.PrepareRequest(call=conn.call("evaluator", "starter"), samples=samples)
            request.splits["gate"].path = str(file)
            return conn.prepare(request)

        questions = prepare(0)
        assert sorted(q.reference for q in questions) == ["blue", "green"]
        assert all(q.prompt.id and q.key and q.split == "gate" for q in questions)
        assert prepare(1) == questions[:1]


def test_score() -> None:
    q = sdk.Question(prompt=sdk.Prompt(id="q"), reference="blue")
    right = sdk.Judgement(answer_ok=True, well_formed=True, consistent=True)
    answers = [
        sdk.Answer(question=q, completion=sdk.Completion(text=" Blue", finish_reason="stop")),
        sdk.Answer(question=q, completion=sdk.Completion(text="green and", finish_reason="length")),
        sdk.Answer(question=q, completion=sdk.Completion(text="azure"), judgement=right),
        sdk.Answer(question=q),
    ]
    with testing.connect(PLUGIN) as conn:
        scores = conn.evaluate(conn.call("evaluator", "starter"), answers)
    assert [(s.accuracy, s.coherence) for s in scores[:3]] == [(1, 1), (0, 0), (1, 1)]
    assert not scores[3].HasField("accuracy")


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("evaluator", "starter")
        assert len(conn.validate("evaluator", "starter", {"max_chars": 0})) == 1
