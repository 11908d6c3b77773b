package manifest

import (
	"encoding/json"
	"time"

	"github.com/aloft-run/aloft"
)

// onAWS are the settings for AWS, made if there are none.
func (s *Settings) onAWS() *AWS {
	if s.AWS == nil {
		s.AWS = &AWS{}
	}
	return s.AWS
}

// upLambda are the keys of up.json's section lambda. What it says of the one function that up makes, it says of the web function.
func upLambda() []key[Settings] {
	seconds := func(f *FunctionSettings, v int) { f.Timeout = aloft.Duration(time.Duration(v) * time.Second) }
	keys := []key[Settings]{
		ofWeb("memory", within(1, 10_240), func(f *FunctionSettings, v int) { f.Memory = v }),
		ofWeb("timeout", within(1, 900), seconds),
		ofWeb("role", anyText(), func(f *FunctionSettings, v string) { f.onLambda().Role = v }),
		ofWeb("policy", statements(), func(f *FunctionSettings, v []json.RawMessage) { f.onLambda().Policy = v }),
		bind(KeyDoc{Key: "vpc"}, said(upVPC()), func(s *Settings) **aloft.VPC { return &s.onAWS().VPC }),
	}
	return append(keys, unused[Settings]("runtime", "accelerate", "warm", "warm_count", "warm_rate")...)
}

func upVPC() shape[aloft.VPC] {
	return objectOf(
		bind(KeyDoc{Key: "subnets"}, listOf(anyText()), func(v *aloft.VPC) *[]string { return &v.Subnets }),
		bind(KeyDoc{Key: "security_groups"}, listOf(anyText()), func(v *aloft.VPC) *[]string { return &v.SecurityGroups }),
	)
}

// ofWeb makes a key whose value says something of the web function.
func ofWeb[V any](name string, s shape[V], set func(*FunctionSettings, V)) key[Settings] {
	return key[Settings]{doc: KeyDoc{Key: name, Type: s.noun()}, schema: s.schema, read: func(d *document, n node, into *Settings) error {
		v, err := s.read(d, n)
		if err != nil {
			return err
		}
		web := into.Functions[WebFunction]
		set(&web, v)
		if into.Functions == nil {
			into.Functions = map[string]FunctionSettings{}
		}
		into.Functions[WebFunction] = web
		return nil
	}}
}

// onLambda are the settings that only Lambda knows, made if there are none.
func (f *FunctionSettings) onLambda() *Lambda {
	if f.Lambda == nil {
		f.Lambda = &Lambda{}
	}
	return f.Lambda
}

// settleUp lets proxy.timeout win over lambda.timeout, which bounds the same requests.
func settleUp(_ *document, _ node, s *Settings) error {
	if web, is := s.Functions[WebFunction]; is && s.Timeout > 0 {
		web.Timeout = 0
		s.Functions[WebFunction] = web
	}
	return nil
}
