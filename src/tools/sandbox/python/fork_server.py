"""Forks a process for each call of a tool: python3 -I -S -B fork_server.py SPECIFICATION

SPECIFICATION is JSON: `name` of the abstract socket, `standbys`, `caller` (pid of Node), `readPaths`, `maxLandlockAbi`. Lines on stdin are orders (`kill SERIAL`);
its end ends everything. Lines on stdout are JSON: `ready` or `failed` first, then `exit` for each process that was taken.

This process never reads what a call brings: it would be in the memory of every later call. The processes that it forks wait, half
confined, for a connection of Node, and read the call from it themselves.
"""
import gc
import json
import os
import select
import signal
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel  # noqa: E402
import layers  # noqa: E402
import preload  # noqa: E402
import run_code  # noqa: E402
import serve_call  # noqa: E402
import tool_sockets  # noqa: E402

# standbys that end before anybody took them, one after the other: then something is wrong for good
MAX_BROKEN = 5
M_ARENA_MAX = -8
WARM_UPS = 20


class ForkServer:
    def __init__(self, specification):
        self.specification = specification
        self.standbys = specification['standbys']
        self.pid = os.getpid()
        self.abi = min(kernel.landlock_abi(), specification['maxLandlockAbi'])
        self.read_paths = layers.list_read_paths() + specification['readPaths']
        self.filter = layers.build_filter(self.abi)
        self.baseline = None
        self.serial = 0
        self.pids = {}      # serial → pid of each child that was not waited for
        self.serials = {}
        self.idle = set()
        self.broken = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind('\0' + specification['name'])
        self.listener.listen(512)
        self.taken_read, self.taken_write = os.pipe()
        self.wake_read, self.wake_write = os.pipe()
        for fd in (self.taken_read, self.wake_read, self.wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self):
        os.close(kernel.Landlock(self.abi).fd)
        self.report({'ready': True, 'abi': self.abi})
        orders = b''
        self.fill()
        poll = select.poll()
        for fd in (0, self.taken_read, self.wake_read):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self.taken_read:
                    self.note_taken()
                elif fd == self.wake_read:
                    drain(fd)
                    self.reap()
                else:
                    part = os.read(0, 65536)
                    if not part:
                        return
                    *lines, orders = (orders + part).split(b'\n')
                    for line in lines:
                        self.obey(line)
            self.fill()

    def obey(self, line):
        order, serial = line.split()
        pid = self.pids.get(int(serial))
        # one that was not waited for: its pid cannot be anybody else's
        if order == b'kill' and pid is not None:
            os.kill(pid, signal.SIGKILL)

    def fill(self):
        while len(self.idle) < self.standbys:
            self.fork()

    def fork(self):
        self.serial += 1
        pid = os.fork()
        if pid == 0:
            self.become_standby()
        self.pids[self.serial] = pid
        self.serials[pid] = self.serial
        self.idle.add(self.serial)

    def become_standby(self):
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.wake_read)
            os.close(self.wake_write)
            os.close(self.taken_read)
            serve_call.stand_by(self)
            status = 0
        except BaseException as error:  # noqa: BLE001
            # only before the code of a call runs can this be reached with stderr still open
            os.write(2, f'a process for tools could not be confined: {type(error).__name__}: {error}\n'.encode(errors='replace'))
        finally:
            os._exit(status)

    def note_taken(self):
        """A standby that ended was perhaps taken a moment before, so this is asked before anything is concluded from an end."""
        try:
            data = os.read(self.taken_read, 4096)
        except BlockingIOError:
            return
        for serial, in struct.iter_unpack('<Q', data):
            self.idle.discard(serial)
            self.broken = 0

    def reap(self):
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.note_taken()
            serial = self.serials.pop(pid)
            del self.pids[serial]
            if serial in self.idle:
                self.idle.discard(serial)
                self.broken += 1
                if self.broken >= MAX_BROKEN:
                    raise OSError('processes for tools end before they are used')
            else:
                self.report({'exit': serial, 'code': os.waitstatus_to_exitcode(status), 'cpu': usage.ru_utime + usage.ru_stime})

    def report(self, message):
        os.write(1, (json.dumps(message) + '\n').encode())

    def kill_all(self):
        for pid in self.serials:
            os.kill(pid, signal.SIGKILL)


def drain(fd):
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        pass


def main():
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    specification = json.loads(sys.argv[1])
    # all that is forked inherits this
    kernel.drop_bounding_set()
    kernel.forgo_privileges()
    kernel.die_with_parent(specification['caller'])
    # one heap for all threads: each of its own would take 64 MB of addresses
    kernel.libc.mallopt(M_ARENA_MAX, 1)
    os.chdir('/')
    os.umask(0o077)
    preload.load()
    tool_sockets.install()
    server = ForkServer(specification)
    # the interpreter rewrites code that it has run a few times: better here, once, than in a copy for each call
    for _ in range(WARM_UPS):
        run_code.warm_up()
    server.baseline = layers.read_baseline()
    gc.collect()
    gc.freeze()
    try:
        server.run()
    finally:
        server.kill_all()


try:
    main()
except BaseException as error:  # noqa: BLE001
    os.write(1, (json.dumps({'failed': f'{error}'}) + '\n').encode())
    os._exit(1)
