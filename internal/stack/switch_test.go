package stack_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/stack"
)

// TestSwitches: what a stage may change from one to the other has no logical id under which the two have different types, which
// CloudFormation refuses; and all that is referred to is there.
func TestSwitches(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api", "rest", "rest-api", "rest-api-stage", "work"} {
		types, by := map[string]string{}, map[string]string{}
		for _, endpoint := range []string{"", aloft.HTTPAPI, aloft.RESTAPI, aloft.URLEndpoint} {
			out, _ := render(t, onEndpoint(endpoint, name))
			for id, r := range out.Template.Resources {
				if was := types[id]; was != "" && was != r.Type {
					t.Errorf("a function %s: %s is %s with the endpoint %q, and %s with %q", name, id, was, by[id], r.Type, endpoint)
				}
				types[id], by[id] = r.Type, endpoint
			}
			whole(t, out.Template)
			api := stack.API(endpoint)
			if _, there := out.Template.Resources[api]; there != (endpoint != aloft.URLEndpoint) {
				t.Errorf("%q: the API %q is there: %v", endpoint, api, there)
			}
			text, err := json.Marshal(out.Template)
			if other := map[bool]string{true: "Api", false: "RestApi"}[api == "RestApi"]; err != nil || strings.Contains(string(text), "${"+other+"}") {
				t.Errorf("%q: something is for requests of %s, %v", endpoint, other, err)
			}
		}
	}
}

// TestSwitchesPostgres is the same for what databases are.
func TestSwitchesPostgres(t *testing.T) {
	t.Parallel()
	var all []cfn.Template
	for _, options := range []map[string]string{nil, {"instance": "db.t4g.micro"}} {
		for _, gone := range []bool{false, true} {
			in := stage([]aloft.Resource{{Name: "db", Type: aloft.Postgres, Options: options}}, server())
			in.Release.AWS.VPC = &aloft.VPC{Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}, SecurityGroups: []string{"sg-0123456789abcdef0"}}
			in.Release.Functions[0].Uses, in.DeleteData = []string{"db"}, gone
			out, _ := render(t, in)
			whole(t, out.Template)
			all = append(all, out.Template)
			databases := 0
			for id, r := range out.Template.Resources {
				if (r.Type == "AWS::RDS::DBCluster" || r.Type == "AWS::RDS::DBInstance") && r.Properties["DBClusterIdentifier"] == nil {
					databases++
					if want := map[bool]string{false: "Retain", true: "Snapshot"}[gone]; r.DeletionPolicy != want {
						t.Errorf("%s: %s, want %s", id, r.DeletionPolicy, want)
					}
				}
			}
			if databases != 1 {
				t.Errorf("%v: %d databases", options, databases)
			}
		}
	}
	for id, r := range all[0].Resources {
		if other, both := all[2].Resources[id]; both && other.Type != r.Type {
			t.Errorf("%s is %s, and with an instance %s", id, r.Type, other.Type)
		}
	}
}

func onEndpoint(endpoint, handler string) stack.Input {
	f := aloft.Function{Name: handler, Kind: aloft.Handler, Handler: "a.b", Runtime: "python3.13", Format: "apigw-v1", Routes: []string{"GET /items/{id}"}}
	if endpoint == aloft.URLEndpoint {
		f.Routes, f.URL = nil, &aloft.FunctionURL{}
	}
	in := input(release("shop", server(), f))
	in.Release.AWS.Endpoint, in.Release.AWS.Throttle = endpoint, &aloft.Throttle{Rate: 100, Burst: 50}
	if endpoint == aloft.URLEndpoint {
		in.Release.AWS.Throttle = nil
		return in
	}
	in.Release.AWS.Domains, in.Release.AWS.Regions = []string{"shop.example.com"}, []string{"us-east-1", "eu-west-1"}
	in.Zones = map[string]string{"shop.example.com": "Z0123456789ABCDEFGHIJ"}
	if endpoint == aloft.RESTAPI {
		in.Release.AWS.WAF = &aloft.WAF{}
	}
	return in
}

// whole checks that all resources that a template refers to are in it.
func whole(t *testing.T, template cfn.Template) {
	t.Helper()
	text, err := template.JSON()
	var plain map[string]any
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range cfn.References(plain) {
		_, resource := template.Resources[id]
		_, parameter := template.Parameters[id]
		if !resource && !parameter && !strings.HasPrefix(id, "AWS::") {
			t.Errorf("nothing is called %s", id)
		}
	}
	for _, r := range template.Resources {
		if i := slices.IndexFunc(r.DependsOn, func(id string) bool { return template.Resources[id].Type == "" }); i >= 0 {
			t.Errorf("nothing is called %s", r.DependsOn[i])
		}
	}
}
