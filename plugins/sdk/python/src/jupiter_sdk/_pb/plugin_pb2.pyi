from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_COLLECTOR: _ClassVar[Kind]
    KIND_GENERATOR: _ClassVar[Kind]
    KIND_FILTER: _ClassVar[Kind]
    KIND_TRAINER: _ClassVar[Kind]
    KIND_EVALUATOR: _ClassVar[Kind]
    KIND_EXPORTER: _ClassVar[Kind]
    KIND_VERIFIER: _ClassVar[Kind]

class Effect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EFFECT_UNSPECIFIED: _ClassVar[Effect]
    EFFECT_RERUN: _ClassVar[Effect]
    EFFECT_ADVANCE: _ClassVar[Effect]
    EFFECT_NONE: _ClassVar[Effect]
KIND_UNSPECIFIED: Kind
KIND_COLLECTOR: Kind
KIND_GENERATOR: Kind
KIND_FILTER: Kind
KIND_TRAINER: Kind
KIND_EVALUATOR: Kind
KIND_EXPORTER: Kind
KIND_VERIFIER: Kind
EFFECT_UNSPECIFIED: Effect
EFFECT_RERUN: Effect
EFFECT_ADVANCE: Effect
EFFECT_NONE: Effect

class CheckRequest(_message.Message):
    __slots__ = ("kind", "stage", "config")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    stage: str
    config: Config
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ...) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ("findings",)
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("subject", "level", "detail")
    class Level(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LEVEL_UNSPECIFIED: _ClassVar[Finding.Level]
        LEVEL_OK: _ClassVar[Finding.Level]
        LEVEL_ABSENT: _ClassVar[Finding.Level]
        LEVEL_PROBLEM: _ClassVar[Finding.Level]
    LEVEL_UNSPECIFIED: Finding.Level
    LEVEL_OK: Finding.Level
    LEVEL_ABSENT: Finding.Level
    LEVEL_PROBLEM: Finding.Level
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    subject: str
    level: Finding.Level
    detail: str
    def __init__(self, subject: _Optional[str] = ..., level: _Optional[_Union[Finding.Level, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class FingerprintRequest(_message.Message):
    __slots__ = ("kind", "stage", "config")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    stage: str
    config: Config
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ...) -> None: ...

class FingerprintResponse(_message.Message):
    __slots__ = ("digest", "backend", "dtype")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    BACKEND_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    digest: str
    backend: str
    dtype: str
    def __init__(self, digest: _Optional[str] = ..., backend: _Optional[str] = ..., dtype: _Optional[str] = ...) -> None: ...

class EstimateRequest(_message.Message):
    __slots__ = ("kind", "stage", "config", "items", "maker", "checkpoints", "prompt_bytes", "scored_bytes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAKER_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SCORED_BYTES_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    stage: str
    config: Config
    items: int
    maker: ModelMaker
    checkpoints: int
    prompt_bytes: float
    scored_bytes: float
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ..., items: _Optional[int] = ..., maker: _Optional[_Union[ModelMaker, _Mapping]] = ..., checkpoints: _Optional[int] = ..., prompt_bytes: _Optional[float] = ..., scored_bytes: _Optional[float] = ...) -> None: ...

class ModelMaker(_message.Message):
    __slots__ = ("stage", "config")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    stage: str
    config: Config
    def __init__(self, stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ...) -> None: ...

class EstimateResponse(_message.Message):
    __slots__ = ("flop", "prompt_tokens", "completion_tokens", "max_completion_tokens", "bytes_read", "bytes_written", "peak_memory_bytes", "records")
    FLOP_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    BYTES_READ_FIELD_NUMBER: _ClassVar[int]
    BYTES_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    flop: float
    prompt_tokens: float
    completion_tokens: float
    max_completion_tokens: float
    bytes_read: float
    bytes_written: float
    peak_memory_bytes: float
    records: int
    def __init__(self, flop: _Optional[float] = ..., prompt_tokens: _Optional[float] = ..., completion_tokens: _Optional[float] = ..., max_completion_tokens: _Optional[float] = ..., bytes_read: _Optional[float] = ..., bytes_written: _Optional[float] = ..., peak_memory_bytes: _Optional[float] = ..., records: _Optional[int] = ...) -> None: ...

class InfoRequest(_message.Message):
    __slots__ = ("host_version", "host_features")
    HOST_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FEATURES_FIELD_NUMBER: _ClassVar[int]
    host_version: str
    host_features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, host_version: _Optional[str] = ..., host_features: _Optional[_Iterable[str]] = ...) -> None: ...

class InfoResponse(_message.Message):
    __slots__ = ("name", "version", "stages", "features")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    stages: _containers.RepeatedCompositeFieldContainer[Stage]
    features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ..., features: _Optional[_Iterable[str]] = ...) -> None: ...

class Stage(_message.Message):
    __slots__ = ("kind", "name", "schema", "revision", "deterministic", "resumable", "consumes", "produces", "needs_network", "concurrent", "features")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DETERMINISTIC_FIELD_NUMBER: _ClassVar[int]
    RESUMABLE_FIELD_NUMBER: _ClassVar[int]
    CONSUMES_FIELD_NUMBER: _ClassVar[int]
    PRODUCES_FIELD_NUMBER: _ClassVar[int]
    NEEDS_NETWORK_FIELD_NUMBER: _ClassVar[int]
    CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    name: str
    schema: Schema
    revision: int
    deterministic: bool
    resumable: bool
    consumes: _containers.RepeatedScalarFieldContainer[str]
    produces: _containers.RepeatedScalarFieldContainer[str]
    needs_network: bool
    concurrent: bool
    features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., name: _Optional[str] = ..., schema: _Optional[_Union[Schema, _Mapping]] = ..., revision: _Optional[int] = ..., deterministic: bool = ..., resumable: bool = ..., consumes: _Optional[_Iterable[str]] = ..., produces: _Optional[_Iterable[str]] = ..., needs_network: bool = ..., concurrent: bool = ..., features: _Optional[_Iterable[str]] = ...) -> None: ...

class Schema(_message.Message):
    __slots__ = ("attributes", "blocks", "description")
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    blocks: _containers.RepeatedCompositeFieldContainer[NestedBlock]
    description: str
    def __init__(self, attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., blocks: _Optional[_Iterable[_Union[NestedBlock, _Mapping]]] = ..., description: _Optional[str] = ...) -> None: ...

class Attribute(_message.Message):
    __slots__ = ("name", "type", "required", "default", "sensitive", "description", "effect", "deprecated", "accepts", "environment")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    DEPRECATED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: bytes
    required: bool
    default: bytes
    sensitive: bool
    description: str
    effect: Effect
    deprecated: str
    accepts: _containers.RepeatedScalarFieldContainer[str]
    environment: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[bytes] = ..., required: bool = ..., default: _Optional[bytes] = ..., sensitive: bool = ..., description: _Optional[str] = ..., effect: _Optional[_Union[Effect, str]] = ..., deprecated: _Optional[str] = ..., accepts: _Optional[_Iterable[str]] = ..., environment: bool = ...) -> None: ...

class NestedBlock(_message.Message):
    __slots__ = ("type", "nesting", "schema", "min_items", "max_items")
    class Nesting(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NESTING_UNSPECIFIED: _ClassVar[NestedBlock.Nesting]
        NESTING_SINGLE: _ClassVar[NestedBlock.Nesting]
        NESTING_LIST: _ClassVar[NestedBlock.Nesting]
        NESTING_MAP: _ClassVar[NestedBlock.Nesting]
    NESTING_UNSPECIFIED: NestedBlock.Nesting
    NESTING_SINGLE: NestedBlock.Nesting
    NESTING_LIST: NestedBlock.Nesting
    NESTING_MAP: NestedBlock.Nesting
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NESTING_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    type: str
    nesting: NestedBlock.Nesting
    schema: Schema
    min_items: int
    max_items: int
    def __init__(self, type: _Optional[str] = ..., nesting: _Optional[_Union[NestedBlock.Nesting, str]] = ..., schema: _Optional[_Union[Schema, _Mapping]] = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ...) -> None: ...

class Config(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: bytes
    def __init__(self, json: _Optional[bytes] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ValidateItem]
    def __init__(self, items: _Optional[_Iterable[_Union[ValidateItem, _Mapping]]] = ...) -> None: ...

class ValidateItem(_message.Message):
    __slots__ = ("address", "kind", "stage", "config", "runs_models")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    RUNS_MODELS_FIELD_NUMBER: _ClassVar[int]
    address: str
    kind: Kind
    stage: str
    config: Config
    runs_models: bool
    def __init__(self, address: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ..., runs_models: bool = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("diagnostics",)
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ("reason", "call_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    call_id: str
    def __init__(self, reason: _Optional[str] = ..., call_id: _Optional[str] = ...) -> None: ...

class StopResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Diagnostic(_message.Message):
    __slots__ = ("severity", "summary", "detail", "attribute", "address")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[Diagnostic.Severity]
        SEVERITY_ERROR: _ClassVar[Diagnostic.Severity]
        SEVERITY_WARNING: _ClassVar[Diagnostic.Severity]
    SEVERITY_UNSPECIFIED: Diagnostic.Severity
    SEVERITY_ERROR: Diagnostic.Severity
    SEVERITY_WARNING: Diagnostic.Severity
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    severity: Diagnostic.Severity
    summary: str
    detail: str
    attribute: _containers.RepeatedCompositeFieldContainer[PathStep]
    address: str
    def __init__(self, severity: _Optional[_Union[Diagnostic.Severity, str]] = ..., summary: _Optional[str] = ..., detail: _Optional[str] = ..., attribute: _Optional[_Iterable[_Union[PathStep, _Mapping]]] = ..., address: _Optional[str] = ...) -> None: ...

class PathStep(_message.Message):
    __slots__ = ("name", "key", "index")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    name: str
    key: str
    index: int
    def __init__(self, name: _Optional[str] = ..., key: _Optional[str] = ..., index: _Optional[int] = ...) -> None: ...

class Record(_message.Message):
    __slots__ = ("id", "text", "prompt", "messages", "key", "generator_version", "sample_seed", "prompt_tokens", "completion_tokens", "bucket", "meta")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    GENERATOR_VERSION_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SEED_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    prompt: str
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    key: str
    generator_version: int
    sample_seed: int
    prompt_tokens: int
    completion_tokens: int
    bucket: str
    meta: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., prompt: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., key: _Optional[str] = ..., generator_version: _Optional[int] = ..., sample_seed: _Optional[int] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., bucket: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("role", "content", "train")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: str
    train: bool
    def __init__(self, role: _Optional[str] = ..., content: _Optional[str] = ..., train: bool = ...) -> None: ...

class RecordBatch(_message.Message):
    __slots__ = ("records", "cursor")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[Record]
    cursor: bytes
    def __init__(self, records: _Optional[_Iterable[_Union[Record, _Mapping]]] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ("digest", "media_type", "path")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    digest: str
    media_type: str
    path: str
    def __init__(self, digest: _Optional[str] = ..., media_type: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("name", "media_type", "path", "meta")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    name: str
    media_type: str
    path: str
    meta: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., media_type: _Optional[str] = ..., path: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("stage", "config", "work_dir", "seed", "cursor", "domain", "id", "inputs", "limit")
    class InputsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Artifact
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    WORK_DIR_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    stage: str
    config: Config
    work_dir: str
    seed: int
    cursor: bytes
    domain: Domain
    id: str
    inputs: _containers.MessageMap[str, Artifact]
    limit: Limit
    def __init__(self, stage: _Optional[str] = ..., config: _Optional[_Union[Config, _Mapping]] = ..., work_dir: _Optional[str] = ..., seed: _Optional[int] = ..., cursor: _Optional[bytes] = ..., domain: _Optional[_Union[Domain, _Mapping]] = ..., id: _Optional[str] = ..., inputs: _Optional[_Mapping[str, Artifact]] = ..., limit: _Optional[_Union[Limit, _Mapping]] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("tokens", "usd", "usd_per_prompt_token", "usd_per_completion_token")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    USD_FIELD_NUMBER: _ClassVar[int]
    USD_PER_PROMPT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USD_PER_COMPLETION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tokens: int
    usd: float
    usd_per_prompt_token: float
    usd_per_completion_token: float
    def __init__(self, tokens: _Optional[int] = ..., usd: _Optional[float] = ..., usd_per_prompt_token: _Optional[float] = ..., usd_per_completion_token: _Optional[float] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("prompt_tokens", "completion_tokens")
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    prompt_tokens: int
    completion_tokens: int
    def __init__(self, prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ...) -> None: ...

class Domain(_message.Message):
    __slots__ = ("name", "language", "keywords", "negative_keywords")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    language: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    negative_keywords: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., language: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., negative_keywords: _Optional[_Iterable[str]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("done", "total", "unit", "metrics", "usage")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    done: int
    total: int
    unit: str
    metrics: _containers.ScalarMap[str, float]
    usage: Usage
    def __init__(self, done: _Optional[int] = ..., total: _Optional[int] = ..., unit: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class CollectRequest(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: Call
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ...) -> None: ...

class CollectEvent(_message.Message):
    __slots__ = ("batch", "progress", "diagnostic")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    batch: RecordBatch
    progress: Progress
    diagnostic: Diagnostic
    def __init__(self, batch: _Optional[_Union[RecordBatch, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...

class Prompt(_message.Message):
    __slots__ = ("id", "system", "text", "bucket", "meta", "messages")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    id: str
    system: str
    text: str
    bucket: str
    meta: _containers.ScalarMap[str, str]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, id: _Optional[str] = ..., system: _Optional[str] = ..., text: _Optional[str] = ..., bucket: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ..., messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("call", "model", "sets", "sampling")
    CALL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SETS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    call: Call
    model: Artifact
    sets: _containers.RepeatedCompositeFieldContainer[PromptSet]
    sampling: Sampling
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., model: _Optional[_Union[Artifact, _Mapping]] = ..., sets: _Optional[_Iterable[_Union[PromptSet, _Mapping]]] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ...) -> None: ...

class Sampling(_message.Message):
    __slots__ = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "stop", "json_schema")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MIN_P_FIELD_NUMBER: _ClassVar[int]
    REPETITION_PENALTY_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    max_tokens: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    json_schema: bytes
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., min_p: _Optional[float] = ..., repetition_penalty: _Optional[float] = ..., max_tokens: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., json_schema: _Optional[bytes] = ...) -> None: ...

class PromptSet(_message.Message):
    __slots__ = ("template", "prompts", "samples", "start_index")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    START_INDEX_FIELD_NUMBER: _ClassVar[int]
    template: str
    prompts: _containers.RepeatedCompositeFieldContainer[Prompt]
    samples: int
    start_index: int
    def __init__(self, template: _Optional[str] = ..., prompts: _Optional[_Iterable[_Union[Prompt, _Mapping]]] = ..., samples: _Optional[int] = ..., start_index: _Optional[int] = ...) -> None: ...

class GenerateEvent(_message.Message):
    __slots__ = ("batch", "progress", "diagnostic")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    batch: RecordBatch
    progress: Progress
    diagnostic: Diagnostic
    def __init__(self, batch: _Optional[_Union[RecordBatch, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...

class CompleteRequest(_message.Message):
    __slots__ = ("call", "model", "prompts", "sampling", "stream")
    CALL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    call: Call
    model: Artifact
    prompts: _containers.RepeatedCompositeFieldContainer[Prompt]
    sampling: Sampling
    stream: bool
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., model: _Optional[_Union[Artifact, _Mapping]] = ..., prompts: _Optional[_Iterable[_Union[Prompt, _Mapping]]] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., stream: bool = ...) -> None: ...

class CompleteEvent(_message.Message):
    __slots__ = ("completion", "progress", "diagnostic", "piece")
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    completion: Completion
    progress: Progress
    diagnostic: Diagnostic
    piece: Piece
    def __init__(self, completion: _Optional[_Union[Completion, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ..., piece: _Optional[_Union[Piece, _Mapping]] = ...) -> None: ...

class Piece(_message.Message):
    __slots__ = ("prompt_id", "text", "tokens")
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    prompt_id: str
    text: str
    tokens: _containers.RepeatedCompositeFieldContainer[Token]
    def __init__(self, prompt_id: _Optional[str] = ..., text: _Optional[str] = ..., tokens: _Optional[_Iterable[_Union[Token, _Mapping]]] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("id", "text", "logprob")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    id: int
    text: bytes
    logprob: float
    def __init__(self, id: _Optional[int] = ..., text: _Optional[bytes] = ..., logprob: _Optional[float] = ...) -> None: ...

class Completion(_message.Message):
    __slots__ = ("prompt_id", "text", "logprobs", "tokens", "finish_reason", "prompt_tokens", "completion_tokens")
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    prompt_id: str
    text: str
    logprobs: _containers.RepeatedScalarFieldContainer[float]
    tokens: _containers.RepeatedScalarFieldContainer[int]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    def __init__(self, prompt_id: _Optional[str] = ..., text: _Optional[str] = ..., logprobs: _Optional[_Iterable[float]] = ..., tokens: _Optional[_Iterable[int]] = ..., finish_reason: _Optional[str] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ...) -> None: ...

class LikelihoodRequest(_message.Message):
    __slots__ = ("call", "model", "items")
    CALL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    call: Call
    model: Artifact
    items: _containers.RepeatedCompositeFieldContainer[LikelihoodItem]
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., model: _Optional[_Union[Artifact, _Mapping]] = ..., items: _Optional[_Iterable[_Union[LikelihoodItem, _Mapping]]] = ...) -> None: ...

class LikelihoodItem(_message.Message):
    __slots__ = ("prompt_id", "prompt", "continuations", "end")
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CONTINUATIONS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    prompt_id: str
    prompt: str
    continuations: _containers.RepeatedScalarFieldContainer[str]
    end: bool
    def __init__(self, prompt_id: _Optional[str] = ..., prompt: _Optional[str] = ..., continuations: _Optional[_Iterable[str]] = ..., end: bool = ...) -> None: ...

class LikelihoodEvent(_message.Message):
    __slots__ = ("prompt_id", "likelihoods", "scorer")
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    LIKELIHOODS_FIELD_NUMBER: _ClassVar[int]
    SCORER_FIELD_NUMBER: _ClassVar[int]
    prompt_id: str
    likelihoods: _containers.RepeatedCompositeFieldContainer[Likelihood]
    scorer: str
    def __init__(self, prompt_id: _Optional[str] = ..., likelihoods: _Optional[_Iterable[_Union[Likelihood, _Mapping]]] = ..., scorer: _Optional[str] = ...) -> None: ...

class Likelihood(_message.Message):
    __slots__ = ("sum_logprob", "tokens", "bytes")
    SUM_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    sum_logprob: float
    tokens: int
    bytes: int
    def __init__(self, sum_logprob: _Optional[float] = ..., tokens: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class FilterRequest(_message.Message):
    __slots__ = ("call", "reference", "batch")
    CALL_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    call: Call
    reference: RecordBatch
    batch: RecordBatch
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., reference: _Optional[_Union[RecordBatch, _Mapping]] = ..., batch: _Optional[_Union[RecordBatch, _Mapping]] = ...) -> None: ...

class FilterEvent(_message.Message):
    __slots__ = ("verdicts", "progress", "diagnostic")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    verdicts: VerdictBatch
    progress: Progress
    diagnostic: Diagnostic
    def __init__(self, verdicts: _Optional[_Union[VerdictBatch, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...

class VerdictBatch(_message.Message):
    __slots__ = ("verdicts",)
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("id", "keep", "score", "reason", "duplicate_of")
    ID_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_OF_FIELD_NUMBER: _ClassVar[int]
    id: str
    keep: bool
    score: float
    reason: str
    duplicate_of: str
    def __init__(self, id: _Optional[str] = ..., keep: bool = ..., score: _Optional[float] = ..., reason: _Optional[str] = ..., duplicate_of: _Optional[str] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("call", "batch")
    CALL_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    call: Call
    batch: VerifyBatch
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., batch: _Optional[_Union[VerifyBatch, _Mapping]] = ...) -> None: ...

class VerifyBatch(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[VerifyItem]
    def __init__(self, items: _Optional[_Iterable[_Union[VerifyItem, _Mapping]]] = ...) -> None: ...

class VerifyItem(_message.Message):
    __slots__ = ("id", "prompt", "text", "reference")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    prompt: str
    text: str
    reference: str
    def __init__(self, id: _Optional[str] = ..., prompt: _Optional[str] = ..., text: _Optional[str] = ..., reference: _Optional[str] = ...) -> None: ...

class VerifyEvent(_message.Message):
    __slots__ = ("judgements", "progress", "diagnostics")
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    judgements: _containers.RepeatedCompositeFieldContainer[Judgement]
    progress: Progress
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, judgements: _Optional[_Iterable[_Union[Judgement, _Mapping]]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class Judgement(_message.Message):
    __slots__ = ("id", "well_formed", "consistent", "steps_ok", "answer_ok", "reason", "key", "family", "question", "answer")
    ID_FIELD_NUMBER: _ClassVar[int]
    WELL_FORMED_FIELD_NUMBER: _ClassVar[int]
    CONSISTENT_FIELD_NUMBER: _ClassVar[int]
    STEPS_OK_FIELD_NUMBER: _ClassVar[int]
    ANSWER_OK_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    id: str
    well_formed: bool
    consistent: bool
    steps_ok: bool
    answer_ok: bool
    reason: str
    key: str
    family: str
    question: str
    answer: str
    def __init__(self, id: _Optional[str] = ..., well_formed: bool = ..., consistent: bool = ..., steps_ok: bool = ..., answer_ok: bool = ..., reason: _Optional[str] = ..., key: _Optional[str] = ..., family: _Optional[str] = ..., question: _Optional[str] = ..., answer: _Optional[str] = ...) -> None: ...

class TrainRequest(_message.Message):
    __slots__ = ("call", "dataset", "checkpoint", "from_step", "to_step", "topology", "real", "window_start", "window_end", "save_every_steps", "base")
    CALL_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    TO_STEP_FIELD_NUMBER: _ClassVar[int]
    TOPOLOGY_FIELD_NUMBER: _ClassVar[int]
    REAL_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_FIELD_NUMBER: _ClassVar[int]
    WINDOW_END_FIELD_NUMBER: _ClassVar[int]
    SAVE_EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    call: Call
    dataset: Artifact
    checkpoint: Artifact
    from_step: int
    to_step: int
    topology: Topology
    real: Artifact
    window_start: int
    window_end: int
    save_every_steps: int
    base: Artifact
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., dataset: _Optional[_Union[Artifact, _Mapping]] = ..., checkpoint: _Optional[_Union[Artifact, _Mapping]] = ..., from_step: _Optional[int] = ..., to_step: _Optional[int] = ..., topology: _Optional[_Union[Topology, _Mapping]] = ..., real: _Optional[_Union[Artifact, _Mapping]] = ..., window_start: _Optional[int] = ..., window_end: _Optional[int] = ..., save_every_steps: _Optional[int] = ..., base: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...

class Topology(_message.Message):
    __slots__ = ("rank", "peers", "sync_every_n_steps", "gradient_compression")
    RANK_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SYNC_EVERY_N_STEPS_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_COMPRESSION_FIELD_NUMBER: _ClassVar[int]
    rank: int
    peers: _containers.RepeatedCompositeFieldContainer[Peer]
    sync_every_n_steps: int
    gradient_compression: bool
    def __init__(self, rank: _Optional[int] = ..., peers: _Optional[_Iterable[_Union[Peer, _Mapping]]] = ..., sync_every_n_steps: _Optional[int] = ..., gradient_compression: bool = ...) -> None: ...

class Peer(_message.Message):
    __slots__ = ("name", "address")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: str
    address: str
    def __init__(self, name: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class TrainEvent(_message.Message):
    __slots__ = ("progress", "checkpoint", "diagnostic")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    checkpoint: Checkpoint
    diagnostic: Diagnostic
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("step", "output", "cursor")
    STEP_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    step: int
    output: Output
    cursor: bytes
    def __init__(self, step: _Optional[int] = ..., output: _Optional[_Union[Output, _Mapping]] = ..., cursor: _Optional[bytes] = ...) -> None: ...

class PrepareRequest(_message.Message):
    __slots__ = ("call", "benchmarks", "custom", "samples", "splits")
    class SplitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Artifact
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...
    CALL_FIELD_NUMBER: _ClassVar[int]
    BENCHMARKS_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SPLITS_FIELD_NUMBER: _ClassVar[int]
    call: Call
    benchmarks: _containers.RepeatedScalarFieldContainer[str]
    custom: Artifact
    samples: int
    splits: _containers.MessageMap[str, Artifact]
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., benchmarks: _Optional[_Iterable[str]] = ..., custom: _Optional[_Union[Artifact, _Mapping]] = ..., samples: _Optional[int] = ..., splits: _Optional[_Mapping[str, Artifact]] = ...) -> None: ...

class PrepareResponse(_message.Message):
    __slots__ = ("questions", "diagnostics", "progress")
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    questions: _containers.RepeatedCompositeFieldContainer[Question]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    progress: Progress
    def __init__(self, questions: _Optional[_Iterable[_Union[Question, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("prompt", "reference", "benchmark", "key", "cluster", "distractors", "split", "evidence")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    DISTRACTORS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    prompt: Prompt
    reference: str
    benchmark: str
    key: str
    cluster: str
    distractors: _containers.RepeatedScalarFieldContainer[str]
    split: str
    evidence: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prompt: _Optional[_Union[Prompt, _Mapping]] = ..., reference: _Optional[str] = ..., benchmark: _Optional[str] = ..., key: _Optional[str] = ..., cluster: _Optional[str] = ..., distractors: _Optional[_Iterable[str]] = ..., split: _Optional[str] = ..., evidence: _Optional[_Iterable[str]] = ...) -> None: ...

class ScoreRequest(_message.Message):
    __slots__ = ("call", "answer")
    CALL_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    call: Call
    answer: Answer
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., answer: _Optional[_Union[Answer, _Mapping]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("question", "completion", "judgement", "likelihoods", "choice")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENT_FIELD_NUMBER: _ClassVar[int]
    LIKELIHOODS_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    question: Question
    completion: Completion
    judgement: Judgement
    likelihoods: _containers.RepeatedCompositeFieldContainer[Likelihood]
    choice: Completion
    def __init__(self, question: _Optional[_Union[Question, _Mapping]] = ..., completion: _Optional[_Union[Completion, _Mapping]] = ..., judgement: _Optional[_Union[Judgement, _Mapping]] = ..., likelihoods: _Optional[_Iterable[_Union[Likelihood, _Mapping]]] = ..., choice: _Optional[_Union[Completion, _Mapping]] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("scores", "diagnostics")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedCompositeFieldContainer[QuestionScore]
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, scores: _Optional[_Iterable[_Union[QuestionScore, _Mapping]]] = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class QuestionScore(_message.Message):
    __slots__ = ("prompt_id", "accuracy", "coherence", "domain", "sub_scores", "reasons")
    class SubScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PROMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    COHERENCE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SUB_SCORES_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    prompt_id: str
    accuracy: float
    coherence: float
    domain: float
    sub_scores: _containers.ScalarMap[str, float]
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, prompt_id: _Optional[str] = ..., accuracy: _Optional[float] = ..., coherence: _Optional[float] = ..., domain: _Optional[float] = ..., sub_scores: _Optional[_Mapping[str, float]] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ("call", "checkpoint", "base")
    CALL_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    call: Call
    checkpoint: Artifact
    base: Artifact
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., checkpoint: _Optional[_Union[Artifact, _Mapping]] = ..., base: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...

class ExportEvent(_message.Message):
    __slots__ = ("output", "progress", "diagnostic")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    output: Output
    progress: Progress
    diagnostic: Diagnostic
    def __init__(self, output: _Optional[_Union[Output, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...

class ImportRequest(_message.Message):
    __slots__ = ("call", "path")
    CALL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    call: Call
    path: str
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ..., path: _Optional[str] = ...) -> None: ...

class ImportEvent(_message.Message):
    __slots__ = ("output", "progress", "diagnostic")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTIC_FIELD_NUMBER: _ClassVar[int]
    output: Output
    progress: Progress
    diagnostic: Diagnostic
    def __init__(self, output: _Optional[_Union[Output, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., diagnostic: _Optional[_Union[Diagnostic, _Mapping]] = ...) -> None: ...
