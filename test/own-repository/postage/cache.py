"""The last price of each parcel, in a stream of NATS (https://docs.nats.io/reference/reference-protocols/nats-protocol)."""

import base64
import json
import socket

ADDRESS = ("cache.acme.svc.cluster.local", 4222)


def ask(subject, payload):
    """Sends a request, and returns its answer. Raises OSError when the cache is out of reach."""
    data = payload.encode()
    with socket.create_connection(ADDRESS, timeout=10) as connection, connection.makefile("rb") as lines:
        if not lines.readline().startswith(b"INFO "):
            raise ConnectionError("the cache does not greet")
        head = f'CONNECT {{"verbose":false}}\r\nSUB answer 1\r\nPUB {subject} answer {len(data)}\r\n'
        connection.sendall(head.encode() + data + b"\r\n")
        for line in lines:
            if line.startswith(b"MSG "):
                return json.loads(lines.read(int(line.split()[-1])))
            if line.startswith(b"-ERR"):
                raise ConnectionError(line.decode().strip())
    raise ConnectionError("the cache closed the connection")


def keep(parcel, cents):
    """Keeps the price of a parcel, on the disk of the cache once this returns."""
    stream = {"name": "PRICES", "subjects": ["prices.*"], "max_msgs_per_subject": 1}
    for subject, payload in (("$JS.API.STREAM.CREATE.PRICES", json.dumps(stream)), (f"prices.{parcel}", str(cents))):
        answer = ask(subject, payload)
        if "error" in answer:
            raise ConnectionError(answer["error"]["description"])


def read(parcel):
    """The price of a parcel, or None."""
    answer = ask("$JS.API.STREAM.MSG.GET.PRICES", json.dumps({"last_by_subj": f"prices.{parcel}"}))
    return None if "error" in answer else int(base64.b64decode(answer["message"]["data"]))
