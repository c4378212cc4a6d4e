"""Connects for tools, to what Node allows: python3 -I -S -B broker.py SPECIFICATION

SPECIFICATION is JSON: `name` of the abstract socket, `caller` (pid of Node). Processes of calls ask over that socket; each question
is passed to Node as a line of JSON on stdout (`id`, `token`, `op`, `host`, `port`), its answer (`id`, `addresses` or `error`
with `message`) comes as a line on stdin. Nothing here decides what is allowed. The end of stdin ends this process.

Node has names looked up here too (`lookup` with an id on stdin, `found` on stdout): its own look-ups share four threads with all
that it does with files, and names whose servers are slow on purpose would take these.
"""
import asyncio
import errno
import json
import os
import resource
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel  # noqa: E402

MAX_QUESTION_BYTES = 2048
MAX_CONNECTIONS = 900
MAX_ADDRESSES = 32
LOOKUP_THREADS = 64
CONNECT_SECONDS = 15
FIRST_WORD_SECONDS = 5
PEER = struct.Struct('iII')


class Broker:
    def __init__(self, loop, listener):
        self.loop = loop
        self.listener = listener
        self.waiting = {}
        self.last_id = 0
        self.count = 0

    async def serve(self):
        while True:
            connection, _ = await self.loop.sock_accept(self.listener)
            _, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
            if user != os.getuid() or self.count >= MAX_CONNECTIONS:
                connection.close()
                continue
            self.count += 1
            self.loop.create_task(self.converse(connection))

    async def converse(self, connection):
        """Question after question, one at a time: whoever asks more waits for himself."""
        try:
            first = await asyncio.wait_for(self.loop.sock_recv(connection, MAX_QUESTION_BYTES), FIRST_WORD_SECONDS)
            token = json.loads(first)['token']
            if not isinstance(token, str):
                return
            while True:
                data = await self.loop.sock_recv(connection, MAX_QUESTION_BYTES)
                if not data:
                    return
                message, remote = await self.answer(token, json.loads(data))
                try:
                    socket.send_fds(connection, [json.dumps(message).encode()], [remote.fileno()] if remote else [])
                finally:
                    if remote is not None:
                        remote.close()
        except (OSError, ValueError, KeyError, TypeError, RecursionError, asyncio.TimeoutError):
            # broken words, or one that does not read its answers
            return
        finally:
            connection.close()
            self.count -= 1

    async def answer(self, token, question):
        host, port = str(question['host']), int(question['port'])
        reply = await self.ask_node(token, 'connect' if question['op'] == 'connect' else 'resolve', host, port)
        if 'error' in reply or question['op'] != 'connect':
            return reply, None
        seconds = min(max(float(question['seconds']), 0.001), CONNECT_SECONDS)
        message = {'error': 'failed', 'message': f'{host} has no address'}
        for address in reply['addresses']:
            remote = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_STREAM)
            remote.setblocking(False)
            try:
                await asyncio.wait_for(self.loop.sock_connect(remote, (address, port)), seconds)
                return {}, remote
            except asyncio.TimeoutError:
                message = {'error': 'time-out', 'message': f'{host}:{port} did not answer in time'}
            except OSError as error:
                message = {'error': 'failed', 'number': error.errno or errno.EIO, 'message': f'{host}:{port}: {os.strerror(error.errno or errno.EIO)}'}
            remote.close()
        return message, None

    async def ask_node(self, token, op, host, port):
        self.last_id += 1
        number = self.last_id
        future = self.waiting[number] = self.loop.create_future()
        say({'id': number, 'token': token, 'op': op, 'host': host, 'port': port})
        try:
            return await future
        finally:
            del self.waiting[number]

    async def look_up(self, number, host):
        try:
            found = await self.loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(entry[4][0] for entry in found))
            say({'found': number, 'addresses': [a for a in addresses if '%' not in a][:MAX_ADDRESSES]})
        except (OSError, UnicodeError) as error:
            say({'found': number, 'message': getattr(error, 'strerror', None) or str(error)})

    def hear(self, line):
        reply = json.loads(line)
        if 'lookup' in reply:
            self.loop.create_task(self.look_up(reply['lookup'], reply['host']))
            return
        future = self.waiting.get(reply.pop('id'))
        if future is not None and not future.done():
            future.set_result(reply)


def say(message):
    os.write(1, (json.dumps(message) + '\n').encode())


async def listen_to_node(broker):
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        broker.hear(line)


async def main():
    specification = json.loads(sys.argv[1])
    os.setsid()
    kernel.die_with_parent(specification['caller'])
    kernel.drop_bounding_set()
    kernel.forgo_privileges()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind('\0' + specification['name'])
    listener.listen(512)
    listener.setblocking(False)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOKUP_THREADS))
    broker = Broker(asyncio.get_running_loop(), listener)
    say({'ready': True})
    serving = asyncio.create_task(broker.serve())
    await listen_to_node(broker)
    serving.cancel()
    os._exit(0)


asyncio.run(main())
