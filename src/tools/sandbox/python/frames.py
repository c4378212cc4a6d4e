"""Messages between Node and the process of a call: four bytes of length (little endian), then JSON in UTF-8."""
import json
import struct


def read_frame(connection):
    length, = struct.unpack('<I', read_exactly(connection, 4))
    return json.loads(read_exactly(connection, length))


def read_exactly(connection, count):
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError('the connection ended')
        parts += part
    return bytes(parts)


def write_frame(connection, message):
    body = json.dumps(message).encode('ascii')
    connection.sendall(struct.pack('<I', len(body)) + body)
