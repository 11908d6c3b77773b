// The Lambda runtime for Node.js: it asks the Runtime API for events and calls a handler with each.
// Handlers are async functions, functions with a callback, or awslambda.streamifyResponse(...); see "aloft help invoke".
import net from 'node:net'
import fs from 'node:fs'
import path from 'node:path'
import util from 'node:util'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Writable } from 'node:stream'

const api = process.env.AWS_LAMBDA_RUNTIME_API
const [host, port] = api.split(':')
const socket = net.connect({ host, port, noDelay: true })
const base = '/2018-06-01/runtime/'
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming')
let requestId = ''
let working = false // on an invocation
let partly = false // answered by a stream

// Answers come in the order of the requests, which may be sent before the answers to earlier ones are there.
let ahead = Buffer.alloc(0)
const waiting = []
socket.on('data', part => {
  ahead = ahead.length ? Buffer.concat([ahead, part]) : part
  for (let found; waiting.length && (found = take());) waiting.shift()(found)
})
socket.on('error', () => process.exit(0)).on('close', () => process.exit(0)) // the instance is being ended

// take cuts an answer off what was read, if all of it is there.
function take() {
  const end = ahead.indexOf('\r\n\r\n')
  if (end < 0) return
  const [first, ...lines] = ahead.latin1Slice(0, end).split('\r\n')
  const headers = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const start = end + 4
  const length = Number(headers['content-length'])
  if (ahead.length < start + length) return
  const body = ahead.subarray(start, start + length)
  ahead = ahead.subarray(start + length)
  return { status: Number(first.split(' ')[1]), headers, body }
}

function answer() {
  return new Promise(resolve => {
    const found = waiting.length ? undefined : take()
    if (found) resolve(found)
    else waiting.push(resolve)
  })
}

const next = `GET ${base}invocation/next HTTP/1.1\r\nHost: ${api}\r\n\r\n`

function head(name, headers) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value).replaceAll(/[\r\n]/g, ' ')}\r\n`)
  return `POST ${base}${name} HTTP/1.1\r\nHost: ${api}\r\n${lines.join('')}\r\n`
}

function post(name, body, headers = {}) {
  return head(name, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers }) + body
}

// What a function prints carries the request's id, one record a line, as on Lambda.
for (const [method, level] of Object.entries({ debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', trace: 'TRACE' })) {
  console[method] = (...args) => {
    const text = util.format(...args).replaceAll('\n', '\r')
    process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`)
  }
}

function described(error) {
  if (util.types.isNativeError(error) || error?.stack) {
    return { errorType: error.name ?? 'Error', errorMessage: error.message ?? '', trace: String(error.stack ?? '').split('\n') }
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] }
}

// failure prints an error and returns the request that tells of it.
function failure(name, error, type) {
  const what = described(error)
  console.error(error?.stack ?? error)
  return post(name, JSON.stringify(what), { 'Lambda-Runtime-Function-Error-Type': type ?? what.errorType })
}

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType('application/vnd.awslambda.http-integration-response')
    stream.write(JSON.stringify(prelude))
    stream.write(new Uint8Array(8))
    return stream
  }
}

globalThis.awslambda = {
  HttpResponseStream,
  streamifyResponse(handler, options) {
    handler[streaming] = options ?? {}
    return handler
  },
}

async function load() {
  const root = process.env.LAMBDA_TASK_ROOT
  const name = process.env._HANDLER
  const slash = name.lastIndexOf('/') + 1
  const [file, ...members] = name.slice(slash).split('.')
  if (!file || members.length === 0) {
    throw Object.assign(new Error(`Bad handler ${name}: it is FILE.EXPORT`), { name: 'Runtime.MalformedHandlerName' })
  }
  const stem = path.resolve(root, name.slice(0, slash), file)
  const found = ['.mjs', '.js', '.cjs', ''].map(end => stem + end).find(f => fs.existsSync(f) && fs.statSync(f).isFile())
  if (!found) {
    throw Object.assign(new Error(`Cannot find module '${file}' below ${root}`), { name: 'Runtime.ImportModuleError' })
  }
  const module = found.endsWith('.cjs') || (found.endsWith('.js') && !isModule(found))
    ? createRequire(import.meta.url)(found) : await import(pathToFileURL(found))
  let handler = module
  for (const member of members) handler = handler?.[member] ?? handler?.default?.[member]
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${name} is no function`), { name: 'Runtime.HandlerNotFound' })
  }
  return handler
}

function isModule(file) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    const manifest = path.join(dir, 'package.json')
    if (fs.existsSync(manifest)) return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module'
    if (dir === path.dirname(dir)) return false
  }
}

function contextOf(headers, settle) {
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const parsed = name => headers[name] ? JSON.parse(headers[name]) : undefined
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    clientContext: parsed('lambda-runtime-client-context'),
    identity: parsed('lambda-runtime-cognito-identity'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, result) => settle(error, result),
    fail: error => settle(error ?? new Error('failed')),
    succeed: result => settle(null, result),
  }
}

// buffered calls a handler that returns its result, a promise of it, or gives it to its callback.
function buffered(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const settle = (error, result) => error !== undefined && error !== null ? reject(error) : resolve(result)
    const result = handler(event, contextOf(headers, settle), settle)
    if (typeof result?.then === 'function') result.then(resolve, reject)
    else if (handler.length < 3 && result !== undefined) resolve(result)
  })
}

// stream calls a handler that writes its reply, and returns what is left to be sent.
async function stream(handler, event, headers, id) {
  let type = 'application/octet-stream'
  const begin = () => {
    if (partly) return
    partly = true
    socket.write(head(`invocation/${id}/response`, {
      'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked', 'Content-Type': type,
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    }))
  }
  const out = new Writable({
    write(chunk, _encoding, done) {
      begin()
      if (chunk.length === 0) return done()
      socket.cork()
      socket.write(chunk.length.toString(16) + '\r\n')
      socket.write(chunk)
      socket.write('\r\n', done)
      socket.uncork()
    },
  })
  out.setContentType = value => { type = value }
  let trailer = ''
  try {
    await handler(event, out, contextOf(headers, () => {}))
    if (!out.writableEnded) out.end()
    await new Promise((resolve, reject) => out.writableFinished ? resolve() : out.on('finish', resolve).on('error', reject))
  } catch (error) {
    if (!partly) return failure(`invocation/${id}/error`, error)
    const what = described(error)
    console.error(error?.stack ?? error)
    const text = Buffer.from(JSON.stringify(what)).toString('base64')
    trailer = `Lambda-Runtime-Function-Error-Type: ${what.errorType}\r\nLambda-Runtime-Function-Error-Body: ${text}\r\n`
  }
  begin()
  return `0\r\n${trailer}\r\n`
}

// outcome calls the handler and returns the request that tells what came of it, or its end.
async function outcome(handler, call) {
  const id = call.headers['lambda-runtime-aws-request-id']
  try {
    const event = JSON.parse(call.body.length ? call.body : 'null')
    if (handler[streaming]) return await stream(handler, event, call.headers, id)
    return post(`invocation/${id}/response`, JSON.stringify(await buffered(handler, event, call.headers)) ?? 'null')
  } catch (error) {
    return failure(`invocation/${id}/error`, error)
  }
}

async function main() {
  let handler
  try {
    handler = await load()
  } catch (error) {
    const known = String(error?.name).startsWith('Runtime.') ? error.name : error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND'
      ? 'Runtime.ImportModuleError' : error instanceof SyntaxError ? 'Runtime.UserCodeSyntaxError' : undefined
    socket.write(failure('init/error', error, known))
    await answer()
    process.exit(1)
  }
  socket.write(next)
  for (;;) {
    const call = await answer()
    if (call.status !== 200) process.exit(0)
    requestId = call.headers['lambda-runtime-aws-request-id']
    process.env._X_AMZN_TRACE_ID = call.headers['lambda-runtime-trace-id'] ?? ''
    working = true
    const result = await outcome(handler, call)
    working = partly = false
    socket.write(result + next) // one write tells the result and asks for more work
    await answer()
  }
}

// What nobody caught ends the instance; the invocation under way fails with it.
for (const [event, type] of Object.entries({ uncaughtException: 'Runtime.UncaughtException', unhandledRejection: 'Runtime.UnhandledPromiseRejection' })) {
  process.on(event, async error => {
    if (partly || (requestId && !working)) { // in the middle of a reply, or between invocations
      console.error(error?.stack ?? error)
      process.exit(128)
    }
    const told = answer()
    socket.write(failure(working ? `invocation/${requestId}/error` : 'init/error', error, type))
    await told
    process.exit(128)
  })
}

main()
