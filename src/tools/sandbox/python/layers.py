"""What confines the process of one call: which files, which system calls, how much of everything.

System calls are an allow-list. What is not on it fails with PermissionError instead of killing, so that code can tell what happened.
"""
import math
import os
import resource
import ssl
import struct
import sysconfig

import kernel

# Landlock does not know of these, so that they would reach files outside of the folder (chmod 000 of the server's data). In a private
# folder of one process they do not matter, but shutil.copy and the like call them: they do nothing and say that they did.
WITHOUT_EFFECT = 'chmod fchmod fchmodat fchmodat2 utimensat utime utimes futimesat'.split()

# of the same kind; programs know that file systems can be without them
UNSUPPORTED = """setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
removexattr lremovexattr fremovexattr""".split()
EOPNOTSUPP = 95

ALLOWED = """
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range open openat creat
dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4
stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir
mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat ftruncate fallocate fsync fdatasync flock
fadvise64 readahead copy_file_range sendfile umask mprotect munmap mremap brk madvise membarrier
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall pause alarm
setitimer getitimer nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times
futex futex_waitv set_robust_list set_tid_address rseq sched_yield sched_getaffinity sched_setaffinity getcpu
getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid
getrusage getrlimit setrlimit sysinfo uname getrandom capget getpriority wait4 waitid exit exit_group
recvfrom recvmsg shutdown getsockname getpeername getsockopt
""".split()

# what pthread_create of glibc and of musl asks for, and nothing else: no other process, no namespace
THREAD_FLAGS = (0x3D0F00, 0x7D0F00)
MAP_SHARED, MAP_ANONYMOUS = 1, 0x20
MSG_FASTOPEN = 0x20000000
# FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, and what isatty and get_terminal_size ask
HARMLESS_IOCTLS = (0x541B, 0x5421, 0x5450, 0x5451, 0x5401, 0x5413)
# F_NOTIFY, F_SETLEASE, and F_SETOWN, F_SETSIG, F_SETOWN_EX, by which the kernel signals any process of the user
HARMFUL_FCNTLS = (1026, 1024, 8, 10, 15)
# PR_SET_NAME, PR_GET_NAME, PR_SET_VMA; not PR_SET_PDEATHSIG, by which a process would outlive the server
HARMLESS_PRCTLS = (15, 16, 0x53564D41)
# STREAM and SEQPACKET, with and without NONBLOCK and CLOEXEC: these cannot be sent to an address
PAIR_TYPES = tuple(kind | flags for kind in (1, 5) for flags in (0, 0x800, 0x80000, 0x80800))
SOL_IP, SOL_SOCKET, SOL_TCP = 0, 1, 6
# SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_*
FILTER_OPTIONS = (26, 27, 50, 51, 52)
# NODELAY, CORK, KEEPIDLE, KEEPINTVL, KEEPCNT, QUICKACK, USER_TIMEOUT
TCP_OPTIONS = (1, 3, 4, 5, 6, 12, 18)

# for reading: trusted certificates (not /etc/ssl/private), time zones, types of files
SHARED_DATA = ['/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/etc/ssl/cert.pem', '/usr/share/ca-certificates', '/etc/ca-certificates/extracted',
               '/usr/local/share/ca-certificates', '/etc/pki/tls/certs', '/etc/pki/ca-trust/extracted', '/usr/share/zoneinfo',
               '/etc/localtime', '/etc/mime.types', '/etc/os-release', '/usr/lib/os-release', '/usr/lib/locale', '/usr/share/locale', '/etc/ld.so.cache']
DEVICES = {'/dev/null': kernel.READ_FILE | kernel.WRITE_FILE, '/dev/random': kernel.READ_FILE,
           '/dev/urandom': kernel.READ_FILE}

NICENESS = 10
MAX_FILES = 64
STACK_BYTES = 8 << 20
# libraries that are loaded later, and stacks of threads, take addresses that are no memory
ADDRESS_BYTES = 512 << 20
# what is left for a reply when the code has used up its memory
RESERVE_BYTES = 16 << 20


def list_read_paths():
    """The standard library and the folders of the libraries that it is linked with."""
    paths = {sysconfig.get_paths()['stdlib'], sysconfig.get_paths()['platstdlib'], os.path.dirname(os.__file__)}
    paths |= set(SHARED_DATA)
    certificates = ssl.get_default_verify_paths()
    paths |= {path for path in (certificates.cafile, certificates.capath) if path}
    with open('/proc/self/maps') as maps:
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if path.startswith('/') and '.so' in path:
                paths.add(os.path.dirname(path))
    return sorted(path for path in paths if os.path.exists(path) and path != '/')


def begin_landlock(abi, read_paths):
    rules = kernel.Landlock(abi)
    for path in read_paths:
        rules.allow(path, kernel.READ)
    for path, rights in DEVICES.items():
        rules.allow(path, rights)
    return rules


# stands for the pid of the process that a filter is for, until there is one
SOME_PID = 0x5EEDED01


def fit_filter(program):
    """For this very process: it may signal itself alone."""
    return program.replace(struct.pack('=I', SOME_PID), struct.pack('=I', os.getpid()))


def build_filter(abi):
    me = SOME_PID
    rules = kernel.Filter()
    rules.always(kernel.ALLOW, *ALLOWED)
    rules.always(kernel.errno(0), *WITHOUT_EFFECT)
    rules.always(kernel.errno(EOPNOTSUPP), *UNSUPPORTED)
    rules.always(kernel.ENOSYS, 'clone3', 'openat2')
    rules.when('clone', kernel.one_of(0, *THREAD_FLAGS))
    # not counted as memory of the process by any limit
    rules.when('mmap', kernel.not_all_bits(3, MAP_SHARED | MAP_ANONYMOUS))
    rules.when('fcntl', kernel.none_of(1, *HARMFUL_FCNTLS))
    rules.when('ioctl', kernel.one_of(1, *HARMLESS_IOCTLS))
    rules.when('prctl', kernel.one_of(0, *HARMLESS_PRCTLS))
    rules.when('kill', kernel.equals(0, me))
    rules.when('tgkill', kernel.equals(0, me))
    rules.when('prlimit64', kernel.one_of(0, 0, me))
    rules.when('socketpair', kernel.equals(0, 1), kernel.one_of(1, *PAIR_TYPES))
    # an address could connect a socket anew, past all that was checked
    rules.when('sendto', kernel.is_null(4), kernel.no_bits(3, MSG_FASTOPEN))
    rules.when('setsockopt', kernel.equals(1, SOL_SOCKET), kernel.none_of(2, *FILTER_OPTIONS), otherwise=None)
    rules.when('setsockopt', kernel.equals(1, SOL_TCP), kernel.one_of(2, *TCP_OPTIONS), otherwise=None)
    rules.when('setsockopt', kernel.equals(1, SOL_IP), kernel.equals(2, 1))
    # before its third version Landlock did not know truncate by path
    rules.always(kernel.ALLOW if abi >= 3 else kernel.EPERM, 'truncate')
    return rules.finish(kernel.EPERM)


def read_baseline():
    """Bytes of data and of addresses that this process has already."""
    with open('/proc/self/status') as status:
        lines = dict(line.split(':', 1) for line in status)
    return int(lines['VmData'].split()[0]) << 10, int(lines['VmSize'].split()[0]) << 10


def limit(limits, baseline):
    data, addresses = baseline
    memory, scratch = limits['memoryBytes'], limits['scratchBytes']
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(usage.ru_utime + usage.ru_stime + limits['cpuSeconds'])
    kernel.set_limit(resource.RLIMIT_CPU, seconds, seconds + 1)
    kernel.set_limit(resource.RLIMIT_DATA, data + memory, data + memory + RESERVE_BYTES)
    kernel.set_limit(resource.RLIMIT_AS, addresses + memory + scratch + ADDRESS_BYTES)
    kernel.set_limit(resource.RLIMIT_FSIZE, scratch)
    kernel.set_limit(resource.RLIMIT_NOFILE, MAX_FILES)
    kernel.set_limit(resource.RLIMIT_CORE, 0)
    kernel.set_limit(resource.RLIMIT_STACK, STACK_BYTES)
    kernel.set_limit(resource.RLIMIT_MEMLOCK, 0)
    kernel.set_limit(resource.RLIMIT_MSGQUEUE, 0)


def use_reserve():
    """Memory for the reply, when the code has used up its own."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
