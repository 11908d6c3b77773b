package manifest

import (
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
	web := func(set func(f *FunctionSettings, v int)) func(*Settings, int) {
		return func(s *Settings, v int) {
			f := s.Functions[WebFunction]
			set(&f, v)
			if s.Functions == nil {
				s.Functions = map[string]FunctionSettings{}
			}
			s.Functions[WebFunction] = f
		}
	}
	keys := []key[Settings]{
		put(KeyDoc{Key: "memory"}, within(1, 10_240), web(func(f *FunctionSettings, v int) { f.Memory = v })),
		put(KeyDoc{Key: "timeout"}, within(1, 900), web(func(f *FunctionSettings, v int) { f.Timeout = aloft.Duration(time.Duration(v) * time.Second) })),
		bind(KeyDoc{Key: "vpc"}, said(upVPC()), func(s *Settings) **aloft.VPC { return &s.onAWS().VPC }),
	}
	return append(keys, unused[Settings]("role", "policy", "runtime", "accelerate", "warm", "warm_count", "warm_rate")...)
}

func upVPC() shape[aloft.VPC] {
	return objectOf(
		bind(KeyDoc{Key: "subnets"}, listOf(anyText()), func(v *aloft.VPC) *[]string { return &v.Subnets }),
		bind(KeyDoc{Key: "security_groups"}, listOf(anyText()), func(v *aloft.VPC) *[]string { return &v.SecurityGroups }),
	)
}

// put makes a key whose value set puts into T.
func put[T, V any](doc KeyDoc, s shape[V], set func(*T, V)) key[T] {
	doc.Type = s.noun()
	return key[T]{doc: doc, below: s.keys, schema: s.schema, read: func(d *document, n node, into *T) error {
		v, err := s.read(d, n)
		if err == nil {
			set(into, v)
		}
		return err
	}}
}

// settleUp lets proxy.timeout win over lambda.timeout, which bounds the same requests.
func settleUp(_ *document, _ node, s *Settings) error {
	if web, is := s.Functions[WebFunction]; is && s.Timeout > 0 {
		web.Timeout = 0
		s.Functions[WebFunction] = web
	}
	return nil
}
