package resource

import (
	"slices"
	"strings"

	"github.com/aloft-run/aloft"
)

// Where resources believe to be.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

// ARN is the Amazon resource name of a resource with a physical name.
func ARN(kind, name string) string {
	switch kind {
	case aloft.Bucket:
		return "arn:aws:s3:::" + name
	case aloft.Queue:
		return "arn:aws:sqs:" + Region + ":" + Account + ":" + name
	case aloft.Topic:
		return "arn:aws:sns:" + Region + ":" + Account + ":" + name
	case aloft.Stream:
		return "arn:aws:kinesis:" + Region + ":" + Account + ":stream/" + name
	}
	return ""
}

// services are the kinds with the names that AWS's SDKs have for their services.
func services() map[string]string {
	return map[string]string{aloft.Bucket: "S3", aloft.Queue: "SQS", aloft.Topic: "SNS", aloft.Stream: "KINESIS"}
}

// Here reports whether a machine has resources of a type; the others are on AWS only.
func Here(kind string) bool { return services()[kind] != "" }

// VariableOption is the option that names the variable of a resource of a type that only AWS has.
const VariableOption = "variable"

// suffixes are how the names of variables end.
func suffixes() map[string]string {
	return map[string]string{
		aloft.Bucket: "_BUCKET", aloft.Queue: "_QUEUE_URL", aloft.Topic: "_TOPIC_ARN", aloft.Stream: "_STREAM", aloft.Table: "_TABLE",
		aloft.Postgres: "_DATABASE_URL", aloft.Cache: "_REDIS_URL", aloft.Search: "_URL", aloft.Mail: "_IDENTITY", aloft.Secret: "_SECRET_ARN",
	}
}

// Variable is the name of the variable by which functions know a resource, such as UPLOADS_BUCKET. A database that is called
// db, and a cache that is called cache, have the variables that frameworks look for: DATABASE_URL and REDIS_URL.
func Variable(r aloft.Resource) string {
	if said := r.Options[VariableOption]; said != "" {
		return said
	}
	switch {
	case r.Type == aloft.Postgres && slices.Contains([]string{"db", "database", "postgres"}, r.Name):
		return "DATABASE_URL"
	case r.Type == aloft.Cache && slices.Contains([]string{"cache", "redis", "valkey"}, r.Name):
		return "REDIS_URL"
	}
	name := strings.Map(func(c rune) rune {
		if c == '-' || c == '.' {
			return '_'
		}
		return c
	}, strings.ToUpper(r.Name))
	return name + suffixes()[r.Type]
}

// QueueURL is the address of a queue below that of the API, such as http://127.0.0.1:9002.
func QueueURL(endpoint, name string) string {
	return strings.TrimSuffix(endpoint, "/") + "/" + Account + "/" + name
}

// Credentials are what requests are signed with.
type Credentials struct{ ID, Secret string }

// Env are the variables by which unmodified code finds a stage's resources: their names, and for AWS's SDKs where the API
// of each kind that the stage has is. Other services are left where they are.
func Env(ref aloft.StageRef, resources []aloft.Resource, endpoint string, as Credentials) map[string]string {
	if len(resources) == 0 {
		return nil
	}
	vars := map[string]string{
		"AWS_REGION": Region, "AWS_DEFAULT_REGION": Region, "AWS_ACCESS_KEY_ID": as.ID, "AWS_SECRET_ACCESS_KEY": as.Secret,
	}
	for _, r := range resources {
		name := ref.ResourceName(r)
		vars["AWS_ENDPOINT_URL_"+services()[r.Type]] = endpoint
		vars[Variable(r)] = name
		switch r.Type {
		case aloft.Queue:
			vars[Variable(r)] = QueueURL(endpoint, name)
		case aloft.Topic:
			vars[Variable(r)] = ARN(r.Type, name)
		}
	}
	return vars
}
