"""Programs that abuse a judge, four and more in each class; one says ESCAPED when its abuse worked.

In them SCRATCH is a directory that everyone may read and write, PORT a listener of TCP and UDP on the
loopback, and VICTIM another process.
"""

from __future__ import annotations

CALL = "import ctypes; call = ctypes.CDLL(None, use_errno=True).syscall\n"
WORKED = "\nprint('ESCAPED')"
FORK = "import os\nif os.fork() == 0: os._exit(0)\nos.wait()"
TCP = "import socket; s = socket.socket()\ns.connect(('127.0.0.1', PORT))"
SPIN = "import time\nwhile time.process_time() < 2.6: pass"

ABUSES: dict[str, tuple[str, ...]] = {
    "links": (
        "import os; os.symlink('/etc/passwd', 'SCRATCH/symlink')",
        "import os; os.link('SCRATCH/canary', 'SCRATCH/hardlink')",
        "import os; os.mkdir('SCRATCH/one'); os.rename('SCRATCH/one', 'SCRATCH/two')",
        "open('/proc/self/root/SCRATCH/canary').read()",
        "import os; os.chmod('SCRATCH/mine', 0o777)",
    ),
    "archives": (
        (
            "import io, zipfile; b = io.BytesIO(); z = zipfile.ZipFile(b, 'w'); z.writestr('a/../slip', 'x')\n"
            "z.extractall('SCRATCH/zip')"
        ),
        (
            "import io, tarfile; b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w')\n"
            "i = tarfile.TarInfo('link'); i.type = tarfile.SYMTYPE; i.linkname = '/etc'; t.addfile(i)\n"
            "t.close(); b.seek(0); tarfile.open(fileobj=b).extractall('SCRATCH/tar')"
        ),
        (
            "import zlib; d = zlib.compressobj(); z = b''.join(d.compress(bytes(1 << 20)) for _ in range(300))\n"
            "assert len(zlib.decompress(z + d.flush())) == 300 << 20"
        ),
        "import shutil; shutil.make_archive('SCRATCH/all', 'tar', '/etc/ssl')",
    ),
    "code from outside": (
        "import sys; sys.path.insert(0, 'SCRATCH'); import planted",
        "import runpy; runpy.run_path('SCRATCH/planted.py')",
        "exec(open('SCRATCH/planted.py').read())",
        "import py_compile; py_compile.compile('SCRATCH/planted.py', 'SCRATCH/planted.pyc', doraise=True)",
        "open('SCRATCH/conftest.py', 'w').write('import os')",
    ),
    "processes": (
        FORK,
        "import subprocess; subprocess.run(['/bin/true'], check=True)",
        "import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
        "import os\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: os._exit(0)\n os._exit(0)\nos.wait()",
        f"{CALL}import os\np = call(56, 17, 0, 0, 0, 0)\nif p == 0: os._exit(0)\nassert p > 0",
        f"{CALL}assert call(435, 0, 0) < 0 and ctypes.get_errno() != 38",
    ),
    "memory": (
        "x = bytearray(300 << 20)",
        "import mmap; m = mmap.mmap(-1, 300 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
        "import mmap; m = mmap.mmap(-1, 1 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)",
        "import os; f = os.memfd_create('m'); os.truncate(f, 1 << 20)",
        (
            "import threading; threading.stack_size(64 << 20); e = threading.Event()\n"
            "t = [threading.Thread(target=e.wait, daemon=True) for _ in range(8)]\n"
            "for x in t: x.start()\ne.set()"
        ),
    ),
    "floods": (
        "import os\nfor _ in range(64): os.write(1, b'x' * 65536)",
        "import os\nfor _ in range(64): os.write(2, b'x' * 65536)",
        "open('SCRATCH/sparse', 'wb').truncate(1 << 30)",
        "for i in range(100): open(f'SCRATCH/inode{i}', 'w').close()",
        "open('SCRATCH/mine', 'ab').write(b'x' * 65536)",
    ),
    "time": (
        SPIN,
        f"import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n{SPIN}",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nimport time; time.sleep(2.5)",
        "import signal; signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(0, 2.5); signal.pause()",
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (60, 60))",
    ),
    "network": (
        TCP,
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind('\\0kourse-abuse')",
        "import socket; a, b = socket.socketpair(type=socket.SOCK_DGRAM); a.sendto(b'x', 'SCRATCH/socket')",
        "import socket; socket.create_server(('127.0.0.1', 0))",
    ),
    "secrets": (
        "import os; assert 'KOURSE_CANARY' in os.environ",
        "assert b'KOURSE_CANARY' in open('/proc/self/environ', 'rb').read()",
        "open('/etc/passwd').read()",
        "open('SCRATCH/canary').read()",
        "open('/proc/self/mem', 'rb')",
        "import os; os.listdir('/proc/self/fd')",
        "import os; os.fstat(9)",
    ),
    "other processes": (
        "import os; os.kill(VICTIM, 0)",
        "import os; os.pidfd_open(VICTIM)",
        f"{CALL}assert call(101, 0x4206, VICTIM, 0, 0) == 0",
        f"{CALL}assert call(302, VICTIM, 7, None, ctypes.create_string_buffer(16)) == 0",
        "open('/proc/VICTIM/status').read()",
        f"{CALL}assert call(234, VICTIM, VICTIM, 0) == 0",
    ),
    "kernel": (
        f"{CALL}assert call(272, 0x10000000) == 0",
        f"{CALL}assert call(250, 0, -3, 1) > 0",
        f"{CALL}assert call(135, 0) >= 0",
        f"{CALL}assert call(29, 0, 4096, 0o1600) >= 0",
        f"{CALL}f = call(253); import os; assert call(254, f, b'SCRATCH', 2) >= 0",
        f"{CALL}assert call(157, 4, 1, 0, 0, 0) == 0 and call(105, 65534) == 0",
    ),
    "forgery": (
        "import os; os.write(9, b'{\"exit_code\": 0}')",
        "open('SCRATCH/expected').read()",
        "import os; open(f'/proc/{os.getppid()}/cmdline').read()",
        "import os; os.listdir('SCRATCH')",
        "open('SCRATCH/expected', 'w').write('mine')",
    ),
    "leftovers": (
        "open('/tmp/kourse-abuse-left', 'w').write('x'); import os; os.unlink('/tmp/kourse-abuse-left')",
        "open('/dev/shm/kourse-abuse-left', 'w').write('x'); import os; os.unlink('/dev/shm/kourse-abuse-left')",
        "import os\nif os.fork() == 0:\n os.setsid(); os._exit(0)\nos.wait()",
        f"{CALL}q = call(68, 0, 0o1600)\nassert q >= 0 and call(71, q, 0, 0) == 0",
        "import os; os.mkfifo('SCRATCH/fifo')",
    ),
    "shells": (
        "import os; assert os.system('true; true') == 0",
        "import os; assert os.popen('echo $(echo x)').read() == 'x\\n'",
        "import subprocess; subprocess.run('true\\ntrue', shell=True, check=True)",
        "import os; os.execv('/bin/echo', ['--', 'ESCAPED'])",
    ),
}
"""Programs by the class of abuse."""
