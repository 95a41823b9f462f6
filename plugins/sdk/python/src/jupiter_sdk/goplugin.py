"""What go-plugin wants of a process beside the plugin's own services.

Handshake, one line on standard output: 1|PROTOCOL VERSION|unix|PATH|grpc|CERTIFICATE, the last one empty here.

Services, with their messages as bytes: they are so small that generated code for them would be more, and could meet
another package's copy of the same definitions in protobuf's registry.

    grpc.health.v1.Health/Check             field 1, a service's name → field 1, 1 (SERVING)
    plugin.GRPCController/Shutdown          empty → empty; the process ends
    plugin.GRPCStdio/StreamStdio            empty → a stream on which nothing comes: output goes to standard error, so
                                            that nothing of it is lost when the process dies
    plugin.GRPCBroker/StartStream           absent, since plugins are served nothing; go-plugin puts up with that
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

CORE_VERSION = 1
PROTOCOL_VERSION = 1
COOKIE_KEY = "JUPITER_PLUGIN"
COOKIE_VALUE = "b0d4e2a7c1f84c0f9d2f6a3e5b7c8d91"

_NAMED_PLUGIN = b"\n\x06plugin"  # HealthCheckRequest{service: "plugin"}
_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING}


def handshake(path: str) -> bytes:
    """The line that tells the host where to connect."""
    return f"{CORE_VERSION}|{PROTOCOL_VERSION}|unix|{path}|grpc|\n".encode()


class Services(grpc.GenericRpcHandler):
    """The services above. ended is set when the host wants the process to end."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(self._check),
            "/plugin.GRPCController/Shutdown": grpc.unary_unary_rpc_method_handler(self._shutdown),
            "/plugin.GRPCStdio/StreamStdio": grpc.unary_stream_rpc_method_handler(self._stdio),
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._handlers.get(details.method)

    def _check(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        if request not in (b"", _NAMED_PLUGIN):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _SERVING

    def _shutdown(self, _: bytes, __: grpc.ServicerContext) -> bytes:
        self.ended.set()
        return b""

    def _stdio(self, _: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        over = threading.Event()
        if context.add_callback(over.set):
            over.wait()
        yield from ()
