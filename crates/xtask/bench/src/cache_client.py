"""The four steps with the peer's library, as its node software takes them.

Prints the seconds, and the most memory that was used, in KiB.
"""
import os
import sys
import time

from slapos.libnetworkcache import NetworkcacheClient


def client(configuration):
    with open(configuration) as file:
        return NetworkcacheClient(file)


def pack(directory, archive):
    with NetworkcacheClient.archive(directory) as packed, open(archive, "wb") as file:
        packed.seek(0)
        while True:
            piece = packed.read(1 << 20)
            if not piece:
                break
            file.write(piece)


def unpack(archive, directory):
    with open(archive, "rb") as file:
        NetworkcacheClient.extract(directory, file)


def upload(configuration, url, directory):
    root, name = os.path.split(directory)
    with NetworkcacheClient.archive(directory) as packed:
        client(configuration).upload(
            packed, name, software_url=url, software_root=root, file=name, urlmd5=name)


def download(configuration, url, directory):
    cache = client(configuration)
    entry = next(iter(cache.select(os.path.basename(directory))))
    cache.extract(directory, cache.download(entry["sha512"]))


STEPS = dict(pack=pack, unpack=unpack, upload=upload, download=download)

begin = time.monotonic()
STEPS[sys.argv[1]](*sys.argv[2:])
seconds = time.monotonic() - begin
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
print(seconds, peak)
