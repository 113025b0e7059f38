"""Has the postage of one parcel quoted, and ends: with 1 when the service did not answer."""

import sys

import grpc

from messages import method

path, QuoteRequest, QuoteResponse = method("acme.postage.v1.PostageService", "QuotePostage")
channel = grpc.insecure_channel("postage.acme.svc.cluster.local:7071")
call = channel.unary_unary(path, QuoteRequest.SerializeToString, QuoteResponse.FromString)
try:
    print(f"{call(QuoteRequest(parcel_id=sys.argv[1]), timeout=10).cents} cents", flush=True)
except grpc.RpcError as error:
    sys.exit(f"{error.code().name} {error.details()}")
