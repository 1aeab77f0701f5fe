"""A gateway that answers a constant as fast as Python can: ``fast_gateway.py LATENCY [tail | delivered]``.

It checks nothing, so that the client is what is measured. LATENCY is in ms; with ``tail`` 4 % of the answers
take 100 ms and 1 % 500 ms; with ``delivered`` the answer is that to a status query.
"""

import asyncio
import itertools
import socket
import sys

import uvicorn

ACCEPTED = b'{"status":"ok","timestamp":"2026-11-24 12:00:00","msg_id":100000001,"smsc_msg_parts":1}'
DELIVERED = b'{"message_id":"100000001","final_date":"2026-11-24 12:00:00","message_state":"DELIVERED"}'
BODY = DELIVERED if "delivered" in sys.argv else ACCEPTED
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
START = {"type": "http.response.start", "status": 201, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}
LATENCY = float(sys.argv[1]) / 1000
TAIL = [LATENCY] * 95 + [0.1] * 4 + [0.5]
delays = itertools.cycle(TAIL[37 * number % 100] for number in range(100)) if "tail" in sys.argv else None


async def app(scope, _receive, send):  # noqa: ANN001, ANN201
    """Answer a request."""
    if scope["type"] != "http":
        return
    delay = LATENCY if delays is None else next(delays)
    if delay:
        await asyncio.sleep(delay)
    await send(START)
    await send(END)


def main() -> None:
    """Print the address, and serve."""
    # with its protocol named, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", loop="uvloop")
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
