"""redis-py's Lock behind the lines of README.md. usage: redis_py.py PORT"""
import sys

import adapter
import redis
from redis.exceptions import LockNotOwnedError


class Client(adapter.Client):
    def __init__(self, port):
        self.redis = redis.Redis(port=port)
        self.lock = None

    def acquire(self, name, ttl_ms, wait_ms):
        self.lock = self.redis.lock(name, timeout=ttl_ms / 1000, sleep=0.005)
        return self.lock.acquire(blocking=wait_ms > 0, blocking_timeout=wait_ms / 1000)

    def release(self):
        try:
            self.lock.release()
            return True
        except LockNotOwnedError:
            return False


adapter.serve(Client(int(sys.argv[1])))
