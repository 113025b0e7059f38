"""What Schemathesis does not know by itself of the gateway's document."""

import json
import re
import zlib

import schemathesis

# Of the sample; the last two have too little stock.
PRODUCTS = [f"p-{number}" for number in range(1, 7)]


@schemathesis.serializer("application/x-ndjson")
def write_line(_context, value):
    """The document's schema is that of a line; a request has one."""
    return (json.dumps(value) + "\n").encode()


@schemathesis.deserializer("application/x-ndjson")
def read_lines(_context, response):
    """The last line, which is an error if there is one; the others have to be JSON too."""
    lines = [json.loads(line) for line in response.text.splitlines()]
    return lines[-1] if lines else {"result": {}}


def known(values, name):
    """Has half of the ids that fit be those of products, which others are not found by."""
    value = values.get(name) if isinstance(values, dict) else None
    if not isinstance(value, str) or not 1 <= len(value) <= 100:
        return values
    draw = zlib.crc32(value.encode("utf-8", "surrogatepass"))
    return values if draw % 2 else {**values, name: PRODUCTS[draw // 2 % len(PRODUCTS)]}


@schemathesis.hook
def map_body(_context, body):
    return known(body, "productId")


@schemathesis.hook
def map_query(_context, query):
    return known(query, "productId")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if context.operation.path.startswith("/v1/products/"):
        return known(path_parameters, "id")
    return known(path_parameters, "product_id")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Has no call ask for less time than it needs, which is answered 504, and every stream end by its deadline."""
    headers = dict(case.headers or {})
    asked = headers.get("grpc-timeout")
    if case.operation.path.endswith((":watch", ":sync")):
        headers["grpc-timeout"] = "1100m"  # a stream that is silent for a second is answered 200
    elif isinstance(asked, str) and re.fullmatch(r"[0-9]{1,8}[HMSmun]", asked):
        headers["grpc-timeout"] = "20S"
    case.headers = headers
