package aloft

import (
	"encoding/json"
	"maps"
	"slices"
)

// PlatformName says where a stage runs.
type PlatformName string

// The platforms.
const (
	OnLocal PlatformName = "local" // this machine, or the server that the client speaks to; also ""
	OnAWS   PlatformName = "aws"   // AWS Lambda, by a CloudFormation stack
)

// The endpoints that a stage on AWS may have.
const (
	HTTPAPI     = "http-api"     // API Gateway's HTTP API: payload 2.0, 30 s, no streaming. The default
	RESTAPI     = "rest-api"     // API Gateway's REST API: streams, may have a web application firewall
	URLEndpoint = "function-url" // the web function's own URL: streams, 15 min, no charge of its own
)

// The architectures of functions on AWS, as Lambda names them.
const (
	ARM64 = "arm64"
	X8664 = "x86_64"
)

// AWS is what a release on AWS has besides functions and resources: the rest of what its stack is made of.
type AWS struct {
	Regions      []string `json:"regions"`                // where it runs; the first is home: it has the state
	Stack        string   `json:"stack,omitempty"`        // the name of its stack in each region; "" means APP-STAGE. See StackName
	Endpoint     string   `json:"endpoint,omitempty"`     // HTTPAPI and so on; "" means HTTPAPI
	Architecture string   `json:"architecture,omitempty"` // ARM64 or X8664; "" means what the artifact's native code asks for, else ARM64

	LogDays  int               `json:"logDays,omitempty"` // how long logs are kept; 0 means 14
	Tracing  bool              `json:"tracing,omitempty"` // X-Ray
	VPC      *VPC              `json:"vpc,omitempty"`     // nil: functions reach the Internet, and nothing private
	KMSKey   string            `json:"kmsKey,omitempty"`  // ARN of the key of variables and stores; "" means aloft's own
	Tags     map[string]string `json:"tags,omitempty"`    // of everything in the stack
	Alarms   *Alarms           `json:"alarms,omitempty"`  // nil: those that have a default, told to nobody
	WAF      *WAF              `json:"waf,omitempty"`     // with RESTAPI only
	Throttle *Throttle         `json:"throttle,omitempty"`
	Zone     string            `json:"zone,omitempty"`    // Route 53 zone of the domains, name or id; "" means look for one, "none" means that aloft touches no DNS
	Domains  []string          `json:"domains,omitempty"` // of the stage when the release was made

	IDs            map[string]string `json:"ids,omitempty"`            // other logical ids for resources of the template, by those that they have by themselves
	CloudFormation json.RawMessage   `json:"cloudformation,omitempty"` // merged over the template, last
}

// StackName is the name of the stack of a stage with these settings, in each of its regions.
func (a *AWS) StackName(ref StageRef) string {
	if a != nil && a.Stack != "" {
		return a.Stack
	}
	return ref.App + "-" + ref.Stage
}

// VPC is the private network that functions have addresses in.
type VPC struct {
	Subnets        []string `json:"subnets"`
	SecurityGroups []string `json:"securityGroups"`
}

// Alarms say when somebody is told.
type Alarms struct {
	Notify    []string `json:"notify,omitempty"`    // e-mail addresses, https:// URLs, ARNs of topics
	Errors    int      `json:"errors,omitempty"`    // failed invocations in five minutes; 0 means 1
	Throttles int      `json:"throttles,omitempty"` // refused for want of concurrency, in five minutes; 0 means 1
	Latency   Duration `json:"latency,omitempty"`   // 99th percentile over five minutes; 0 means no such alarm
}

// WAF bounds who may ask.
type WAF struct {
	RateLimit int `json:"rateLimit,omitempty"` // requests of one address in five minutes; 0 means 2000
}

// Throttle bounds requests at the gateway.
type Throttle struct {
	Rate  float64 `json:"rate"`  // a second
	Burst int     `json:"burst"` // at once
}

// IDOf returns the logical id of a resource of the stack that aloft calls id.
func (a *AWS) IDOf(id string) string {
	if to, is := a.IDs[id]; is {
		return to
	}
	return id
}

// Clone returns a copy that shares no memory with a.
func (a *AWS) Clone() *AWS {
	if a == nil {
		return nil
	}
	c := *a
	c.Regions, c.Domains, c.Tags = slices.Clone(a.Regions), slices.Clone(a.Domains), maps.Clone(a.Tags)
	c.CloudFormation, c.IDs = slices.Clone(a.CloudFormation), maps.Clone(a.IDs)
	if a.VPC != nil {
		c.VPC = &VPC{slices.Clone(a.VPC.Subnets), slices.Clone(a.VPC.SecurityGroups)}
	}
	if a.Alarms != nil {
		alarms := *a.Alarms
		alarms.Notify = slices.Clone(a.Alarms.Notify)
		c.Alarms = &alarms
	}
	if a.WAF != nil {
		waf := *a.WAF
		c.WAF = &waf
	}
	if a.Throttle != nil {
		throttle := *a.Throttle
		c.Throttle = &throttle
	}
	return &c
}

// Lambda is what only Lambda knows of a function; other platforms keep it and do not act on it.
type Lambda struct {
	EphemeralStorage int               `json:"ephemeralStorage,omitempty"` // MB of /tmp; 0 means 512
	Layers           []string          `json:"layers,omitempty"`           // ARNs of layer versions
	Reserved         *int              `json:"reserved,omitempty"`         // concurrency kept for it, and its bound; nil: none
	Provisioned      int               `json:"provisioned,omitempty"`      // instances kept warm
	SnapStart        bool              `json:"snapStart,omitempty"`
	Role             string            `json:"role,omitempty"`   // ARN of a role in place of the one that aloft makes
	Policy           []json.RawMessage `json:"policy,omitempty"` // statements beside those that its edges make
}

// Clone returns a copy that shares no memory with l.
func (l *Lambda) Clone() *Lambda {
	if l == nil {
		return nil
	}
	c := *l
	c.Layers = slices.Clone(l.Layers)
	if l.Reserved != nil {
		reserved := *l.Reserved
		c.Reserved = &reserved
	}
	c.Policy = make([]json.RawMessage, len(l.Policy))
	for i, p := range l.Policy {
		c.Policy[i] = slices.Clone(p)
	}
	if l.Policy == nil {
		c.Policy = nil
	}
	return &c
}
