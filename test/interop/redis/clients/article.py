"""The article's pattern: SET NX PX, and a delete that compares nothing. usage: article.py PORT"""
import sys
import time
import uuid

import adapter
import redis


class Client(adapter.Client):
    def __init__(self, port):
        self.redis = redis.Redis(port=port)
        self.name = None

    def acquire(self, name, ttl_ms, wait_ms):
        self.name = name
        until = time.monotonic() + wait_ms / 1000
        while not self.redis.set(name, str(uuid.uuid4()), nx=True, px=ttl_ms):
            if time.monotonic() >= until:
                return False
            time.sleep(0.005)
        return True

    def release(self):
        return self.redis.delete(self.name) == 1


adapter.serve(Client(int(sys.argv[1])))
