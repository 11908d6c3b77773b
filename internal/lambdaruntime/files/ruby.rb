# The Lambda runtime for Ruby: it asks the Runtime API for events and calls a handler with each.
require 'json'
require 'socket'

BASE = '/2018-06-01/runtime/'.freeze
$stdout.sync = true

# A connection to the Runtime API. Requests are text that is sent later: a result and the question for more work go in one write.
class API
  def initialize(address)
    @address = address
    @socket = TCPSocket.new(*address.split(':'))
    @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
  end

  def next
    "GET #{BASE}invocation/next HTTP/1.1\r\nHost: #{@address}\r\n\r\n".b
  end

  def post(path, body, headers = '')
    body = body.b
    "POST #{BASE}#{path} HTTP/1.1\r\nHost: #{@address}\r\nContent-Type: application/json\r\n#{headers}Content-Length: #{body.bytesize}\r\n\r\n".b + body
  end

  # Prints an error and returns the request that tells of it.
  def failure(path, kind, error)
    what = { errorMessage: error.message, errorType: kind, stackTrace: error.backtrace || [] }
    puts "[ERROR] #{kind}: #{error.message}\n#{(error.backtrace || []).join("\n")}"
    post(path, JSON.generate(what), "Lambda-Runtime-Function-Error-Type: #{kind.split.join}\r\n")
  end

  def write(text)
    @socket.write(text)
  end

  # The status, headers by their names in lower case, and body of the next answer; nil when there is none any more.
  def answer
    first = @socket.gets("\r\n") or return nil
    headers = {}
    while (line = @socket.gets("\r\n")) && line != "\r\n"
      name, value = line.chomp("\r\n").split(':', 2)
      headers[name.downcase] = value.strip
    end
    body = @socket.read(headers['content-length'].to_i)
    [first.split(' ', 3)[1], headers, body.force_encoding(Encoding::UTF_8)]
  end
end

# What a handler is told of its invocation.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :function_name, :function_version, :memory_limit_in_mb,
              :log_group_name, :log_stream_name, :identity, :client_context, :deadline_ms

  def initialize(headers)
    @deadline_ms = headers['lambda-runtime-deadline-ms'].to_i
    @aws_request_id = headers['lambda-runtime-aws-request-id']
    @invoked_function_arn = headers['lambda-runtime-invoked-function-arn']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    identity = headers['lambda-runtime-cognito-identity']
    client = headers['lambda-runtime-client-context']
    @identity = JSON.parse(identity) if identity
    @client_context = JSON.parse(client) if client
  end

  def get_remaining_time_in_millis
    [@deadline_ms - (Time.now.to_f * 1000).to_i, 0].max
  end
end

class Failure < StandardError
  attr_reader :kind

  def initialize(kind, message)
    super(message)
    @kind = kind
  end
end

def load_handler
  file, *rest = ENV['_HANDLER'].split('.')
  method = rest.pop
  raise Failure.new('Runtime.MalformedHandlerName', "Bad handler #{ENV['_HANDLER']}: it is FILE.METHOD") unless method
  begin
    require File.join(ENV['LAMBDA_TASK_ROOT'], file)
  rescue LoadError => e
    raise Failure.new('Runtime.ImportModuleError', "cannot load #{file}: #{e.message}")
  end
  owner = rest.empty? ? self : Object.const_get(rest.join('.'))
  raise Failure.new('Runtime.HandlerNotFound', "#{ENV['_HANDLER']} is not defined") unless owner.respond_to?(method, true)
  owner.method(method)
end

# Calls the handler and returns the request that tells what came of it.
def outcome(api, handler, event, headers)
  at = "invocation/#{headers['lambda-runtime-aws-request-id']}"
  result = handler.call(event: event.empty? ? nil : JSON.parse(event), context: LambdaContext.new(headers))
  api.post("#{at}/response", JSON.generate(result))
rescue StandardError, ScriptError => e
  api.failure("#{at}/error", "Function<#{e.class}>", e)
end

api = API.new(ENV['AWS_LAMBDA_RUNTIME_API'])
begin
  $LOAD_PATH.unshift(ENV['LAMBDA_TASK_ROOT'])
  handler = load_handler
rescue Exception => e # rubocop:disable Lint/RescueException
  api.write(api.failure('init/error', e.is_a?(Failure) ? e.kind : "Init<#{e.class}>", e))
  api.answer
  exit 1
end
api.write(api.next)
loop do
  status, headers, event = api.answer
  exit 0 unless status == '200'
  ENV['_X_AMZN_TRACE_ID'] = headers['lambda-runtime-trace-id'] || ''
  # One write tells the result and asks for more work.
  api.write(outcome(api, handler, event, headers) + api.next)
  api.answer
end
