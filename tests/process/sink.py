"""A process of its own that writes down what jobs did to the world, as a bank or a mail host would.

It knows neither the server nor the workers. An effect has happened when the sink has written it to its file and said
so; a worker that is killed before it hears that may have done it, or not, as in life. Run as
``python sink.py SOCKET FILE``.
"""

import asyncio
import os
import signal
import socket
import sys
import time


def tell(address: str, *words: str) -> None:
    """Do an effect: returns once the sink has written it.

    Arguments:
        address: the path of the sink's socket.
        words: what happened; none holds a space.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(" ".join(words).encode() + b"\n")
        if connection.recv(1) != b"+":
            raise ConnectionError("the sink of effects has ended")


async def serve(address: str, file: str) -> None:
    """Write down every line that comes, with the time, until SIGTERM."""
    effects = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def write_down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if line.endswith(b"\n"):  # half a line was cut off before it happened
            os.write(effects, line[:-1] + f" {time.time()}\n".encode())
            writer.write(b"+")
        writer.close()

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with await asyncio.start_unix_server(write_down, address, backlog=1000):
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
