// ioredis: SET NX PX and compare-and-delete, as its users write it. usage: ioredis.js PORT
const crypto = require('crypto')
const Redis = require('ioredis')
const { serve, sleep } = require('./adapter')

const redis = new Redis(Number(process.argv[2]))
const compareAndDelete = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) else return 0 end'
let key
let owner

serve({
  async acquire(name, ttl, wait) {
    key = name
    owner = crypto.randomUUID()
    const until = Date.now() + wait
    while ((await redis.set(name, owner, 'PX', ttl, 'NX')) !== 'OK') {
      if (Date.now() >= until) return false
      await sleep(5)
    }
    return true
  },
  async release() {
    return (await redis.eval(compareAndDelete, 1, key, owner)) === 1
  },
})
