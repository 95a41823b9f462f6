from jupiter_sdk import Prompt, PromptSet, testing

from jupiter_starter.plugin import PLUGIN

PROMPTS = [Prompt(id="a", text="say:", bucket="synthetic"), Prompt(id="b", text="and:", bucket="synthetic")]


def test_generate() -> None:
    with testing.connect(PLUGIN) as conn:

        def samples(start: int, n: int) -> list[str]:
            call = conn.call("generator", "starter", {"length": 3, "batch": 4}, seed=7)
            records = conn.generate(call, [PromptSet(template="t", prompts=PROMPTS, start_index=start, samples=n)])
            return [r.text for r in records]

        texts = samples(0, 10)
        assert [len(t.split()) for t in texts] == [3] * 10
        assert len(set(texts)) > 1
        assert samples(6, 4) == texts[6:]


def test_complete() -> None:
    with testing.connect(PLUGIN) as conn:
        assert [c.prompt_id for c in conn.complete(conn.call("generator", "starter"), PROMPTS)] == ["a", "b"]


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("generator", "starter")
        assert len(conn.validate("generator", "starter", {"words": [], "length": 0, "batch": 0})) == 3
