// The Lambda runtime for Node.js: it asks the Runtime API for events and calls a handler with each.
// Handlers are async functions, functions with a callback, or awslambda.streamifyResponse(...); see "aloft help invoke".
import http from 'node:http'
import fs from 'node:fs'
import path from 'node:path'
import util from 'node:util'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Writable } from 'node:stream'

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const agent = new http.Agent({ keepAlive: true, maxSockets: 4, noDelay: true })
const base = '/2018-06-01/runtime/'
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming')
let requestId = ''

function open(method, name, headers) {
  return http.request({ host, port, agent, method, path: base + name, headers })
}

function answerTo(request) {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', response => {
      const parts = []
      response.on('data', part => parts.push(part))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }))
    })
  })
}

function send(name, body, headers = {}) {
  const data = Buffer.from(body)
  const request = open('POST', name, { 'Content-Type': 'application/json', 'Content-Length': data.length, ...headers })
  request.end(data)
  return answerTo(request)
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

function fail(name, error, type) {
  const what = described(error)
  console.error(error?.stack ?? error)
  return send(name, JSON.stringify(what), { 'Lambda-Runtime-Function-Error-Type': type ?? what.errorType })
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

// stream calls a handler that writes its reply.
async function stream(handler, event, headers, id) {
  let request
  let type = 'application/octet-stream'
  const begin = () => {
    request ??= open('POST', `invocation/${id}/response`, {
      'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked', 'Content-Type': type,
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    })
    return request
  }
  const out = new Writable({
    write(chunk, _encoding, next) { begin().write(chunk, next) },
    final(next) { next() },
  })
  out.setContentType = value => { type = value }
  let failure
  try {
    await handler(event, out, contextOf(headers, () => {}))
    if (!out.writableEnded) out.end()
    await new Promise((resolve, reject) => out.writableFinished ? resolve() : out.on('finish', resolve).on('error', reject))
  } catch (error) {
    failure = described(error)
    console.error(error?.stack ?? error)
    if (!request) return send(`invocation/${id}/error`, JSON.stringify(failure), { 'Lambda-Runtime-Function-Error-Type': failure.errorType })
  }
  const done = answerTo(begin())
  if (failure) {
    request.addTrailers({
      'Lambda-Runtime-Function-Error-Type': failure.errorType,
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(failure)).toString('base64'),
    })
  }
  request.end()
  return done
}

async function main() {
  let handler
  try {
    handler = await load()
  } catch (error) {
    const known = String(error?.name).startsWith('Runtime.') ? error.name : error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND'
      ? 'Runtime.ImportModuleError' : error instanceof SyntaxError ? 'Runtime.UserCodeSyntaxError' : undefined
    await fail('init/error', error, known)
    process.exit(1)
  }
  for (;;) {
    const request = open('GET', 'invocation/next')
    request.end()
    const next = await answerTo(request)
    if (next.status !== 200) process.exit(0)
    const id = requestId = next.headers['lambda-runtime-aws-request-id']
    process.env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] ?? ''
    try {
      const event = JSON.parse(next.body.length ? next.body : 'null')
      if (handler[streaming]) {
        await stream(handler, event, next.headers, id)
        continue
      }
      const result = JSON.stringify(await buffered(handler, event, next.headers)) ?? 'null'
      await send(`invocation/${id}/response`, result)
    } catch (error) {
      await fail(`invocation/${id}/error`, error)
    }
  }
}

// What nobody caught ends the instance; the invocation under way fails with it.
for (const [event, type] of Object.entries({ uncaughtException: 'Runtime.UncaughtException', unhandledRejection: 'Runtime.UnhandledPromiseRejection' })) {
  process.on(event, async error => {
    await fail(requestId ? `invocation/${requestId}/error` : 'init/error', error, type).catch(() => {})
    process.exit(128)
  })
}

main()
