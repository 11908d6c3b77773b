require "json"
require "sinatra/base"
require "time"

class App < Sinatra::Base
  get "/" do
    erb :index, locals: { name: "from Sinatra" }
  end

  get "/hello/:name" do
    erb :index, locals: { name: params[:name] }
  end

  get "/api/time" do
    content_type :json
    { time: Time.now.utc.iso8601 }.to_json
  end
end
