"""Send a recording to `skser serve` as a microphone would, and print the rows as they come."""

import json
import sys
import time
from contextlib import suppress
from threading import Thread

import soundfile
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

samples, sr = soundfile.read(sys.argv[1], dtype="int16", always_2d=True)
headers = {"Authorization": "Bearer my-key"}  # ignored by a service without a key


def send(socket):
    """Send 0.1 s of audio every 0.1 s, then the end."""
    with suppress(ConnectionClosed):  # the main thread sees why
        for start in range(0, len(samples), sr // 10):
            socket.send(samples[start : start + sr // 10].tobytes())
            time.sleep(0.1)
        socket.send(json.dumps({"type": "end"}))


with connect("ws://127.0.0.1:8000/v1/live", additional_headers=headers) as socket:
    socket.send(json.dumps({"format": "pcm16", "sr": sr, "channels": samples.shape[1]}))
    for text in socket:
        message = json.loads(text)
        if message["type"] == "ready":
            Thread(target=send, args=[socket], daemon=True).start()
        elif message["type"] == "row":
            print(message["start"], message["emotion"], message["silence"], flush=True)
        elif message["type"] == "error":
            raise SystemExit(message["detail"])
if socket.close_code == 1001:
    raise SystemExit("the service shuts down: connect again, and send the rest")
