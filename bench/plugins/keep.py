"""The filter that keeps all, with the Python SDK."""

from collections.abc import Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    profile: str = sdk.attribute(default="", description="Not used: the Go plugin's has it.")


@sdk.filter("python", Config, description="Keeps all.", revision=1, concurrent=True)
class Keep(sdk.Judge):
    def __init__(self, call: sdk.Call, config: Config) -> None:
        pass

    def judge(self, records: Sequence[sdk.Record]) -> list[sdk.Verdict]:
        return [sdk.Verdict(keep=True) for _ in records]


if __name__ == "__main__":
    sdk.serve(sdk.Plugin("python", "1.0.0", [Keep]))
