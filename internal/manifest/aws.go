package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/aloft-run/aloft"
)

// AWS is what a project says about a stage on AWS. Zero values are "not said".
type AWS struct {
	Profile      string   `json:",omitempty"` // of the user's AWS configuration
	Account      string   `json:",omitempty"` // twelve digits: no other is touched
	Regions      []string `json:",omitempty"` // the first is home
	Stack        string   `json:",omitempty"` // the name of its stack
	Endpoint     string   `json:",omitempty"`
	Architecture string   `json:",omitempty"`

	LogDays        int               `json:",omitempty"`
	Tracing        *bool             `json:",omitempty"`
	VPC            *aloft.VPC        `json:",omitempty"`
	KMSKey         string            `json:",omitempty"`
	Tags           map[string]string `json:",omitempty"`
	Alarms         *aloft.Alarms     `json:",omitempty"`
	WAF            *WAF              `json:",omitempty"`
	Throttle       *aloft.Throttle   `json:",omitempty"`
	Zone           string            `json:",omitempty"` // NoZone: aloft touches no DNS
	IDs            map[string]string `json:",omitempty"` // other logical ids of the stack's resources
	CloudFormation map[string]any    `json:",omitempty"`
}

// NoZone in place of a zone says that aloft touches no DNS.
const NoZone = "none"

// WAF is what a project says about its web application firewall.
type WAF struct {
	Off       bool
	RateLimit int
}

// awsKeys say where a stage runs, and how on AWS.
func awsKeys() []key[Settings] {
	return []key[Settings]{
		bind(KeyDoc{Key: "platform", Default: string(aloft.OnLocal), Meaning: "Where it runs: on this machine or the server in use (local), or on AWS Lambda (aws)."},
			oneOf(string(aloft.OnLocal), string(aloft.OnAWS)), func(s *Settings) *string { return &s.Platform }),
		bind(KeyDoc{Key: "aws", Meaning: "How it runs on AWS. Without platform: aws it has no effect."},
			said(awsShape()), func(s *Settings) **AWS { return &s.AWS }),
	}
}

func awsShape() shape[AWS] {
	return checked(objectOf(append(accountKeys(), stackKeys()...)...), func(d *document, n node, a *AWS) error {
		if region, both := n.get("region"); both && n.has("regions") {
			return d.fault(region.at, "%s: region and regions say the same thing twice", n.path).WithHint("keep one of the two")
		}
		if waf, is := n.get("waf"); is && !a.WAF.Off && a.Endpoint != "" && a.Endpoint != aloft.RESTAPI {
			return d.fault(waf.at, "%s: only a REST API can have a web application firewall", n.path).WithHint("write endpoint: %s, or remove waf", aloft.RESTAPI)
		}
		return nil
	})
}

func (n node) has(name string) bool {
	_, is := n.get(name)
	return is
}

// accountKeys say which part of AWS it is.
func accountKeys() []key[AWS] {
	one := key[AWS]{
		doc:    KeyDoc{Key: "region", Type: region().noun(), Meaning: "The same as regions with this one alone."},
		schema: region().schema,
		read: func(d *document, n node, a *AWS) error {
			v, err := region().read(d, n)
			a.Regions = []string{v}
			return err
		},
	}
	return []key[AWS]{
		bind(KeyDoc{Key: "profile", Default: "AWS_PROFILE, else default", Meaning: "The profile of your AWS configuration whose credentials are used."},
			formed("a profile's name", `such as "shop"`, `^[^\s\[\]]+$`), func(a *AWS) *string { return &a.Profile }),
		bind(KeyDoc{Key: "account", Meaning: "The account it belongs into. With credentials of another account nothing is done."},
			account(), func(a *AWS) *string { return &a.Account }),
		bind(KeyDoc{Key: "regions", Default: "AWS_REGION, else the profile's", Meaning: "The regions it runs in. The first is home: it has the record of releases."},
			regions(), func(a *AWS) *[]string { return &a.Regions }),
		one,
	}
}

// stackKeys say what its stack is made of.
func stackKeys() []key[AWS] {
	return []key[AWS]{
		bind(KeyDoc{Key: "stack", Default: "APP-STAGE", Meaning: "The name of its CloudFormation stack, the same in each region. It cannot change once the stage is deployed. One that is there already, made by others, becomes the stage's if you agree: see docs/LEAVE.md."},
			stackName(), func(a *AWS) *string { return &a.Stack }),
		bind(KeyDoc{Key: "endpoint", Default: aloft.HTTPAPI, Meaning: "What takes requests: API Gateway's HTTP API (30 s a request, no streams), its REST API (streams), or the function's own URL (streams, 15 min)."},
			oneOf(aloft.HTTPAPI, aloft.RESTAPI, aloft.URLEndpoint), func(a *AWS) *string { return &a.Endpoint }),
		bind(KeyDoc{Key: "architecture", Default: aloft.ARM64 + ", unless the package holds programs for x86_64 only", Meaning: "The processors it runs on."},
			oneOf(aloft.ARM64, aloft.X8664), func(a *AWS) *string { return &a.Architecture }),
		bind(KeyDoc{Key: "log-retention", Default: "14", Meaning: "How many days logs are kept."},
			retention(), func(a *AWS) *int { return &a.LogDays }),
		bind(KeyDoc{Key: "tracing", Default: "false", Meaning: "Whether requests are traced by X-Ray."},
			said(yesNo()), func(a *AWS) **bool { return &a.Tracing }),
		bind(KeyDoc{Key: "vpc", Default: "none", Meaning: "The private network that functions have addresses in. Without a NAT gateway they do not reach the Internet from there."},
			said(vpcShape()), func(a *AWS) **aloft.VPC { return &a.VPC }),
		bind(KeyDoc{Key: "kms-key", Default: "what AWS encrypts each with by itself", Meaning: "A key of yours that variables, stores and dead letters are encrypted with. What the key's policy must let, and what stays with AWS's keys, has docs/AWS.md."},
			formed("a key's ARN", `such as "arn:aws:kms:eu-central-1:123456789012:key/…"`, `^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`), func(a *AWS) *string { return &a.KMSKey }),
		bind(KeyDoc{Key: "tags", Meaning: "Tags of everything in its stack."},
			mapOf("TAG", tagNames(), tagValue()), func(a *AWS) *map[string]string { return &a.Tags }),
		bind(KeyDoc{Key: "alarms", Meaning: "When somebody is told, and who."},
			said(alarmsShape()), func(a *AWS) **aloft.Alarms { return &a.Alarms }),
		bind(KeyDoc{Key: "waf", Default: "false", Meaning: "A web application firewall in front of the REST API."},
			said(wafShape()), func(a *AWS) **WAF { return &a.WAF }),
		bind(KeyDoc{Key: "throttle", Default: "the account's", Meaning: "How many requests API Gateway lets through."},
			said(throttleShape()), func(a *AWS) **aloft.Throttle { return &a.Throttle }),
		bind(KeyDoc{Key: "zone", Default: "the one that has the domain", Meaning: "The Route 53 zone of the stage's domains, by name or id. With false aloft touches no DNS and prints the records to add."},
			zone(), func(a *AWS) *string { return &a.Zone }),
		bind(KeyDoc{Key: "ids", Meaning: "Other logical ids for resources that aloft makes, by those that it gives them: aloft import stack writes them, so that what a stack has goes on."},
			mapOf("ID", logicalIDs(), logicalID()), func(a *AWS) *map[string]string { return &a.IDs }),
		bind(KeyDoc{Key: "cloudformation", Meaning: "Parts of a CloudFormation template, in the long forms ({Ref: NAME}), that are merged over the one that aloft makes."},
			template(), func(a *AWS) *map[string]any { return &a.CloudFormation }),
	}
}

func region() shape[string] {
	return formed("a region", "such as eu-central-1", `^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
}

// accountStack is the name of the stack that aloft has in each region of an account.
const accountStack = "aloft"

func stackName() shape[string] {
	name := formed("the name of a stack", "such as shop-production: letters, digits and dashes, a letter first, 128 at most", `^[A-Za-z][A-Za-z0-9-]{0,127}$`)
	name.schema["not"] = map[string]any{"const": accountStack}
	return checked(name, func(d *document, n node, v *string) error {
		if *v == accountStack {
			return d.fault(n.at, "%s: the stack %s is the account's: it has what all stages share", n.path, *v).WithHint("name another, or leave it out")
		}
		return nil
	})
}

// regions are one or several, each once.
func regions() shape[[]string] {
	one := region().schema
	all := listOf(region())
	all.schema = map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one, "minItems": 1, "uniqueItems": true}}}
	return checked(all, func(d *document, n node, v *[]string) error {
		for i, name := range *v {
			if slices.Contains((*v)[:i], name) {
				return d.fault(n.items[i].at, "%s: %s is there twice", n.path, name).WithHint("remove one of the two")
			}
		}
		if len(*v) == 0 {
			return d.expected(n, all.wants, all.like)
		}
		return nil
	})
}

// account is an account's number, which is no number to YAML: it may begin with zeros.
func account() shape[string] {
	return formed("an account's number in quotes", `such as "123456789012"`, `^[0-9]{12}$`)
}

// retentions are the days that CloudWatch Logs knows. Source: PutRetentionPolicy in the API reference of CloudWatch Logs.
func retentions() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

func retention() shape[int] {
	var all []string
	for _, days := range retentions() {
		all = append(all, strconv.Itoa(days))
	}
	return word("a number of days", "that CloudWatch knows: "+strings.Join(all, ", "), map[string]any{"enum": retentions()}, func(n node) (int, bool) {
		v, err := strconv.Atoi(n.text)
		return v, n.kind == number && err == nil && slices.Contains(retentions(), v)
	})
}

func vpcShape() shape[aloft.VPC] {
	s := objectOf(
		bind(KeyDoc{Key: "subnets", Meaning: "Its subnets, of several zones if it can be."},
			listOf(formed("a subnet's id", `such as "subnet-0a1b2c3d"`, `^subnet-[0-9a-f]+$`)), func(v *aloft.VPC) *[]string { return &v.Subnets }),
		bind(KeyDoc{Key: "security-groups", Meaning: "What its functions may talk to."},
			listOf(formed("a security group's id", `such as "sg-0a1b2c3d"`, `^sg-[0-9a-f]+$`)), func(v *aloft.VPC) *[]string { return &v.SecurityGroups }),
	)
	s.schema["required"] = []string{"subnets", "security-groups"}
	return checked(s, func(d *document, n node, v *aloft.VPC) error {
		if len(v.Subnets) == 0 || len(v.SecurityGroups) == 0 {
			return d.fault(n.at, "%s: subnets and security-groups are both needed", n.path).WithHint("write %s: {subnets: [subnet-…], security-groups: [sg-…]}", n.path)
		}
		return nil
	})
}

// over returns what a and base say together; where both speak, a wins.
func (a *AWS) over(base *AWS) *AWS {
	if a == nil && base == nil {
		return nil
	}
	top, under := deref(a), deref(base)
	shared := (&aloft.AWS{
		VPC: cmp.Or(top.VPC, under.VPC), Alarms: alarmsOver(top.Alarms, under.Alarms), Throttle: cmp.Or(top.Throttle, under.Throttle),
	}).Clone()
	return &AWS{
		Profile: cmp.Or(top.Profile, under.Profile), Account: cmp.Or(top.Account, under.Account), Regions: pick(top.Regions, under.Regions),
		Stack: cmp.Or(top.Stack, under.Stack), Endpoint: cmp.Or(top.Endpoint, under.Endpoint), Architecture: cmp.Or(top.Architecture, under.Architecture),
		LogDays: cmp.Or(top.LogDays, under.LogDays), Tracing: copied(cmp.Or(top.Tracing, under.Tracing)), VPC: shared.VPC,
		KMSKey: cmp.Or(top.KMSKey, under.KMSKey), Tags: join(top.Tags, under.Tags), Alarms: shared.Alarms,
		WAF: copied(cmp.Or(top.WAF, under.WAF)), Throttle: shared.Throttle, Zone: cmp.Or(top.Zone, under.Zone),
		IDs: join(top.IDs, under.IDs), CloudFormation: mergeTemplates(top.CloudFormation, under.CloudFormation),
	}
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func deref(a *AWS) AWS {
	if a == nil {
		return AWS{}
	}
	return *a
}

func alarmsOver(top, base *aloft.Alarms) *aloft.Alarms {
	if top == nil || base == nil {
		return cmp.Or(top, base)
	}
	return &aloft.Alarms{
		Notify: pick(top.Notify, base.Notify), Errors: cmp.Or(top.Errors, base.Errors),
		Throttles: cmp.Or(top.Throttles, base.Throttles), Latency: cmp.Or(top.Latency, base.Latency),
	}
}
