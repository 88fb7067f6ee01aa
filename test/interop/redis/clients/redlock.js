// node-redlock on one node, behind the lines of README.md. usage: redlock.js PORT
const Redis = require('ioredis')
const Redlock = require('redlock')
const { serve } = require('./adapter')

const redis = new Redis(Number(process.argv[2]))
let lock

serve({
  async acquire(name, ttl, wait) {
    const retryDelay = 5
    const redlock = new Redlock([redis], { retryCount: Math.floor(wait / retryDelay), retryDelay, retryJitter: 2 })
    try {
      lock = await redlock.lock(name, ttl)
      return true
    } catch (why) {
      if (why.name === 'LockError') return false
      throw why
    }
  },
  async release() {
    try {
      await lock.unlock()
      return true
    } catch (why) {
      if (why.name === 'LockError') return false
      throw why
    }
  },
})
