"""A server as grpcio makes one: a pool of threads, health by grpcio-health-checking, and no word about signals."""

from concurrent import futures
import sys

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def empty_call(request, context):
    """Of grpc.testing.TestService: an Empty for an Empty."""
    return b""


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
handler = grpc.unary_unary_rpc_method_handler(empty_call)
server.add_generic_rpc_handlers(
    [grpc.method_handlers_generic_handler("grpc.testing.TestService", {"EmptyCall": handler})]
)
checks = health.HealthServicer()
checks.set("", health_pb2.HealthCheckResponse.SERVING)
health_pb2_grpc.add_HealthServicer_to_server(checks, server)
server.add_insecure_port(f"0.0.0.0:{sys.argv[1]}")
server.start()
server.wait_for_termination()
