# The Lambda runtime for Ruby: it asks the Runtime API for events and calls a handler with each.
require 'json'
require 'net/http'

BASE = '/2018-06-01/runtime/'.freeze
$stdout.sync = true

# What a handler is told of its invocation.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :function_name, :function_version, :memory_limit_in_mb,
              :log_group_name, :log_stream_name, :identity, :client_context, :deadline_ms

  def initialize(headers)
    @deadline_ms = headers['Lambda-Runtime-Deadline-Ms'].to_i
    @aws_request_id = headers['Lambda-Runtime-Aws-Request-Id']
    @invoked_function_arn = headers['Lambda-Runtime-Invoked-Function-Arn']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    identity = headers['Lambda-Runtime-Cognito-Identity']
    client = headers['Lambda-Runtime-Client-Context']
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

def fail_with(http, path, kind, error)
  what = { errorMessage: error.message, errorType: kind, stackTrace: error.backtrace || [] }
  puts "[ERROR] #{kind}: #{error.message}\n#{(error.backtrace || []).join("\n")}"
  http.post(BASE + path, JSON.generate(what), 'Lambda-Runtime-Function-Error-Type' => kind)
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

host, port = ENV['AWS_LAMBDA_RUNTIME_API'].split(':')
http = Net::HTTP.new(host, port.to_i)
http.read_timeout = nil
http.keep_alive_timeout = 3600
http.start
begin
  $LOAD_PATH.unshift(ENV['LAMBDA_TASK_ROOT'])
  handler = load_handler
rescue Exception => e # rubocop:disable Lint/RescueException
  fail_with(http, 'init/error', e.is_a?(Failure) ? e.kind : "Init<#{e.class}>", e)
  exit 1
end
loop do
  response = http.get(BASE + 'invocation/next')
  exit 0 unless response.code == '200'
  id = response['Lambda-Runtime-Aws-Request-Id']
  ENV['_X_AMZN_TRACE_ID'] = response['Lambda-Runtime-Trace-Id'] || ''
  begin
    event = response.body.to_s.empty? ? nil : JSON.parse(response.body)
    result = handler.call(event: event, context: LambdaContext.new(response))
    http.post(BASE + "invocation/#{id}/response", JSON.generate(result), 'Content-Type' => 'application/json')
  rescue StandardError, ScriptError => e
    fail_with(http, "invocation/#{id}/error", "Function<#{e.class}>", e)
  end
end
