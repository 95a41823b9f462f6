"""The gRPC services of a plugin, made from the protocol's descriptors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from . import serve_evaluator, serve_generator, serve_model, serve_records
from ._pb import plugin_pb2 as pb
from .errors import status_of
from .server import Server

PREFIX = f"/{pb.DESCRIPTOR.package}."


class Services(grpc.GenericRpcHandler):
    """Finds the handler of a method. Services of kinds that the plugin has no stage of are not there."""

    def __init__(self, server: Server) -> None:
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for service, methods in _methods(server).items():
            kind = None if service == "Plugin" else pb.Kind.Value(f"KIND_{service.upper()}")
            if kind is not None and not server.has(kind):
                continue
            descriptor = pb.DESCRIPTOR.services_by_name[service]
            for m in descriptor.methods:
                self._handlers[f"/{descriptor.full_name}/{m.name}"] = _handler(m, methods[m.name])

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        found = self._handlers.get(details.method)
        if found is None and details.method.startswith(PREFIX):
            return _unknown(details.method)
        return found


def _methods(server: Server) -> dict[str, dict[str, Callable[..., Any]]]:
    on = functools.partial
    return {
        "Plugin": {
            "Info": server.info,
            "Validate": server.validate,
            "Stop": server.stop,
            "Estimate": server.estimate,
            "Fingerprint": server.fingerprint,
            "Check": server.check,
        },
        "Collector": {"Collect": on(serve_records.collect, server)},
        "Filter": {"Filter": on(serve_records.filter, server)},
        "Verifier": {"Verify": on(serve_records.verify, server)},
        "Generator": {
            "Generate": on(serve_generator.generate, server),
            "Complete": on(serve_generator.complete, server),
            "Score": on(serve_generator.score, server),
            "Import": on(serve_model.import_model, server, pb.KIND_GENERATOR, "model"),
        },
        "Trainer": {
            "Train": on(serve_model.train, server),
            "Import": on(serve_model.import_model, server, pb.KIND_TRAINER, "checkpoint"),
        },
        "Evaluator": {
            "Prepare": on(serve_evaluator.prepare, server),
            "Score": on(serve_evaluator.score, server),
        },
        "Exporter": {"Export": on(serve_model.export, server)},
    }


def _handler(method: MethodDescriptor, function: Callable[..., Any]) -> grpc.RpcMethodHandler[Any, Any]:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    guard = _stream if method.server_streaming else _single
    handler: grpc.RpcMethodHandler[Any, Any] = make(
        guard(method.name, function),
        request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
        response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
    )
    return handler


def _single(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives errors their status."""

    def call(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(request, context)
        except grpc.RpcError:
            raise
        except BaseException as e:
            context.abort(*status_of(e, name))

    return call


def _stream(name: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Gives errors their status."""

    def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            yield from function(request, context)
        except (grpc.RpcError, GeneratorExit):
            raise
        except BaseException as e:
            context.abort(*status_of(e, name))

    return call


def _unknown(method: str) -> grpc.RpcMethodHandler[Any, Any]:
    """Says what is missing in the words that a host knows from Go's gRPC."""
    service = method.split("/")[1]

    def call(_: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown service {service}")

    return grpc.stream_stream_rpc_method_handler(call)
