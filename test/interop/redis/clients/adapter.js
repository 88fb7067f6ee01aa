// What the Node adapters share: the lines of README.md, and the critical section of the stress.
const fs = require('fs')
const path = require('path')
const readline = require('readline')

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function stress(client, name, ttl, seconds, folder) {
  const inside = path.join(folder, 'inside')
  const until = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9))
  let count = 0
  while (process.hrtime.bigint() < until) {
    if (!(await client.acquire(name, ttl, 1000))) continue
    try {
      fs.mkdirSync(inside)
    } catch (why) {
      return why.code === 'EEXIST' ? 'overlap' : `error ${why}`
    }
    await sleep(1)
    fs.rmdirSync(inside)
    await client.release()
    count += 1
  }
  return `done ${count}`
}

async function answer(client, [verb, ...args]) {
  if (verb === 'acquire') return (await client.acquire(args[0], Number(args[1]), Number(args[2]))) ? 'held' : 'busy'
  if (verb === 'release') return (await client.release()) ? 'released' : 'lost'
  if (verb === 'stress') return stress(client, args[0], Number(args[1]), Number(args[2]), args[3])
  return `error unknown verb ${verb}`
}

async function serve(client) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let said
    try {
      said = await answer(client, line.trim().split(/\s+/))
    } catch (why) {
      said = `error ${String(why).replace(/\n/g, ' ')}`
    }
    process.stdout.write(said + '\n')
  }
  process.exit(0)
}

module.exports = { serve, sleep }
