"""The process of one call: waits, confines itself, runs the code, answers, ends."""
import os
import random
import resource
import signal
import socket
import struct
import tempfile
import threading

import frames
import kernel
import layers
import run_code
import tool_sockets

# three at once are plenty for code that fetches, and few enough for the broker
BROKER_CONNECTIONS = 4
THREAD_STACK_BYTES = 1 << 20
PEER = struct.Struct('iII')


def stand_by(server):
    """Everything that does not depend on a call; then waits for one and serves it."""
    keep(server.listener, server.taken_write)
    os.setsid()
    kernel.die_with_parent(server.pid)
    # what is lower already stays lower
    os.nice(max(0, layers.NICENESS - os.nice(0)))
    rules = layers.begin_landlock(server.abi, server.read_paths)
    program = layers.fit_filter(server.filter)
    # pages that every call writes to are copied now, while nobody waits
    run_code.warm_up()
    connection = accept(server)
    os.write(server.taken_write, struct.pack('<Q', server.serial))
    os.close(server.taken_write)
    server.listener.close()
    frames.write_frame(connection, {'serial': server.serial, 'pid': os.getpid()})
    order = frames.read_frame(connection)
    try:
        brokers = tool_sockets.connect_brokers(order['broker'], BROKER_CONNECTIONS) if order['broker'] else []
        prepare()
        confine(order, rules, program, server.baseline)
        tool_sockets.use(brokers)
    except Exception as error:  # noqa: BLE001
        frames.write_frame(connection, {'refused': f'{type(error).__name__}: {error}'})
        return
    # whatever is said after this is said by the code of the call
    frames.write_frame(connection, {'confined': True})
    reply = run_code.run(order)
    layers.use_reserve()
    frames.write_frame(connection, reply)


def keep(*kept):
    """Standard streams go nowhere (stderr stays until a call comes: the server logs it); what is not kept is closed."""
    null = os.open('/dev/null', os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    numbers = sorted({2, *(k if isinstance(k, int) else k.fileno() for k in kept)})
    start = 2
    for number in [*numbers, resource.getrlimit(resource.RLIMIT_NOFILE)[0]]:
        os.closerange(start, min(number, 65536))
        start = number + 1


def accept(server):
    """Of Node alone: not of another program of the same user."""
    while True:
        connection, _ = server.listener.accept()
        pid, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
        if pid == server.specification['caller'] and user == os.getuid():
            return connection
        connection.close()


def confine(order, rules, program, baseline):
    if order['packages'] is not None:
        require(rules.allow(order['packages'], kernel.READ), order['packages'])
    if order['scratch'] is not None:
        require(rules.allow(order['scratch'], kernel.SCRATCH), order['scratch'])
        os.chdir(order['scratch'])
    else:
        os.chdir('/')
    null = os.open('/dev/null', os.O_RDWR)
    os.dup2(null, 2)
    os.close(null)
    layers.limit(order['limits'], baseline)
    rules.restrict()
    kernel.apply_filter(program)


def require(is_there, path):
    if not is_there:
        raise OSError(f'{path} cannot be opened')


def prepare():
    """What would be the same in every process that was forked from one. The seed of hashes stays so: it is chosen when Python starts."""
    random.seed()
    tempfile._name_sequence = None
    tempfile.tempdir = None
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    threading.stack_size(THREAD_STACK_BYTES)
