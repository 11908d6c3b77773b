// Package cfndiff says what differs between two CloudFormation templates, resource by resource, and what of that CloudFormation
// replaces by something new. It makes no call: which properties force a replacement is a table with a date, made of AWS's schemas.
package cfndiff

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/cfn"
)

// Read reads the text of a template in JSON.
func Read(text []byte) (cfn.Template, error) {
	var t cfn.Template
	if err := json.Unmarshal(text, &t); err != nil {
		return t, fmt.Errorf("read a template: %w", err)
	}
	return t, nil
}

// Compare lists the resources that differ, by logical id.
func Compare(before, after cfn.Template) ([]aloft.ResourceChange, error) {
	before, err := plain(before)
	if err != nil {
		return nil, err
	}
	if after, err = plain(after); err != nil {
		return nil, err
	}
	table, err := Replacements()
	if err != nil {
		return nil, err
	}
	all := []aloft.ResourceChange{}
	ids := maps.Clone(before.Resources)
	if ids == nil {
		ids = map[string]cfn.Resource{}
	}
	maps.Copy(ids, after.Resources)
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		a, had := before.Resources[id]
		b, has := after.Resources[id]
		switch {
		case !had:
			all = append(all, change(aloft.Add, id, b))
		case !has:
			c := change(aloft.Remove, id, a)
			c.Kept = kept(a.DeletionPolicy)
			all = append(all, c)
		case !reflect.DeepEqual(a, b):
			all = append(all, table.modified(id, a, b))
		}
	}
	return all, nil
}

// plain is a template as it comes out of its text: so values of Go's types equal those that were read.
func plain(t cfn.Template) (cfn.Template, error) {
	text, err := t.JSON()
	if err != nil {
		return t, err
	}
	return Read(text)
}

func change(action aloft.Action, id string, r cfn.Resource) aloft.ResourceChange {
	name := named(r)
	return aloft.ResourceChange{Action: action, ID: id, Type: r.Type, Name: name, Part: Part(r.Type)}
}

func (t Table) modified(id string, a, b cfn.Resource) aloft.ResourceChange {
	c := change(aloft.Modify, id, b)
	c.Properties = differing(a, b)
	if a.Type != b.Type {
		c.Replace, c.Causes, c.Was = aloft.ReplaceAlways, []string{"Type"}, a.Type
	} else {
		c.Replace, c.Causes = t.replaces(a, b)
	}
	if c.Replace != "" {
		Settle(&c, a, b)
	}
	return c
}

// Settle says of a resource that is replaced what stays of it, and whether CloudFormation refuses. Another type under one logical id it
// always does, when the change set is made: "Update of resource type is not permitted".
func Settle(c *aloft.ResourceChange, before, after cfn.Resource) {
	if c.Was != "" {
		c.Refused = true
		return
	}
	c.Kept = kept(after.UpdateReplacePolicy)
	was, is := named(before), named(after)
	c.Refused = is != "" && was == is
}

// differing are the names of properties that differ, and of attributes of the resource itself.
func differing(a, b cfn.Resource) []string {
	var names []string
	keys := maps.Clone(a.Properties)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, b.Properties)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !reflect.DeepEqual(a.Properties[key], b.Properties[key]) {
			names = append(names, key)
		}
	}
	for name, equal := range map[string]bool{
		"DeletionPolicy": a.DeletionPolicy == b.DeletionPolicy, "UpdateReplacePolicy": a.UpdateReplacePolicy == b.UpdateReplacePolicy,
		"DependsOn": reflect.DeepEqual(a.DependsOn, b.DependsOn), "Metadata": reflect.DeepEqual(a.Metadata, b.Metadata),
		"Condition": a.Condition == b.Condition,
	} {
		if !equal {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func kept(policy string) string {
	switch {
	case strings.HasPrefix(policy, "Retain"):
		return aloft.KeptWhole
	case policy == "Snapshot":
		return aloft.KeptSnapshot
	}
	return ""
}

// named is the name that the template gives a resource, "" if AWS makes one up.
func named(r cfn.Resource) string {
	for _, p := range []string{
		"TableName", "BucketName", "QueueName", "TopicName", "FunctionName", "LogGroupName", "RoleName", "AlarmName", "DBClusterIdentifier",
		"DBInstanceIdentifier", "ServerlessCacheName", "EmailIdentity", "DomainName", "Name",
	} {
		if name, _ := r.Properties[p].(string); name != "" {
			return name
		}
	}
	return ""
}

// Part reports whether resources of a type hold nothing that somebody may miss: they go along with others, or are made anew
// with each release.
func Part(kind string) bool {
	name, ours := strings.CutPrefix(kind, "AWS::")
	return ours && slices.Contains([]string{
		"ApiGateway::Deployment", "ApiGateway::Method", "ApiGateway::Resource", "ApiGatewayV2::ApiMapping", "ApiGatewayV2::Integration",
		"ApiGatewayV2::Route", "CloudWatch::Alarm", "Events::Rule", "IAM::Role", "Lambda::Alias", "Lambda::EventInvokeConfig",
		"Lambda::EventSourceMapping", "Lambda::LayerVersion", "Lambda::Permission", "Lambda::Version", "S3::BucketPolicy",
		"SNS::Subscription", "SNS::TopicPolicy", "SQS::QueuePolicy", "Scheduler::Schedule", "Scheduler::ScheduleGroup",
		"WAFv2::WebACLAssociation",
	}, name)
}
