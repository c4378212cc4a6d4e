"""The kernel's own means of confinement: Landlock, seccomp, rlimits and prctl, called without any helper program.

Everything here raises OSError when the kernel refuses: a layer that is not there must never go unnoticed.
"""
import ctypes
import os
import platform
import resource
import struct
import sys

import syscalls

libc = ctypes.CDLL(None, use_errno=True)

X86_64 = 0xC000003E
AARCH64 = 0xC00000B7


def _pick_architecture():
    machine = platform.machine()
    if sys.platform == 'linux' and struct.calcsize('P') == 8:
        if machine == 'x86_64':
            return X86_64, syscalls.X86_64
        if machine in ('aarch64', 'arm64'):
            return AARCH64, syscalls.ARM64
    raise OSError(f'the sandbox knows Linux on 64-bit x86 and arm; this is {sys.platform} on {machine}')


ARCHITECTURE, NUMBERS = _pick_architecture()


def _check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')
    return result


def _syscall(name, *arguments):
    # every argument a full word: ctypes would pass Python integers as 32 bits
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _check(libc.syscall(ctypes.c_long(NUMBERS[name]), *words), name)


# --- prctl, capabilities, limits -------------------------------------------------------------------------------------

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47


def prctl(option, a=0, b=0):
    arguments = [ctypes.c_ulong(a), b if not isinstance(b, int) else ctypes.c_ulong(b)]
    return _check(libc.prctl(option, *arguments, ctypes.c_ulong(0), ctypes.c_ulong(0)), f'prctl({option})')


def die_with_parent(parent):
    """The kernel kills this process when its parent ends. `parent` is the parent's pid as it was before the fork."""
    prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(1)


def forgo_privileges():
    """Nothing that this process or its children execute gains rights; whatever rights root had are gone."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = struct.pack('=Ii', 0x20080522, 0)
    nothing = bytes(24)
    _check(libc.capset(header, nothing), 'capset')


def drop_bounding_set():
    """So that a program executed as root has no capability either. Without the right to drop it there is nothing to drop."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            return


def set_limit(which, soft, hard=None):
    """Never above what the process may have at most."""
    _, most = resource.getrlimit(which)
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(which, (soft, hard))


# --- Landlock --------------------------------------------------------------------------------------------------------

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
REMOVE_DIR = 1 << 4
REMOVE_FILE = 1 << 5
MAKE_DIR = 1 << 7
MAKE_REG = 1 << 8
MAKE_SOCK = 1 << 9
MAKE_FIFO = 1 << 10
MAKE_SYM = 1 << 12
REFER = 1 << 13
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15

READ = READ_FILE | READ_DIR
# of devices, pipes and sockets none
SCRATCH = (READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE)
# what makes sense for something that is no directory; the kernel refuses the others
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

BIND_TCP = 1 << 0
CONNECT_TCP = 1 << 1
SCOPE_ABSTRACT_SOCKETS = 1 << 0
SCOPE_SIGNALS = 1 << 1


def landlock_abi():
    """Version of the kernel's Landlock; 0 where there is none."""
    result = libc.syscall(ctypes.c_long(NUMBERS['landlock_create_ruleset']), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(result, 0)


class Landlock:
    """All that the kernel can refuse is refused, but for the rules that are added."""

    def __init__(self, abi, tcp_handled=True):
        if abi < 1:
            raise OSError('this kernel has no Landlock (Linux 5.13 or later with landlock in its lsm= list)')
        # 13 rights at first; REFER, TRUNCATE and IOCTL_DEV came one by one
        self.handled = (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1
        attributes = struct.pack('=Q', self.handled)
        if abi >= 4:
            attributes += struct.pack('=Q', (BIND_TCP | CONNECT_TCP) if tcp_handled else 0)
        if abi >= 6:
            attributes += struct.pack('=Q', SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS)
        self.fd = _syscall('landlock_create_ruleset', attributes, len(attributes), 0)

    def allow(self, path, rights):
        """False for a path that does not exist or cannot be opened: then there is nothing to allow."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            rights &= self.handled
            if (os.fstat(fd).st_mode & 0o170000) != 0o040000:
                rights &= OF_FILES
            _syscall('landlock_add_rule', self.fd, 1, struct.pack('=Qi', rights, fd), 0)
        finally:
            os.close(fd)
        return True

    def allow_tcp_connect(self, port):
        _syscall('landlock_add_rule', self.fd, 2, struct.pack('=QQ', CONNECT_TCP, port), 0)

    def restrict(self):
        _syscall('landlock_restrict_self', self.fd, 0)
        os.close(self.fd)


# --- seccomp ---------------------------------------------------------------------------------------------------------

ALLOW = 0x7FFF0000
KILL = 0x80000000


def errno(number):
    return 0x00050000 | number


EPERM = errno(1)
ENOSYS = errno(38)

_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_NOT_BELOW = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06


def _instruction(code, value, if_true=0, if_false=0):
    return struct.pack('=HBBI', code, if_true, if_false, value & 0xFFFFFFFF)


class Filter:
    """A seccomp program: rules in their order, the first that fits decides."""

    def __init__(self):
        self.code = [
            _instruction(_LOAD, 4),
            _instruction(_JUMP_EQUAL, ARCHITECTURE, 1, 0),
            _instruction(_RETURN, KILL),
            _instruction(_LOAD, 0),
        ]
        if ARCHITECTURE == X86_64:
            # the x32 numbers of the same kernel
            self.code += [_instruction(_JUMP_NOT_BELOW, 0x40000000, 0, 1), _instruction(_RETURN, KILL)]

    def always(self, action, *names):
        """Names that this architecture does not have are left out. Neighbours are one rule: the kernel tries every number at first."""
        numbers = sorted({NUMBERS[name] for name in names if name in NUMBERS})
        while numbers:
            first = last = numbers.pop(0)
            while numbers and numbers[0] == last + 1:
                last = numbers.pop(0)
            if first == last:
                self.code.append(_instruction(_JUMP_EQUAL, first, 0, 1))
            else:
                self.code += [_instruction(_JUMP_NOT_BELOW, first, 0, 2), _instruction(_JUMP_NOT_BELOW, last + 1, 1, 0)]
            self.code.append(_instruction(_RETURN, action))

    def when(self, name, *conditions, action=ALLOW, otherwise=EPERM):
        """`action` where all conditions hold (`equals`, `one_of`, `is_null`...). Without `otherwise` later rules decide."""
        if name not in NUMBERS:
            return
        body = []
        for condition in conditions:
            body += condition
        # a condition that fails jumps over all that is left, which is the return of `action`
        resolved = []
        for place, (code, value, if_true, if_false) in enumerate(body):
            left = len(body) - place
            resolved.append(_instruction(code, value, left if if_true == 'fail' else if_true,
                                         left if if_false == 'fail' else if_false))
        resolved.append(_instruction(_RETURN, action))
        resolved.append(_instruction(_LOAD, 0) if otherwise is None else _instruction(_RETURN, otherwise))
        self.code += [_instruction(_JUMP_EQUAL, NUMBERS[name], 0, len(resolved)), *resolved]

    def finish(self, default):
        self.code.append(_instruction(_RETURN, default))
        return b''.join(self.code)


def _low(argument):
    return 16 + 8 * argument


def equals(argument, value):
    """Of the lower 32 bits, which is all that the kernel reads of an int."""
    return [(_LOAD, _low(argument), 0, 0), (_JUMP_EQUAL, value, 0, 'fail')]


def one_of(argument, *values):
    out = [(_LOAD, _low(argument), 0, 0)]
    for index, value in enumerate(values):
        left = len(values) - index - 1
        out.append((_JUMP_EQUAL, value, left, 0 if left else 'fail'))
    return out


def none_of(argument, *values):
    return [(_LOAD, _low(argument), 0, 0), *[(_JUMP_EQUAL, value, 'fail', 0) for value in values]]


def no_bits(argument, bits):
    return [(_LOAD, _low(argument), 0, 0), (_JUMP_ANY_BIT, bits, 'fail', 0)]


def not_all_bits(argument, bits):
    """Fails where all of two bits are set."""
    first = bits & -bits
    return [
        (_LOAD, _low(argument), 0, 0),
        (_JUMP_ANY_BIT, first, 0, 1),
        (_JUMP_ANY_BIT, bits & ~first, 'fail', 0),
    ]


def all_bits(argument, *bits):
    return [(_LOAD, _low(argument), 0, 0), *[(_JUMP_ANY_BIT, bit, 0, 'fail') for bit in bits]]


def is_null(argument):
    return [
        (_LOAD, _low(argument), 0, 0), (_JUMP_EQUAL, 0, 0, 'fail'),
        (_LOAD, _low(argument) + 4, 0, 0), (_JUMP_EQUAL, 0, 0, 'fail'),
    ]


def apply_filter(program):
    """For this thread and all that comes of it, for ever. Needs no_new_privs."""
    length = len(program) // 8
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack('@HxxxxxxP', length, ctypes.addressof(buffer)))
    prctl(PR_SET_SECCOMP, 2, ctypes.byref(header))
