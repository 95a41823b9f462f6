"""All that the author of a Python plugin imports.

A plugin is a process that offers stages. Each stage is a function or a class under the decorator of its kind, and
`serve` answers for all of them until the host ends the process:

    @sdk.filter("length", Config, revision=1, deterministic=True, concurrent=True)
    class Length(sdk.Judge): ...

    def main() -> None:
        sdk.serve(sdk.Plugin("words", "1.0.0", [Length]))

The second argument of a decorator is the stage's configuration, a dataclass; see `jupiter_sdk.config`. A stage gets it
decoded, with defaults filled in by the host.

What to know before writing one:

- A stage gets a `Call`. `Call.stopped` is set when the host asks to save: bring what was finished to a resumable end,
  and return.
- Results are yielded. A yield waits while the host is busy. Where the host gives up on the call, the generator is closed
  at its yield.
- The SDK splits long lists into messages and checks what the protocol promises (one verdict a record, answers in the
  order of the prompts). A stage that breaks a promise gets an error that names it, not a confused host.
- An exception fails that call alone, with its traceback on standard error. `StageError` is for what the user can mend:
  its message alone is shown.
- What a stage prints goes to standard error, also what C code writes to file descriptor 1.
- A stage whose options say concurrent is called from several threads at once.
- Everything in the process shares one interpreter lock: an extension module that holds it keeps the SDK from answering
  the host, and from seeing that the host is gone.
"""

from ._pb.plugin_pb2 import (
    Answer,
    Artifact,
    Checkpoint,
    Completion,
    Diagnostic,
    Domain,
    EstimateRequest,
    EstimateResponse,
    Finding,
    GenerateRequest,
    Judgement,
    Kind,
    Likelihood,
    LikelihoodEvent,
    LikelihoodItem,
    Message,
    ModelMaker,
    Output,
    Piece,
    PrepareRequest,
    Prompt,
    PromptSet,
    Question,
    QuestionScore,
    Record,
    RecordBatch,
    Sampling,
    Token,
    TrainRequest,
    Verdict,
    VerifyItem,
)
from .call import Call
from .config import NoConfig, attribute
from .decode import decode
from .diagnostics import error, warning
from .draft import Draft
from .errors import Cancelled, ConfigError, StageError, TransientError
from .kinds import (
    Evaluator,
    Generator,
    Judge,
    Trainer,
    collector,
    evaluator,
    exporter,
    filter,
    generator,
    trainer,
    verifier,
)
from .records import RECORDS_MEDIA_TYPE, RecordWriter, create_records, open_records
from .serve import serve
from .stage import Plugin

CHECKPOINT_MEDIA_TYPE = "application/vnd.jupiter.checkpoint"
GGUF_MEDIA_TYPE = "application/vnd.gguf"

__all__ = [
    "CHECKPOINT_MEDIA_TYPE",
    "GGUF_MEDIA_TYPE",
    "RECORDS_MEDIA_TYPE",
    "Answer",
    "Artifact",
    "Call",
    "Cancelled",
    "Checkpoint",
    "Completion",
    "ConfigError",
    "Diagnostic",
    "Domain",
    "Draft",
    "EstimateRequest",
    "EstimateResponse",
    "Evaluator",
    "Finding",
    "GenerateRequest",
    "Generator",
    "Judge",
    "Judgement",
    "Kind",
    "Likelihood",
    "LikelihoodEvent",
    "LikelihoodItem",
    "Message",
    "ModelMaker",
    "NoConfig",
    "Output",
    "Piece",
    "Plugin",
    "PrepareRequest",
    "Prompt",
    "PromptSet",
    "Question",
    "QuestionScore",
    "Record",
    "RecordBatch",
    "RecordWriter",
    "Sampling",
    "StageError",
    "Token",
    "TrainRequest",
    "Trainer",
    "TransientError",
    "Verdict",
    "VerifyItem",
    "attribute",
    "collector",
    "create_records",
    "decode",
    "error",
    "evaluator",
    "exporter",
    "filter",
    "generator",
    "open_records",
    "serve",
    "trainer",
    "verifier",
    "warning",
]
