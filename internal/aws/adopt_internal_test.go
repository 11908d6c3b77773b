package aws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/resource"
	"github.com/aloft-run/aloft/internal/resource/postgres"
	"github.com/aloft-run/aloft/internal/stack"
)

// TestAdoptedDatabase: what an import leaves out the next change sets, and CloudFormation replaces a database whose subnet group
// changes: by an empty one.
func TestAdoptedDatabase(t *testing.T) {
	t.Parallel()
	rendered, err := postgres.Cloud{}.Render(resource.Rendering{
		Stage: aloft.StageRef{App: "shop", Stage: "production"}, Resource: aloft.Resource{Name: "main", Type: "postgres"}, Name: "shop-main", ID: "Main",
		VPC: &aloft.VPC{Subnets: []string{"subnet-1", "subnet-2"}, SecurityGroups: []string{"sg-1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &region{name: "eu-west-1"}
	a := adoption{stack: "shop-production", report: aloft.Discard{}}
	a.template.Resources = rendered.Resources
	database := Retained{ARN: "arn:aws:rds:eu-west-1:1:cluster:main", Logical: "Main"}
	subnets := Retained{ARN: "arn:aws:rds:eu-west-1:1:subgrp:nets", Logical: "MainSubnets"}
	subset, imports, err := r.adoptable(stack.Output{}.Template, a, []Retained{database, subnets})
	if err != nil || len(imports) != 2 || subset.Resources["Main"].Properties["DBSubnetGroupName"] == nil {
		t.Errorf("%v; imported: %+v", err, subset)
	}
	if id := imports[1].ResourceIdentifier["DBSubnetGroupName"]; id != "nets" {
		t.Errorf("the subnet group is %q", id)
	}
	if _, _, err := r.adoptable(stack.Output{}.Template, a, []Retained{database}); aloft.ErrorCode(err) != aloft.Conflict {
		t.Errorf("a database that the next change replaces was imported: %v", err)
	}
}

func TestSaysMissing(t *testing.T) {
	t.Parallel()
	err := aloft.Errorf(aloft.Failed, "eu-west-1: Resource of type 'AWS::DynamoDB::Table' with identifier 'shop-items' was not found.")
	gone, there := Retained{ARN: "arn:aws:dynamodb:eu-west-1:1:table/shop-items"}, Retained{ARN: "arn:aws:rds:eu-west-1:1:cluster:main", Logical: "Main"}
	if !saysMissing(err, gone) || saysMissing(err, there) || saysMissing(aloft.Errorf(aloft.Failed, "Main (AWS::RDS::DBCluster): access denied"), there) {
		t.Error("what is missing is not told from what is there")
	}
}

// TestLostWith: the change that makes a stack aloft's is refused if it takes away, or makes anew, what may have data.
func TestLostWith(t *testing.T) {
	t.Parallel()
	removed := types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionDelete}
	snapshot := types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionSnapshot}
	retained := types.ResourceChange{Action: types.ChangeActionRemove, PolicyAction: types.PolicyActionRetain}
	anew := types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementConditional}
	same := types.ResourceChange{Action: types.ChangeActionModify, Replacement: types.ReplacementFalse}
	for _, c := range []struct {
		kind   string
		change types.ResourceChange
		want   string
	}{
		{"AWS::CloudFormation::Stack", removed, "deleted"},
		{"AWS::Redshift::Cluster", snapshot, "deleted"},
		{"AWS::MSK::Cluster", removed, "deleted"},
		{"AWS::FSx::FileSystem", anew, "replaced"},
		{"AWS::MemoryDB::Cluster", removed, "deleted"},
		{"Custom::Database", removed, "deleted"},
		{"Others::Own::Store", anew, "replaced"},
		{"AWS::DynamoDB::Table", retained, ""},
		{"AWS::DynamoDB::Table", same, ""},
		{"Custom::Database", anew, ""},
		{"AWS::Logs::LogGroup", removed, ""},
		{"AWS::Lambda::Function", removed, ""},
		{"AWS::Lambda::EventSourceMapping", anew, ""},
		{"AWS::ApiGateway::Deployment", removed, ""},
		{"AWS::Events::Rule", removed, ""},
	} {
		c.change.ResourceType, c.change.LogicalResourceId = &c.kind, &c.kind
		if got := lostWith(&c.change); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: %q", c.kind, c.change.Action, got)
		}
	}
}
