package postgres

import (
	"fmt"
	"strconv"

	"github.com/aloft-run/aloft/internal/cfn"
	"github.com/aloft-run/aloft/internal/resource"
)

// Render implements resource.Cloud. Who is in the private network, in a security group of the functions, may connect, and the
// password lets in; no statement of IAM says more.
//
// The password is a secret of the stack's own. One that RDS manages changes every week, and its letters want escaping in a URL:
// a variable that CloudFormation composes when it updates a function would soon be wrong.
func (Cloud) Render(in resource.Rendering) (resource.Rendered, error) {
	s, err := settingsOf(in.Resource.Options)
	if err != nil {
		return resource.Rendered{}, err
	}
	private, err := in.Private(port, port)
	if err != nil {
		return resource.Rendered{}, err
	}
	secret, nets := in.ID+"Password", in.ID+"Subnets"
	password := "{{resolve:secretsmanager:${" + secret + "}:SecretString:password}}"
	generated := map[string]any{
		"Description": "the password of " + in.Resource.Name + " of " + in.Stage.Label(),
		"GenerateSecretString": map[string]any{
			"SecretStringTemplate": `{"username":"` + user + `"}`, "GenerateStringKey": "password", "PasswordLength": 40, "ExcludePunctuation": true,
		},
	}
	common := map[string]any{
		"DBSubnetGroupName": cfn.Ref(nets), "StorageEncrypted": true, "BackupRetentionPeriod": s.backups, "DeletionProtection": !in.Delete,
		"CopyTagsToSnapshot": true, "MasterUsername": user, "MasterUserPassword": cfn.Sub(password),
	}
	if s.version != "" {
		common["EngineVersion"] = s.version
	}
	if in.KMSKey != "" {
		common["KmsKeyId"], generated["KmsKeyId"] = in.KMSKey, in.KMSKey
	}
	render, main := aurora, in.ID
	if s.instance != "" {
		render, main = instance, in.ID+serverPart
	}
	what := "subnets of " + in.Resource.Name + " of " + in.Stage.Label()
	return resource.Rendered{
		Resources: lasting(in, main, resource.With(private.Resources, render(in, s, common, private.Group), map[string]cfn.Resource{
			secret: in.Store("AWS::SecretsManager::Secret", generated),
			nets:   in.Store("AWS::RDS::DBSubnetGroup", map[string]any{"DBSubnetGroupDescription": what, "SubnetIds": private.Subnets}),
		})),
		Env: map[string]any{in.Variable(): cfn.Sub(fmt.Sprintf("postgres://%s:%s@${%s.Endpoint.Address}:%d/%s?sslmode=require",
			user, password, main, port, s.database))},
		Access: map[string][]cfn.Statement{"": nil},
		Single: true,
	}, nil
}

// lasting keeps a database and what it needs also when its stack cannot be made: what is protected from deletion cannot be
// cleared up. CloudFormation names it, so that it is in nobody's way. A database that goes leaves a snapshot.
func lasting(in resource.Rendering, main string, all map[string]cfn.Resource) map[string]cfn.Resource {
	const keep, last = "Retain", "Snapshot"
	for id, r := range all {
		switch {
		case !in.Delete && r.DeletionPolicy != "":
			r.DeletionPolicy = keep
		case in.Delete && id == main:
			r.DeletionPolicy, r.UpdateReplacePolicy = last, last
		}
		all[id] = r
	}
	return all
}

// aurora is a cluster with one instance that grows and shrinks.
func aurora(in resource.Rendering, s settings, properties map[string]any, group any) map[string]cfn.Resource {
	const engine = "aurora-postgresql"
	properties["Engine"], properties["DatabaseName"], properties["VpcSecurityGroupIds"] = engine, s.database, []any{group}
	properties["Port"] = port
	properties["ServerlessV2ScalingConfiguration"] = map[string]any{"MinCapacity": s.least, "MaxCapacity": s.most}
	return map[string]cfn.Resource{
		in.ID: in.Store("AWS::RDS::DBCluster", properties),
		in.ID + "Node": in.Store("AWS::RDS::DBInstance", map[string]any{
			"Engine": engine, "DBClusterIdentifier": cfn.Ref(in.ID), "DBInstanceClass": "db.serverless", "PubliclyAccessible": false,
		}),
	}
}

// serverPart is behind the id of what is one server: a cluster has the id alone, and CloudFormation refuses another type under the id
// of what is there. Who changes from one to the other gets an empty database, and the old one stays.
const serverPart = "Server"

// instance is one server.
func instance(in resource.Rendering, s settings, properties map[string]any, group any) map[string]cfn.Resource {
	properties["Engine"], properties["DBName"], properties["VPCSecurityGroups"] = "postgres", s.database, []any{group}
	properties["DBInstanceClass"], properties["AllocatedStorage"], properties["StorageType"] = s.instance, strconv.Itoa(s.storage), "gp3"
	properties["MultiAZ"], properties["PubliclyAccessible"], properties["Port"] = s.standby, false, strconv.Itoa(port)
	if s.version != "" { // which may become a greater one; of a cluster CloudFormation says so by itself
		properties["AllowMajorVersionUpgrade"] = true
	}
	return map[string]cfn.Resource{in.ID + serverPart: in.Store("AWS::RDS::DBInstance", properties)}
}
