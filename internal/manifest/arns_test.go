package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aloft-run/aloft"
	"github.com/aloft-run/aloft/internal/manifest"
)

const (
	keyOfUS   = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	layerOfUS = "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:14"
	topicOfUS = "arn:aws:sns:us-east-1:123456789012:ops"
	roleOf1   = "arn:aws:iam::123456789012:role/web"
)

// TestVPCOfOneRegion: a network with several regions is refused at its place.
func TestVPCOfOneRegion(t *testing.T) {
	t.Parallel()
	const vpc, two = "vpc: {subnets: [subnet-1], security-groups: [sg-1]}", "regions: [eu-west-1, us-east-1]"
	for text, want := range map[string]string{
		"aws:\n  " + two + "\n  " + vpc:                                                         "aloft.yml:3:3: aws.vpc: subnets belong to one region, and the stage has 2",
		"aws: {" + vpc + "}\nstages:\n  production:\n    aws: {" + two + "}":                    "aloft.yml:1:7: aws.vpc: subnets belong",
		"aws: {" + two + "}\nstages:\n  production:\n    aws: {" + vpc + "}":                    "aloft.yml:4:11: stages.production.aws.vpc: subnets belong",
		"aws: {" + two + "}\nstages:\n  one: {aws: {region: eu-west-1, " + vpc + "}}":           "",
		"aws: {" + two + "}\nstages:\n  dev: {platform: local, aws: {" + vpc + "}}\n  live: {}": "",
	} {
		_, _, err := manifest.Load(fstest.MapFS{manifest.AloftFile: {Data: []byte(text)}})
		if want == "" {
			check(t, err)
		} else if aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %s", text, err, want)
		}
	}
}

// TestARNsElsewhere: keys, topics, layers and roles that the stage cannot have where it runs are refused at their places, before
// anything is made; those that others share are not.
func TestARNsElsewhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"key", "aws:\n  regions: [us-east-1, eu-central-1]\n  kms-key: " + keyOfUS, "aloft.yml:3:12: aws.kms-key: it is in the region us-east-1, and the stage runs in eu-central-1"},
		{"topic", "aws:\n  region: eu-central-1\n  alarms:\n    notify: [ops@example.com, '" + topicOfUS + "']", "aloft.yml:4:31: aws.alarms.notify: it is in the region us-east-1"},
		{"layer", "aws: {region: eu-central-1}\nfunctions:\n  web:\n    lambda:\n      layers:\n        - " + layerOfUS, "aloft.yml:6:11: functions.web.lambda.layers: it is in the region us-east-1"},
		{"of a stage", "aws: {kms-key: " + keyOfUS + "}\nstages:\n  production:\n    aws: {region: eu-central-1}", "aloft.yml:1:16: aws.kms-key: it is in the region us-east-1"},
		{"in a stage", "aws: {region: eu-central-1}\nstages:\n  us:\n    aws: {kms-key: '" + keyOfUS + "'}", "aloft.yml:4:20: stages.us.aws.kms-key: it is in the region us-east-1"},
		{"partition", "aws: {region: cn-north-1}\nfunctions: {web: {lambda: {role: '" + roleOf1 + "'}}}", "aloft.yml:2:34: functions.web.lambda.role: it is of aws, a part of AWS apart from aws-cn"},
		{"account", "aws: {region: us-east-1, account: '999999999999'}\nfunctions: {web: {lambda: {role: '" + roleOf1 + "'}}}", "aloft.yml:2:34: functions.web.lambda.role: it is of the account 123456789012"},
		{"no ARN of a layer", "functions: {web: {lambda: {layers: [insights]}}}", "aloft.yml:1:37: functions.web.lambda.layers: expected the ARN of a layer's version"},
		{"no ARN of a version", "functions: {web: {lambda: {layers: ['arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension']}}}", "aloft.yml:1:37: functions.web.lambda.layers: expected the ARN of a layer's version"},
		{"no address", "aws: {alarms: {notify: [ops]}}", "aloft.yml:1:25: aws.alarms.notify: expected somebody to tell"},

		{"all there", "aws: {region: us-east-1, account: '123456789012', kms-key: '" + keyOfUS + "', alarms: {notify: '" + topicOfUS + "'}}\nfunctions: {web: {lambda: {layers: '" + layerOfUS + "', role: '" + roleOf1 + "'}}}", ""},
		{"each stage its own", "stages:\n  us: {aws: {region: us-east-1, kms-key: '" + keyOfUS + "'}}\n  eu: {aws: {region: eu-west-1, kms-key: '" + strings.Replace(keyOfUS, "us-east-1", "eu-west-1", 1) + "'}}", ""},
		{"a stage of this machine", "aws: {kms-key: '" + keyOfUS + "'}\nstages: {dev: {platform: local, aws: {region: eu-west-1}}}", ""},
		{"somewhere", "aws: {kms-key: '" + keyOfUS + "'}", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := manifest.Load(fstest.MapFS{manifest.AloftFile: {Data: []byte(test.text)}})
			if test.want == "" {
				check(t, err)
				return
			}
			if aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestARNsOfAnotherRegion: where the file does not say the region, it is known at the deploy.
func TestARNsOfAnotherRegion(t *testing.T) {
	t.Parallel()
	for setting, text := range map[string]string{
		"aws.kms-key":                 "aws: {kms-key: '" + keyOfUS + "'}",
		"aws.alarms.notify":           "aws: {alarms: {notify: '" + topicOfUS + "'}}",
		"functions.web.lambda.layers": "functions: {web: {lambda: {layers: '" + layerOfUS + "'}}}",
	} {
		_, err := onAWS(t, text)
		if aloft.ErrorCode(err) != aloft.Invalid || !strings.HasPrefix(err.Error(), setting+": ") || !strings.Contains(err.Error(), "the stage runs in eu-west-1") {
			t.Errorf("%s: %v", setting, err)
		}
		m, _, err := manifest.Load(fstest.MapFS{manifest.AloftFile: {Data: []byte(text)}})
		check(t, err)
		if got := m.Stage("production").ARNRegion(); got != "us-east-1" {
			t.Errorf("%s: the region of the ARNs is %q", setting, got)
		}
	}
}
