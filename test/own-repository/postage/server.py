"""Quotes postage over gRPC, as grpcio makes a server: it asks another service, in another language, and keeps the price in the cache."""

from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import cache
from messages import method

_, QuoteRequest, QuoteResponse = method("acme.postage.v1.PostageService", "QuotePostage")
get_path, GetRequest, GetResponse = method("acme.parcels.v1.ParcelsService", "GetParcel")
channel = grpc.insecure_channel("parcels.acme.svc.cluster.local:50051")
get_parcel = channel.unary_unary(get_path, GetRequest.SerializeToString, GetResponse.FromString)


def quote_postage(request, context):
    try:
        parcel = get_parcel(GetRequest(id=request.parcel_id), timeout=10).parcel
        cents = 250 + 5 * len(parcel.name)
        cache.keep(parcel.id, cents)
    except grpc.RpcError as error:
        context.abort(error.code(), error.details())
    except OSError as error:
        context.abort(grpc.StatusCode.UNAVAILABLE, f"cache: {error}")
    return QuoteResponse(cents=cents)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
quote = grpc.unary_unary_rpc_method_handler(quote_postage, QuoteRequest.FromString, QuoteResponse.SerializeToString)
server.add_generic_rpc_handlers(
    [grpc.method_handlers_generic_handler("acme.postage.v1.PostageService", {"QuotePostage": quote})]
)
checks = health.HealthServicer()
checks.set("", health_pb2.HealthCheckResponse.SERVING)
health_pb2_grpc.add_HealthServicer_to_server(checks, server)
server.add_insecure_port("0.0.0.0:7071")
server.start()
server.wait_for_termination()
