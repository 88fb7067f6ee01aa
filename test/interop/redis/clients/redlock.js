// node-redlock, behind the lines of README.md. usage: redlock.js PORT[,PORT…]
const Redis = require('ioredis')
const Redlock = require('redlock')
const { serve } = require('./adapter')

const ports = process.argv[2].split(',').map(Number)
// It waits for every node's answer: one that is down or frozen must give one, or nothing is ever locked.
const several = { commandTimeout: 400, maxRetriesPerRequest: 0, retryStrategy: () => 200 }
const nodes = ports.map((port) => new Redis(port, ports.length > 1 ? several : {}))
if (ports.length > 1) nodes.forEach((node) => node.on('error', () => {}))
let lock

serve({
  async acquire(name, ttl, wait) {
    const retryDelay = 5
    const redlock = new Redlock(nodes, { retryCount: Math.floor(wait / retryDelay), retryDelay, retryJitter: 2 })
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
