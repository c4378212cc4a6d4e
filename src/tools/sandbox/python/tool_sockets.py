"""Sockets for code that the kernel allows none: TCP by way of the broker, or a refusal that says why.

The broker (broker.py) connects to the address that Node has checked, and passes the connected socket on. Until then a Python socket
is one end of a pair, whose descriptor is replaced when the connection is there. `socket.socket` is changed in place, so that
ssl, http.client, urllib, requests and httpx work as they are.
"""
import asyncio
import errno
import json
import os
import queue
import socket
import weakref

NO_NETWORK = 'This tool has no network. To allow hosts, set metadata_.network of the tool.'
TCP_ONLY = 'Tools can open TCP connections only (AF_INET or AF_INET6, SOCK_STREAM).'
MAX_REPLY_BYTES = 16384
# longer than the broker lets anything take
REPLY_SECONDS = 60
INTERNET = (socket.AF_INET, socket.AF_INET6)
PORTS = {'http': 80, 'https': 443}

original = {name: getattr(socket.socket, name) for name in
            ('__init__', 'connect', 'connect_ex', 'bind', 'listen', 'setsockopt', 'getsockopt', 'getpeername', 'getsockname', 'close', 'detach')}
free = queue.SimpleQueue()
# Python sockets that are not connected yet → the pair's other end and the options that they were given
pending = weakref.WeakKeyDictionary()


def connect_brokers(where, count):
    """Before the layers: the only time when this process can connect to anything."""
    out = []
    for _ in range(count):
        broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        broker.settimeout(REPLY_SECONDS)
        broker.connect('\0' + where['name'])
        broker.send(json.dumps({'token': where['token']}).encode())
        out.append(broker)
    return out


def install():
    """Once, before processes for calls are forked. Classes keep what is set on them, and so do modules that import from socket."""
    for function in (init, connect, connect_ex, bind, listen, setsockopt, getsockopt, getpeername, getsockname, close, detach):
        name = '__init__' if function is init else function.__name__
        setattr(socket.socket, name, function)
    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = lambda host: socket.getaddrinfo(host, 0, socket.AF_INET)[0][4][0]
    # the kernel does not allow sendmsg, which could pass descriptors and name addresses; asyncio goes without it (3.12 and later)
    asyncio.selector_events._HAS_SENDMSG = False
    asyncio.selector_events.BaseSelectorEventLoop.sock_connect = sock_connect


def use(brokers):
    global has_network
    has_network = bool(brokers)
    for broker in brokers:
        free.put(broker)


has_network = False


def init(self, family=-1, type=-1, proto=-1, fileno=None):
    kind = type & 0xF if type != -1 else socket.SOCK_STREAM
    if fileno is not None or family not in (-1, *INTERNET):
        return original['__init__'](self, family, type, proto, fileno)
    if not has_network:
        raise PermissionError(errno.EPERM, NO_NETWORK)
    if kind != socket.SOCK_STREAM:
        raise PermissionError(errno.EPERM, TCP_ONLY)
    family = socket.AF_INET if family == -1 else family
    mine, other = socket._socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    original['__init__'](self, family, socket.SOCK_STREAM, 0 if proto == -1 else proto, mine.detach())
    if type != -1 and type & socket.SOCK_NONBLOCK:
        self.setblocking(False)
    elif socket.getdefaulttimeout() is not None:
        self.settimeout(socket.getdefaulttimeout())
    pending[self] = (other, {})


def connect(self, address):
    if self not in pending:
        return original['connect'](self, address)
    host, port = address[0], address[1]
    reply, fd = ask({'op': 'connect', 'host': host, 'port': port, 'seconds': self.gettimeout() or REPLY_SECONDS}, want_fd=True)
    timeout = self.gettimeout()
    os.dup2(fd, self.fileno(), inheritable=False)
    os.close(fd)
    options = pending.pop(self)[1]
    # the mode is one of the descriptor that was replaced
    self.settimeout(timeout)
    for (level, name), value in options.items():
        try:
            original['setsockopt'](self, level, name, value)
        except OSError:
            # one that the kernel keeps from tools; the connection works without
            pass


def connect_ex(self, address):
    try:
        self.connect(address)
    except OSError as error:
        return error.errno or errno.ECONNREFUSED
    return 0


def bind(self, address):
    if self in pending:
        raise PermissionError(errno.EPERM, 'Tools cannot listen, nor choose the address that they connect from.')
    return original['bind'](self, address)


def listen(self, *arguments):
    if self in pending:
        raise PermissionError(errno.EPERM, 'Tools cannot listen.')
    return original['listen'](self, *arguments)


def setsockopt(self, level, name, value, *more):
    if self in pending and not more:
        pending[self][1][level, name] = value
        return None
    return original['setsockopt'](self, level, name, value, *more)


def getsockopt(self, level, name, *more):
    if self in pending and not more:
        if (level, name) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(socket.SOCK_STREAM)
        return pending[self][1].get((level, name), 0)
    return original['getsockopt'](self, level, name, *more)


def getpeername(self):
    if self in pending:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
    return original['getpeername'](self)


def getsockname(self):
    if self in pending:
        return ('0.0.0.0', 0) if self.family == socket.AF_INET else ('::', 0, 0, 0)
    return original['getsockname'](self)


def close(self):
    pending.pop(self, None)
    return original['close'](self)


def detach(self):
    pending.pop(self, None)
    return original['detach'](self)


async def sock_connect(self, sock, address):
    """In a thread: what is asked of the broker is waited for."""
    if sock in pending and (not isinstance(address[0], str) or not is_address(address[0])):
        found = await self.getaddrinfo(*address[:2], family=sock.family, type=socket.SOCK_STREAM)
        address = found[0][4]
    await self.run_in_executor(None, sock.connect, address)


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    if isinstance(host, (bytes, bytearray)):
        host = host.decode('idna')
    if host is None:
        addresses = ['0.0.0.0'] if flags & socket.AI_PASSIVE else ['127.0.0.1']
    elif is_address(host):
        addresses = [host]
    elif not has_network:
        raise PermissionError(errno.EPERM, f'{host}: {NO_NETWORK}')
    else:
        reply, _ = ask({'op': 'resolve', 'host': to_ascii(host), 'port': to_port(port)})
        addresses = reply['addresses']
    found = describe(addresses, port, family, type, proto)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, f'{host} has no address of that family')
    return found


def describe(addresses, port, family, kind, proto):
    out = []
    for address in addresses:
        of = socket.AF_INET6 if ':' in address else socket.AF_INET
        if family in (0, of) and kind in (0, socket.SOCK_STREAM):
            where = (address, to_port(port)) if of == socket.AF_INET else (address, to_port(port), 0, 0)
            out.append((of, socket.SOCK_STREAM, socket.IPPROTO_TCP, '', where))
    return out


def to_port(port):
    if port is None:
        return 0
    text = port.decode() if isinstance(port, bytes) else str(port)
    if text in PORTS:
        return PORTS[text]
    try:
        return int(text)
    except ValueError:
        raise socket.gaierror(socket.EAI_SERVICE, f'unknown service {text}') from None


def to_ascii(host):
    try:
        host.encode('ascii')
        return host
    except UnicodeEncodeError:
        return host.encode('idna').decode('ascii')


def is_address(host):
    for family in INTERNET:
        try:
            socket.inet_pton(family, host)
            return True
        except (OSError, ValueError):
            continue
    return False


def ask(question, want_fd=False):
    """One question and one answer over a connection that nobody else uses meanwhile."""
    broker = free.get(timeout=REPLY_SECONDS)
    try:
        broker.send(json.dumps(question).encode())
        data, fds, _, _ = socket.recv_fds(broker, MAX_REPLY_BYTES, 1)
    except BaseException:
        # an answer may still come: nobody else may take it for theirs
        broker.close()
        raise
    free.put(broker)
    if not data:
        raise ConnectionError('The server of this tool ended its network.')
    reply = json.loads(data)
    if 'error' in reply:
        raise to_error(reply, question)
    if want_fd and not fds:
        raise ConnectionError('The connection was not passed on.')
    return reply, fds[0] if fds else None


def to_error(reply, question):
    if reply['error'] == 'forbidden':
        return PermissionError(errno.EPERM, reply['message'])
    if reply['error'] == 'unknown':
        return socket.gaierror(socket.EAI_NONAME, f"{question['host']}: {reply['message']}")
    if reply['error'] == 'time-out':
        return TimeoutError(errno.ETIMEDOUT, reply['message'])
    return OSError(reply.get('number') or errno.ECONNREFUSED, reply['message'])
