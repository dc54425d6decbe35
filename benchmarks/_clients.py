"""Clients for `serving.py`, in a process of their own: JSON of a task in, JSON of times out.

Requests are made before the clock starts and answers are hardly parsed, so that most of the
processors is left to the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np


def request(url: str, content: bytes, part: str) -> bytes:
    """A form with one recording, as bytes of HTTP."""
    head = f'--b\r\nContent-Disposition: form-data; name="{part}"; filename="a.wav"\r\n\r\n'
    body = head.encode() + content + b"\r\n--b--\r\n"
    lines = [f"POST {url} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += ["Content-Type: multipart/form-data; boundary=b", "", ""]
    return "\r\n".join(lines).encode() + body


async def ask(connection: tuple, content: bytes) -> None:
    """Send a request and read its answer, which must be 200."""
    reader, writer = connection
    writer.write(content)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    body = await reader.readexactly(int(length))
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError((head + body).decode())


async def many(port: int, url: str, part: str, clips: list[str], clients: int, n: int) -> dict:
    """Seconds of n requests by some clients, each of which waits for its answer."""
    requests = [request(url, Path(clip).read_bytes(), part) for clip in clips]
    connections = [await asyncio.open_connection("localhost", port) for _ in range(clients)]
    numbers = iter(range(n))
    seconds: list[float] = []

    async def client(connection: tuple) -> None:
        for number in numbers:
            start = time.perf_counter()
            await ask(connection, requests[number % len(requests)])
            seconds.append(time.perf_counter() - start)

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(connection) for connection in connections))
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    for _, writer in connections:
        writer.close()
    return {"elapsed": elapsed, "seconds": seconds, "share": cpu / elapsed}


async def health(port: int, url: str, recording: str, timelines: int, n: int) -> dict:
    """Seconds of n requests for /healthz, while timelines of a long recording are made."""
    content = Path(recording).read_bytes()
    head = f"POST {url} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    long = []
    for _ in range(timelines):
        long.append(await asyncio.open_connection("localhost", port))
        long[-1][1].write(head.encode() + content)
    first = [await reader.readline() for reader, _ in long]  # rows come
    assert all(b" 200 " in line for line in first), first
    connection = await asyncio.open_connection("localhost", port)
    seconds = []
    for _ in range(n):
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        await ask(connection, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        seconds.append(time.perf_counter() - start)
    n_running = 0
    for reader, writer in long:
        n_running += not reader.at_eof()
        writer.close()
    return {"seconds": seconds, "running": n_running}


async def live(port: int, audio: str, sessions: int, seconds: float) -> dict:
    """Sessions in real time: after the end, how late the last row was, and all others."""
    from websockets.asyncio.client import connect

    samples, sr, piece = np.load(audio), 16000, 1600
    settings = json.dumps({"format": "pcm16", "sr": sr, "channels": 1})
    behind: list[float] = []  # of rows, after their own end
    last: list[float] = []

    async def session(number: int) -> None:
        await asyncio.sleep(number / sessions)
        async with connect(f"ws://localhost:{port}/v1/live", compression=None) as socket:
            await socket.send(settings)
            assert json.loads(await socket.recv())["type"] == "ready"
            start = time.perf_counter()
            ended = start + seconds

            async def listen() -> None:
                async for message in socket:
                    content = json.loads(message)
                    now = time.perf_counter()
                    if content["type"] == "row" and not content["revised"] and now < ended:
                        behind.append(now - start - content["end"])
                    elif content["type"] == "end":
                        last.append(now - ended)
                    elif content["type"] == "error":
                        raise RuntimeError(message)

            listening = asyncio.ensure_future(listen())
            offset = 10 * sr * number
            for i in range(round(seconds * sr / piece)):
                await asyncio.sleep(start + (i + 1) * piece / sr - time.perf_counter())
                part = np.take(samples, range(offset, offset + piece), mode="wrap")
                await socket.send(part.tobytes())
                offset += piece
            ended = time.perf_counter()
            await socket.send('{"type": "end"}')
            await asyncio.wait_for(listening, 60)

    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(session(number) for number in range(sessions)))
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - start
    return {"behind": behind, "last": last, "share": cpu / elapsed}


if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    run = {"many": many, "health": health, "live": live}[task.pop("run")]
    print(json.dumps(asyncio.run(run(**task))))
