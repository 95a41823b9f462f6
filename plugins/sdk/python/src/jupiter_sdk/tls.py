"""Certificates of a plugin's connection.

go-plugin's AutoMTLS wants the plugin to make a certificate, and grpcio has nothing to make one with, nor has the standard
library. So the host makes both sides' certificates and hands them over in the environment: `tls = "given"`. They are on
P-256: the TLS library asks clients for no P-521 (docs/plugin-protocol.md has what was measured).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import MutableMapping

import grpc

CERT_KEY = "JUPITER_PLUGIN_TLS_CERT"
KEY_KEY = "JUPITER_PLUGIN_TLS_KEY"
CLIENT_KEY = "JUPITER_PLUGIN_TLS_CLIENT_CERT"
AUTO_KEY = "PLUGIN_CLIENT_CERT"  # go-plugin's: the host's certificate for AutoMTLS


def take_credentials(env: MutableMapping[str, str]) -> grpc.ServerCredentials | None:
    """The credentials that the host has made, or None where it made none.

    They leave env: a program that the plugin starts has no use for the key.
    """
    cert, key, client = (env.pop(k, "").encode() for k in (CERT_KEY, KEY_KEY, CLIENT_KEY))
    if not (cert and key and client):
        return None
    return grpc.ssl_server_credentials([(key, cert)], root_certificates=client, require_client_auth=True)


def wants_auto(env: MutableMapping[str, str]) -> bool:
    """Whether the host expects AutoMTLS."""
    return bool(env.get(AUTO_KEY))


def refuse(listener: socket.socket, plugin: str) -> None:
    """Closes the connection of a host that expects AutoMTLS, and says why on standard error.

    A handshake without certificate tells that host that AutoMTLS is not there. What it must not get is a server without
    certificates: it asked for a connection that is secured, and a plugin that quietly gave less would take that from
    everyone who relies on it. The process ends at the first connection, so that the host has a reason and need not wait.
    """
    connection, _ = listener.accept()
    print(
        f'plugin {plugin} is written in Python, where go-plugin\'s AutoMTLS cannot be had: it needs tls = "given", '
        "certificates of the host's making, which `jupiter init` finds out and records.",
        file=sys.stderr,
        flush=True,
    )
    connection.close()
