"""Asks a server what OpenAI's own client library can ask, and compares with what the library promises.

client.py BASE_URL NAME VERSION...: the token is in JUPITER_TOKEN, and the versions are those that the server has, newest
first.
"""

import os
import sys
import threading
from collections.abc import Callable

import openai

PROMPT = "7ft5in en in:"


def main() -> None:
    url, name, *versions = sys.argv[1:]
    token = os.environ["JUPITER_TOKEN"]
    client = openai.OpenAI(base_url=url, api_key=token, max_retries=0, timeout=60)
    for check in (models, completions, chat, streams, likely, refusals, together, gone):
        check(client, name, versions)
        print("ok", check.__name__)
    wrong = openai.OpenAI(base_url=url, api_key="wrong" * 8, max_retries=0)
    refused(openai.AuthenticationError, 401, lambda: wrong.models.list(), code="invalid_api_key")
    print("ok wrong token")


def refused(
    error: type[openai.APIStatusError],
    status: int,
    ask: Callable[[], object],
    param: str | None = None,
    code: str | None = None,
) -> None:
    try:
        ask()
    except error as e:
        assert e.status_code == status, e
        assert e.param == param, (e.param, param)
        assert e.code == code, (e.code, code)
        assert e.request_id, e
        return
    raise AssertionError(f"not refused with {status} for {param}")


def models(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    assert [m.id for m in client.models.list()] == [name, *versions]
    assert client.models.retrieve(name).id == name


def completions(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    one = client.completions.create(model=name, prompt=PROMPT, max_tokens=8, temperature=0)
    assert one.model == versions[0] and one.object == "text_completion", one
    assert one.choices[0].text and one.choices[0].finish_reason in ("stop", "length"), one
    assert one.usage and one.usage.prompt_tokens > 0 and 0 < one.usage.completion_tokens <= 8, one
    assert one.usage.total_tokens == one.usage.prompt_tokens + one.usage.completion_tokens, one
    many = client.completions.create(
        model=versions[-1], prompt=[PROMPT, "5ft3in en in:"], n=3, seed=5, temperature=1, max_tokens=12
    )
    again = client.completions.create(
        model=versions[-1], prompt=[PROMPT, "5ft3in en in:"], n=3, seed=5, temperature=1, max_tokens=12
    )
    assert many.model == versions[-1] and [c.index for c in many.choices] == list(range(6)), many
    assert [c.text for c in many.choices] == [c.text for c in again.choices]
    assert len({c.text for c in many.choices}) > 2, many
    text = client.completions.create(model=name, prompt=PROMPT, max_tokens=30, temperature=0).choices[0].text
    middle = text[len(text) // 2]
    cut = client.completions.create(model=name, prompt=PROMPT, max_tokens=30, temperature=0, stop=["\n\n\n", middle])
    assert cut.choices[0].text == text.split(middle)[0] and cut.choices[0].finish_reason == "stop", (text, middle, cut)


def chat(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    plain = client.completions.create(model=name, prompt=PROMPT, max_tokens=8, temperature=0).choices[0]
    one = client.chat.completions.create(
        model=name, messages=[{"role": "user", "content": PROMPT}], max_completion_tokens=8, temperature=0, user="ann"
    )
    assert one.choices[0].message.role == "assistant" and one.object == "chat.completion", one
    assert one.choices[0].message.content == plain.text, (one, plain)
    assert one.choices[0].finish_reason == plain.finish_reason, (one, plain)
    turns = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": PROMPT}]},
        {"role": "assistant", "content": "89in"},
        {"role": "user", "content": "5ft3in en in:"},
    ]
    many = client.chat.completions.create(model=name, messages=turns, n=2, max_tokens=5)
    assert len(many.choices) == 2 and many.usage and many.usage.prompt_tokens > one.usage.prompt_tokens, many


def streams(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    asked = {"model": name, "max_tokens": 20, "temperature": 0}
    whole = client.completions.create(prompt=PROMPT, **asked).choices[0]
    chunks = list(
        client.completions.create(prompt=PROMPT, stream=True, stream_options={"include_usage": True}, **asked)
    )
    texts = [c.choices[0].text for c in chunks if c.choices]
    assert "".join(texts) == whole.text and sum(t != "" for t in texts) > 1, (texts, whole)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.finish_reason, chunks
    assert chunks[-1].choices == [] and chunks[-1].usage and chunks[-1].usage.completion_tokens > 1, chunks[-1]
    messages = [{"role": "user", "content": PROMPT}]
    chunks = list(client.chat.completions.create(messages=messages, stream=True, **asked))
    assert chunks[0].choices[0].delta.role == "assistant" and all(c.object == "chat.completion.chunk" for c in chunks)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.text, chunks
    assert all(c.usage is None for c in chunks)


def likely(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    one = client.completions.create(model=name, prompt=PROMPT, max_tokens=8, temperature=0, logprobs=1).choices[0]
    assert one.logprobs and "".join(one.logprobs.tokens) == one.text, one
    assert all(p <= 0 for p in one.logprobs.token_logprobs) and len(one.logprobs.top_logprobs) == len(
        one.logprobs.tokens
    ), one
    messages = [{"role": "user", "content": PROMPT}]
    two = client.chat.completions.create(
        model=name, messages=messages, max_tokens=8, temperature=0, logprobs=True
    ).choices[0]
    assert [t.token for t in two.logprobs.content] == one.logprobs.tokens, (one, two)
    assert [t.logprob for t in two.logprobs.content] == one.logprobs.token_logprobs
    assert b"".join(bytes(t.bytes) for t in two.logprobs.content).decode() == one.text


def refusals(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    messages = [{"role": "user", "content": PROMPT}]
    ask, say = client.completions.create, client.chat.completions.create
    refused(openai.NotFoundError, 404, lambda: say(model="gpt-4o", messages=messages), "model", "model_not_found")
    refused(openai.NotFoundError, 404, lambda: client.models.retrieve("gpt-4o"), "model", "model_not_found")
    refused(openai.NotFoundError, 404, lambda: client.embeddings.create(model=name, input="x"))
    refused(openai.BadRequestError, 400, lambda: ask(model=name, prompt=PROMPT, echo=True), "echo")
    refused(openai.BadRequestError, 400, lambda: ask(model=name, prompt=PROMPT, top_p=2), "top_p")
    refused(openai.BadRequestError, 400, lambda: ask(model=name, prompt=[1, 2]), "prompt")
    refused(openai.BadRequestError, 400, lambda: ask(model=name, prompt=PROMPT, extra_body={"mirostat": 2}), "mirostat")
    refused(openai.BadRequestError, 400, lambda: say(model=name, messages=[]), "messages")
    refused(
        openai.BadRequestError,
        400,
        lambda: say(model=name, messages=messages, tools=[{"type": "function", "function": {"name": "f"}}]),
        "tools",
    )
    refused(
        openai.BadRequestError,
        400,
        lambda: say(model=name, messages=messages, response_format={"type": "json_object"}),
        "response_format",
    )
    refused(
        openai.BadRequestError, 400, lambda: ask(model=name, prompt="7" * 5000), "prompt", "context_length_exceeded"
    )
    refused(
        openai.BadRequestError,
        400,
        lambda: ask(model=name, prompt="7" * 5000, stream=True),
        "prompt",
        "context_length_exceeded",
    )
    refused(openai.APIStatusError, 413, lambda: ask(model=name, prompt="7" * (3 << 20)), None, "request_too_large")


def together(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    """Clients at the same time each have the answer that they have alone."""
    prompts = [f"{i}ft{i + 1}in en in:" for i in range(24)]

    def ask(prompt: str) -> str:
        chunks = client.completions.create(model=name, prompt=prompt, max_tokens=40, temperature=1, seed=7, stream=True)
        return "".join(c.choices[0].text for c in chunks)

    alone, beside = [ask(p) for p in prompts], [""] * len(prompts)

    def put(i: int) -> None:
        beside[i] = ask(prompts[i])

    threads = [threading.Thread(target=put, args=(i,)) for i in range(len(prompts))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert alone == beside, (alone, beside)


def gone(client: openai.OpenAI, name: str, versions: list[str]) -> None:
    """A reader that goes away in the middle is no matter."""
    stream = client.completions.create(model=name, prompt=PROMPT, n=100, max_tokens=60, temperature=1, stream=True)
    next(iter(stream))
    stream.close()
    assert client.completions.create(model=name, prompt=PROMPT, max_tokens=2).choices[0].text is not None


if __name__ == "__main__":
    main()
