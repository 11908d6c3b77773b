package stack_test

import (
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

const lua = "arn:aws:lambda:us-east-1:123456789012:layer:lua:3"

// TestShimLayer: the layers of other languages have a bootstrap as well, and that of the last layer counts.
func TestShimLayer(t *testing.T) {
	t.Parallel()
	f := server()
	f.Command, f.Lambda = []string{"lua", "server.lua"}, &aloft.Lambda{Layers: []string{lua}}
	out, _ := render(t, input(release("shop", f)))
	layers, _ := out.Template.Resources["WebFunction"].Properties["Layers"].([]any)
	if len(layers) != 2 || layers[0] != lua || !strings.HasPrefix(layers[1].(map[string]any)["Ref"].(string), "Shim") {
		t.Errorf("layers %v", layers)
	}

	f.Lambda.Layers = []string{"arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerArm64:25"}
	in := input(release("shop", f))
	if _, err := stack.Render(in); aloft.ErrorCode(err) != aloft.Invalid || !strings.Contains(err.Error(), "the layer of Lambda Web Adapter") {
		t.Errorf("the adapter: %v", err)
	}
}

// TestPythonPath: packages of layers are found, which Lambda's own client looks for only where PYTHONPATH is not set, and no other
// program does.
func TestPythonPath(t *testing.T) {
	t.Parallel()
	const layers = "/opt/python/lib/python3.13/site-packages:/opt/python:/var/runtime"
	bare := server()
	bare.Command, bare.Runtime = []string{"python3", "server.py"}, "python3.13"
	installed := bare
	installed.Name, installed.Env = "api", map[string]string{"PYTHONPATH": "$APP/.python_packages"}
	handler := aloft.Function{Name: "work", Kind: aloft.Handler, Handler: "app.handler", Runtime: "python3.13", Memory: 256, Timeout: bare.Timeout}
	other := handler
	other.Name, other.Env = "other", installed.Env
	out, _ := render(t, input(release("shop", bare, installed, handler, other)))
	variables := func(id string) map[string]any {
		environment, _ := out.Template.Resources[id].Properties["Environment"].(map[string]any)
		all, _ := environment["Variables"].(map[string]any)
		return all
	}
	if got := variables("WebFunction")["PYTHONPATH"]; got != layers {
		t.Errorf("a server: %v", got)
	}
	spec, _ := variables("ApiFunction")["ALOFT_FUNCTION"].(string)
	if !strings.Contains(spec, "$APP/.python_packages:"+layers) {
		t.Errorf("a server with packages: %s", spec)
	}
	if got := variables("WorkFunction")["PYTHONPATH"]; got != nil { // which Lambda's client adds by itself then
		t.Errorf("a handler: %v", got)
	}
	if got := variables("OtherFunction")["PYTHONPATH"]; got != "/var/task/.python_packages:"+layers {
		t.Errorf("a handler with packages: %v", got)
	}
}

// TestTopicOfAlarms: a topic of the app that is called alarm is not where the alarms go.
func TestTopicOfAlarms(t *testing.T) {
	t.Parallel()
	for _, resources := range [][]aloft.Resource{nil, {{Name: "alarm", Type: aloft.Topic}}} {
		in := stage(resources, server())
		in.Release.AWS.Alarms = &aloft.Alarms{Notify: []string{"ops@example.com", "https://example.com/hook"}}
		out, _ := render(t, in)
		subscribed, topics := map[any]int{}, map[any]bool{}
		for _, r := range out.Template.Resources {
			switch r.Type {
			case "AWS::SNS::Subscription":
				subscribed[r.Properties["TopicArn"].(map[string]any)["Ref"]]++
			case "AWS::CloudWatch::Alarm":
				actions, _ := r.Properties["AlarmActions"].([]any)
				if len(actions) != 1 {
					t.Errorf("an alarm does %v", actions)
					continue
				}
				topics[actions[0].(map[string]any)["Ref"]] = true
			}
		}
		if len(topics) != 1 || len(subscribed) != 1 {
			t.Errorf("alarms go to %v, the subscriptions are of %v", topics, subscribed)
		}
		for topic := range topics {
			if name := out.Template.Resources[topic.(string)].Properties["TopicName"]; name != "shop-production-alarms" || subscribed[topic] != 2 {
				t.Errorf("alarms go to %v with %d subscriptions", name, subscribed[topic])
			}
		}
	}
}

// TestDestinationsAreThere: Lambda looks at the function that an event's destination is.
func TestDestinationsAreThere(t *testing.T) {
	t.Parallel()
	sender, receiver := worker("sender"), worker("receiver")
	sender.Async = &aloft.Async{OnSuccess: "function:receiver", OnFailure: "function:receiver"}
	out, _ := render(t, stage(nil, sender, receiver))
	if got := out.Template.Resources["SenderAsync"].DependsOn; strings.Join(got, " ") != "SenderAlias ReceiverAlias" {
		t.Errorf("it waits for %v", got)
	}
}

// TestVersionsOfStores: a greater version of a database or of a search domain is an upgrade in place.
func TestVersionsOfStores(t *testing.T) {
	t.Parallel()
	in := storesCase()
	for i, r := range in.Release.Resources {
		if r.Type == aloft.Postgres {
			in.Release.Resources[i].Options = map[string]string{"instance": "db.t4g.micro", "version": "17"}
		}
	}
	out, _ := render(t, in)
	found := map[string]cfn.Resource{}
	for _, r := range out.Template.Resources {
		found[r.Type] = r
	}
	if got := found["AWS::RDS::DBInstance"].Properties["AllowMajorVersionUpgrade"]; got != true {
		t.Errorf("a database: %v", got)
	}
	if got := found["AWS::OpenSearchService::Domain"].UpdatePolicy["EnableVersionUpgrade"]; got != true {
		t.Errorf("a search domain: %v", got)
	}
}
