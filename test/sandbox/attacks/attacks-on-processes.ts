import type { NetworkPolicy } from '../../../src/tools/sandbox/tool-runner.ts'
import { type Attack, endsWith, nothingLeaked, nothingWorked } from './attack.ts'

/** A tool may say what it likes about hosts: what is behind the server is not reached. */
const POLICIES: readonly NetworkPolicy[] = [
  { kind: 'none' },
  { kind: 'public' },
  {
    kind: 'hosts',
    hosts: [
      '127.0.0.1',
      'localhost',
      '::1',
      '0.0.0.0',
      '169.254.169.254',
      '127.1',
      '2130706433',
      '::ffff:127.0.0.1',
    ].map((host) => ({ host, port: null })),
  },
]

const CONNECTS_BEHIND = `
import asyncio, http.client, os, socket, urllib.request
def connect(host, port):
    with socket.create_connection((host, port), timeout=3) as s: s.sendall(b'attack'); return s.recv(100)
def unix(address):
    with socket.socket(socket.AF_UNIX) as s: s.connect(address); s.sendall(b'attack'); return 'connected'
# where an address is only imitated (Pyodide), a connection can seem to succeed: the listener tells whether it did
for host in ['127.0.0.1', 'localhost', '::1', '0.0.0.0', '127.1', '2130706433', '::ffff:127.0.0.1']:
    for port in [T['tcpPort'], 5432, 6379]:
        attempt(f'{host}:{port}', lambda: connect(host, port))
attempt('metadata', lambda: connect('169.254.169.254', 80))
attempt('urllib', lambda: urllib.request.urlopen(f"http://127.0.0.1:{T['tcpPort']}/", timeout=3).read())
attempt('unix', lambda: unix(T['unixPath']))
attempt('abstract', lambda: unix('\\0' + T['abstractName']))
done`

const connectsBehind = (network: NetworkPolicy): Attack => ({
  name: `connects to services behind the server, with the network policy ${network.kind}`,
  source: CONNECTS_BEHIND,
  network,
  check: nothingLeaked,
})

/** Reaching other processes, the network and the kernel. */
export const ATTACKS_ON_PROCESSES: readonly Attack[] = [
  ...POLICIES.map(connectsBehind),
  {
    name: 'opens sockets past the library',
    source: `
import _socket, ctypes, os, socket, struct
for family in range(46):
    for kind in [1, 2, 3, 5]:
        attempt(f'socket {family} {kind}', lambda: raw(41, 198, family, kind, 0))
address = struct.pack('>HH4s8x', 0x0200, T['tcpPort'], bytes([127, 0, 0, 1]))
attempt('datagrams', lambda: raw(53, 199, 1, 2, 0, ctypes.create_string_buffer(8)))
attempt('tipc', lambda: raw(53, 199, 30, 1, 0, ctypes.create_string_buffer(8)))
a, b = socket.socketpair()
attempt('connect', lambda: raw(42, 203, a.fileno(), address, 16))
attempt('bind', lambda: raw(49, 200, a.fileno(), address, 16))
attempt('fast open', lambda: raw(44, 206, a.fileno(), b'x', 1, 0x20000000, address, 16))
attempt('sendto', lambda: raw(44, 206, a.fileno(), b'x', 1, 0, address, 16))
attempt('sendmsg', lambda: a.sendmsg([b'x']))
attempt('passing descriptors', lambda: socket.send_fds(a, [b'x'], [0]))
attempt('filter', lambda: a.setsockopt(1, 26, struct.pack('HxxxxxxP', 0, 0)))
attempt('io_uring', lambda: raw(425, 425, 8, ctypes.create_string_buffer(120)))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'starts processes',
    source: `
import multiprocessing, os, pty, subprocess
def run(what):
    if what() != 0: raise OSError('refused')
for _ in range(20):
    attempt('fork', lambda: os.fork() or os._exit(0))
attempt('forkpty', lambda: os.forkpty())
attempt('fork by number', lambda: raw(57, None) or os._exit(0))
attempt('vfork', lambda: raw(58, None) or os._exit(0))
attempt('clone', lambda: raw(56, 220, 17, 0, 0, 0, 0) or os._exit(0))
attempt('clone3', lambda: raw(435, 435, bytes(64), 64))
attempt('subprocess', lambda: subprocess.run(['/bin/true'], check=True) and None)
attempt('shell', lambda: subprocess.run('true', shell=True, check=True) and None)
attempt('system', lambda: run(lambda: os.system('true')))
attempt('popen', lambda: os.popen('echo x').read())
attempt('posix_spawn', lambda: os.posix_spawn('/bin/true', ['true'], {}))
attempt('exec', lambda: os.execv('/bin/true', ['true']))
attempt('loader', lambda: os.execv('/lib64/ld-linux-x86-64.so.2', ['ld', '/bin/true']))
attempt('execveat', lambda: raw(322, 281, -100, b'/bin/true', 0, 0, 0))
attempt('multiprocessing', lambda: multiprocessing.get_context('fork').Process(target=print).start())
attempt('spawn', lambda: multiprocessing.get_context('spawn').Process(target=print).start())
attempt('setsid', lambda: os.setsid())
attempt('setpgid', lambda: os.setpgid(0, 0))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'makes a bomb of processes',
    source: `
import os
def bomb():
    while True: os.fork()
attempt('bomb', bomb)
done`,
    check: nothingWorked,
  },
  {
    name: 'signals others',
    source: `
import fcntl, os, signal
for pid in [os.getppid(), T['serverPid'], 1, -1, 0, -os.getppid(), *range(os.getpid() - 40, os.getpid()), *range(os.getpid() + 1, os.getpid() + 20)]:
    attempt(f'kill {pid}', lambda: os.kill(pid, 0))
    attempt(f'tkill {pid}', lambda: raw(200, 130, pid, 0))
    attempt(f'tgkill {pid}', lambda: raw(234, 131, pid, pid, 0))
    attempt(f'pidfd {pid}', lambda: raw(434, 434, pid, 0))
attempt('killpg', lambda: os.killpg(0, 0))
attempt('queue', lambda: raw(129, 138, os.getppid(), 0, bytes(128)))
r, w = os.pipe()
attempt('owner', lambda: fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid()))
attempt('owner, extended', lambda: fcntl.fcntl(r, 15, bytes(8)))
attempt('signal of owner', lambda: fcntl.fcntl(r, 10, int(signal.SIGKILL)))
attempt('owner by ioctl', lambda: fcntl.ioctl(r, 0x8901, bytes(4)))
attempt('death signal', lambda: raw(157, 167, 1, 0, 0, 0, 0))
attempt('priority', lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))
attempt('priority of another', lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19))
attempt('limits of another', lambda: __import__('resource').prlimit(os.getppid(), 7, (1, 1)))
attempt('scheduler', lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'calls the kernel by number',
    source: `
import os
buffer = bytes(4096)
calls = {
    'ptrace': (101, 117, 16, os.getppid(), 0, 0), 'traceme': (101, 117, 0, 0, 0, 0),
    'process_vm_readv': (310, 270, os.getppid(), buffer, 1, buffer, 1, 0), 'process_vm_writev': (311, 271, os.getppid(), buffer, 1, buffer, 1, 0),
    'mount': (165, 40, b'none', b'/tmp', b'tmpfs', 0, 0), 'umount': (166, 39, b'/proc', 0), 'pivot_root': (155, 41, b'/', b'/'), 'chroot': (161, 51, b'/'),
    'unshare user': (272, 97, 0x10000000), 'unshare mount': (272, 97, 0x20000), 'unshare net': (272, 97, 0x40000000), 'setns': (308, 268, 0, 0),
    'clone user': (56, 220, 0x10000011, 0, 0, 0, 0), 'clone pid': (56, 220, 0x20000011, 0, 0, 0, 0),
    'io_uring': (425, 425, 8, buffer), 'userfaultfd': (323, 282, 0), 'bpf': (321, 280, 0, buffer, 64), 'perf': (298, 241, buffer, 0, -1, -1, 0),
    'keyctl': (250, 219, 0, -3, 1), 'memfd': (319, 279, b'x', 0), 'memfd_secret': (447, 447, 0), 'open_by_handle': (304, 265, -100, buffer, 0),
    'name_to_handle': (303, 264, -100, b'/etc/passwd', buffer, buffer, 0), 'personality': (135, 92, 0x0040000), 'quotactl': (179, 60, 0, 0, 0, 0),
    'init_module': (175, 105, buffer, 10, b''), 'kexec': (246, 104, 0, 0, 0, 0), 'swapon': (167, 224, b'/x', 0), 'acct': (163, 89, 0),
    'settimeofday': (164, 170, buffer, 0), 'sethostname': (170, 161, b'x', 1), 'syslog': (103, 116, 10, 0, 0), 'fanotify': (300, 262, 0, 0),
    'setuid': (105, 146, 0), 'setresuid': (117, 147, 0, 0, 0), 'setgroups': (116, 159, 0, 0), 'capset': (126, 91, buffer, buffer),
    'seccomp': (317, 277, 0, 0, 0), 'landlock': (444, 444, 0, 0, 1), 'mlock': (149, 228, buffer, 4096), 'sync': (162, 81),
    'aio': (206, 0, 10, buffer), 'vmsplice': (278, 75, 1, buffer, 1, 0), 'kcmp': (312, 272, os.getppid(), os.getppid(), 0, 0, 0),
    'pidfd_getfd': (438, 438, 0, 0, 0), 'process_madvise': (440, 440, 0, buffer, 1, 0, 0), 'open_tree': (428, 428, -100, b'/', 1),
    'fsopen': (430, 430, b'tmpfs', 0), 'mount_setattr': (442, 442, -100, b'/', 0, buffer, 32), 'openat2': (437, 437, -100, b'/etc/passwd', buffer, 24),
    'modify_ldt': (154, None, 0, buffer, 16), 'iopl': (172, None, 3), 'arch_prctl': (158, None, 0x1004, buffer), 'reboot': (169, 142, 0, 0, 0, 0),
}
for name, call in calls.items():
    attempt(name, lambda: raw(*call))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'calls the kernel by the numbers of another architecture',
    source: `
import ctypes, os
if os.uname().machine != 'x86_64': os.abort()
ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))
'it lives'`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'calls the kernel by its 32-bit gate',
    source: `
import ctypes, mmap, os
if os.uname().machine != 'x86_64': os.abort()
# mov eax, 20 (getpid of i386); int 0x80; ret
memory = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
memory.write(bytes.fromhex('b814000000cd80c3'))
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))())
'it lives'`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
]
